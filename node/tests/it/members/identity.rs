//! Keys change while the coalition goes on: at members, at the keeper, at whoever reads late.

use crate::{
    site::{Site, Wire},
    support::coalition::Coalition,
};
use commonturf::{
    app::App,
    coalition as work,
    keys::{self, Wanted, carry},
};
use protocol::{
    fold::identity::GRACE,
    identity::{IdentityDocument, KeyUse},
    seal,
    time::DAY,
};

const NAMES: [(&str, &str); 3] = [
    ("Tenants United", "c4"),
    ("Green Table", "c3"),
    ("River Keepers", "c4"),
];

const ALL: [KeyUse; 5] = [
    KeyUse::Request,
    KeyUse::Mls,
    KeyUse::Age,
    KeyUse::Head,
    KeyUse::Statement,
];

async fn three() -> Coalition {
    let terms = policy::terms::template("us-issue-table").unwrap().text;
    Coalition::of(&NAMES, terms).await
}

fn fresh(uses: &[KeyUse]) -> Wanted {
    Wanted {
        keys: uses.to_vec(),
        ..Wanted::default()
    }
}

/// What all members know of one.
async fn document(coalition: &Coalition, n: usize) -> IdentityDocument {
    coalition.state().await.document(coalition.id(n)).unwrap()
}

/// Says something that takes effect at all members.
async fn speaks(coalition: &Coalition, n: usize) {
    let before = coalition.state().await.invites.len();
    work::invite::invite(coalition.node(n), "a friend", 72)
        .await
        .unwrap();
    coalition.settle().await;
    assert_eq!(coalition.state().await.invites.len(), before + 1);
}

/// As [`speaks`], whoever else is lost.
async fn speaks_alone(coalition: &Coalition, n: usize) {
    let before = coalition.state_of(0).await.invites.len();
    work::invite::invite(coalition.node(n), "a friend", 72)
        .await
        .unwrap();
    coalition.settle().await;
    assert_eq!(coalition.state_of(0).await.invites.len(), before + 1);
}

async fn all_speak(coalition: &Coalition) {
    for n in 0..NAMES.len() {
        speaks(coalition, n).await;
    }
}

fn kid(app: &App, usage: KeyUse) -> String {
    app.identity().key(usage).unwrap().kid.to_string()
}

#[tokio::test]
async fn a_member_changes_all_its_keys_and_goes_on() {
    let coalition = three().await;
    let app = coalition.node(1);
    let old: Vec<String> = [KeyUse::Request, KeyUse::Mls, KeyUse::Age, KeyUse::Statement]
        .map(|usage| kid(app, usage))
        .into();
    keys::rotate(app, &fresh(&ALL)).await.unwrap();
    coalition.settle().await;
    let known = document(&coalition, 1).await;
    assert!(known.seq > 1 && known == app.identity());
    for key in &known.keys {
        assert!(!old.contains(&key.kid.to_string()), "{} is old", key.usage);
    }
    let state = coalition.state().await;
    assert!(!state.active(app.me).unwrap().stale_leaf);
    all_speak(&coalition).await;
}

#[tokio::test]
async fn the_keeper_changes_all_its_keys_and_who_was_away_reads_across_it() {
    let coalition = three().await;
    coalition.away(2, true);
    keys::rotate(coalition.node(0), &fresh(&ALL)).await.unwrap();
    coalition.settle().await;
    assert!(coalition.node(0).identity().seq > 1);
    work::invite::invite(coalition.node(1), "a friend", 72)
        .await
        .unwrap();
    coalition.settle().await;
    coalition.away(2, false);
    coalition.settle().await;
    assert!(document(&coalition, 0).await.seq > 1);
    all_speak(&coalition).await;
}

#[tokio::test]
async fn a_node_that_stops_before_it_reads_its_own_document_finds_its_way() {
    let mut coalition = three().await;
    keys::rotate(coalition.node(1), &fresh(&ALL)).await.unwrap();
    commonturf::sync::append::step(coalition.node(1))
        .await
        .unwrap();
    // The keeper reads on and knows the new key alone; the node has only the old one in use.
    coalition.read(0).await;
    assert_eq!(coalition.node(1).identity().seq, 1);
    coalition.restart(1).await;
    coalition.settle().await;
    assert!(document(&coalition, 1).await.seq > 1);
    coalition.restart(1).await;
    all_speak(&coalition).await;
}

#[tokio::test]
async fn the_keeper_takes_the_old_request_key_until_the_position_and_not_after() {
    let coalition = three().await;
    let (keeper, member) = (coalition.node(0), coalition.node(1));
    let old = member.keys().secrets.signing_key(KeyUse::Request).public();
    keys::rotate(member, &fresh(&[KeyUse::Request]))
        .await
        .unwrap();
    coalition.settle().await;
    let known = document(&coalition, 1).await;
    assert!(known.keys.iter().all(|key| key.public != old));
    let lists = |app: &App| app.identity().key(KeyUse::Request).map(|key| key.public);
    assert_ne!(lists(member), Some(old));
    // What a thief would sign with the old key is a stranger's call.
    let thief = member.keys().other_signers(member.me);
    assert_eq!(thief.len(), 1);
    for (signer, status) in [(&thief[0], 403), (&member.signer(), 200)] {
        let answer = crate::federation::reads_log(keeper, signer, keeper.now()).await;
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test]
async fn an_ally_carries_the_document_of_a_node_that_is_cut_off() {
    let coalition = three().await;
    coalition.away(1, true);
    let wanted = Wanted {
        carried: true,
        ..fresh(&ALL)
    };
    let next = keys::rotate(coalition.node(1), &wanted).await.unwrap();
    let text = next.document.unwrap();
    // Asked again, it is the same document: two would be one too many.
    let again = keys::rotate(coalition.node(1), &wanted).await.unwrap();
    assert_eq!(again.document.as_deref(), Some(text.as_str()));
    carry::carry(coalition.node(2), &text, false).await.unwrap();
    coalition.settle().await;
    coalition.away(1, false);
    coalition.settle().await;
    assert!(document(&coalition, 1).await.seq > 1);
    assert!(coalition.node(1).identity().seq > 1);
    all_speak(&coalition).await;
}

#[tokio::test]
async fn what_is_no_document_is_not_carried() {
    let coalition = three().await;
    let before = coalition.state().await.meta().head.position;
    for text in ["", "no document", "mfrgg"] {
        assert!(carry::carry(coalition.node(2), text, false).await.is_err());
    }
    coalition.settle().await;
    assert_eq!(coalition.state().await.meta().head.position, before);
}

#[tokio::test]
async fn a_document_waits_alone_and_a_dry_run_leaves_none() {
    let coalition = three().await;
    let app = coalition.node(1);
    let wanted = Wanted {
        dry_run: true,
        ..fresh(&[KeyUse::Age])
    };
    let next = keys::rotate(app, &wanted).await.unwrap();
    assert!(next.seq > 1);
    assert_eq!((next.keys, next.entry), (vec![KeyUse::Age], None));
    keys::rotate(app, &fresh(&[KeyUse::Age])).await.unwrap();
    assert!(keys::rotate(app, &fresh(&[KeyUse::Age])).await.is_err());
    coalition.settle().await;
    assert!(document(&coalition, 1).await.seq > 1);
}

#[tokio::test]
async fn what_was_sealed_to_the_old_key_still_opens() {
    let coalition = three().await;
    let app = coalition.node(1);
    let sealed = seal::seal(b"rows", &[app.identity().age_recipient().unwrap()]).unwrap();
    for _ in 0..2 {
        keys::rotate(app, &fresh(&[KeyUse::Age])).await.unwrap();
        coalition.settle().await;
    }
    assert_eq!(app.keys().open(&sealed, 100).unwrap(), b"rows");
    let other = seal::seal(
        b"rows",
        &[coalition.node(2).identity().age_recipient().unwrap()],
    );
    assert!(app.keys().open(&other.unwrap(), 100).is_err());
}

#[tokio::test]
async fn every_node_renews_its_document_before_it_runs_out() {
    let coalition = three().await;
    let before = document(&coalition, 1).await;
    coalition.hours(24 * (keys::DOCUMENT_DAYS - 31)).await;
    assert_eq!(document(&coalition, 1).await.seq, 1);
    coalition.hours(48).await;
    for n in 0..NAMES.len() {
        let after = document(&coalition, n).await;
        assert!(after.seq > 1, "node {n}");
        assert!(after.valid_until > before.valid_until.plus(300 * DAY));
    }
    assert_eq!(document(&coalition, 1).await.keys, before.keys);
}

#[tokio::test]
async fn a_member_that_was_away_for_longer_than_its_document_counted_renews_it_first() {
    let coalition = three().await;
    coalition.away(1, true);
    for _ in 0..2 {
        coalition.hours(24 * 200).await;
    }
    let known = coalition.state_of(0).await;
    let until = known.document(coalition.id(1)).unwrap().valid_until;
    assert!(known.meta().head.log_time > until.plus(GRACE));
    coalition.away(1, false);
    coalition.settle().await;
    assert!(document(&coalition, 1).await.seq > 1);
    speaks(&coalition, 1).await;
}

#[tokio::test]
async fn a_member_gets_an_address_and_may_then_keep_the_log() {
    let mut coalition = three().await;
    let wanted = Wanted {
        address: true,
        ..Wanted::default()
    };
    let refused = keys::rotate(coalition.node(1), &wanted).await.unwrap_err();
    assert!(
        refused.0.detail.contains("[federation]"),
        "{}",
        refused.0.detail
    );
    coalition.listen(1).await;
    keys::rotate(coalition.node(1), &wanted).await.unwrap();
    coalition.settle().await;
    let document = document(&coalition, 1).await;
    assert!(document.is_keeper() && document.key(KeyUse::Head).is_some());
    all_speak(&coalition).await;
}

#[tokio::test]
async fn a_signature_by_a_key_that_was_retired_before_it_was_ordered_is_given_again() {
    let coalition = three().await;
    let app = coalition.node(1);
    let terms = policy::terms::template("us-claims-only").unwrap().text;
    work::agreement::propose(coalition.node(0), Some(terms))
        .await
        .unwrap();
    coalition.settle().await;
    let handed_out = Wanted {
        carried: true,
        ..fresh(&ALL)
    };
    let text = keys::rotate(app, &handed_out).await.unwrap();
    // It signs with the key that an ally is about to retire.
    work::agreement::sign(app, None).await.unwrap();
    carry::carry(coalition.node(2), &text.document.unwrap(), false)
        .await
        .unwrap();
    commonturf::sync::append::step(coalition.node(2))
        .await
        .unwrap();
    coalition.read(0).await;
    coalition.settle().await;
    work::agreement::sign(coalition.node(2), None)
        .await
        .unwrap();
    coalition.settle().await;
    let state = coalition.state().await;
    assert!(state.document(app.me).unwrap().seq > 1);
    assert_eq!(state.agreement().unwrap().1.version, 3);
}

#[tokio::test]
async fn a_document_that_was_handed_out_is_said_after_all_by_its_node() {
    let coalition = three().await;
    let app = coalition.node(1);
    let handed_out = Wanted {
        carried: true,
        ..fresh(&ALL)
    };
    let text = keys::rotate(app, &handed_out).await.unwrap();
    let said = keys::rotate(app, &fresh(&[])).await.unwrap();
    assert!(said.keys == text.keys && said.seq > 1);
    // An ally carries it as well: the second of the two changes nothing.
    carry::carry(coalition.node(2), &text.document.unwrap(), false)
        .await
        .unwrap();
    coalition.settle().await;
    assert_eq!(document(&coalition, 1).await, app.identity());
    assert!(app.identity().seq > 1);
    all_speak(&coalition).await;
}

#[tokio::test]
async fn only_the_very_next_document_of_a_member_is_carried() {
    let coalition = three().await;
    let wanted = Wanted {
        carried: true,
        ..fresh(&[KeyUse::Age])
    };
    let next = keys::rotate(coalition.node(1), &wanted).await.unwrap();
    let text = next.document.unwrap();
    let ally = coalition.node(2);
    let dry = carry::carry(ally, &text, true).await.unwrap();
    assert!(dry.seq > 1 && dry.entry.is_none());
    assert_eq!((dry.node, dry.keys), (coalition.id(1), vec![KeyUse::Age]));
    coalition.settle().await;
    assert_eq!(document(&coalition, 1).await.seq, 1);
    carry::carry(ally, &text, false).await.unwrap();
    coalition.settle().await;
    let again = carry::carry(ally, &text, false).await.unwrap_err();
    assert!(
        again.0.detail.contains("this document does not follow"),
        "{}",
        again.0.detail
    );
    let stranger = Site::new("Strangers", false, &Wire::default()).await;
    let present = protocol::codec::encode(&stranger.app.keys().document);
    let foreign = protocol::id::to_base32(&present);
    let refused = carry::carry(ally, &foreign, false).await.unwrap_err();
    assert!(
        refused.0.detail.contains("no member"),
        "{}",
        refused.0.detail
    );
}

#[tokio::test]
async fn a_copy_from_before_the_new_keys_counted_comes_back_if_it_holds_them() {
    let mut coalition = three().await;
    coalition.away(1, true);
    keys::rotate(coalition.node(1), &fresh(&ALL)).await.unwrap();
    let between = coalition.back_up(1).await;
    coalition.away(1, false);
    coalition.settle().await;
    speaks(&coalition, 1).await;
    let after = coalition.back_up(1).await;
    for copy in [between, after] {
        coalition.pass(2 * protocol::time::HOUR).await;
        coalition.restore(1, &copy).await;
        coalition.settle().await;
        let status = commonturf::api::status::read(coalition.node(1)).await;
        let status = status.unwrap().coalition.unwrap();
        assert_eq!(
            status.phase,
            commonturf::store::coalition::Phase::Active,
            "{:?}",
            status.stopped_because
        );
        assert!(coalition.node(1).identity().seq > 1);
        all_speak(&coalition).await;
    }
}

#[tokio::test]
async fn a_copy_from_before_a_change_speaks_with_no_retired_key() {
    let mut coalition = three().await;
    let copy = coalition.back_up(1).await;
    keys::rotate(coalition.node(1), &fresh(&ALL)).await.unwrap();
    coalition.settle().await;
    speaks(&coalition, 1).await;
    coalition.restore(1, &copy).await;
    let before = coalition.state_of(0).await.meta().head.position;
    coalition.settle().await;
    let why = coalition.try_read(1).await.unwrap_err().to_string();
    assert!(why.contains("restore the latest backup"), "{why}");
    assert_eq!(coalition.state_of(0).await.meta().head.position, before);
    speaks_alone(&coalition, 2).await;
}

#[tokio::test]
async fn whoever_looks_after_a_node_is_warned_before_its_document_ends() {
    let coalition = three().await;
    let app = coalition.node(1);
    let standing = async || commonturf::api::status::read(app).await.unwrap().document;
    coalition.away(1, true);
    coalition.hours(24 * (keys::DOCUMENT_DAYS - 15)).await;
    let early = standing().await;
    assert!(!early.ends_soon && !early.ended);
    coalition.pass(2 * DAY).await;
    let late = standing().await;
    assert!(late.ends_soon && !late.ended);
    coalition.pass(14 * DAY).await;
    let over = standing().await;
    assert!(!over.ends_soon && over.ended);
    coalition.away(1, false);
    coalition.settle().await;
    let renewed = standing().await;
    assert!(!renewed.ends_soon && !renewed.ended && renewed.seq > 1);
}

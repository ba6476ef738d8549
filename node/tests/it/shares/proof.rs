//! What outsiders can check: the record of the log, the proof of one row, and books that differ.

use super::{
    net::{Net, ask},
    people::{LIST, who},
};
use crate::support::coalition::NOON;
use commonturf::{
    audit::{self, file},
    coalition,
    keys::{self, Wanted},
    shares,
    store::{self, coalition::Phase},
    sync::{outbox, vouch},
};
use policy::FieldClass;
use protocol::{
    entry::share::{RevokeKind, ShareReceived},
    evidence::{Body, Evidence, Report, verify},
    id::{EntryId, Hash},
    identity::KeyUse,
    note::{Note, TreeHead},
    state::reconcile::Difference,
    time::{DAY, HOUR},
};

const ALLIES: [(&str, &str); 2] = [("Tenants United", "c4"), ("Clean Air Fund", "c3")];
const TO: [&str; 1] = ["Clean Air Fund"];
const FIELDS: [FieldClass; 2] = [FieldClass::Identity, FieldClass::Postal];

/// A coalition in which three people went from the first node to the second.
async fn shared() -> (Net, EntryId) {
    let net = Net::of(&ALLIES).await;
    net.nodes[0]
        .add(&[who(0, &TO), who(1, &TO), who(2, &TO)])
        .await;
    net.settle().await;
    let sent = net.send(0, ask(&TO, &FIELDS), LIST).await;
    (net, sent[0].share.unwrap())
}

fn has(bytes: &[u8], needle: &str) -> bool {
    bytes
        .windows(needle.len())
        .any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

fn held(report: &Report) {
    assert!(report.holds, "{report}");
    assert_eq!(report.vouched_by.len(), 2, "{report}");
}

#[tokio::test]
async fn one_persons_row_is_proved_to_an_outsider_and_nobody_elses() {
    let (net, share) = shared().await;
    let app = &net.nodes[0].app;
    let proof = file::person(app, share, "personbbb").await.unwrap();
    let report = verify(&proof).unwrap();
    held(&report);
    let row = report.row.as_deref().unwrap();
    assert!(row.contains("Quillfeatherb"), "{row}");
    assert!(!has(&proof, "Quillfeathera") && !has(&proof, "Quillfeatherc"));
    let text = report.to_string();
    assert!(text.contains("Tenants United") && text.contains("of 3 of that share"));
    for place in (0..proof.len()).step_by(97) {
        let mut altered = proof.clone();
        altered[place] ^= 1;
        assert!(
            !verify(&altered).is_ok_and(|report| report.holds),
            "{place}"
        );
    }
}

#[tokio::test]
async fn the_record_holds_at_every_member_and_names_nobody() {
    let (net, _) = shared().await;
    for node in &net.nodes {
        let record = file::record(&node.app, None).await.unwrap();
        let report = verify(&record).unwrap();
        held(&report);
        let text = report.to_string();
        assert!(
            text.contains("announced 3 people (identity, postal)"),
            "{text}"
        );
        for canary in ["Canarya", "Quillfeather", "+16145550100", "quill.example"] {
            assert!(!has(&record, canary), "{canary}");
        }
    }
    let joined = &net.nodes[1].app;
    assert!(
        file::record(joined, Some(0)).await.is_err(),
        "it was not there"
    );
    assert!(file::record(joined, Some(10_000)).await.is_err());
    let founder = file::record(&net.nodes[0].app, Some(5)).await.unwrap();
    held(&verify(&founder).unwrap());
}

/// How many identity documents a record holds.
fn documents(record: &[u8]) -> usize {
    match Evidence::read(record).unwrap().body {
        Body::Record(record) => record.documents.len(),
        Body::Person(proof) => proof.documents.len(),
        Body::Fork(proof) => proof.documents.len(),
    }
}

#[tokio::test]
async fn what_retired_keys_signed_is_still_proved_and_no_file_carries_more_documents_than_it_needs()
{
    let (net, share) = shared().await;
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    for keys in [vec![KeyUse::Head, KeyUse::Statement], vec![KeyUse::Age]] {
        for node in &net.nodes {
            let wanted = Wanted {
                keys: keys.clone(),
                ..Wanted::default()
            };
            keys::rotate(&node.app, &wanted).await.unwrap();
        }
        net.settle().await;
    }
    let app = &net.nodes[0].app;
    assert!(app.identity().seq > 2);
    let record = file::record(app, None).await.unwrap();
    held(&verify(&record).unwrap());
    // Each has retired one document with other keys for heads or statements, and one without.
    assert_eq!(documents(&record), 4);
    let proof = file::person(app, share, "personbbb").await.unwrap();
    held(&verify(&proof).unwrap());
    assert_eq!(documents(&proof), 4);
    net.revoke(0, "personbbb", RevokeKind::Erasure).await;
    let head = app.coalition.read().await.as_ref().unwrap().state.meta();
    let late = file::record(app, Some(head.head.position - 3)).await;
    assert_eq!(documents(&late.unwrap()), 2);
}

#[tokio::test]
async fn after_an_erasure_no_salt_is_left_and_the_others_are_still_provable() {
    let (net, share) = shared().await;
    let app = &net.nodes[0].app;
    let before = file::person(app, share, "personaaa").await.unwrap();
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    let refused = file::person(app, share, "personaaa").await.unwrap_err();
    assert!(refused.0.detail.contains("salt"), "{refused:?}");
    held(&verify(&file::person(app, share, "personccc").await.unwrap()).unwrap());
    for (node, table) in [(0, "disclosure"), (1, "received_row")] {
        let mut db = net.nodes[node].app.store.read("test").await.unwrap();
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE salt IS NOT NULL");
        let salts: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut *db)
            .await
            .unwrap();
        assert_eq!(salts, 2, "{table}");
    }
    let record = file::record(app, None).await.unwrap();
    let report = verify(&record).unwrap();
    held(&report);
    assert!(
        report
            .to_string()
            .contains("signed a receipt that it erased 1 rows")
    );
    // What was proved while it could be stays true for whoever was given the file.
    held(&verify(&before).unwrap());
}

#[tokio::test]
async fn a_withdrawal_leaves_the_sender_able_to_show_what_it_gave() {
    let (net, share) = shared().await;
    net.revoke(0, "personaaa", RevokeKind::Withdrawal).await;
    let app = &net.nodes[0].app;
    held(&verify(&file::person(app, share, "personaaa").await.unwrap()).unwrap());
}

#[tokio::test]
async fn nothing_is_proved_of_people_and_shares_that_do_not_belong_together() {
    let (net, share) = shared().await;
    net.nodes[0].add(&[who(3, &[])]).await;
    let app = &net.nodes[0].app;
    assert!(file::person(app, share, "personddd").await.is_err());
    assert!(
        file::person(app, EntryId([1; 16]), "personaaa")
            .await
            .is_err()
    );
    assert!(
        file::person(&net.nodes[1].app, share, "personaaa")
            .await
            .is_err()
    );
}

/// A note by the keeper about its own log.
async fn forged(net: &Net, size: impl Fn(u64) -> u64, root: Hash) -> String {
    let app = &net.nodes[0].app;
    let mut db = app.store.read("test").await.unwrap();
    let row = store::proof::note_of(&mut db, store::proof::KEEPER).await;
    let honest: Note = row.unwrap().unwrap().note.parse().unwrap();
    let head = TreeHead {
        size: size(honest.head.size),
        root,
        ..honest.head
    };
    head.signed(&app.keys().secrets.signing_key(KeyUse::Head))
        .to_string()
}

async fn phase(net: &Net, node: usize) -> Phase {
    let guard = net.nodes[node].app.coalition.read().await;
    guard.as_ref().unwrap().row.phase
}

#[tokio::test]
async fn a_head_that_shrinks_or_contradicts_the_entries_is_a_fork_with_evidence() {
    for (shrinks, why) in [(true, "and now one over"), (false, "is not the one")] {
        let (net, _) = shared().await;
        let member = &net.nodes[1].app;
        let size = |honest: u64| if shrinks { honest - 1 } else { honest };
        let note = forged(&net, size, Hash::of(b"another history")).await;
        vouch::check(member, &note, u64::MAX).await.unwrap();
        vouch::check(member, &note, u64::MAX).await.unwrap();
        let status = audit::status(member).await.unwrap();
        let [fork] = status.forks.as_slice() else {
            panic!("{status:?}");
        };
        assert!(
            fork.why.starts_with("E_LOG_FORK") && fork.why.contains(why),
            "{}",
            fork.why
        );
        assert_eq!(fork.shown, note);
        // Both notes bear the keeper's signature: that is the portable proof.
        let key = net.nodes[0]
            .app
            .keys()
            .secrets
            .signing_key(KeyUse::Head)
            .public();
        for note in [&fork.shown, fork.known.as_ref().unwrap()] {
            assert!(note.parse::<Note>().unwrap().is_signed_by_keeper(&key));
        }
    }
}

#[tokio::test]
async fn a_page_with_a_contradicting_note_freezes_claims_and_stops_nobody() {
    let (net, _) = shared().await;
    let note = forged(&net, |size| size, Hash::of(b"another history")).await;
    let app = &net.nodes[1].app;
    let head = coalition::active(app).await.unwrap().state.meta().head;
    let page = protocol::chain::Page {
        items: Vec::new(),
        head,
        note,
    };
    commonturf::sync::fold::page(app, page).await.unwrap();
    assert_eq!(phase(&net, 1).await, Phase::Active);
    assert!(audit::fork::frozen(app).await.unwrap().is_some());
    assert!(
        audit::fork::frozen(&net.nodes[0].app)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_note_that_is_not_the_keepers_is_not_believed_and_is_no_evidence() {
    let (net, _) = shared().await;
    let member = &net.nodes[1].app;
    let note = forged(&net, |size| size, Hash::of(b"another history")).await;
    let honest: Note = note.parse().unwrap();
    let own = member.keys().secrets.signing_key(KeyUse::Head);
    let by_a_member = honest.head.clone().signed(&own).to_string();
    let mut elsewhere = honest.head;
    elsewhere.origin = "another/log".to_owned();
    let keeper = net.nodes[0].app.keys().secrets.signing_key(KeyUse::Head);
    for note in [
        by_a_member,
        elsewhere.signed(&keeper).to_string(),
        String::new(),
    ] {
        assert!(vouch::check(member, &note, u64::MAX).await.is_err());
    }
    let status = audit::status(member).await.unwrap();
    assert!(status.forks.is_empty());
    assert_eq!(phase(&net, 1).await, Phase::Active);
}

#[tokio::test]
async fn a_keeper_that_had_no_tree_yet_makes_it_from_its_log() {
    let (net, _) = shared().await;
    net.nodes[0].sql("DELETE FROM keeper_tree").await;
    net.send(0, ask(&TO, &FIELDS), LIST).await;
    for node in &net.nodes {
        let status = audit::status(&node.app).await.unwrap();
        assert_eq!(status.checked, status.position);
    }
}

#[tokio::test]
async fn every_member_cosigns_once_a_day_and_a_recipient_after_each_share() {
    let (net, _) = shared().await;
    let vouched = || async {
        let status = audit::status(&net.nodes[0].app).await.unwrap();
        let size = |who: &str, role: &str| {
            let found = status
                .vouched
                .iter()
                .find(|vouched| vouched.name == who && vouched.role == role);
            found
                .unwrap_or_else(|| panic!("{who} has not signed"))
                .entries
        };
        (
            size("Tenants United", "keeper"),
            size("Tenants United", "member"),
            size("Clean Air Fund", "member"),
        )
    };
    let (keeper, one, other) = vouched().await;
    net.send(0, ask(&TO, &FIELDS), LIST).await;
    let (later, same, also) = vouched().await;
    assert!(later > keeper);
    assert_eq!(same, one, "not twice on one day");
    assert!(
        also > other,
        "who takes a share vouches for the log that it stands in"
    );
    net.pass(DAY).await;
    net.send(0, ask(&TO, &FIELDS), LIST).await;
    let (_, next, too) = vouched().await;
    assert!(next > one && too > other, "{next} {too}");
}

#[tokio::test]
async fn shares_whose_ends_do_not_agree_are_listed_for_every_member() {
    let (net, share) = shared().await;
    assert!(
        audit::reconcile(&net.nodes[1].app)
            .await
            .unwrap()
            .is_empty()
    );
    // The recipient of another share is away for longer than the agreement gives it.
    net.away(1, true);
    let sent = net.send(0, ask(&TO, &FIELDS), LIST).await;
    let unanswered = sent[0].share.unwrap();
    assert_ne!(unanswered, share);
    assert!(
        audit::reconcile(&net.nodes[0].app)
            .await
            .unwrap()
            .is_empty()
    );
    net.pass(25 * HOUR).await;
    let found = audit::reconcile(&net.nodes[0].app).await.unwrap();
    let [one] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        (one.share.share, one.share.why),
        (unanswered, Difference::Unanswered)
    );
    assert_eq!(one.to_name, "Clean Air Fund");
    assert!(net.now() > NOON);
    net.away(1, false);
    net.settle().await;
    assert!(
        audit::reconcile(&net.nodes[0].app)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn an_answer_with_other_numbers_is_listed() {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &TO), who(1, &TO)]).await;
    net.settle().await;
    let app = &net.nodes[1].app;
    net.away(1, true);
    let sent = net.send(0, ask(&TO, &FIELDS), LIST).await;
    let share = sent[0].share.unwrap();
    let answer = ShareReceived {
        share,
        accepted: 1,
        dropped: 0,
    };
    let mut tx = app.store.write("test").await.unwrap();
    outbox::queue(app, &mut tx, answer.into(), None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    net.away(1, false);
    net.settle().await;
    for node in &net.nodes {
        let found = audit::reconcile(&node.app).await.unwrap();
        let [one] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(one.share.why, Difference::Numbers);
        assert_eq!((one.share.announced, one.share.accepted), (2, Some(1)));
    }
    let given = shares::view::given(&net.nodes[0].app).await.unwrap();
    assert_eq!(given[0].accepted, Some(1));
}

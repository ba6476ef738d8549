//! Taking back: the notice finds whoever was given the person, the rows go, the proof comes back.

use super::{
    net::{Net, ask},
    people::{LIST, who},
};
use commonturf::{
    coalition,
    shares::{
        self, preview,
        recall::{self, What},
    },
    store::{self, outbox::Progress},
    sync::outbox,
};
use policy::FieldClass;
use protocol::{
    codec,
    entry::{
        housekeeping::Tick,
        share::{ErasureReceipt, ErasureResult, ErasureStatement, RevokeKind},
    },
    fold::recall::is_receipt_signed_by,
    id::{EntryId, Hash},
    identity::KeyUse,
    time::DAY,
};

const ALLIES: [(&str, &str); 3] = [
    ("Tenants United", "c4"),
    ("Clean Air Fund", "c3"),
    ("Nurses Local", "union"),
];
const FIELDS: [FieldClass; 2] = [FieldClass::Identity, FieldClass::Postal];
const BOTH: [&str; 2] = ["Clean Air Fund", "Nurses Local"];

/// A coalition in which two people went from the first node to both others.
async fn shared() -> (Net, Vec<EntryId>) {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &BOTH), who(1, &BOTH)]).await;
    net.settle().await;
    let sent = net.send(0, ask(&BOTH, &FIELDS), LIST).await;
    let shares = sent.iter().map(|sent| sent.share.unwrap()).collect();
    (net, shares)
}

async fn held(net: &Net, node: usize) -> u64 {
    let received = shares::view::received(&net.nodes[node].app).await.unwrap();
    received.iter().map(|share| share.held).sum()
}

async fn statuses(net: &Net, person: &str) -> Vec<&'static str> {
    let holders = shares::holders(&net.nodes[0].app, person).await.unwrap();
    let mut holders: Vec<_> = holders
        .into_iter()
        .map(|holder| (holder.name, holder.status))
        .collect();
    holders.sort_unstable();
    holders.into_iter().map(|(_, status)| status).collect()
}

#[tokio::test]
async fn a_withdrawal_reaches_everybody_who_was_given_the_person_and_nobody_else() {
    let (net, _) = shared().await;
    assert_eq!(statuses(&net, "personaaa").await, ["held", "held"]);
    let recall = net.revoke(0, "personaaa", RevokeKind::Withdrawal).await;
    assert_eq!(recall.consents_withdrawn, 1);
    assert_eq!(recall.notices.len(), 2);
    assert!(recall.notices.iter().all(|notice| notice.state == "done"));
    assert_eq!(statuses(&net, "personaaa").await, ["erased", "erased"]);
    assert_eq!(statuses(&net, "personbbb").await, ["held", "held"]);
    assert_eq!((held(&net, 1).await, held(&net, 2).await), (1, 1));
    let csv = net.export(1).await;
    assert!(!csv.contains("Canarya") && csv.contains("Canaryb"));
    // The person flows to nobody any more, and once more says nothing new.
    let preview = preview::preview(&net.nodes[0].app, ask(&BOTH, &FIELDS), LIST)
        .await
        .unwrap();
    assert!(preview.iter().all(|preview| preview.flow == 1));
    let again = net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    assert!(again.notices.is_empty());
}

#[tokio::test]
async fn a_dry_run_of_a_revocation_changes_nothing() {
    let (net, _) = shared().await;
    let what = What::Person {
        person: "personaaa".to_owned(),
        share: None,
        kind: RevokeKind::Withdrawal,
    };
    let recall = recall::revoke(&net.nodes[0].app, &what, true)
        .await
        .unwrap();
    assert_eq!((recall.consents_withdrawn, recall.notices.len()), (1, 2));
    net.settle().await;
    assert_eq!(statuses(&net, "personaaa").await, ["held", "held"]);
    let preview = preview::preview(&net.nodes[0].app, ask(&BOTH, &FIELDS), LIST)
        .await
        .unwrap();
    assert!(preview.iter().all(|preview| preview.flow == 2));
}

#[tokio::test]
async fn a_receipt_is_signed_by_the_recipient_and_good_outside_the_log() {
    let (net, shares) = shared().await;
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    let receipts = shares::view::receipts(&net.nodes[0].app, false)
        .await
        .unwrap();
    assert_eq!(receipts.len(), 2);
    let receipt = receipts
        .iter()
        .find(|receipt| receipt.to == net.nodes[1].app.me)
        .unwrap();
    assert_eq!((receipt.state, receipt.erased), ("erased", Some(1)));
    assert!(receipt.acknowledged.is_some() && !receipt.overdue);
    assert_eq!(receipt.kind, "erasure");
    let signed = receipt.signed.as_ref().unwrap();
    let bytes = |text: &str| data_encoding::BASE64.decode(text.as_bytes()).unwrap();
    let mut receipt = ErasureReceipt {
        statement: bytes(&signed.statement),
        signature: bytes(&signed.signature).try_into().unwrap(),
    };
    let key = |node: usize| {
        let secrets = &net.nodes[node].app.secrets;
        secrets.signing_key(KeyUse::Statement).public().0
    };
    let statement: ErasureStatement = codec::decode(&receipt.statement).unwrap();
    assert!(shares.contains(&statement.share));
    assert_eq!(statement.result, ErasureResult::Erased);
    assert!(statement.backups_expire_by > statement.completed_at);
    assert!(is_receipt_signed_by(&receipt, &key(1)));
    assert!(!is_receipt_signed_by(&receipt, &key(2)));
    *receipt.statement.last_mut().unwrap() ^= 1;
    assert!(!is_receipt_signed_by(&receipt, &key(1)));
}

#[tokio::test]
async fn a_forged_receipt_is_void_and_the_real_one_still_counts() {
    let (net, _) = shared().await;
    let (recipient, other) = (&net.nodes[1], &net.nodes[2]);
    net.away(1, true);
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    let receipts = shares::view::receipts(&net.nodes[0].app, false)
        .await
        .unwrap();
    let told = receipts
        .iter()
        .find(|receipt| receipt.to == recipient.app.me)
        .unwrap();
    assert_eq!((told.state, told.erased), ("told", None));
    let known = {
        let coalition = coalition::active(&recipient.app).await.unwrap();
        let row = coalition.state.notices.get(&told.notice);
        row.map(|row| (row.position, row.hash))
    };
    let (position, hash) = known.unwrap_or((0, Hash([0; 32])));
    let statement = codec::encode(&ErasureStatement {
        node: recipient.app.me,
        notice: told.notice,
        share: told.share,
        result: ErasureResult::Erased,
        erased: 1,
        completed_at: recipient.app.now(),
        backups_expire_by: recipient.app.now(),
        retained: Vec::new(),
        suppression_kept: false,
        notice_position: position,
        notice_hash: hash,
        onward: Vec::new(),
    });
    let mut forged = Vec::new();
    // Another member speaks for the recipient; the recipient itself signs with another key.
    for node in [other, recipient] {
        let receipt = ErasureReceipt {
            statement: statement.clone(),
            signature: other
                .app
                .secrets
                .signing_key(KeyUse::Statement)
                .sign(&statement)
                .0,
        };
        let mut tx = node.app.store.write("test").await.unwrap();
        let entry = outbox::queue(&node.app, &mut tx, receipt.into(), None)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        forged.push((node, entry));
    }
    net.away(1, false);
    net.settle().await;
    for (node, entry) in forged {
        assert_eq!(node.fate(entry).await.progress, Progress::Void);
    }
    assert_eq!(statuses(&net, "personaaa").await, ["erased", "erased"]);
    let receipts = shares::view::receipts(&net.nodes[0].app, false)
        .await
        .unwrap();
    assert!(receipts.iter().all(|receipt| receipt.state == "erased"));
}

#[tokio::test]
async fn a_notice_reaches_a_node_that_was_away() {
    let (net, _) = shared().await;
    net.away(1, true);
    net.revoke(0, "personaaa", RevokeKind::Withdrawal).await;
    assert_eq!(statuses(&net, "personaaa").await, ["revoked", "erased"]);
    assert_eq!(held(&net, 1).await, 2);
    net.away(1, false);
    net.settle().await;
    assert_eq!(statuses(&net, "personaaa").await, ["erased", "erased"]);
    assert_eq!(held(&net, 1).await, 1);
}

#[tokio::test]
async fn a_row_taken_back_before_it_was_fetched_is_never_stored() {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &BOTH), who(1, &BOTH)]).await;
    net.settle().await;
    net.away(1, true);
    net.send(0, ask(&["Clean Air Fund"], &FIELDS), LIST).await;
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    net.away(1, false);
    net.settle().await;
    let received = shares::view::received(&net.nodes[1].app).await.unwrap();
    assert_eq!((received[0].accepted, received[0].held), (1, 1));
    assert_eq!(received[0].dropped["people"]["law.tombstoned"], 1);
    let receipts = shares::view::receipts(&net.nodes[0].app, false)
        .await
        .unwrap();
    assert_eq!(receipts[0].state, "not_found");
    assert_eq!(statuses(&net, "personaaa").await, ["erased"]);
}

#[tokio::test]
async fn a_tombstone_stops_the_person_until_a_later_consent_in_a_later_share() {
    let (net, _) = shared().await;
    let person = who(0, &BOTH);
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    // A sender that forgets what it was told, and shares the old consent again.
    net.nodes[0].sql("DELETE FROM recalled").await;
    net.nodes[0]
        .sql("DELETE FROM consent WHERE person_id = 'personaaa'")
        .await;
    net.nodes[0].agrees_before(&person).await;
    net.pass(DAY).await;
    let sent = net.send(0, ask(&BOTH, &FIELDS), LIST).await;
    assert!(sent.iter().all(|sent| sent.preview.flow == 2));
    for node in [1, 2] {
        let received = shares::view::received(&net.nodes[node].app).await.unwrap();
        assert_eq!(received[0].dropped["people"]["law.tombstoned"], 1);
        assert_eq!(received[0].accepted, 1);
    }
    // The person agrees once more.
    net.nodes[0].agrees(&person).await;
    net.pass(1_000).await;
    net.send(0, ask(&BOTH, &FIELDS), LIST).await;
    for node in [1, 2] {
        let received = shares::view::received(&net.nodes[node].app).await.unwrap();
        assert_eq!(received[0].accepted, 2, "{received:#?}");
    }
}

#[tokio::test]
async fn at_the_sender_only_a_later_consent_shares_the_person_again() {
    let (net, _) = shared().await;
    net.revoke(0, "personaaa", RevokeKind::Objection).await;
    let flows = async || {
        let previews = preview::preview(&net.nodes[0].app, ask(&BOTH, &FIELDS), LIST).await;
        previews.unwrap()[0].flow
    };
    assert_eq!(flows().await, 1);
    net.pass(DAY).await;
    net.nodes[0].agrees(&who(0, &BOTH)).await;
    net.pass(1_000).await;
    assert_eq!(flows().await, 2);
}

#[tokio::test]
async fn a_whole_share_is_taken_back() {
    let (net, shares) = shared().await;
    let app = &net.nodes[0].app;
    let what = What::Share(shares[0]);
    let recall = net.during(recall::revoke(app, &what, false)).await.unwrap();
    net.settle().await;
    assert_eq!((recall.notices.len(), recall.notices[0].rows), (1, 2));
    assert_eq!(held(&net, 1).await + held(&net, 2).await, 2);
    let given = shares::view::given(app).await.unwrap();
    let share = given.iter().find(|share| share.share == shares[0]).unwrap();
    assert_eq!((share.taken_back, share.confirmed), (2, 2));
    let unknown = What::Share(EntryId([9; 16]));
    assert!(recall::revoke(app, &unknown, false).await.is_err());
}

#[tokio::test]
async fn many_people_are_taken_back_with_one_notice_per_share() {
    let net = Net::of(&ALLIES).await;
    let people: Vec<_> = (0..5).map(|n| who(n, &BOTH)).collect();
    net.nodes[0].add(&people).await;
    net.settle().await;
    net.send(0, ask(&BOTH, &FIELDS), LIST).await;
    let app = &net.nodes[0].app;
    let what = |names: &[&str]| What::People {
        people: names.iter().map(|name| (*name).to_owned()).collect(),
        kind: RevokeKind::Withdrawal,
    };
    let some = what(&["personaaa", "personbbb", "personccc", "personbbb"]);
    let dry = recall::revoke(app, &some, true).await.unwrap();
    assert_eq!(
        (dry.people, dry.consents_withdrawn, dry.notices.len()),
        (Some(3), 3, 2)
    );
    assert!(dry.notices.iter().all(|notice| notice.rows == 3));
    assert_eq!(held(&net, 1).await, 5, "a dry run changes nothing");
    assert_eq!(statuses(&net, "personaaa").await, ["held", "held"]);
    // Everybody is known, or nothing is done.
    let unknown = what(&["personaaa", "nobody-here", "personbbb"]);
    let refused = recall::revoke(app, &unknown, false).await.unwrap_err();
    let said = refused.0.detail;
    assert!(
        said.contains("entry 2") && said.contains("nothing was changed"),
        "{said}"
    );
    assert!(recall::revoke(app, &what(&[]), false).await.is_err());
    let too_many = What::People {
        people: vec!["personaaa".to_owned(); recall::PEOPLE + 1],
        kind: RevokeKind::Withdrawal,
    };
    assert!(recall::revoke(app, &too_many, false).await.is_err());
    assert_eq!(statuses(&net, "personaaa").await, ["held", "held"]);
    let done = net.during(recall::revoke(app, &some, false)).await.unwrap();
    assert_eq!((done.consents_withdrawn, done.notices.len()), (3, 2));
    net.settle().await;
    assert_eq!((held(&net, 1).await, held(&net, 2).await), (2, 2));
    for person in ["personaaa", "personbbb", "personccc"] {
        assert_eq!(statuses(&net, person).await, ["erased", "erased"]);
    }
    assert_eq!(statuses(&net, "personddd").await, ["held", "held"]);
    // Whom nobody holds any more needs no notice.
    let again = recall::revoke(app, &some, false).await.unwrap();
    assert!(again.notices.is_empty());
}

#[tokio::test]
async fn a_person_taken_back_while_the_share_waits_is_told_right_after_it() {
    let net = Net::of(&ALLIES).await;
    let sender = &net.nodes[1];
    let person = who(0, &["Nurses Local"]);
    sender.add(&[person]).await;
    net.settle().await;
    net.away(1, true);
    net.send_unheard(1, ask(&["Nurses Local"], &FIELDS), LIST)
        .await;
    let what = What::Person {
        person: "personaaa".to_owned(),
        share: None,
        kind: RevokeKind::Erasure,
    };
    let recall = recall::revoke(&sender.app, &what, false).await.unwrap();
    assert_eq!(recall.notices[0].state, "share-waits");
    net.away(1, false);
    net.settle().await;
    let holders = shares::holders(&sender.app, "personaaa").await.unwrap();
    assert_eq!(holders[0].status, "erased");
    assert_eq!(held(&net, 2).await, 0);
}

#[tokio::test]
async fn who_owes_an_answer_is_overdue_and_gets_nothing_new() {
    let (net, _) = shared().await;
    net.away(1, true);
    net.revoke(0, "personaaa", RevokeKind::Withdrawal).await;
    net.pass(2 * DAY).await;
    // Deadlines run in log time, which somebody's word carries on.
    let app = &net.nodes[0].app;
    let mut tx = app.store.write("test").await.unwrap();
    outbox::queue(app, &mut tx, Tick {}.into(), None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    net.settle().await;
    assert_eq!(statuses(&net, "personaaa").await, ["overdue", "erased"]);
    let late = shares::view::receipts(app, true).await.unwrap();
    assert_eq!(late.len(), 1);
    assert_eq!(late[0].name, "Clean Air Fund");
    let previews = preview::preview(app, ask(&BOTH, &FIELDS), LIST)
        .await
        .unwrap();
    let overdue = previews
        .iter()
        .find(|preview| preview.name == "Clean Air Fund")
        .unwrap();
    assert_eq!(overdue.flow, 0);
    assert!(
        overdue
            .withheld
            .iter()
            .any(|rule| rule.rule == "law.notices-overdue")
    );
    let coalition = coalition::active(app).await.unwrap();
    assert_eq!(coalition.state.notices.len(), 2);
    drop(coalition);
    let mut db = app.store.read("test").await.unwrap();
    let out = store::share::notice::all_out(&mut db).await.unwrap();
    assert_eq!(
        out.iter().filter(|notice| notice.receipt.is_some()).count(),
        1
    );
}

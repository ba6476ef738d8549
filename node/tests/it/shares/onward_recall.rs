//! The recall of rows that were passed on: it follows them by itself, and the originator sees how far it is.

use super::{
    net::{Net, ask, corrects},
    onward::{
        ALLIES, BOTH, FIELDS, FUND, LOCAL, count, csv, given, held, passed, passed_on, preview_of,
        received, shares_of, withheld_by,
    },
    people::{LIST, onward},
};
use commonturf::{
    coalition,
    shares::{self, preview, rectify, view::Receipt},
};
use protocol::{
    codec,
    entry::share::{ErasureStatement, RevokeKind},
    time::DAY,
};

async fn receipts(net: &Net, node: usize) -> Vec<Receipt> {
    let app = &net.nodes[node].app;
    shares::view::receipts(app, false).await.unwrap()
}

#[tokio::test]
async fn an_erasure_follows_the_row_and_the_originator_sees_it_confirmed() {
    let (net, share) = passed_on().await;
    assert_eq!((held(&net, 1).await, held(&net, 2).await), (2, 1));
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    assert_eq!((held(&net, 1).await, held(&net, 2).await), (1, 0));
    let copies = "SELECT COUNT(*) FROM disclosure WHERE row_bytes IS NOT NULL OR salt IS NOT NULL";
    assert_eq!(
        count(&net, 1, copies).await,
        0,
        "nor does the ledger keep a copy"
    );
    assert_eq!(count(&net, 2, "SELECT COUNT(*) FROM tombstone").await, 1);
    // The receipt in between is signed, names its notice, and lists whom the row went on to.
    let first = receipts(&net, 0).await.remove(0);
    let second = receipts(&net, 1).await.remove(0);
    assert_eq!(
        (first.state, second.state, second.share),
        ("erased", "erased", share)
    );
    let signed = first.signed.as_ref().unwrap();
    let signed = data_encoding::BASE64
        .decode(signed.statement.as_bytes())
        .unwrap();
    let said: ErasureStatement = codec::decode(&signed).unwrap();
    let state = net.state().await;
    let row = state.notices.get(&first.notice).unwrap();
    assert_eq!(
        (said.notice_position, said.notice_hash),
        (row.position, row.hash)
    );
    let listed = said.onward[0];
    assert_eq!((listed.to, listed.notice), (net.id(2), Some(second.notice)));
    assert_eq!(listed.receipt, None, "it did not wait for the next one");
    // Everybody reads the answer in the log, the originator in all its papers.
    let onward = &first.onward[0];
    assert_eq!(
        (onward.name.as_str(), onward.by.as_str()),
        ("Nurses Local", "Clean Air Fund")
    );
    assert_eq!(
        (onward.state, onward.rows, onward.overdue),
        ("erased", Some(1), false)
    );
    let holders = shares::holders(&net.nodes[0].app, "personaaa")
        .await
        .unwrap();
    assert_eq!(holders[0].onward, first.onward);
    let paper = commonturf::papers::statement::statement(&net.nodes[0].app, "personaaa").await;
    let paper = paper.unwrap();
    assert_eq!(paper.recipients[0].holder.onward, first.onward);
    let html = commonturf::pages::papers::statement(&paper, None).unwrap();
    assert!(
        html.contains("Clean Air Fund passed it on to Nurses Local: erased"),
        "{html}"
    );
}

#[tokio::test]
async fn a_recall_of_the_whole_share_follows_all_its_rows() {
    let (net, share) = given(&[onward(0, &BOTH), onward(1, &BOTH)]).await;
    net.send(1, ask(&LOCAL, &FIELDS), received()).await;
    assert_eq!(held(&net, 2).await, 2);
    let what = shares::recall::What::Share(share);
    let app = &net.nodes[0].app;
    net.during(shares::recall::revoke(app, &what, false))
        .await
        .unwrap();
    net.settle().await;
    assert_eq!((held(&net, 1).await, held(&net, 2).await), (0, 0));
    let second = receipts(&net, 1).await;
    assert_eq!(
        (second.len(), second[0].rows, second[0].kind.as_str()),
        (1, 2, "recall")
    );
}

#[tokio::test]
async fn who_was_away_tells_the_next_when_it_is_back_and_nobody_is_forgotten() {
    let (net, _) = passed_on().await;
    net.away(1, true);
    net.away(2, true);
    net.revoke(0, "personaaa", RevokeKind::Withdrawal).await;
    net.away(1, false);
    net.settle().await;
    let first = receipts(&net, 0).await.remove(0);
    assert_eq!((first.state, first.onward[0].state), ("erased", "told"));
    assert_eq!(held(&net, 2).await, 1);
    net.pass(2 * DAY).await;
    net.tick(0).await;
    let first = receipts(&net, 0).await.remove(0);
    assert!(
        first.onward[0].overdue && !first.overdue,
        "each owes its own answer"
    );
    assert!(first.onward[0].sentence().contains("late"));
    net.away(2, false);
    net.settle().await;
    let first = receipts(&net, 0).await.remove(0);
    assert_eq!((first.onward[0].state, held(&net, 2).await), ("erased", 0));
}

#[tokio::test]
async fn a_row_that_waits_to_be_passed_on_is_taken_back_all_the_same() {
    let (net, _) = given(&[onward(0, &BOTH)]).await;
    net.away(1, true);
    net.send_unheard(1, ask(&LOCAL, &FIELDS), received()).await;
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    net.away(1, false);
    net.settle().await;
    assert_eq!((held(&net, 1).await, held(&net, 2).await), (0, 0));
    let first = receipts(&net, 0).await.remove(0);
    assert_eq!(first.onward.len(), 1, "{first:#?}");
}

#[tokio::test]
async fn a_notice_follows_a_row_from_hand_to_hand() {
    let net = Net::of(&ALLIES).await;
    net.nodes[2]
        .add(&[onward(
            0,
            &["Tenants United", "River PAC", "Clean Air Fund"],
        )])
        .await;
    net.settle().await;
    net.send(2, ask(&["Tenants United"], &FIELDS), LIST).await;
    net.send(0, ask(&["River PAC"], &FIELDS), received()).await;
    net.send(3, ask(&["Clean Air Fund"], &FIELDS), received())
        .await;
    assert_eq!(held(&net, 1).await, 1);
    net.revoke(2, "personaaa", RevokeKind::Objection).await;
    for node in [0, 1, 3] {
        assert_eq!(held(&net, node).await, 0, "{node}");
    }
    let first = receipts(&net, 2).await.remove(0);
    let hands: Vec<(&str, &str)> = first
        .onward
        .iter()
        .map(|onward| (onward.by.as_str(), onward.name.as_str()))
        .collect();
    assert_eq!(
        hands,
        [
            ("Tenants United", "River PAC"),
            ("River PAC", "Clean Air Fund")
        ]
    );
    assert!(first.onward.iter().all(|onward| onward.state == "erased"));
}

#[tokio::test]
async fn rest_correction_and_the_end_of_rest_follow_the_row() {
    let (net, _) = passed_on().await;
    net.revoke(0, "personaaa", RevokeKind::Restriction).await;
    assert_eq!((held(&net, 1).await, held(&net, 2).await), (1, 0));
    assert_eq!(shares_of(&net, 2).await[0].resting, 1);
    let preview = preview_of(&net, 1, &LOCAL).await;
    assert_eq!(preview.people, 1, "a row at rest is not passed on");
    net.nodes[0]
        .sql("UPDATE person SET surname = 'Corrected' WHERE person_id = 'personaaa'")
        .await;
    net.rectify(0, "personaaa").await;
    net.revoke(0, "personaaa", RevokeKind::Lift).await;
    assert_eq!((held(&net, 1).await, held(&net, 2).await), (2, 1));
    let text = csv(&net, 2).await;
    assert!(
        text.contains("Corrected") && !text.contains("Quillfeather"),
        "{text}"
    );
    let mut kinds: Vec<(String, &str)> = receipts(&net, 0)
        .await
        .into_iter()
        .map(|receipt| (receipt.kind, receipt.onward[0].state))
        .collect();
    kinds.sort();
    let expected = [
        ("lift", "lifted"),
        ("rectification", "rectified"),
        ("restriction", "restricted"),
    ];
    assert_eq!(
        kinds,
        expected.map(|(kind, state)| (kind.to_owned(), state))
    );
    // Who passed the row on does not correct it by itself.
    let person = passed(&net, 1).await;
    let own = rectify::rectify(&net.nodes[1].app, &corrects(&person), false).await;
    assert!(own.unwrap_err().0.detail.contains("gave it"));
    // And what is stronger still follows.
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    assert_eq!((held(&net, 1).await, held(&net, 2).await), (1, 0));
}

#[tokio::test]
async fn who_passed_a_row_on_can_take_that_back_alone() {
    let (net, _) = passed_on().await;
    let person = passed(&net, 1).await;
    let recall = net.revoke(1, &person, RevokeKind::Objection).await;
    assert_eq!((recall.notices.len(), recall.consents_withdrawn), (1, 0));
    assert_eq!((held(&net, 1).await, held(&net, 2).await), (2, 0));
    let preview = preview_of(&net, 1, &LOCAL).await;
    assert_eq!(
        (preview.flow, withheld_by(&preview, "law.tombstoned")),
        (0, 1)
    );
    // A later notice names the earlier one, with its answer.
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    let signed = receipts(&net, 0).await.remove(0).signed.unwrap();
    let signed = data_encoding::BASE64
        .decode(signed.statement.as_bytes())
        .unwrap();
    let said: ErasureStatement = codec::decode(&signed).unwrap();
    assert!(said.onward[0].receipt.is_some());
}

#[tokio::test]
async fn a_restored_backup_takes_back_what_it_was_passed_on() {
    let (mut net, _) = passed_on().await;
    let backup = net.back_up(2).await;
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    let tombstones = "SELECT COUNT(*) FROM tombstone";
    assert_eq!(
        (held(&net, 2).await, count(&net, 2, tombstones).await),
        (0, 1)
    );
    net.restore(2, &backup).await;
    assert_eq!(
        (held(&net, 2).await, count(&net, 2, tombstones).await),
        (1, 0)
    );
    net.settle().await;
    assert_eq!(
        (held(&net, 2).await, count(&net, 2, tombstones).await),
        (0, 1)
    );
    let preview = preview::preview(&net.nodes[2].app, ask(&FUND, &FIELDS), received()).await;
    let nobody = |shown: Vec<preview::Preview>| shown.iter().all(|one| one.flow == 0);
    assert!(
        preview.is_ok_and(nobody),
        "it has come back, and holds nothing of the person that it could pass on"
    );
}

#[tokio::test]
async fn a_restored_backup_of_who_passed_rows_on_tells_the_next_all_the_same() {
    let (mut net, _) = passed_on().await;
    let backup = net.back_up(1).await;
    net.away(1, true);
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    net.restore(1, &backup).await;
    assert_eq!((held(&net, 1).await, held(&net, 2).await), (2, 1));
    net.away(1, false);
    net.settle().await;
    assert_eq!((held(&net, 1).await, held(&net, 2).await), (1, 0));
    let first = receipts(&net, 0).await.remove(0);
    assert_eq!((first.state, first.onward[0].state), ("erased", "erased"));
    let open = coalition::active(&net.nodes[0].app).await.unwrap();
    assert_eq!(open.state.notices.len(), 2);
}

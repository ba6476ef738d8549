//! Rows that were received and passed on: the gate once more, and the recall that follows them.

use super::{
    net::{Net, ask, corrects},
    people::{LIST, Who, onward, who},
};
use crate::support::coalition::Coalition;
use commonturf::{
    coalition::{self, agreement, agreement::Wanted},
    shares::{
        self, export,
        plan::{Universe, Which},
        preview::{self, Preview},
        rectify,
        view::{Receipt, ReceivedShare},
    },
};
use policy::FieldClass;
use protocol::{
    channel::Channel,
    codec,
    entry::share::{Consideration, ErasureStatement, RevokeKind},
    id::EntryId,
    time::DAY,
};

const ALLIES: [(&str, &str); 4] = [
    ("Tenants United", "c4"),
    ("Clean Air Fund", "c3"),
    ("Nurses Local", "union"),
    ("River PAC", "pac"),
];
const FIELDS: [FieldClass; 2] = [FieldClass::Identity, FieldClass::Postal];
const FUND: [&str; 1] = ["Clean Air Fund"];
const LOCAL: [&str; 1] = ["Nurses Local"];
const BOTH: [&str; 2] = ["Clean Air Fund", "Nurses Local"];

fn received() -> Universe {
    Universe::Received(Which::default())
}

/// The first organization has given two people to the second; the first of them lets it pass them on.
async fn given(people: &[Who]) -> (Net, EntryId) {
    let net = Net::of(&ALLIES[..3]).await;
    net.nodes[0].add(people).await;
    net.settle().await;
    let sent = net.send(0, ask(&FUND, &FIELDS), LIST).await;
    (net, sent[0].share.unwrap())
}

/// And the second has passed on what it may.
async fn passed_on() -> (Net, EntryId) {
    let (net, _) = given(&[onward(0, &BOTH), who(1, &BOTH)]).await;
    let sent = net.send(1, ask(&LOCAL, &FIELDS), received()).await;
    (net, sent[0].share.unwrap())
}

async fn preview_of(net: &Net, from: usize, to: &[&str]) -> Preview {
    let app = &net.nodes[from].app;
    let previews = preview::preview(app, ask(to, &FIELDS), received()).await;
    previews.unwrap().remove(0)
}

fn withheld_by(preview: &Preview, rule: &str) -> u64 {
    let found = preview.withheld.iter().find(|by| by.rule == rule);
    found.map_or(0, |by| by.people)
}

async fn shares_of(net: &Net, node: usize) -> Vec<ReceivedShare> {
    shares::view::received(&net.nodes[node].app).await.unwrap()
}

async fn held(net: &Net, node: usize) -> u64 {
    shares_of(net, node)
        .await
        .iter()
        .map(|share| share.held)
        .sum()
}

async fn csv(net: &Net, node: usize) -> String {
    let bytes = export::csv(&net.nodes[node].app, None).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn receipts(net: &Net, node: usize) -> Vec<Receipt> {
    let app = &net.nodes[node].app;
    shares::view::receipts(app, false).await.unwrap()
}

async fn count(net: &Net, node: usize, sql: &'static str) -> i64 {
    let mut db = net.nodes[node].app.store.read("test").await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut *db).await.unwrap()
}

/// What the ledger of a node calls the one person that it passed on.
async fn passed(net: &Net, node: usize) -> String {
    let mut db = net.nodes[node].app.store.read("test").await.unwrap();
    let sql = "SELECT person_id FROM disclosure WHERE via_share IS NOT NULL";
    sqlx::query_scalar(sql).fetch_one(&mut *db).await.unwrap()
}

#[tokio::test]
async fn a_received_row_goes_on_only_where_the_person_lets_it() {
    let (net, share) = given(&[onward(0, &BOTH), who(1, &BOTH), onward(2, &FUND)]).await;
    let preview = preview_of(&net, 1, &LOCAL).await;
    assert_eq!((preview.people, preview.flow), (3, 1), "{preview:#?}");
    assert_eq!(withheld_by(&preview, "con.onward"), 1);
    assert_eq!(
        withheld_by(&preview, "con.recipient"),
        2,
        "whom the person did not name"
    );
    // Nothing goes back to where it came from.
    let back = preview_of(&net, 1, &["Tenants United"]).await;
    assert_eq!((back.flow, withheld_by(&back, "node.own-row")), (0, 3));
    // Nor for anything else than what it was given for.
    let mut calls = ask(&LOCAL, &FIELDS);
    calls.channel = Channel::Phone;
    let calls = preview::preview(&net.nodes[1].app, calls, received()).await;
    let calls = &calls.unwrap()[0];
    assert_eq!(
        (calls.flow, withheld_by(calls, "node.other-purpose")),
        (0, 3)
    );
    assert!(calls.withheld.iter().all(|by| !by.reason.is_empty()));

    let sent = net.send(1, ask(&LOCAL, &FIELDS), received()).await;
    assert_eq!((sent[0].state, sent[0].preview.flow), ("done", 1));
    assert_eq!(shares_of(&net, 2).await[0].accepted, 1);
    let text = csv(&net, 2).await;
    assert!(text.contains("Canarya") && !text.contains("Canaryb") && !text.contains("Canaryc"));
    // Whose it was, and what it rests on, travels along and stands in the ledger.
    let line = text.lines().last().unwrap();
    assert!(
        line.contains("Tenants United") && line.contains("record-personaaa"),
        "{line}"
    );
    let person = passed(&net, 1).await;
    assert!(person.starts_with(&format!("row:{share}.")));
    let holders = shares::holders(&net.nodes[1].app, &person).await.unwrap();
    assert_eq!(holders[0].name, "Nurses Local");
    assert_eq!(
        holders[0].consent_record.as_deref(),
        Some("record-personaaa")
    );
}

#[tokio::test]
async fn a_received_row_is_explained_by_its_name() {
    let (net, share) = given(&[who(0, &BOTH)]).await;
    let app = &net.nodes[1].app;
    let text = csv(&net, 1).await;
    let name = text.lines().last().unwrap().rsplit(',').next().unwrap();
    assert!(name.starts_with(&format!("row:{share}.")), "{name}");
    let explained = preview::explain(app, ask(&LOCAL, &FIELDS), name).await;
    let explained = explained.unwrap();
    let by = &explained[0].layers.as_ref().unwrap().law.by;
    assert!(
        by.iter().any(|rule| rule.id == "con.onward"),
        "{explained:#?}"
    );
    let gone = format!("row:{share}.{}", protocol::id::RowRef([9; 16]));
    for unknown in [gone.as_str(), "row:x.y", "row:"] {
        let refused = preview::explain(app, ask(&LOCAL, &FIELDS), unknown).await;
        assert!(refused.is_err(), "{unknown}");
    }
}

#[tokio::test]
async fn what_is_passed_on_ends_no_later_and_only_what_was_asked_for_goes() {
    let net = Net::of(&ALLIES[..3]).await;
    net.nodes[0].add(&[onward(0, &BOTH)]).await;
    net.nodes[2].add(&[onward(1, &FUND)]).await;
    net.settle().await;
    let until = net.now().plus(3 * DAY);
    let mut short = ask(&FUND, &FIELDS);
    short.expires = Some(until);
    net.send(0, short, LIST).await;
    let other = net.send(2, ask(&FUND, &FIELDS), LIST).await;
    let app = &net.nodes[1].app;
    let of = async |from: Option<&str>, share| {
        let which = Which {
            from: from.map(str::to_owned),
            share,
        };
        let asked = ask(&LOCAL, &FIELDS);
        preview::preview(app, asked, Universe::Received(which)).await
    };
    assert_eq!(of(Some("Tenants United"), None).await.unwrap()[0].people, 1);
    assert_eq!(of(None, None).await.unwrap()[0].people, 2);
    let local = of(None, other[0].share).await.unwrap();
    assert_eq!((local[0].people, local[0].flow), (1, 0));
    assert!(of(Some("Nobody"), None).await.is_err());
    assert!(of(None, Some(EntryId([9; 16]))).await.is_err());
    net.send(1, ask(&LOCAL, &FIELDS), received()).await;
    assert_eq!(shares_of(&net, 2).await[0].expires_at, Some(until.0));
    net.pass(4 * DAY).await;
    net.settle().await;
    assert_eq!(
        (
            held(&net, 2).await,
            preview_of(&net, 1, &LOCAL).await.people
        ),
        (0, 1)
    );
    let copies = "SELECT COUNT(*) FROM disclosure WHERE row_bytes IS NOT NULL";
    assert_eq!(
        count(&net, 1, copies).await,
        0,
        "no copy outlives the right to the row"
    );
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
async fn a_charitys_partisan_row_does_not_reach_a_committee_through_an_ally() {
    let net = Net::of(&ALLIES).await;
    let to = ["Tenants United", "River PAC"];
    let mut partisan = onward(0, &to);
    partisan.partisan = true;
    net.nodes[1].add(&[partisan, onward(1, &to)]).await;
    net.settle().await;
    net.send(1, ask(&["Tenants United"], &FIELDS), LIST).await;
    assert_eq!(held(&net, 0).await, 2);
    let preview = preview_of(&net, 0, &["River PAC"]).await;
    assert_eq!(preview.flow, 0, "{preview:#?}");
    assert_eq!(withheld_by(&preview, "law.c3-partisan"), 1);
    assert_eq!(withheld_by(&preview, "law.c3-fmv"), 2);
    let mut paid = ask(&["River PAC"], &FIELDS);
    paid.consideration = Consideration {
        kind: "fmv_paid".to_owned(),
        evidence: Some("invoice 7".to_owned()),
        equal_terms: true,
    };
    let sent = net.send(0, paid, received()).await;
    assert_eq!(
        sent[0].preview.flow, 1,
        "at the usual price, but for the partisan row"
    );
    assert!(!csv(&net, 3).await.contains("Canarya"));
}

/// All members sign what is stated of them.
async fn stated(coalition: &Coalition, parties: &str, nodes: usize) {
    let wanted = Wanted {
        terms: None,
        parties: Some(parties),
    };
    let draft = agreement::draft(coalition.node(0), wanted).await.unwrap();
    agreement::put_forward(coalition.node(0), &draft)
        .await
        .unwrap();
    coalition.settle().await;
    for n in 1..nodes {
        agreement::sign(coalition.node(n), None).await.unwrap();
    }
    coalition.settle().await;
}

#[tokio::test]
async fn a_row_from_one_side_of_a_race_does_not_reach_the_other_side_through_an_ally() {
    let net = Net::of(&ALLIES).await;
    let to = ["Nurses Local", "River PAC", "Clean Air Fund"];
    net.nodes[0].add(&[onward(0, &to)]).await;
    net.settle().await;
    stated(
        &net,
        "[\"Tenants United\"]\ncoordinated = [\"us-oh-gov\"]",
        4,
    )
    .await;
    net.send(0, ask(&LOCAL, &FIELDS), LIST).await;
    assert_eq!(held(&net, 2).await, 1);
    // Both sides never sit at one table; one leaves its side, and another takes the other.
    let sides =
        "[\"Tenants United\"]\ncoordinated = []\n[\"River PAC\"]\nindependent = [\"us-oh-gov\"]";
    stated(&net, sides, 4).await;
    let preview = preview_of(&net, 2, &["River PAC"]).await;
    assert_eq!(
        (preview.flow, withheld_by(&preview, "law.ie-taint")),
        (0, 1),
        "{preview:#?}"
    );
    // The label stays on it with whoever is next, who may have it.
    let sent = net
        .send(2, ask(&["Clean Air Fund"], &FIELDS), received())
        .await;
    assert_eq!(sent[0].preview.flow, 1);
    let preview = preview_of(&net, 1, &["River PAC"]).await;
    assert_eq!(
        (preview.flow, withheld_by(&preview, "law.ie-taint")),
        (0, 1),
        "{preview:#?}"
    );
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
    assert!(
        preview.is_err(),
        "a node that cannot know what was taken back passes nothing on"
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

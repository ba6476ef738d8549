//! Rows that were received and passed on: they go through the gate once more, with all that travelled along.

use super::{
    net::{Net, ask},
    people::{LIST, Who, onward, who},
};
use crate::support::coalition::Coalition;
use commonturf::{
    coalition::agreement::{self, Wanted},
    import,
    shares::{
        self,
        plan::{Universe, Which},
        preview::{self, Preview},
        send,
        setting::Draft,
        simulate,
        view::ReceivedShare,
    },
};
use policy::FieldClass;
use protocol::{channel::Channel, entry::share::Consideration, id::EntryId, time::DAY};
use std::{io::Cursor, ops::ControlFlow};

pub(super) const ALLIES: [(&str, &str); 4] = [
    ("Tenants United", "c4"),
    ("Clean Air Fund", "c3"),
    ("Nurses Local", "union"),
    ("River PAC", "pac"),
];
pub(super) const FIELDS: [FieldClass; 2] = [FieldClass::Identity, FieldClass::Postal];
pub(super) const FUND: [&str; 1] = ["Clean Air Fund"];
pub(super) const LOCAL: [&str; 1] = ["Nurses Local"];
pub(super) const BOTH: [&str; 2] = ["Clean Air Fund", "Nurses Local"];

pub(super) fn received() -> Universe {
    Universe::Received(Which::default())
}

/// The first organization has given two people to the second; the first of them lets it pass them on.
pub(super) async fn given(people: &[Who]) -> (Net, EntryId) {
    let net = Net::of(&ALLIES[..3]).await;
    net.nodes[0].add(people).await;
    net.settle().await;
    let sent = net.send(0, ask(&FUND, &FIELDS), LIST).await;
    net.announce_uses(1).await;
    (net, sent[0].share.unwrap())
}

/// And the second has passed on what it may.
pub(super) async fn passed_on() -> (Net, EntryId) {
    let (net, _) = given(&[onward(0, &BOTH), who(1, &BOTH)]).await;
    let sent = net.send(1, ask(&LOCAL, &FIELDS), received()).await;
    (net, sent[0].share.unwrap())
}

pub(super) async fn preview_of(net: &Net, from: usize, to: &[&str]) -> Preview {
    net.announce_uses(from).await;
    let app = &net.nodes[from].app;
    let previews = preview::preview(app, ask(to, &FIELDS), received()).await;
    previews.unwrap().remove(0)
}

pub(super) fn withheld_by(preview: &Preview, rule: &str) -> u64 {
    let found = preview.withheld.iter().find(|by| by.rule == rule);
    found.map_or(0, |by| by.people)
}

pub(super) async fn shares_of(net: &Net, node: usize) -> Vec<ReceivedShare> {
    shares::view::received(&net.nodes[node].app).await.unwrap()
}

pub(super) async fn held(net: &Net, node: usize) -> u64 {
    shares_of(net, node)
        .await
        .iter()
        .map(|share| share.held)
        .sum()
}

pub(super) async fn csv(net: &Net, node: usize) -> String {
    net.export(node).await
}

pub(super) async fn count(net: &Net, node: usize, sql: &'static str) -> i64 {
    let mut db = net.nodes[node].app.store.read("test").await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut *db).await.unwrap()
}

/// What the ledger of a node calls the one person that it passed on.
pub(super) async fn passed(net: &Net, node: usize) -> String {
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
async fn an_exported_row_does_not_come_back_as_an_own_one() {
    let (net, _) = given(&[who(0, &BOTH), onward(1, &BOTH)]).await;
    let text = csv(&net, 1).await;
    let renamed = text.replacen("reference", "Notes", 1);
    for file in [text, renamed] {
        let mut rejected = 0;
        let options = import::Options::default();
        let summary = import::read(Cursor::new(file.into_bytes()), &options, &mut |item| {
            match item {
                import::Item::Rejected(row) => {
                    assert_eq!(row.reason, import::Reason::Received);
                    rejected += 1;
                }
                import::Item::Person { .. } => panic!("taken as an own person"),
                _ => {}
            }
            ControlFlow::Continue(())
        });
        assert_eq!((rejected, summary.is_ok()), (2, true));
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
    net.announce_uses(1).await;
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
        keepers: None,
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
async fn passing_rows_on_is_a_use_that_waits_until_it_was_announced() {
    let net = Net::of(&ALLIES[..3]).await;
    net.nodes[0].add(&[onward(0, &BOTH)]).await;
    net.settle().await;
    net.send(0, ask(&FUND, &FIELDS), LIST).await;
    let app = &net.nodes[1].app;
    let to_all = ask(&["Tenants United", "Nurses Local"], &FIELDS);
    let sent = send::send(app, to_all.clone(), received()).await.unwrap();
    assert!(sent.iter().all(|sent| sent.state == "nothing"), "{sent:#?}");
    let by = |n: usize, rule| withheld_by(&sent[n].preview, rule);
    assert_eq!((by(0, "node.own-row"), by(0, "node.not-in-use")), (1, 0));
    assert_eq!((by(1, "node.own-row"), by(1, "node.not-in-use")), (0, 1));
    let fix = sent[1].preview.withheld[0].fix.as_deref();
    assert!(fix.unwrap().contains("received announce"));
    net.announce_uses(1).await;
    let previews = preview::preview(app, to_all.clone(), received()).await;
    let flows: Vec<u64> = previews.unwrap().iter().map(|to| to.flow).collect();
    assert_eq!(flows, [0, 1]);
    net.pass(8 * DAY).await;
    let previews = preview::preview(app, to_all, received()).await.unwrap();
    assert_eq!(previews[1].flow, 0, "a week is one use");
}

#[tokio::test]
async fn a_draft_is_tried_on_received_rows_too() {
    let (net, _) = given(&[onward(0, &BOTH), who(1, &BOTH)]).await;
    let app = &net.nodes[1].app;
    let nothing = "@id(\"own.base\")\n@reason(\"What no rule keeps, flows.\")\n\
                   permit (principal, action, resource);\n\
                   @id(\"own.nothing\")\n@reason(\"We keep it.\")\nforbid (principal, action, resource);";
    let draft = Draft::Own(nothing.to_owned());
    let found = simulate::simulate(app, ask(&[], &FIELDS), Some(received()), &draft).await;
    let found = found.unwrap();
    assert_eq!((found.lists.len(), found.people), (0, 2));
    for cell in &found.cells {
        let flows = u64::from(cell.name == "Nurses Local");
        assert_eq!(
            (cell.flows_now, cell.newly_withheld),
            (flows, flows),
            "{cell:?}"
        );
        assert_eq!(cell.samples.len() as u64, flows);
        assert!(cell.samples.iter().all(|id| id.starts_with("row:")));
    }
}

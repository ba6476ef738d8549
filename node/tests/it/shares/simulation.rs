//! What a draft would change, on real lists, without trace.

use super::{
    desk::Desk,
    net::{Net, ask},
    people::{LIST, who},
};
use commonturf::shares::{preview, setting::Draft, simulate};
use policy::FieldClass;
use serde_json::json;

const ALLIES: [(&str, &str); 3] = [
    ("Tenants United", "c4"),
    ("Clean Air Fund", "c3"),
    ("River PAC", "pac"),
];
const DOORS: [FieldClass; 2] = [FieldClass::Identity, FieldClass::Postal];

/// An own policy that keeps addresses from one kind of organization.
const NO_ADDRESSES: &str = r#"
@id("own.permit")
@reason("The organization has no other rule against it.")
permit (principal, action, resource);

@id("own.no-addresses")
@reason("We give no addresses to committees.")
forbid (principal, action == Turf::Action::"sharePostal", resource)
when { context.to.kind == Turf::OrgKind::"pac" };
"#;

async fn net() -> Net {
    let net = Net::of(&ALLIES).await;
    let people = [
        who(0, &["Clean Air Fund", "River PAC"]),
        who(1, &["River PAC"]),
        who(2, &[]),
    ];
    net.nodes[0].add(&people).await;
    net
}

#[tokio::test]
async fn a_draft_shows_what_stops_for_whom_and_by_which_rule() {
    let net = net().await;
    let app = &net.nodes[0].app;
    let draft = Draft::Own(NO_ADDRESSES.to_owned());
    let found = simulate::simulate(app, ask(&[], &DOORS), None, &draft)
        .await
        .unwrap();
    assert_eq!(
        (found.lists.as_slice(), found.people),
        ([LIST.to_owned()].as_slice(), 3)
    );
    assert_eq!(found.cells.len(), 4, "two recipients, two classes");
    for cell in &found.cells {
        let changes = cell.name == "River PAC" && cell.field == FieldClass::Postal;
        let now = if cell.name == "River PAC" { 2 } else { 1 };
        assert_eq!(cell.flows_now, now, "{cell:?}");
        assert_eq!(cell.newly_withheld, if changes { 2 } else { 0 }, "{cell:?}");
        assert_eq!(cell.newly_flows, 0);
        if changes {
            assert_eq!(cell.by[0].rule, "own.no-addresses");
            assert_eq!(cell.by[0].reason, "We give no addresses to committees.");
            assert!(!cell.samples.is_empty());
        }
    }
}

#[tokio::test]
async fn a_simulation_is_what_the_preview_under_the_draft_then_says() {
    let net = net().await;
    let app = &net.nodes[0].app;
    let draft = Draft::Own(NO_ADDRESSES.to_owned());
    let found = simulate::simulate(app, ask(&["River PAC"], &DOORS), Some(LIST.into()), &draft)
        .await
        .unwrap();
    std::fs::write(app.dir.0.join("own-policy.cedar"), NO_ADDRESSES).unwrap();
    let then = preview::preview(app, ask(&["River PAC"], &DOORS), LIST)
        .await
        .unwrap();
    for cell in &found.cells {
        let flows = cell.flows_now + cell.newly_flows - cell.newly_withheld;
        // A row without any contact point does not flow at all.
        let previewed = then[0].fields.get(&cell.field).copied().unwrap_or(0);
        assert!(
            previewed == flows || then[0].unreachable > 0,
            "{cell:?} {then:?}"
        );
    }
    let postal = then[0].fields.get(&FieldClass::Postal);
    assert_eq!(postal, None);
}

#[tokio::test]
async fn drafts_that_cannot_be_used_are_refused_with_their_line_and_nothing_is_sent() {
    let net = net().await;
    let desk = Desk::of(&net, 0);
    let share = json!({ "to": [], "purpose": "gotv", "fields": ["postal"] });
    let broken = NO_ADDRESSES.replace("OrgKind::\"pac\"", "OrgKind::\"pack\"");
    for (body, word) in [
        (json!({ "own": broken, "share": share }), "line 9"),
        (json!({ "terms": "title = 1", "share": share }), "line 1"),
        (json!({ "share": share }), "one draft"),
        (
            json!({ "own": NO_ADDRESSES, "terms": "", "share": share }),
            "one draft",
        ),
        (
            json!({ "own": NO_ADDRESSES, "list": "nothing", "share": share }),
            "Members",
        ),
        (
            json!({ "own": NO_ADDRESSES, "list": LIST, "share": { "received": true, "to": [], "purpose": "gotv", "fields": ["postal"] } }),
            "not on both",
        ),
        (
            json!({ "own": NO_ADDRESSES, "share": { "to": [], "purpose": "fun", "fields": ["postal"] } }),
            "gotv",
        ),
    ] {
        let (status, answer) = desk.json("POST", "/policy/simulation", Some(body)).await;
        assert!((400..500).contains(&status), "{status}: {answer}");
        assert!(
            answer["detail"].as_str().unwrap().contains(word),
            "{word}: {answer}"
        );
    }
    let (_, given) = desk.json("GET", "/shares", None).await;
    assert_eq!(given["items"], json!([]));
    assert_eq!(net.nodes[0].waiting().await, 0);
}

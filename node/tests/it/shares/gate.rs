//! What the sender's gate withholds, and how it says so.

use super::{
    net::{Net, ask},
    people::{LIST, Who, who},
};
use commonturf::{
    coalition,
    shares::{
        preview::{self, Preview},
        view,
    },
};
use policy::FieldClass;
use protocol::entry::share::Consideration;

const ALLIES: [(&str, &str); 3] = [
    ("Tenants United", "c4"),
    ("Clean Air Fund", "c3"),
    ("River PAC", "pac"),
];
const DOORS: [FieldClass; 2] = [FieldClass::Identity, FieldClass::Postal];

async fn preview_of(net: &Net, from: usize, to: &[&str]) -> Vec<Preview> {
    preview::preview(&net.nodes[from].app, ask(to, &DOORS), LIST)
        .await
        .unwrap()
}

fn people_withheld_by(preview: &Preview, rule: &str) -> u64 {
    preview
        .withheld
        .iter()
        .find(|withheld| withheld.rule == rule)
        .map_or(0, |withheld| withheld.people)
}

fn marked(n: u32, mark: impl Fn(&mut Who)) -> Who {
    let mut who = who(n, &["Clean Air Fund"]);
    mark(&mut who);
    who
}

#[tokio::test]
async fn a_person_flows_only_with_consent_that_names_the_recipient() {
    let net = Net::of(&ALLIES).await;
    let people = [
        who(0, &["Clean Air Fund"]),
        who(1, &["River PAC"]),
        who(2, &[]),
    ];
    net.nodes[0].add(&people).await;
    let previews = preview_of(&net, 0, &["Clean Air Fund", "River PAC"]).await;
    for preview in &previews {
        assert_eq!((preview.people, preview.flow), (3, 1), "{preview:#?}");
        assert_eq!(preview.fields[&FieldClass::Postal], 1);
        assert_eq!(people_withheld_by(preview, "con.state"), 1);
        assert_eq!(people_withheld_by(preview, "con.recipient"), 2);
        assert_eq!(preview.alarms, 0);
    }
}

#[tokio::test]
async fn from_the_day_of_review_on_nothing_flows_until_another_day_is_signed() {
    let text = policy::template("us-issue-table").unwrap().text;
    let short = text.replace("\"2027-06-30\"", "\"2026-11-26\"");
    let net = Net::under(&ALLIES, &short).await;
    net.nodes[0].add(&[who(0, &["Clean Air Fund"])]).await;
    assert_eq!(preview_of(&net, 0, &["Clean Air Fund"]).await[0].flow, 1);
    // It is noon; the next day begins at midnight.
    net.hours(12).await;
    net.settle().await;
    let preview = preview_of(&net, 0, &["Clean Air Fund"]).await.remove(0);
    assert_eq!(preview.flow, 0, "{preview:#?}");
    assert_eq!(people_withheld_by(&preview, "E_AGREEMENT_EXPIRED"), 1);
    let app = &net.nodes[0].app;
    let stale = text.replace("\"2027-06-30\"", "\"2026-11-25\"");
    let refusal = coalition::agreement::propose(app, Some(&stale)).await;
    let told = format!("{:?}", refusal.unwrap_err());
    assert!(told.contains("E_AGREEMENT_EXPIRED"), "{told}");
    coalition::agreement::propose(app, Some(text))
        .await
        .unwrap();
    net.settle().await;
    net.sign(1).await;
    net.sign(2).await;
    net.settle().await;
    assert_eq!(preview_of(&net, 0, &["Clean Air Fund"]).await[0].flow, 1);
}

#[tokio::test]
async fn marks_minors_and_unknown_grounds_withhold_a_person() {
    let net = Net::of(&ALLIES).await;
    let people = [
        marked(0, |who| who.never_share = true),
        marked(1, |who| who.birth_date = Some("2010-01-01")),
        marked(2, |who| who.basis = "membership_9_2_d"),
        marked(3, |who| {
            who.basis = "unknown";
            who.agreed_to.clear();
        }),
        marked(4, |who| who.source = "purchased"),
    ];
    net.nodes[0].add(&people).await;
    let preview = preview_of(&net, 0, &["Clean Air Fund"]).await.remove(0);
    assert_eq!((preview.people, preview.flow), (5, 0));
    for rule in [
        "law.confidential",
        "law.minor",
        "law.membership-9-2-d",
        "con.state",
        "law.voter-file",
    ] {
        assert_eq!(people_withheld_by(&preview, rule), 1, "{rule}");
    }
}

#[tokio::test]
async fn partisan_people_of_a_charity_do_not_flow_to_a_committee() {
    let net = Net::of(&ALLIES).await;
    let mut partisan = who(0, &["River PAC"]);
    partisan.partisan = true;
    net.nodes[1].add(&[partisan, who(1, &["River PAC"])]).await;
    let preview = preview_of(&net, 1, &["River PAC"]).await.remove(0);
    assert_eq!(preview.flow, 0);
    assert_eq!(people_withheld_by(&preview, "law.c3-partisan"), 1);
    assert_eq!(people_withheld_by(&preview, "law.c3-fmv"), 2);
    let rule = preview
        .withheld
        .iter()
        .find(|withheld| withheld.rule == "law.c3-partisan")
        .unwrap();
    assert!(rule.reason.contains("501(c)(3)"));
    assert!(rule.cite.as_deref().unwrap().contains("Rev. Rul."));
}

#[tokio::test]
async fn the_organizations_own_policy_withholds_and_a_broken_one_stops_everything() {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &["Clean Air Fund"])]).await;
    let file = net.nodes[0].app.dir.0.join("own-policy.cedar");
    let own = r#"
        @id("own.permit") @reason("All that is not forbidden.")
        permit (principal, action, resource);
        @id("own.no-addresses") @reason("We keep addresses to ourselves.")
        forbid (principal, action == Turf::Action::"sharePostal", resource);
    "#;
    std::fs::write(&file, own).unwrap();
    let preview = preview_of(&net, 0, &["Clean Air Fund"]).await.remove(0);
    assert_eq!((preview.flow, preview.unreachable), (0, 1));
    let rule = preview
        .withheld
        .iter()
        .find(|withheld| withheld.rule == "own.no-addresses")
        .unwrap();
    assert_eq!(rule.fields[&FieldClass::Postal], 1);

    std::fs::write(&file, "permit (").unwrap();
    let refused = preview::preview(&net.nodes[0].app, ask(&["Clean Air Fund"], &DOORS), LIST)
        .await
        .unwrap_err();
    assert!(refused.0.detail.contains("own-policy.cedar"), "{refused:?}");
}

#[tokio::test]
async fn a_wish_not_to_be_contacted_withholds_on_its_channel_only() {
    let net = Net::of(&ALLIES).await;
    let people = [who(0, &["Clean Air Fund"]), who(1, &["Clean Air Fund"])];
    net.nodes[0].add(&people).await;
    net.nodes[0]
        .sql(
            "INSERT INTO suppression (suppression_id, person_id, channels, deceased, reason, source, since) \
             VALUES ('s', 'personaaa', 1, 0, 'do_not_contact', 'desk', 1), \
                    ('t', 'personbbb', 2, 0, 'do_not_contact', 'desk', 1)",
        )
        .await;
    let preview = preview_of(&net, 0, &["Clean Air Fund"]).await.remove(0);
    assert_eq!(preview.flow, 1);
    assert_eq!(people_withheld_by(&preview, "law.suppressed"), 1);
}

#[tokio::test]
async fn an_explanation_names_the_rule_its_source_and_what_would_help() {
    let net = Net::of(&ALLIES).await;
    let people = [
        marked(0, |who| who.never_share = true),
        who(1, &["River PAC"]),
    ];
    net.nodes[0].add(&people).await;
    let app = &net.nodes[0].app;
    let explain = async |person: &str| {
        let ask = ask(&["Clean Air Fund"], &[FieldClass::Postal]);
        preview::explain(app, ask, person).await.unwrap().remove(0)
    };
    let never = explain("personaaa").await;
    assert_eq!(never.decision, "withheld");
    let law = &never.layers.as_ref().unwrap().law;
    let rule = law
        .by
        .iter()
        .find(|rule| rule.id == "law.confidential")
        .unwrap();
    assert!(!rule.reason.is_empty() && rule.cite.is_some());
    assert!(never.would_flow_if.is_empty());
    let other = explain("personbbb").await;
    assert_eq!(other.would_flow_if, ["consent = given"]);
    assert!(other.agreement.is_some());
}

#[tokio::test]
async fn nothing_is_planned_for_strangers_oneself_or_unknown_lists() {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &["Clean Air Fund"])]).await;
    let app = &net.nodes[0].app;
    for (to, list, said) in [
        ("Nobody", LIST, "members:"),
        ("Tenants United", LIST, "another organization"),
        ("Clean Air Fund", "Elsewhere", "lists: Members"),
    ] {
        let refused = preview::preview(app, ask(&[to], &DOORS), list)
            .await
            .unwrap_err();
        assert!(refused.0.detail.contains(said), "{refused:?}");
    }
    let none = preview::preview(app, ask(&["Clean Air Fund"], &[]), LIST).await;
    assert!(none.is_err());
}

#[tokio::test]
async fn a_charity_gives_to_a_committee_only_at_the_usual_price_on_equal_terms() {
    let net = Net::of(&ALLIES).await;
    net.nodes[1].add(&[who(0, &["River PAC"])]).await;
    let paid = |evidence: Option<&str>, equal_terms: bool| {
        let mut ask = ask(&["River PAC"], &DOORS);
        ask.consideration = Consideration {
            kind: "fmv_paid".to_owned(),
            evidence: evidence.map(str::to_owned),
            equal_terms,
        };
        ask
    };
    let app = &net.nodes[1].app;
    for (ask, rule) in [
        (ask(&["River PAC"], &DOORS), "law.c3-fmv"),
        (paid(Some("invoice 7"), false), "law.c3-fmv"),
        (paid(None, true), "law.evidence"),
    ] {
        let preview = preview::preview(app, ask, LIST).await.unwrap().remove(0);
        assert_eq!(preview.flow, 0);
        assert_eq!(people_withheld_by(&preview, rule), 1, "{rule}");
    }
    let sent = net.send(1, paid(Some("invoice 7"), true), LIST).await;
    assert_eq!((sent[0].state, sent[0].preview.flow), ("done", 1));
    let taken = view::received(&net.nodes[2].app).await.unwrap();
    assert_eq!((taken.len(), taken[0].accepted), (1, 1));
    assert_eq!(taken[0].state, "stored");
}

//! Golden explanations: the JSON that pages and the command line show.

use crate::fixture::{Case, NOW, gate, terms};
use policy::*;
use serde_json::json;

fn issue_table() -> Case {
    let text = template("us-issue-table").unwrap().text;
    Case {
        rules: Terms::parse(text).unwrap().rules,
        ..Case::base()
    }
}

#[test]
fn a_refusal_by_law_names_rule_source_fix_and_the_change_that_would_help() {
    let mut case = Case::base();
    case.flow.to = "org-cand".to_owned();
    let mut explanation = case.explain(End::Send);
    explanation.person = Some("person-1".to_owned());
    explanation.agreement = Some("sha256:00".to_owned());
    let expected = json!({
        "person": "person-1", "to": "org-cand", "field": "phone", "decision": "withheld",
        "agreement": "sha256:00",
        "layers": {
            "agreement": {"decision": "allow", "by": [
                {"id": "ag.all", "reason": "Everything is permitted in this test."}]},
            "law": {"decision": "deny", "by": [
                {"id": "law.corp-union",
                 "reason": "A corporation or union may give a federal candidate or party no rows, contact reports or counts that are not paid at their usual price.",
                 "cite": "52 USC 30118; FEC AO 2024-01.",
                 "fix": "Record the payment at the usual price of rows; report contacts in a coalition without the candidate or party."},
                {"id": "law.fed-value",
                 "reason": "Rows, contact reports and counts for a federal candidate or party must be paid at their usual price or reported in kind.",
                 "cite": "11 CFR 100.52(a), (d)(1); FEC AO 2024-01.",
                 "fix": "Record the payment or the in-kind report of rows; report contacts in a coalition without the candidate or party."}]},
            "own": {"decision": "allow", "by": [
                {"id": "own.permit",
                 "reason": "The organization has no rule of its own against it."}]}
        },
        "near_misses": [],
        "would_flow_if": ["consideration = fmv_paid"]
    });
    assert_eq!(serde_json::to_value(&explanation).unwrap(), expected);
}

#[test]
fn when_nothing_permits_the_near_misses_say_what_failed() {
    let mut case = issue_table();
    case.flow.purpose = Purpose::Fundraising;
    case.row.facts.basis = Basis::PublicRecord;
    let explanation = case.explain(End::Receive);
    let near = serde_json::to_value(&explanation.near_misses).unwrap();
    let expected = json!([{
        "id": "ag.phone",
        "reason": "Members pass on phone numbers for the purposes of the table.",
        "failed": ["[Turf::Purpose::\"gotv\", Turf::Purpose::\"issue_advocacy\", Turf::Purpose::\"voter_registration\", Turf::Purpose::\"event\", Turf::Purpose::\"petition\"].contains(context.purpose)"]
    }]);
    assert_eq!(near, expected);
    assert!(
        explanation
            .would_flow_if
            .contains(&"purpose = gotv".to_owned())
    );
    assert!(
        !explanation
            .would_flow_if
            .contains(&"purpose = online_ads".to_owned())
    );
}

#[test]
fn a_person_who_said_nothing_would_have_to_consent() {
    let mut case = Case::base();
    case.row.consent = None;
    let explanation = case.explain(End::Send);
    assert_eq!(explanation.would_flow_if, ["consent = given"]);
}

#[test]
fn a_payment_without_its_invoice_would_need_the_invoice() {
    let mut case = Case::base();
    case.flow.consideration = Consideration::FmvPaid;
    let found = case.explain(End::Send).would_flow_if;
    assert!(
        found.contains(&"evidence = on file".to_owned()),
        "{found:?}"
    );
    assert!(
        found.contains(&"consideration = none".to_owned()),
        "{found:?}"
    );
}

#[test]
fn what_would_help_is_one_change_that_does_help() {
    let mut case = Case::base();
    case.flow.channel = PolicyChannel::Email;
    let found = case.explain(End::Send).would_flow_if;
    assert_eq!(
        found,
        [
            "channel = door",
            "channel = call_manual",
            "channel = sms_auto",
            "consent = given"
        ]
    );
    case.flow.channel = PolicyChannel::Door;
    assert_eq!(case.explain(End::Send).decision, "flows");
    // Two things stand in the way: no single change is enough.
    case.flow.channel = PolicyChannel::Email;
    case.flow.purpose = Purpose::Petition;
    assert_eq!(case.explain(End::Send).would_flow_if, ["consent = given"]);
}

#[test]
fn nothing_would_help_a_suppressed_row() {
    let mut case = Case::base();
    case.row.facts.suppressed = true;
    assert!(case.explain(End::Send).would_flow_if.is_empty());
}

#[test]
fn a_question_about_a_stranger_is_an_error_and_has_no_layers() {
    let mut case = Case::base();
    case.flow.to = "org-stranger".to_owned();
    let explanation = case.explain(End::Send);
    assert_eq!(explanation.error, Some(Alarm::EntityMissing));
    assert!(explanation.layers.is_none() && explanation.decision == "withheld");
    case.flow.to = "Org B".to_owned();
    assert_eq!(case.explain(End::Send).error, Some(Alarm::UnknownValue));
}

#[test]
fn every_rule_can_be_looked_up() {
    let gate = gate(&terms("").rules, OWN_DEFAULT, &Case::base().parties).unwrap();
    assert_eq!(gate.rule("law.minor").unwrap().layer, Layer::Law);
    assert!(gate.rule("law.minor").unwrap().cite.is_some());
    assert!(gate.rule(NO_PERMIT).is_some() && gate.rule("E_EVAL").is_some());
    assert!(gate.rule("law.nothing").is_none());
    assert!(law_pack_fresh(NOW) && !law_pack_fresh(LAW_REVIEW_BY_MS));
}

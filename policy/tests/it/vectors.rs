//! A permit and a deny vector for every rule: the same row, a hair's breadth apart.

use crate::fixture::{Case, DAY, NOW, deciding, form, place, race};
use policy::*;
use std::collections::BTreeSet;

type Change = fn(&mut Case);

/// Rule, what makes it withhold, and what comes close but flows.
const FORBIDS: &[(&str, Change, Change)] = &[
    (
        "law.agreement-current",
        |c| c.flow.agreement_current = false,
        |_| {},
    ),
    ("law.pack-fresh", |c| c.flow.law_pack_fresh = false, |_| {}),
    (
        "law.suspended",
        |c| c.party("org-b").suspended = true,
        |c| c.party("org-c").suspended = true,
    ),
    (
        "law.notices-overdue",
        |c| c.party("org-b").notices_overdue = true,
        |c| c.party("org-a").notices_overdue = true,
    ),
    (
        "law.evidence",
        |c| c.flow.consideration = Consideration::Exchange,
        Case::paid,
    ),
    ("law.minor", |c| c.row.facts.minor = true, |_| {}),
    (
        "law.minor",
        |c| c.row.consent.as_mut().unwrap().x_minor = consent::Minor::Yes,
        |c| c.row.consent.as_mut().unwrap().x_minor = consent::Minor::No,
    ),
    (
        "law.confidential",
        |c| c.row.facts.confidential = true,
        |_| {},
    ),
    (
        "law.confidential",
        |c| c.row.facts.never_share = true,
        |_| {},
    ),
    (
        "law.suppressed",
        |c| c.row.facts.suppressed = true,
        |c| c.row.facts.recent_contact = true,
    ),
    ("law.tombstoned", |c| c.row.facts.tombstoned = true, |_| {}),
    (
        "law.jurisdiction",
        |c| c.row.facts.jurisdiction = Jurisdiction::UNKNOWN,
        |c| c.row.facts.jurisdiction = Jurisdiction::US,
    ),
    (
        "law.voter-file",
        |c| voter_file(c, false),
        |c| voter_file(c, true),
    ),
    (
        "law.fec-names",
        |c| {
            c.row.facts.source = Source::FecReports;
            c.paid();
        },
        |c| c.row.facts.source = Source::FecReports,
    ),
    (
        "law.fed-value",
        |c| c.flow.to = "org-cand".to_owned(),
        |c| {
            c.flow.to = "org-cand".to_owned();
            c.paid();
        },
    ),
    (
        "law.corp-union",
        |c| {
            c.flow.to = "org-cand".to_owned();
            c.paid();
            c.flow.consideration = Consideration::InKindReported;
        },
        |c| {
            c.flow.to = "org-cand".to_owned();
            c.paid();
            c.flow.consideration = Consideration::InKindReported;
            c.party("org-a").kind = OrgKind::Pac;
            c.party("org-a").incorporated = true;
        },
    ),
    (
        "law.c3-partisan",
        |c| c3_to_pac(c, true),
        |c| c3_to_pac(c, false),
    ),
    (
        "law.c3-partisan",
        |c| {
            // The row passes through another member first.
            c3_to_pac(c, true);
            c.flow.from = "org-b".to_owned();
        },
        |c| {
            c3_to_pac(c, true);
            c.flow.to = "org-b".to_owned();
        },
    ),
    (
        "law.c3-persuasion",
        |c| persuasion(c, "org-c"),
        |c| persuasion(c, "org-b"),
    ),
    (
        "law.c3-fmv",
        |c| {
            c3_to_pac(c, false);
            c.flow.equal_terms = false;
        },
        |c| c3_to_pac(c, false),
    ),
    (
        "law.ie-taint",
        |c| taint(c, "oh-sen"),
        |c| taint(c, "oh-gov"),
    ),
    (
        "law.membership-9-2-d",
        |c| c.row.facts.basis = Basis::Membership,
        |c| c.row.facts.source = Source::UnionRoll,
    ),
    (
        "law.legitimate-interest",
        |c| c.row.facts.basis = Basis::LegitimateInterest,
        |_| {},
    ),
    (
        "law.art9",
        |c| german(c, FieldClass::Political, false),
        |c| german(c, FieldClass::Political, true),
    ),
    (
        "law.art9",
        |c| german(c, FieldClass::Political, false),
        |c| german(c, FieldClass::Phone, false),
    ),
    (
        "law.transfer",
        |c| {
            german(c, FieldClass::Phone, true);
            c.party("org-b").transfer_basis = false;
        },
        |c| german(c, FieldClass::Phone, true),
    ),
    (
        "law.eu-ads",
        |c| online_ads(c, "de"),
        |c| online_ads(c, "us-oh"),
    ),
    (
        "law.tcpa",
        |c| {
            c.row.facts.basis = Basis::PublicRecord;
            c.flow.channel = PolicyChannel::CallAuto;
        },
        |c| c.row.facts.basis = Basis::PublicRecord,
    ),
    ("con.state", |c| c.row.consent = None, |_| {}),
    (
        "con.state",
        |c| withdraw(c, NOW - DAY),
        |c| withdraw(c, NOW - 20 * DAY),
    ),
    (
        "con.force",
        |c| c.row.consent = Some(given(NOW - 731 * DAY)),
        |c| {
            c.row.consent = Some(given(NOW - 729 * DAY));
        },
    ),
    (
        "con.purpose",
        |c| c.flow.purpose = Purpose::Petition,
        |_| {},
    ),
    (
        "con.recipient",
        |c| {
            c.party("org-b").id = "org-x".to_owned();
            c.flow.to = "org-x".to_owned();
        },
        |c| {
            c.party("org-b").name = "Ohio Voters PAC".to_owned();
            c.party("org-b").id = "org-x".to_owned();
            c.flow.to = "org-x".to_owned();
        },
    ),
    (
        "con.channel",
        |c| c.flow.channel = PolicyChannel::Email,
        |c| c.flow.channel = PolicyChannel::Door,
    ),
    (
        "con.field",
        |c| only_identity(c, FieldClass::Phone),
        |c| only_identity(c, FieldClass::Identity),
    ),
    (
        "con.onward",
        |c| passed_on(c, false),
        |c| passed_on(c, true),
    ),
];

fn voter_file(case: &mut Case, allow: bool) {
    case.row.facts.source = Source::VoterFile;
    case.row.facts.basis = Basis::PublicRecord;
    case.row.facts.terms_allow = allow;
}

fn c3_to_pac(case: &mut Case, partisan: bool) {
    case.row.facts.originator = "org-c".to_owned();
    case.row.facts.partisan = partisan;
    case.flow.from = "org-c".to_owned();
    case.flow.to = "org-p".to_owned();
    case.paid();
}

fn persuasion(case: &mut Case, to: &str) {
    case.row.facts.basis = Basis::PublicRecord;
    case.flow.purpose = Purpose::Persuasion;
    case.flow.to = to.to_owned();
}

fn taint(case: &mut Case, row_race: &str) {
    case.party("org-b").ie_races = race("oh-sen");
    case.party("org-c").coordinated_races = race("oh-gov");
    case.row.facts.taint_coordinated = race(row_race);
}

fn german(case: &mut Case, field: FieldClass, explicit: bool) {
    case.row.facts.jurisdiction = place("de");
    case.party("org-b").transfer_basis = true;
    case.field = field;
    if !explicit {
        case.row.facts.basis = Basis::Consent;
    }
}

fn online_ads(case: &mut Case, code: &str) {
    case.row.facts.jurisdiction = place(code);
    case.row.facts.basis = Basis::PublicRecord;
    case.party("org-b").transfer_basis = true;
    case.flow.purpose = Purpose::OnlineAds;
}

fn given(at: i64) -> Record {
    form().record("c-1", "person-1", at, EventState::Given, None)
}

fn withdraw(case: &mut Case, at: i64) {
    let event = Event {
        event_time: at,
        validity_duration: None,
        entity_id: "person-1".to_owned(),
        event_type: "explicit".to_owned(),
        x_sig: None,
        event_state: EventState::Withdrawn,
    };
    case.row.consent.as_mut().unwrap().append(event).unwrap();
}

fn only_identity(case: &mut Case, field: FieldClass) {
    case.row.consent.as_mut().unwrap().purposes[0].pii_information = vec![FieldClass::Identity];
    case.field = field;
}

fn passed_on(case: &mut Case, allowed: bool) {
    case.row.facts.originator = "org-c".to_owned();
    case.row.consent.as_mut().unwrap().purposes[0].x_onward_allowed = allowed;
}

/// Rule of the issue table, what makes it withhold, and what comes close but flows.
const TABLE_FORBIDS: &[(&str, Change, Change)] = &[
    (
        "ag.recontact",
        |c| c.row.facts.recent_contact = true,
        |c| {
            c.row.facts.recent_contact = true;
            c.field = FieldClass::Postal;
        },
    ),
    ("ag.written", |c| texts(c, false), |c| texts(c, true)),
    (
        "ag.nonpublic",
        |c| nonpublic(c, FieldClass::Political),
        |c| nonpublic(c, FieldClass::Phone),
    ),
];

fn texts(case: &mut Case, written: bool) {
    case.flow.channel = PolicyChannel::SmsAuto;
    if !written {
        case.row.consent.as_mut().unwrap().purposes[0]
            .x_written
            .clear();
    }
}

fn nonpublic(case: &mut Case, field: FieldClass) {
    case.row.facts.nonpublic = true;
    case.field = field;
}

/// Permit of the issue table, its class of fields, and what keeps it from permitting.
const TABLE_PERMITS: &[(&str, FieldClass, Change)] = &[
    ("ag.identity", FieldClass::Identity, |c| {
        c.flow.purpose = Purpose::Fundraising
    }),
    ("ag.postal", FieldClass::Postal, |c| {
        c.flow.to = "org-cand".to_owned()
    }),
    ("ag.email", FieldClass::Email, |c| {
        c.flow.purpose = Purpose::OnlineAds
    }),
    ("ag.phone", FieldClass::Phone, |c| {
        c.party("org-a").kind = OrgKind::Vendor
    }),
    ("ag.engagement", FieldClass::Engagement, |c| {
        c.flow.purpose = Purpose::Membership
    }),
    ("ag.political", FieldClass::Political, |c| {
        c.flow.to = "org-c".to_owned()
    }),
];

fn table() -> Case {
    let text = template("us-issue-table").unwrap().text;
    Case {
        rules: Terms::parse(text).unwrap().rules,
        ..Case::base()
    }
}

fn check(base: &Case, rule: &str, deny: Change, near: Change) {
    for end in [End::Send, End::Receive] {
        let mut case = base.clone();
        deny(&mut case);
        let explanation = case.explain(end);
        assert_eq!(explanation.decision, "withheld", "{rule}");
        assert!(
            deciding(&explanation).contains(&rule.to_owned()),
            "{rule}: {explanation:#?}"
        );
        let mut case = base.clone();
        near(&mut case);
        let explanation = case.explain(end);
        assert_eq!(explanation.decision, "flows", "{rule}: {explanation:#?}");
    }
}

#[test]
fn each_forbid_of_the_law_withholds_and_lets_its_neighbour_flow() {
    for (rule, deny, near) in FORBIDS {
        check(&Case::base(), rule, *deny, *near);
    }
}

#[test]
fn each_forbid_of_the_issue_table_withholds_and_lets_its_neighbour_flow() {
    for (rule, deny, near) in TABLE_FORBIDS {
        check(&table(), rule, *deny, *near);
    }
}

#[test]
fn each_permit_of_the_issue_table_permits_its_class_alone() {
    for (rule, field, deny) in TABLE_PERMITS {
        for end in [End::Send, End::Receive] {
            let mut case = table();
            case.field = *field;
            let explanation = case.explain(end);
            assert_eq!(explanation.decision, "flows", "{rule}");
            assert!(
                deciding(&explanation).contains(&(*rule).to_owned()),
                "{rule}"
            );
            deny(&mut case);
            let explanation = case.explain(end);
            let agreement = &explanation.layers.as_ref().unwrap().agreement;
            assert_eq!(
                (agreement.decision, agreement.by.len()),
                ("deny", 0),
                "{rule}"
            );
            let near = explanation.near_misses.iter().find(|near| near.id == *rule);
            assert!(!near.unwrap().failed.is_empty(), "{rule}: {explanation:#?}");
        }
    }
}

#[test]
fn no_rule_is_without_vectors() {
    let gate = table().gate();
    let tested: BTreeSet<&str> = FORBIDS
        .iter()
        .chain(TABLE_FORBIDS)
        .map(|(rule, ..)| *rule)
        .chain(TABLE_PERMITS.iter().map(|(rule, ..)| *rule))
        // The base case rests on the two permits of law and own policy.
        .chain(["law.permit", "own.permit"])
        // Opposite sides make no gate, so theirs stand in the crate; results are no rows.
        .chain(["law.ie-firewall", "law.ie-firewall-reverse", "law.min-cell"])
        .collect();
    let built_in: Vec<&str> = Alarm::ALL
        .iter()
        .map(|alarm| alarm.name())
        .chain([NO_PERMIT])
        .collect();
    let rules: BTreeSet<&str> = gate
        .rules()
        .map(|rule| rule.id.as_str())
        .filter(|id| !built_in.contains(id))
        .collect();
    assert_eq!(tested, rules);
}

#[test]
fn the_claims_only_template_lets_nothing_flow() {
    let text = template("us-claims-only").unwrap().text;
    let case = Case {
        rules: Terms::parse(text).unwrap().rules,
        ..Case::base()
    };
    let rows = [case.row.clone()];
    let outcome = case
        .gate()
        .decide(End::Send, &case.flow, &rows, FieldClass::ALL, NOW);
    assert!(outcome.masks[0].is_empty());
    assert_eq!(outcome.rows_withheld_by_rule[NO_PERMIT], 1);
}

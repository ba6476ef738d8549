//! Plans, claims and reports go to every member or to none; results to who may look.

use crate::fixture::{Case, NOW, place, race};
use policy::*;

fn claim(author: &str) -> Publication {
    Publication {
        author: author.to_owned(),
        kind: PublicationKind::Claim,
        races: Default::default(),
        purpose: Purpose::Gotv,
        channel: PolicyChannel::Door,
    }
}

fn refusals<'r>(readers: &'r Readers, to: &str) -> Vec<&'r str> {
    let verdict = readers.verdicts.iter().find(|verdict| verdict.to == to);
    let verdict = verdict.expect("every other member has a verdict");
    assert_eq!(verdict.allowed, verdict.refused_by.is_empty());
    verdict
        .refused_by
        .iter()
        .map(|rule| rule.id.as_str())
        .collect()
}

/// The members without the candidate and the committee.
fn neutral() -> Case {
    let mut case = Case::base();
    case.parties.truncate(3);
    case
}

#[test]
fn among_members_with_no_wall_between_them_everything_is_published() {
    let gate = neutral().gate();
    for kind in PublicationKind::ALL {
        let readers = gate.publish(
            &Publication {
                kind: *kind,
                ..claim("org-a")
            },
            NOW,
        );
        assert!(readers.allow(), "{readers:?}");
        let members: Vec<&str> = readers.verdicts.iter().map(|v| v.to.as_str()).collect();
        assert_eq!(
            members,
            ["org-b", "org-c"],
            "the author is not its own reader"
        );
    }
}

#[test]
fn one_member_who_may_not_read_it_keeps_it_from_all() {
    let gate = Case::base().gate();
    let report = |author: &str| Publication {
        kind: PublicationKind::ContactReport,
        ..claim(author)
    };
    let readers = gate.publish(&report("org-a"), NOW);
    assert!(!readers.allow());
    assert_eq!(
        refusals(&readers, "org-cand"),
        ["law.corp-union", "law.fed-value"]
    );
    assert!(refusals(&readers, "org-b").is_empty());
    let readers = gate.publish(&report("org-p"), NOW);
    assert_eq!(refusals(&readers, "org-cand"), ["law.fed-value"]);
    let refused = &readers
        .verdicts
        .iter()
        .find(|v| v.to == "org-cand")
        .unwrap()
        .refused_by[0];
    assert!(refused.reason.contains("usual price") && refused.cite.is_some());
    let candidate = gate.publish(&report("org-cand"), NOW);
    assert!(candidate.allow(), "a gift goes one way: {candidate:?}");
}

#[test]
fn who_knocks_where_is_no_gift_of_data_to_a_committee_or_candidate() {
    let gate = Case::base().gate();
    for author in ["org-a", "org-b", "org-c", "org-p"] {
        for kind in [PublicationKind::Plan, PublicationKind::Claim] {
            let readers = gate.publish(
                &Publication {
                    kind,
                    ..claim(author)
                },
                NOW,
            );
            assert!(readers.allow(), "{author} {kind}: {readers:?}");
        }
    }
}

#[test]
fn what_the_agreement_does_not_permit_is_not_published() {
    let mut case = neutral();
    case.rules = "@id(\"ag.rows\") @reason(\"Rows only.\")
        permit (principal, action in Turf::Action::\"Share\", resource);"
        .to_owned();
    assert_eq!(
        refusals(&case.gate().publish(&claim("org-a"), NOW), "org-b"),
        [NO_PERMIT]
    );
    case.rules = "@id(\"ag.claims\") @reason(\"Claims only.\")
        permit (principal, action == Turf::Action::\"publish\", resource is Turf::Claim);"
        .to_owned();
    let gate = case.gate();
    assert!(gate.publish(&claim("org-a"), NOW).allow());
    let plan = Publication {
        kind: PublicationKind::Plan,
        ..claim("org-a")
    };
    assert!(!gate.publish(&plan, NOW).allow());
}

#[test]
fn a_rule_may_look_at_the_races_of_a_publication() {
    let mut case = neutral();
    case.party("org-b").ie_races = race("oh-sen");
    case.own = format!(
        "{OWN_DEFAULT}@id(\"own.senate\") @reason(\"Nothing on the senate.\")
        forbid (principal, action == Turf::Action::\"publish\", resource)
        when {{ resource.races.contains(Turf::Race::\"oh-sen\") }};"
    );
    let gate = case.gate();
    let about = Publication {
        races: race("oh-sen"),
        ..claim("org-a")
    };
    assert_eq!(
        refusals(&gate.publish(&about, NOW), "org-c"),
        ["own.senate"]
    );
    assert!(gate.publish(&claim("org-a"), NOW).allow());
    let unknown = Publication {
        races: race("oh-mayor"),
        ..claim("org-a")
    };
    assert_eq!(
        refusals(&gate.publish(&unknown, NOW), "org-c"),
        ["E_ENTITY_MISSING"]
    );
}

#[test]
fn strangers_suspended_members_and_stale_law_publish_nothing() {
    let gate = neutral().gate();
    let readers = gate.publish(&claim("org-z"), NOW);
    assert_eq!(refusals(&readers, "org-a"), ["E_ENTITY_MISSING"]);
    assert_eq!(
        refusals(&gate.publish(&claim("Org A"), NOW), "org-a"),
        ["E_UNKNOWN_VALUE"]
    );
    let stale = gate.publish(&claim("org-a"), LAW_REVIEW_BY_MS);
    assert_eq!(refusals(&stale, "org-b"), ["E_AGREEMENT_EXPIRED"]);
    let mut case = neutral();
    case.party("org-c").suspended = true;
    assert_eq!(
        refusals(&case.gate().publish(&claim("org-a"), NOW), "org-c"),
        ["law.suspended"]
    );
}

#[test]
fn the_matrix_says_of_everybody_what_publishing_would() {
    let gate = Case::base().gate();
    let matrix = gate.matrix(Purpose::Gotv, PolicyChannel::Door, NOW);
    assert_eq!(matrix.rows.len(), 5 * PublicationKind::ALL.len());
    for row in &matrix.rows {
        let publication = Publication {
            kind: row.kind,
            ..claim(&row.author)
        };
        assert_eq!(row.readers, gate.publish(&publication, NOW));
    }
    let json = serde_json::to_value(&matrix).unwrap();
    assert_eq!(json["rows"][0]["author"], "org-a");
    assert_eq!(json["rows"][0]["kind"], "plan");
}

#[test]
fn results_are_seen_as_counts_that_are_large_enough() {
    let gate = neutral().gate();
    let result = ResultFacts {
        author: "org-a".to_owned(),
        races: Default::default(),
        purpose: Purpose::Gotv,
        channel: PolicyChannel::Door,
        aggregated: true,
        min_cell_met: true,
    };
    assert!(gate.view_result(&result, "org-b", NOW).allowed);
    for (aggregated, min_cell_met) in [(true, false), (false, true), (false, false)] {
        let small = ResultFacts {
            aggregated,
            min_cell_met,
            ..result.clone()
        };
        let verdict = gate.view_result(&small, "org-b", NOW);
        assert_eq!(verdict.refused_by[0].id, "law.min-cell");
    }
    assert!(!gate.view_result(&result, "org-z", NOW).allowed);
}

#[test]
fn a_label_follows_a_row_over_a_third_organization_to_the_other_side() {
    // A coordinates with a candidate; B is neutral; C spends independently in the same race.
    // A and C share no coalition, but B is in one with each.
    let mut near = Case::base();
    near.parties.truncate(2);
    near.party("org-a").coordinated_races = race("oh-sen");
    let mut row = near.row.clone();
    row.facts.derive_from_plans_of(near.party("org-a"));
    assert!(row.facts.nonpublic && row.facts.taint_coordinated == race("oh-sen"));
    let decide = |case: &Case, row: &Row| {
        let rows = std::slice::from_ref(row);
        case.gate()
            .decide(End::Send, &case.flow, rows, FieldClass::ALL, NOW)
    };
    assert!(!decide(&near, &row).masks[0].is_empty(), "B is on no side");

    let mut far = Case::base();
    far.parties.drain(..1);
    far.parties.truncate(2);
    far.party("org-c").ie_races = race("oh-sen");
    far.flow.from = "org-b".to_owned();
    far.flow.to = "org-c".to_owned();
    let mut derived = RowFacts::new(
        "org-b",
        Source::OwnCanvass,
        Basis::PublicRecord,
        place("us-oh"),
    );
    derived.terms_allow = true;
    let clean = Row {
        facts: derived.clone(),
        consent: None,
    };
    assert!(
        !decide(&far, &clean).masks[0].is_empty(),
        "B's own row may go to C"
    );
    derived.inherit(&row.facts);
    let outcome = decide(
        &far,
        &Row {
            facts: derived,
            consent: None,
        },
    );
    assert!(outcome.masks[0].is_empty());
    assert_eq!(outcome.rows_withheld_by_rule["law.ie-taint"], 1);
}

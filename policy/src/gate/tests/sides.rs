//! The firewall rules behind the refusal of a coalition with opposite sides, should it fail.

use super::*;
use crate::{PublicationKind, ResultFacts};

fn race(name: &str) -> std::collections::BTreeSet<String> {
    std::collections::BTreeSet::from([name.to_owned()])
}

/// Sender and recipient on sides of races, in a gate that was built without looking at them.
fn firewalled(coordinates: (&str, &str), independent: (&str, &str)) -> Gate {
    let mut terms = Terms::parse(crate::template("us-claims-only").unwrap().text).unwrap();
    "@id(\"ag.all\") @reason(\"x\") permit (principal, action, resource);"
        .clone_into(&mut terms.rules);
    let parties: Vec<Party> = ["org-a", "org-b", "org-c"]
        .into_iter()
        .map(|id| {
            let mut party = Party::new(id, id, OrgKind::C4, crate::Jurisdiction::US);
            if id == coordinates.0 {
                party.coordinated_races = race(coordinates.1);
            }
            if id == independent.0 {
                party.ie_races = race(independent.1);
            }
            party
        })
        .collect();
    let opposite = coordinates.1 == independent.1;
    assert_eq!(Gate::load(&terms, OWN_DEFAULT, &parties).is_err(), opposite);
    Gate::build(&terms, OWN_DEFAULT, &parties).unwrap()
}

#[test]
fn nothing_flows_between_opposite_sides_in_either_direction_and_class() {
    let mut row = row();
    row.facts.taint_ie.clear();
    for (rule, one, other) in [
        ("law.ie-firewall", "org-a", "org-b"),
        ("law.ie-firewall-reverse", "org-b", "org-a"),
    ] {
        let gate = firewalled((one, "oh-sen"), (other, "oh-sen"));
        for end in [End::Send, End::Receive] {
            let rows = std::slice::from_ref(&row);
            let outcome = gate.decide(end, &flow(), rows, FieldClass::ALL, 10);
            assert!(outcome.masks[0].is_empty());
            assert_eq!(outcome.rows_withheld_by_rule[rule], 1, "{rule}");
            let near = firewalled((one, "oh-sen"), (other, "oh-gov"));
            let outcome = near.decide(end, &flow(), rows, FieldClass::ALL, 10);
            assert_eq!(outcome.masks[0].iter().count(), 6, "{outcome:?}");
        }
    }
}

#[test]
fn publications_and_results_do_not_pass_the_firewall_either() {
    for (author, other, rule) in [
        ("org-a", "org-b", "law.ie-firewall"),
        ("org-b", "org-a", "law.ie-firewall-reverse"),
    ] {
        let gate = firewalled(("org-a", "oh-sen"), ("org-b", "oh-sen"));
        for kind in PublicationKind::ALL {
            let publication = Publication {
                author: author.to_owned(),
                kind: *kind,
                races: race("oh-sen"),
                purpose: Purpose::Gotv,
                channel: PolicyChannel::Door,
            };
            let readers = gate.publish(&publication, 10);
            let verdict = |to: &str| readers.verdicts.iter().find(|v| v.to == to).unwrap();
            assert!(!readers.allow() && verdict("org-c").allowed);
            assert_eq!(verdict(other).refused_by[0].id, rule);
        }
        let result = ResultFacts {
            author: author.to_owned(),
            races: race("oh-sen"),
            purpose: Purpose::Gotv,
            channel: PolicyChannel::Door,
            aggregated: true,
            min_cell_met: true,
        };
        let verdict = gate.view_result(&result, other, 10);
        assert_eq!(verdict.refused_by[0].id, rule);
        assert!(gate.view_result(&result, "org-c", 10).allowed);
    }
}

#[test]
fn publishing_with_anything_absent_from_the_store_reaches_nobody() {
    let publication = Publication {
        author: "org-a".to_owned(),
        kind: PublicationKind::Claim,
        races: race("oh-sen"),
        purpose: Purpose::Gotv,
        channel: PolicyChannel::Door,
    };
    let reached = |gate: &Gate, to: &str| {
        let readers = gate.publish(&publication, 10);
        readers
            .verdicts
            .into_iter()
            .any(|v| v.to == to && v.allowed)
    };
    assert!(reached(&gate(), "org-b"));
    for thing in [
        uid("Organization", "org-a"),
        uid("Organization", "org-b"),
        uid("Coalition", "this"),
        uid("OrgClass", "pac"),
        uid("Race", "oh-sen"),
        uid("Jurisdiction", "us"),
        uid("Action", "Flow"),
        uid("Action", "publish"),
    ] {
        assert!(
            !reached(&without(gate(), std::slice::from_ref(&thing)), "org-b"),
            "{thing}"
        );
    }
    let mut failing = gate();
    let rule = "forbid (principal, action, resource) when { 9223372036854775807 + 1 == 0 };";
    add(&mut failing, Layer::Own, Policy::parse(None, rule).unwrap());
    assert!(!reached(&failing, "org-b"));
}

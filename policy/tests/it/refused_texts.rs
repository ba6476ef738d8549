//! Rule texts and organizations that the gate does not take, with code and line.

use crate::fixture::{Case, PERMIT_ALL, gate, race};
use policy::*;

/// Loads agreement rules; gives the codes and lines of the faults.
fn agreement(rules: &str) -> Vec<(Code, usize)> {
    let faults = gate(rules, OWN_DEFAULT, &Case::base().parties).expect_err(rules);
    faults
        .iter()
        .map(|fault| (fault.code, fault.line))
        .collect()
}

fn own(rules: &str) -> Vec<(Code, usize)> {
    let faults = gate(PERMIT_ALL, rules, &Case::base().parties).expect_err(rules);
    faults
        .iter()
        .map(|fault| (fault.code, fault.line))
        .collect()
}

fn when(condition: &str) -> String {
    format!(
        "@id(\"ag.x\") @reason(\"x\")\npermit (principal, action in Turf::Action::\"Share\", resource)\nwhen {{ {condition} }};"
    )
}

#[test]
fn a_rule_needs_an_id_of_its_layer_and_a_reason() {
    let rule = "permit (principal, action, resource);";
    assert_eq!(agreement(rule), [(Code::PolicyId, 1)]);
    assert_eq!(
        agreement(&format!("\n@id(\"\") @reason(\"x\")\n{rule}")),
        [(Code::PolicyId, 2)]
    );
    assert_eq!(
        agreement(&format!("@id(\"ag.x\")\n{rule}")),
        [(Code::PolicyId, 1)]
    );
    assert_eq!(
        agreement(&format!("@id(\"law.x\") @reason(\"x\")\n{rule}")),
        [(Code::PolicyId, 1)]
    );
    assert_eq!(
        agreement(&format!("@id(\"ag.X\") @reason(\"x\")\n{rule}")),
        [(Code::IdCharset, 1)]
    );
    let twice = format!("@id(\"ag.x\") @reason(\"x\") {rule}\n");
    assert_eq!(agreement(&twice.repeat(2)), [(Code::PolicyId, 2)]);
}

#[test]
fn what_does_not_parse_is_refused_at_its_line() {
    let text = format!(
        "{PERMIT_ALL}\n@id(\"ag.x\") @reason(\"x\")\npermit (principal, action,\n  resuorce);"
    );
    assert_eq!(agreement(&text), [(Code::PolicyParse, 5)]);
    assert_eq!(agreement("permit"), [(Code::PolicyParse, 1)]);
    let slot = "@id(\"ag.x\") @reason(\"x\") permit (principal == ?principal, action, resource);";
    assert_eq!(agreement(slot), [(Code::PolicyParse, 1)]);
}

#[test]
fn what_does_not_fit_the_schema_is_refused() {
    for condition in [
        "resource.shoeSize == true",
        "resource.minor == \"no\"",
        "context.purpose == Turf::Purpose::\"world_peace\"",
        "resource is Turf::Organization",
        "context.from.kind == Turf::OrgKind::\"c3\" && context.from.kind in Turf::OrgClass::\"charity\"",
    ] {
        assert_eq!(
            agreement(&when(condition))[0].0,
            Code::PolicyInvalid,
            "{condition}"
        );
    }
    let action = "@id(\"ag.x\") @reason(\"x\") permit (principal, action == Turf::Action::\"suppress\", resource);";
    assert_eq!(agreement(action)[0].0, Code::PolicyInvalid);
}

#[test]
fn what_can_fail_is_refused() {
    for condition in [
        "1 + 1 == 2",
        "-(1) < 2 * 3",
        "ip(\"10.0.0.1\").isLoopback()",
        "decimal(\"1.0\").lessThan(decimal(\"2.0\"))",
        "if resource.minor then true else 2 - 1 == 1",
        "[1 + 1].contains(2)",
    ] {
        assert_eq!(
            agreement(&when(condition))[0].0,
            Code::PolicyMayError,
            "{condition}"
        );
    }
}

#[test]
fn what_is_not_registered_is_refused() {
    for condition in [
        "context.to == Turf::Organization::\"org-z\"",
        "context.to.ieRaces.contains(Turf::Race::\"oh-mayor\")",
        "resource.jurisdiction in Turf::Jurisdiction::\"atlantis\"",
        "context.to in Turf::OrgClass::\"guild\"",
        "context.to in Turf::Coalition::\"that\"",
        "resource == Turf::Person::\"p0\"",
    ] {
        assert_eq!(
            agreement(&when(condition)),
            [(Code::UnknownId, 1)],
            "{condition}"
        );
    }
    assert_eq!(
        agreement(&when("context.to == Turf::Organization::\"\u{43e}rg-a\"")),
        [(Code::IdCharset, 1)]
    );
    let known = when(
        "context.to == Turf::Organization::\"org-b\" && context.to in Turf::Coalition::\"this\"",
    );
    assert!(gate(&known, OWN_DEFAULT, &Case::base().parties).is_ok());
}

#[test]
fn own_policy_has_one_unconditional_permit() {
    assert_eq!(own(""), [(Code::LayerPermit, 0)]);
    let second = "@id(\"own.two\") @reason(\"x\") permit (principal, action, resource);";
    assert_eq!(
        own(&format!("{OWN_DEFAULT}{second}")),
        [(Code::LayerPermit, 4)]
    );
    assert_eq!(
        own(&second.replace(");", ") when { resource.minor };")),
        [(Code::LayerPermit, 1)]
    );
    assert_eq!(
        own(&second.replace("action,", "action in Turf::Action::\"Share\",")),
        [(Code::LayerPermit, 1)]
    );
}

#[test]
fn limits_hold_at_their_edge() {
    let set = |n: usize| when(&format!("[{}].contains(1)", vec!["1"; n].join(",")));
    assert!(gate(&set(1_000), OWN_DEFAULT, &Case::base().parties).is_ok());
    assert_eq!(agreement(&set(1_001)), [(Code::Limit, 1)]);
    assert_eq!(
        agreement(&" ".repeat(lint::MAX_RULE_BYTES + 1)),
        [(Code::Limit, 0)]
    );
    assert_eq!(
        agreement(&";".repeat(lint::MAX_RULES + 1)),
        [(Code::Limit, 0)]
    );
}

#[test]
fn organizations_are_checked_too() {
    let faults = |parties: &[Party]| -> Vec<Code> {
        let faults = gate(PERMIT_ALL, OWN_DEFAULT, parties).expect_err("faulty");
        faults.iter().map(|fault| fault.code).collect()
    };
    let parties = Case::base().parties;
    assert_eq!(faults(&[]), [Code::Limit]);
    assert_eq!(
        faults(&[parties[0].clone(), parties[0].clone()]),
        [Code::PolicyId]
    );
    let mut both = parties[0].clone();
    both.coordinated_races = race("oh-sen");
    both.ie_races = race("oh-sen");
    assert_eq!(faults(&[both]), [Code::FirewallConflict]);
    let mut opposed = parties.clone();
    opposed[0].coordinated_races = race("oh-sen");
    opposed[1].ie_races = race("oh-sen");
    assert_eq!(faults(&opposed), [Code::FirewallConflict]);
    let reason = opposite_sides(&opposed)[0].to_string();
    for word in [
        "E_FIREWALL_CONFLICT",
        "Ohio Clean Water coordinates",
        "Ohio Nurses spends",
        "oh-sen",
    ] {
        assert!(reason.contains(word), "{reason}");
    }
    opposed[1].ie_races = race("oh-gov");
    assert!(opposite_sides(&opposed).is_empty());
    let mut strange = parties[0].clone();
    strange.id = "Org A".to_owned();
    assert_eq!(faults(&[strange]), [Code::IdCharset]);
}

#[test]
fn a_fault_reads_as_a_sentence_with_its_place() {
    let faults = gate("permit", OWN_DEFAULT, &Case::base().parties).unwrap_err();
    let text = faults[0].to_string();
    assert!(
        text.starts_with("E_POLICY_PARSE, agreement rules, line 1: "),
        "{text}"
    );
}

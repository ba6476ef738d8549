//! A simulation says exactly what running both gates would.

use crate::{
    fixture::{Case, NOW, PERMIT_ALL, gate},
    laws::{ALL, TABLE, flows, rows},
};
use policy::*;
use proptest::{collection::vec, prelude::*};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_simulation_is_both_gates_side_by_side(flows in vec(flows(), 1..12), rows in vec(rows(), 1..12)) {
        let columns = Columns::from_rows(&rows, NOW);
        let fields = [FieldClass::Phone, FieldClass::Political];
        let (now, draft): (&Gate, &Gate) = (&ALL, &TABLE);
        let cells = now.simulate(draft, End::Send, &flows, &columns, &fields).unwrap();
        prop_assert_eq!(cells.len(), flows.len() * fields.len());
        let before = now.decide_all(End::Send, &flows, &columns, &fields);
        let after = draft.decide_all(End::Send, &flows, &columns, &fields);
        let mut cells = cells.iter();
        for ((flow, before), after) in flows.iter().zip(&before).zip(&after) {
            for field in fields {
                let cell = cells.next().unwrap();
                prop_assert_eq!((&cell.to, cell.field), (&flow.to, field));
                let pairs = || before.masks.iter().zip(&after.masks)
                    .map(|(a, b)| (a.contains(field), b.contains(field)));
                let count = |wanted| pairs().filter(|pair| *pair == wanted).count() as u64;
                prop_assert_eq!(cell.flows_now, count((true, true)) + count((true, false)));
                prop_assert_eq!(cell.newly_flows, count((false, true)));
                prop_assert_eq!(cell.newly_withheld, count((true, false)));
                let changed: Vec<usize> = pairs().enumerate().filter(|(_, (a, b))| a != b).map(|(n, _)| n).collect();
                prop_assert!(cell.samples.iter().all(|row| changed.contains(row)));
                prop_assert_eq!(cell.samples.is_empty(), changed.is_empty());
                let by: u64 = cell.by.iter().map(|change| change.newly_withheld).sum();
                prop_assert!(by >= cell.newly_withheld, "each change has a rule");
                for change in &cell.by {
                    prop_assert!(change.newly_flows <= cell.newly_flows);
                    prop_assert!(change.newly_withheld <= cell.newly_withheld);
                }
            }
        }
    }
}

#[test]
fn a_draft_against_itself_changes_nothing() {
    let case = Case::base();
    let columns = Columns::from_rows(std::slice::from_ref(&case.row), NOW);
    let gate = case.gate();
    let cells = gate
        .simulate(&gate, End::Send, &[case.flow], &columns, FieldClass::ALL)
        .unwrap();
    for cell in cells {
        assert_eq!(
            (cell.flows_now, cell.newly_flows, cell.newly_withheld),
            (1, 0, 0)
        );
        assert!(cell.by.is_empty() && cell.samples.is_empty());
    }
}

#[test]
fn the_rule_that_opens_and_the_rule_that_closes_are_named() {
    let case = Case::base();
    let own = format!(
        "{OWN_DEFAULT}@id(\"own.no-phones\") @reason(\"Phones stay here.\")
        forbid (principal, action == Turf::Action::\"sharePhone\", resource);"
    );
    let strict = gate(PERMIT_ALL, &own, &case.parties).unwrap();
    let open = case.gate();
    let rows = vec![case.row.clone(); 3];
    let columns = Columns::from_rows(&rows, NOW);
    let fields = [FieldClass::Phone];
    let flows = [case.flow];
    let closing = open
        .simulate(&strict, End::Send, &flows, &columns, &fields)
        .unwrap();
    let opening = strict
        .simulate(&open, End::Send, &flows, &columns, &fields)
        .unwrap();
    assert_eq!(
        serde_json::to_value(&closing).unwrap(),
        serde_json::json!([{"to": "org-b", "field": "phone", "flows_now": 3, "newly_flows": 0,
            "newly_withheld": 3, "samples": [0], "by": [
                {"policy": "own.no-phones", "newly_flows": 0, "newly_withheld": 3}]}])
    );
    assert_eq!(
        (opening[0].newly_flows, opening[0].by[0].newly_flows),
        (3, 3)
    );
    assert_eq!(opening[0].by[0].policy, "own.no-phones");
}

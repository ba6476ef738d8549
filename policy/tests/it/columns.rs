//! Rows that are coded by hand decide as the rows do that they stand for.

use crate::{
    fixture::{Case, NOW, race},
    laws::{ALL, TABLE, flows, rows},
};
use policy::*;
use proptest::{collection::vec, prelude::*};

/// What an import does: each fact once into its dictionary, then codes.
fn coded(columns: &mut Columns, row: &Row) -> CodedRow {
    CodedRow {
        originator: columns.originator(&row.facts.originator),
        source: row.facts.source,
        basis: row.facts.basis,
        jurisdiction: columns.place(row.facts.jurisdiction),
        marks: Marks::of(&row.facts),
        taint_coordinated: columns.races(&row.facts.taint_coordinated),
        taint_ie: columns.races(&row.facts.taint_ie),
        consent: columns.consent(row.consent.as_ref()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn codes_decide_as_rows_do(flows in vec(flows(), 1..12), rows in vec(rows(), 1..12)) {
        let mut columns = Columns::new(NOW);
        for row in &rows {
            let row = coded(&mut columns, row);
            columns.push(row).unwrap();
        }
        prop_assert_eq!(columns.len(), rows.len());
        let outcomes = TABLE.decide_all(End::Send, &flows, &columns, FieldClass::ALL);
        for (flow, outcome) in flows.iter().zip(outcomes) {
            prop_assert_eq!(outcome, TABLE.decide(End::Send, flow, &rows, FieldClass::ALL, NOW));
        }
    }

    #[test]
    fn the_reference_decides_alike(flow in flows(), rows in vec(rows(), 1..6)) {
        let masks = ALL.decide(End::Receive, &flow, &rows, FieldClass::ALL, NOW).masks;
        prop_assert_eq!(masks, ALL.reference(End::Receive, &flow, &rows, FieldClass::ALL, NOW));
    }
}

#[test]
fn a_minor_by_the_consent_record_is_a_minor_in_codes() {
    let mut case = Case::base();
    case.row.consent.as_mut().unwrap().x_minor = consent::Minor::Yes;
    let mut columns = Columns::new(NOW);
    let row = coded(&mut columns, &case.row);
    columns.push(row).unwrap();
    let outcome = &case
        .gate()
        .decide_all(End::Send, &[case.flow], &columns, FieldClass::ALL)[0];
    assert_eq!(outcome.rows_withheld_by_rule["law.minor"], 1);
}

#[test]
fn a_code_of_other_columns_is_refused() {
    let case = Case::base();
    let mut ours = Columns::new(NOW);
    let known = coded(&mut ours, &case.row);
    let mut theirs = Columns::new(NOW);
    assert_eq!(theirs.push(known), Err(ColumnsError::UnknownCode));
    theirs.originator("org-a");
    theirs.place(case.row.facts.jurisdiction);
    assert_eq!(
        theirs.push(known),
        Err(ColumnsError::UnknownCode),
        "the consent is unknown"
    );
    theirs.consent(case.row.consent.as_ref());
    assert_eq!(theirs.push(known), Ok(()));
    let raced = CodedRow {
        taint_ie: ours.races(&race("oh-sen")),
        ..known
    };
    assert_eq!(theirs.push(raced), Err(ColumnsError::UnknownCode));
    assert!(theirs.len() == 1 && !theirs.is_empty());
}

#[test]
fn without_rows_or_flows_there_is_nothing_to_say() {
    let case = Case::base();
    let gate = case.gate();
    let none = Columns::new(NOW);
    assert_eq!(
        gate.decide_all(End::Send, &[case.flow], &none, FieldClass::ALL),
        [Outcome::default()]
    );
    assert!(
        gate.decide_all(End::Send, &[], &none, FieldClass::ALL)
            .is_empty()
    );
}

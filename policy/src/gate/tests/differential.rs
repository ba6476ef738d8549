//! Columnar decisions against Cedar asked about every row and cell by itself.

use super::{
    random::{IDS, flows, gates, rows},
    *,
};
use crate::gate::judge::Answer;
use proptest::{collection::vec, prelude::*, sample::select};
use std::collections::BTreeSet;

/// Between the two ends of a time limit of the random forms.
const NOW: i64 = 130_000_000;

/// What the rules withhold in one cell, from the layers' own answers.
fn reasons(answers: &Result<[Answer; 3], Alarm>) -> BTreeSet<String> {
    match answers {
        Err(alarm) => BTreeSet::from([alarm.name().to_owned()]),
        Ok(layers) => layers
            .iter()
            .filter(|answer| !answer.allow)
            .flat_map(|answer| match answer.by.is_empty() {
                true => vec![NO_PERMIT.to_owned()],
                false => answer.by.clone(),
            })
            .collect(),
    }
}

/// The outcome as section 3 of the specification counts it, row by row and cell by cell.
fn expected(gate: &Gate, end: End, flow: &Flow, rows: &[Row]) -> Outcome {
    let mut outcome = Outcome::default();
    let by_field: Vec<_> = FieldClass::ALL
        .iter()
        .map(|field| (*field, gate.refer(end, flow, rows, *field, NOW)))
        .collect();
    for row in 0..rows.len() {
        let mut mask = FieldMask::EMPTY;
        let mut all = BTreeSet::new();
        for (field, answers) in &by_field {
            let reasons = reasons(&answers[row]);
            if reasons.is_empty() {
                mask.insert(*field);
            }
            if let Err(alarm) = &answers[row] {
                *outcome.errors.entry(*alarm).or_default() += 1;
            }
            for reason in &reasons {
                *outcome
                    .withheld
                    .entry((reason.clone(), *field))
                    .or_default() += 1;
            }
            all.extend(reasons);
        }
        if mask.is_empty() {
            for reason in all {
                *outcome.rows_withheld_by_rule.entry(reason).or_default() += 1;
            }
        }
        outcome.masks.push(mask);
    }
    outcome
}

fn ends() -> impl Strategy<Value = End> {
    select(&[End::Send, End::Receive][..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn columns_decide_what_cedar_decides_row_by_row(
        gate in gates(), end in ends(), flows in vec(flows(), 1..14), rows in vec(rows(), 1..8),
    ) {
        let columns = Columns::from_rows(&rows, NOW);
        let outcomes = gate.decide_all(end, &flows, &columns, FieldClass::ALL);
        prop_assert_eq!(outcomes.len(), flows.len());
        for (flow, outcome) in flows.iter().zip(&outcomes) {
            prop_assert_eq!(outcome, &expected(&gate, end, flow, &rows));
        }
        let reference = gate.reference(end, &flows[0], &rows, FieldClass::ALL, NOW);
        prop_assert_eq!(&outcomes[0].masks, &reference);
    }

    #[test]
    fn whatever_is_torn_from_the_store_columns_and_cedar_refuse_alike(
        gate in gates(), end in ends(), flows in vec(flows(), 1..3), rows in vec(rows(), 1..6),
        torn in select(&[
            ("Organization", "org-a"), ("Organization", "org-c"), ("Coalition", "this"),
            ("OrgClass", "electoral"), ("OrgClass", "c4"), ("Race", "oh-sen"), ("Jurisdiction", "us"),
            ("Jurisdiction", "eea"), ("Action", "Share"), ("Action", "Flow"), ("Action", "sharePhone"),
        ][..]),
    ) {
        let whole = gate.clone();
        let gate = without(gate, &[uid(torn.0, torn.1)]);
        let columns = Columns::from_rows(&rows, NOW);
        let outcomes = gate.decide_all(end, &flows, &columns, FieldClass::ALL);
        for (flow, outcome) in flows.iter().zip(&outcomes) {
            prop_assert_eq!(outcome, &expected(&gate, end, flow, &rows));
            let before = expected(&whole, end, flow, &rows);
            let narrower = outcome.masks.iter().zip(&before.masks);
            prop_assert!(narrower.into_iter().all(|(after, before)| after.is_subset_of(*before)));
            if torn.1 == "Flow" || torn.1 == "this" {
                prop_assert!(outcome.masks.iter().all(|mask| mask.is_empty()));
            }
        }
    }

    #[test]
    fn another_forbid_never_adds_flow(
        gate in gates(), flow in flows(), rows in vec(rows(), 1..8), layer in select(&Layer::ALL[..]),
        condition in select(&["resource.minor", "true", "resource.clause.field", "context.to.federal"][..]),
    ) {
        let before = gate.decide(End::Send, &flow, &rows, FieldClass::ALL, NOW);
        let mut stricter = gate;
        let text = format!("forbid (principal, action, resource) when {{ {condition} }};");
        let id = cedar_policy::PolicyId::new("added");
        add(&mut stricter, layer, Policy::parse(Some(id), text).unwrap());
        let after = stricter.decide(End::Send, &flow, &rows, FieldClass::ALL, NOW);
        prop_assert!(after.masks.iter().zip(&before.masks).all(|(a, b)| a.is_subset_of(*b)));
    }

    #[test]
    fn clauses_never_borrow(
        gate in gates(), to in select(&IDS[..]), rows in vec(rows(), 1..8),
    ) {
        // A second clause for another purpose gives this purpose nothing that it names alone.
        let flow = Flow { to: to.to_owned(), ..flow() };
        let gate = consent_alone(gate);
        let alone: Vec<Row> = rows.iter().cloned().map(|mut row| {
            if let Some(record) = &mut row.consent { record.purposes.truncate(1) }
            row
        }).collect();
        let both = gate.decide(End::Send, &flow, &rows, FieldClass::ALL, NOW).masks;
        prop_assert_eq!(both, gate.decide(End::Send, &flow, &alone, FieldClass::ALL, NOW).masks);
    }
}

/// A gate in which a row flows exactly when one clause fits the cell.
fn consent_alone(mut gate: Gate) -> Gate {
    let fits = "permit (principal, action, resource) when {
        resource.clause.inForce && resource.clause.purpose && resource.clause.recipient &&
        resource.clause.channel && resource.clause.field };";
    gate.layers = gate
        .layers
        .map(|_| LayerRules::new(&[Policy::parse(None, fits).unwrap()]));
    gate
}

#[test]
fn the_law_itself_is_decided_as_cedar_decides_it() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let rows: Vec<Row> = (0..240)
        .map(|_| rows().new_tree(&mut runner).unwrap().current())
        .collect();
    let gate = gate();
    let outcome = gate.decide(End::Send, &flow(), &rows, FieldClass::ALL, NOW);
    assert_eq!(outcome, expected(&gate, End::Send, &flow(), &rows));
    let some = outcome.masks.iter().any(|mask| !mask.is_empty());
    assert!(some, "some rows flow, or this proves nothing");
}

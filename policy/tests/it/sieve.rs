//! A sieve that is given rows page by page decides as the gate does that sees all of them at once.

use crate::{
    fixture::NOW,
    laws::{ALL, TABLE, flows, rows},
};
use policy::*;
use proptest::{collection::vec, prelude::*};

const FIELDS: [FieldClass; 3] = [FieldClass::Postal, FieldClass::Phone, FieldClass::Political];

/// Pages of rows for all flows, and rows for one flow alone, by its place.
type Given = (Vec<Vec<Row>>, Vec<(usize, Row)>);

fn given() -> impl Strategy<Value = Given> {
    (
        vec(vec(rows(), 0..6), 1..4),
        vec((0..12_usize, rows()), 0..6),
    )
}

fn sort(sieve: &mut Sieve<'_>, row: &Row) -> Kind {
    sieve.kind(&row.facts, row.consent.as_ref())
}

fn sifted<'g>(gate: &'g Gate, flows: &'g [Flow], (pages, alone): &Given) -> Sieve<'g> {
    let mut sieve = gate.sieve(End::Send, flows, &FIELDS, NOW);
    for page in pages {
        for row in page {
            let kind = sort(&mut sieve, row);
            sieve.count(kind);
        }
        sieve.judge();
    }
    for (flow, row) in alone {
        let kind = sort(&mut sieve, row);
        sieve.count_in(flow % flows.len(), kind);
    }
    sieve
}

/// The rows of one flow, common ones first.
fn of_flow(at: usize, flows: usize, (pages, alone): &Given) -> Vec<Row> {
    let alone = alone.iter().filter(|(flow, _)| flow % flows == at);
    let alone = alone.map(|(_, row)| row);
    pages.iter().flatten().chain(alone).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn pages_decide_as_one_list_does(flows in vec(flows(), 1..12), given in given()) {
        let mut sieve = sifted(&TABLE, &flows, &given);
        let outcomes = sieve.outcomes();
        prop_assert_eq!(outcomes.len(), flows.len());
        for (at, (flow, outcome)) in flows.iter().zip(outcomes).enumerate() {
            let rows = of_flow(at, flows.len(), &given);
            let whole = TABLE.decide(End::Send, flow, &rows, &FIELDS, NOW);
            for (row, mask) in rows.iter().zip(&whole.masks) {
                let kind = sort(&mut sieve, row);
                prop_assert_eq!(sieve.mask(at, kind), *mask);
            }
            let counts = Outcome { masks: Vec::new(), ..whole };
            prop_assert_eq!(outcome, counts);
        }
    }

    #[test]
    fn a_kind_is_judged_alike_on_whatever_page_it_comes(flows in vec(flows(), 1..12), given in given()) {
        let mut sieve = sifted(&TABLE, &flows, &given);
        sieve.judge();
        let (pages, _) = &given;
        for row in pages.iter().flatten() {
            let kind = sort(&mut sieve, row);
            for (at, flow) in flows.iter().enumerate() {
                let alone = TABLE.decide(End::Send, flow, std::slice::from_ref(row), &FIELDS, NOW);
                prop_assert_eq!(sieve.mask(at, kind), alone.masks[0]);
            }
        }
    }

    #[test]
    fn a_simulation_over_pages_is_that_over_the_list(flows in vec(flows(), 1..12), given in given()) {
        let sieve = sifted(&ALL, &flows, &given);
        let mut cells = sieve.simulate(&TABLE).into_iter();
        for (at, flow) in flows.iter().enumerate() {
            let rows = of_flow(at, flows.len(), &given);
            let columns = Columns::from_rows(&rows, NOW);
            let flow = std::slice::from_ref(flow);
            for whole in ALL.simulate(&TABLE, End::Send, flow, &columns, &FIELDS).unwrap() {
                let cell = cells.next().unwrap();
                prop_assert_eq!(cell.samples.is_empty(), whole.samples.is_empty());
                let whole = SimulatedCell { samples: cell.samples.clone(), ..whole };
                prop_assert_eq!(cell, whole);
            }
        }
        prop_assert!(cells.next().is_none());
    }
}

#[test]
fn nothing_flows_before_it_is_judged_and_no_row_counts_by_itself() {
    let case = crate::fixture::Case::base();
    let gate = case.gate();
    let flows = [case.flow];
    let mut sieve = gate.sieve(End::Send, &flows, &FIELDS, NOW);
    assert!(sieve.is_empty());
    let kind = sort(&mut sieve, &case.row);
    assert!(sieve.mask(0, kind).is_empty());
    sieve.judge();
    assert!(sieve.mask(0, kind).contains(FieldClass::Phone));
    assert!(sieve.mask(1, kind).is_empty(), "there is no such flow");
    assert_eq!(sort(&mut sieve, &case.row), kind);
    assert_eq!((sieve.len(), kind.number()), (1, 0));
    assert!(sieve.outcomes()[0].withheld.is_empty());
}

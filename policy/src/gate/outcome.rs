//! From what a pass came to, to masks of the rows and sums over them.

use super::{
    Alarm, NO_PERMIT, Outcome,
    pass::{Cells, FLOWS, Pass, bits, classes},
    sheet::Sheet,
    table::{Kinds, Table},
};
use crate::{
    columns::distinct::{Coded, distinct},
    facts::{FieldClass, FieldMask},
};
use std::collections::HashMap;

/// Rows per cell, and rows of which nothing flows per flow.
struct Sum {
    cells: [u64; Cells::BITS as usize],
    rows: [u64; FLOWS],
}

/// A set of flows of a pass, by bit.
type Flows = u32;

/// Sums per reason.
#[derive(Default)]
struct Sums<'s>(HashMap<&'s str, Sum>);

impl<'s> Sums<'s> {
    /// So many rows are withheld in these cells, and have nothing flowing in these flows.
    fn add(&mut self, reason: &'s str, cells: Cells, nothing: Flows, rows: u64) {
        if cells == 0 {
            return;
        }
        let sum = self.0.entry(reason).or_insert(Sum {
            cells: [0; Cells::BITS as usize],
            rows: [0; FLOWS],
        });
        for bit in bits(cells) {
            if let Some(sum) = sum.cells.get_mut(bit) {
                *sum += rows;
            }
        }
        for (at, sum) in sum.rows.iter_mut().enumerate() {
            let whole = nothing & (1 << at) != 0 && !classes(cells, at).is_empty();
            *sum += rows * u64::from(whole);
        }
    }
}

/// The outcome of each flow of a pass.
pub(crate) fn outcomes(
    pass: &Pass<'_>,
    kinds: &Kinds,
    table: &Table<'_>,
    sheet: &Sheet<'_>,
) -> Vec<Outcome> {
    let words: Vec<Cells> = table
        .of_kind
        .iter()
        .map(|row| sheet.flows(*row as usize))
        .collect();
    let sums = sums(pass, kinds, table, sheet);
    let outcome = |at: usize| Outcome {
        masks: kinds
            .rows
            .of
            .iter()
            // A kind that is not there would be a defect of this file; it shares nothing.
            .map(|kind| classes(words.get(*kind as usize).copied().unwrap_or(0), at))
            .collect(),
        ..counts(&sums, at)
    };
    (0..pass.flows.len()).map(outcome).collect()
}

/// Sums over tuples: rows that agree in what a group reads, in the cells judged without alarm and
/// in where nothing flows, are added at once.
fn sums<'s>(pass: &Pass<'_>, kinds: &Kinds, table: &Table<'_>, sheet: &Sheet<'s>) -> Sums<'s> {
    let weights = weights(kinds, table);
    let mut sums = Sums::default();
    let mut states: HashMap<(Cells, Flows), u32> = HashMap::new();
    let mut unpermitted: HashMap<(Cells, Flows), u64> = HashMap::new();
    let mut state_of = Vec::with_capacity(weights.len());
    for (row, weight) in weights.iter().enumerate() {
        let flows = sheet.flows(row);
        let empty = (0..pass.flows.len()).filter(|at| classes(flows, *at).is_empty());
        let nothing = empty.fold(0, |nothing, at| nothing | 1 << at);
        let (open, silent) = sheet.open(row);
        let next = states.len() as u32;
        state_of.push(*states.entry((open, nothing)).or_insert(next));
        *unpermitted.entry((silent, nothing)).or_default() += weight;
        for (alarm, cells) in sheet.alarmed(row) {
            sums.add(alarm.name(), cells, nothing, *weight);
        }
    }
    let mut unpermitted: Vec<_> = unpermitted.into_iter().collect();
    unpermitted.sort_unstable();
    for ((cells, nothing), rows) in unpermitted {
        sums.add(NO_PERMIT, cells, nothing, rows);
    }
    let mut states: Vec<_> = states.into_iter().map(|(state, at)| (at, state)).collect();
    states.sort_unstable();
    for (tuple_of, forbids) in sheet.forbids() {
        let alike = distinct(
            weights.len(),
            &[
                Coded {
                    codes: tuple_of,
                    radix: forbids.len() as u32,
                },
                Coded {
                    codes: &state_of,
                    radix: states.len() as u32,
                },
            ],
        );
        let mut rows = vec![0; alike.first.len()];
        for (kind, weight) in alike.of.iter().zip(&weights) {
            if let Some(sum) = rows.get_mut(*kind as usize) {
                *sum += weight;
            }
        }
        for (first, rows) in alike.first.iter().zip(rows) {
            let tuple = tuple_of
                .get(*first as usize)
                .and_then(|at| forbids.get(*at as usize));
            let state = state_of
                .get(*first as usize)
                .and_then(|at| states.get(*at as usize));
            let (Some(forbids), Some((_, (open, nothing)))) = (tuple, state) else {
                continue;
            };
            for (rule, cells) in forbids {
                sums.add(rule, cells & open, *nothing, rows);
            }
        }
    }
    sums
}

/// How many rows each row of the table stands for.
fn weights(kinds: &Kinds, table: &Table<'_>) -> Vec<u64> {
    let mut rows = vec![0; table.len()];
    for (row, count) in table.of_kind.iter().zip(&kinds.counts) {
        if let Some(sum) = rows.get_mut(*row as usize) {
            *sum += count;
        }
    }
    rows
}

fn counts(sums: &Sums<'_>, at: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let mut reasons: Vec<(&&str, &Sum)> = sums.0.iter().collect();
    reasons.sort_unstable_by_key(|(reason, _)| **reason);
    for (reason, sum) in reasons {
        for field in FieldClass::ALL.iter().copied() {
            let rows = sum
                .cells
                .get(super::pass::bit(at, field))
                .copied()
                .unwrap_or(0);
            if rows == 0 {
                continue;
            }
            outcome.withheld.insert(((*reason).to_owned(), field), rows);
            if let Some(alarm) = Alarm::ALL.iter().find(|alarm| alarm.name() == *reason) {
                *outcome.errors.entry(*alarm).or_default() += rows;
            }
        }
        let rows = sum.rows.get(at).copied().unwrap_or(0);
        if rows > 0 {
            outcome
                .rows_withheld_by_rule
                .insert((*reason).to_owned(), rows);
        }
    }
    outcome
}

impl Outcome {
    /// Adds the counts of other rows in the same flow.
    pub(super) fn absorb(&mut self, other: Self) {
        for (cell, rows) in other.withheld {
            *self.withheld.entry(cell).or_default() += rows;
        }
        for (rule, rows) in other.rows_withheld_by_rule {
            *self.rows_withheld_by_rule.entry(rule).or_default() += rows;
        }
        for (alarm, cells) in other.errors {
            *self.errors.entry(alarm).or_default() += cells;
        }
    }
}

/// Everything refused for one reason.
pub(crate) fn refuse_all(alarm: Alarm, rows: usize, fields: FieldMask) -> Outcome {
    let count = rows as u64;
    let mut outcome = Outcome {
        masks: vec![FieldMask::EMPTY; rows],
        ..Outcome::default()
    };
    let cells = count.saturating_mul(fields.iter().count() as u64);
    if cells > 0 {
        let id = alarm.name().to_owned();
        outcome.withheld = fields
            .iter()
            .map(|field| ((id.clone(), field), count))
            .collect();
        outcome.rows_withheld_by_rule.insert(id, count);
        outcome.errors.insert(alarm, cells);
    }
    outcome
}

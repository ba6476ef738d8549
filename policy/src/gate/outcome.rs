//! From what a pass came to, to masks of the rows and sums over them.

use super::{
    Alarm, Outcome,
    pass::{Cells, FLOWS, Pass, bits, classes},
    sheet::Sheet,
    table::{Kinds, Table},
};
use crate::facts::{FieldClass, FieldMask};
use std::collections::HashMap;

/// Rows per cell, and rows of which nothing flows per flow.
struct Sums {
    cells: [u64; Cells::BITS as usize],
    rows: [u64; FLOWS],
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

fn sums<'s>(
    pass: &Pass<'_>,
    kinds: &Kinds,
    table: &Table<'_>,
    sheet: &Sheet<'s>,
) -> HashMap<&'s str, Sums> {
    let mut rows = vec![0; table.len()];
    for (row, count) in table.of_kind.iter().zip(&kinds.counts) {
        if let Some(sum) = rows.get_mut(*row as usize) {
            *sum += count;
        }
    }
    let mut sums: HashMap<&str, Sums> = HashMap::new();
    for (row, count) in rows.into_iter().enumerate() {
        let flows = sheet.flows(row);
        for (reason, cells) in sheet.reasons(row) {
            let sum = sums.entry(reason).or_insert(Sums {
                cells: [0; Cells::BITS as usize],
                rows: [0; FLOWS],
            });
            for bit in bits(cells) {
                if let Some(sum) = sum.cells.get_mut(bit) {
                    *sum += count;
                }
            }
            for (at, sum) in sum.rows.iter_mut().enumerate().take(pass.flows.len()) {
                let withholds = !classes(cells, at).is_empty();
                *sum += count * u64::from(withholds && classes(flows, at).is_empty());
            }
        }
    }
    sums
}

fn counts(sums: &HashMap<&str, Sums>, at: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let mut reasons: Vec<(&&str, &Sums)> = sums.iter().collect();
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

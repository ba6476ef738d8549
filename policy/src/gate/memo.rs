//! Judging each distinct cell once: a million rows have few distinct facts.
//!
//! Keys are the facts themselves, compared whole; numbers only index what was compared.

use super::{Outcome, judge::Verdict};
use crate::{
    consent::{Minor, clause::Clause},
    entities::Person,
    facts::{FieldClass, FieldMask},
    flow::{Flow, Party, Row},
};
use std::collections::{BTreeSet, HashMap, hash_map::Entry};

/// The cells of one row, by their index; none for classes that were not asked for.
type Pattern = [Option<usize>; FieldClass::ALL.len()];

/// The distinct cells of one decision, and which row has which.
pub(crate) struct Memo<'r> {
    fields: FieldMask,
    cells: Vec<(Person<'r>, FieldClass)>,
    cell_index: HashMap<(Person<'r>, FieldClass), usize>,
    patterns: Vec<(Pattern, u64)>,
    pattern_index: HashMap<Pattern, usize>,
}

impl<'r> Memo<'r> {
    pub(crate) fn new(fields: FieldMask) -> Self {
        Self {
            fields,
            cells: Vec::new(),
            cell_index: HashMap::new(),
            patterns: Vec::new(),
            pattern_index: HashMap::new(),
        }
    }

    /// Adds a row; the answer is the index of its pattern.
    pub(crate) fn add(&mut self, row: &'r Row, flow: &Flow, to: &Party, now_ms: i64) -> usize {
        let standing = row.consent.as_ref().map(|record| record.standing(now_ms));
        let mut pattern: Pattern = Default::default();
        for (slot, field) in pattern.iter_mut().zip(FieldClass::ALL.iter().copied()) {
            if !self.fields.contains(field) {
                continue;
            }
            let clause = match (&row.consent, standing) {
                (Some(record), Some(standing)) => {
                    record.clause_under(standing, flow, to, field, now_ms)
                }
                _ => Clause::UNKNOWN,
            };
            *slot = Some(self.cell(person(row, clause), field));
        }
        let index = match self.pattern_index.entry(pattern) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.patterns.push((pattern, 0));
                *new.insert(self.patterns.len() - 1)
            }
        };
        if let Some((_, count)) = self.patterns.get_mut(index) {
            *count += 1;
        }
        index
    }

    fn cell(&mut self, person: Person<'r>, field: FieldClass) -> usize {
        match self.cell_index.entry((person, field)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.cells.push((person, field));
                *new.insert(self.cells.len() - 1)
            }
        }
    }

    /// The distinct cells, to be judged.
    pub(crate) fn cells(&self) -> &[(Person<'r>, FieldClass)] {
        &self.cells
    }

    /// From verdicts on the cells to masks of the rows and sums over them.
    pub(crate) fn outcome(&self, row_patterns: &[usize], verdicts: &[Verdict]) -> Outcome {
        let mut outcome = Outcome::default();
        let masks: Vec<FieldMask> = self
            .patterns
            .iter()
            .map(|(pattern, count)| count_pattern(&mut outcome, pattern, *count, verdicts))
            .collect();
        // A pattern that is not there would be a defect of this file; it shares nothing.
        let mask = |index: &usize| masks.get(*index).copied().unwrap_or_default();
        outcome.masks = row_patterns.iter().map(mask).collect();
        outcome
    }
}

/// The facts and clause of a row as the rules see them.
pub(crate) fn person(row: &Row, clause: Clause) -> Person<'_> {
    let minor_on_record = row.consent.as_ref().is_some_and(|record| record.x_minor == Minor::Yes);
    Person { facts: &row.facts, clause, minor_on_record }
}

fn count_pattern(
    outcome: &mut Outcome,
    pattern: &Pattern,
    rows: u64,
    verdicts: &[Verdict],
) -> FieldMask {
    let mut mask = FieldMask::EMPTY;
    let mut reasons = BTreeSet::new();
    for (cell, field) in pattern.iter().zip(FieldClass::ALL.iter().copied()) {
        let Some(verdict) = cell.and_then(|index| verdicts.get(index)) else { continue };
        if verdict.flows() {
            mask.insert(field);
            continue;
        }
        if let Some(alarm) = verdict.alarm() {
            *outcome.errors.entry(alarm).or_default() += rows;
        }
        for reason in verdict.reasons() {
            *outcome.withheld.entry((reason.to_owned(), field)).or_default() += rows;
            reasons.insert(reason);
        }
    }
    if mask.is_empty() {
        for reason in reasons {
            *outcome.rows_withheld_by_rule.entry(reason.to_owned()).or_default() += rows;
        }
    }
    mask
}

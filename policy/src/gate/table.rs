//! The distinct rows of a pass: what a million rows come down to.

use super::{
    Gate,
    pass::{Pass, bits},
    reads::Reads,
};
use crate::{
    columns::{
        Columns, Marks, WIDTH,
        distinct::{Coded, Distinct, distinct},
    },
    consent::clause::Clause,
    entities::{self, Person},
};
use std::collections::HashMap;

/// The distinct rows of some columns, before any flow is looked at.
pub(crate) struct Kinds {
    pub(crate) rows: Distinct,
    pub(crate) counts: Vec<u64>,
}

impl Kinds {
    pub(crate) fn of(columns: &Columns) -> Self {
        let rows = distinct(columns.len(), &coded(columns.codes(), &columns.radices()));
        let counts = rows.counts();
        Self { rows, counts }
    }
}

/// The distinct rows of a pass. Instead of a consent a row has a profile: its clause in each cell.
/// People who agreed to different things are alike where the difference concerns no cell.
pub(crate) struct Table<'c> {
    columns: &'c Columns,
    codes: [Vec<u32>; WIDTH],
    radices: [u32; WIDTH],
    /// Per profile, the clause of each cell, by bit.
    profiles: Vec<Vec<Clause>>,
    /// For each kind, its row in this table.
    pub(crate) of_kind: Vec<u32>,
    /// Whether everything that the row's facts refer to is in the store.
    pub(crate) complete: Vec<bool>,
}

const MARKS: usize = 4;
const CONSENT: usize = WIDTH - 1;

impl<'c> Table<'c> {
    pub(crate) fn new(pass: &Pass<'_>, columns: &'c Columns, kinds: &Kinds) -> Self {
        let mut codes = gather(columns.codes(), &kinds.rows.first);
        let (profile_of, profiles) = profiles(pass, columns, &codes);
        let mut radices = columns.radices();
        let [.., consents] = &mut codes;
        for code in consents {
            *code = profile_of.get(*code as usize).copied().unwrap_or(0);
        }
        let [.., radix] = &mut radices;
        *radix = profiles.len() as u32;
        let merged = distinct(kinds.rows.first.len(), &coded(&codes, &radices));
        let codes = gather(&codes, &merged.first);
        Self {
            complete: complete(pass.gate, columns, &codes),
            columns,
            codes,
            radices,
            profiles,
            of_kind: merged.of,
        }
    }

    pub(crate) fn len(&self) -> usize {
        let [first, ..] = &self.codes;
        first.len()
    }

    /// The person of a row, with the clause of one cell.
    pub(crate) fn person(&self, row: usize, clause: Clause) -> Option<Person<'c>> {
        let mut codes = [0; WIDTH];
        for (code, column) in codes.iter_mut().zip(&self.codes) {
            *code = *column.get(row)?;
        }
        self.columns.person(codes, clause)
    }

    /// The clause on which a cell of a row rests.
    pub(crate) fn clause(&self, row: usize, bit: usize) -> Clause {
        let [.., profiles] = &self.codes;
        let profile = profiles
            .get(row)
            .and_then(|at| self.profiles.get(*at as usize));
        profile
            .and_then(|clauses| clauses.get(bit))
            .copied()
            .unwrap_or(Clause::UNKNOWN)
    }

    /// Sorts the rows by the facts that are read, with or without the consent.
    pub(crate) fn project(&self, reads: Reads, with_consent: bool) -> Distinct {
        let marks: Vec<u32> = self
            .codes
            .get(MARKS)
            .into_iter()
            .flatten()
            .map(|code| Marks::from_code(*code).and(reads.marks()).code())
            .collect();
        let columns: Vec<Coded<'_>> = coded(&self.codes, &self.radices)
            .into_iter()
            .enumerate()
            .filter(|(at, _)| reads.column(*at) && (*at != CONSENT || with_consent))
            .map(|(at, column)| match at {
                MARKS => Coded {
                    codes: &marks,
                    ..column
                },
                _ => column,
            })
            .collect();
        distinct(self.len(), &columns)
    }
}

/// Whether everything that each row refers to is in the store; looked up once per value.
fn complete(gate: &Gate, columns: &Columns, codes: &[Vec<u32>; WIDTH]) -> Vec<bool> {
    let (store, parties) = (&gate.store, &gate.parties);
    let originators: Vec<bool> = columns
        .originators()
        .iter()
        .map(|id| entities::organization_is_complete(store, parties, id))
        .collect();
    let places: Vec<bool> = columns
        .places()
        .iter()
        .map(|place| entities::place_is_complete(store, *place))
        .collect();
    let races: Vec<bool> = columns
        .race_sets()
        .iter()
        .map(|races| entities::races_are_complete(store, races.iter()))
        .collect();
    let has = |known: &[bool], code: &u32| known.get(*code as usize).copied().unwrap_or(false);
    let [originator, _, _, place, _, coordinated, independent, _] = codes;
    let facts = originator
        .iter()
        .zip(place)
        .zip(coordinated)
        .zip(independent);
    facts
        .map(|(((originator, place), coordinated), independent)| {
            has(&originators, originator)
                && has(&places, place)
                && has(&races, coordinated)
                && has(&races, independent)
        })
        .collect()
}

/// For each consent that the rows have its profile, and the profiles.
fn profiles(
    pass: &Pass<'_>,
    columns: &Columns,
    [.., rows]: &[Vec<u32>; WIDTH],
) -> (Vec<u32>, Vec<Vec<Clause>>) {
    let mut used = vec![false; columns.consents().len()];
    for code in rows {
        if let Some(used) = used.get_mut(*code as usize) {
            *used = true;
        }
    }
    let cells = pass
        .asked
        .checked_ilog2()
        .map_or(0, |last| last as usize + 1);
    let mut profiles = Vec::new();
    let mut known: HashMap<Vec<Clause>, u32> = HashMap::new();
    let of = columns.consents().iter().zip(used).map(|(consent, used)| {
        if !used {
            return 0;
        }
        let mut clauses = vec![Clause::UNKNOWN; cells];
        for bit in bits(pass.open()) {
            if let (Some((flow, to, field)), Some(clause)) = (pass.cell(bit), clauses.get_mut(bit))
            {
                *clause = consent.clause(flow, to, field);
            }
        }
        *known.entry(clauses).or_insert_with_key(|clauses| {
            profiles.push(clauses.clone());
            (profiles.len() - 1) as u32
        })
    });
    let of = of.collect();
    (of, profiles)
}

fn coded<'c>(codes: &'c [Vec<u32>; WIDTH], radices: &[u32; WIDTH]) -> Vec<Coded<'c>> {
    codes
        .iter()
        .zip(radices)
        .map(|(codes, radix)| Coded {
            codes,
            radix: *radix,
        })
        .collect()
}

fn gather(codes: &[Vec<u32>; WIDTH], at: &[u32]) -> [Vec<u32>; WIDTH] {
    let take = |column: &Vec<u32>| {
        at.iter()
            .filter_map(|row| column.get(*row as usize).copied())
            .collect()
    };
    codes.each_ref().map(take)
}

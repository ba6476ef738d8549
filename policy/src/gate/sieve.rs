//! Rows that come page by page, toward many flows at once: what is alike is judged once, on whatever
//! page it stands.
//!
//! A sieve remembers kinds, never rows: a kind is everything that the gate reads of a row. So a list
//! of any length needs the memory of its distinct kinds. Spec: `spec/policy.md`, section 11.

use super::{
    Gate, Outcome, SimulatedCell, outcome,
    pass::{Cells, FLOWS, Pass, classes},
    sheet::Sheet,
    simulate,
    table::{Kinds, Table},
};
use crate::{
    columns::{Coder, WIDTH, distinct::Distinct},
    consent::Record,
    facts::{FieldClass, FieldMask},
    flow::{End, Flow, RowFacts},
};
use std::collections::{BTreeMap, HashMap};

/// A kind of rows of one sieve, numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u32);

impl Kind {
    /// Its number.
    #[must_use]
    pub fn number(self) -> usize {
        self.0 as usize
    }
}

/// Kinds of rows toward some flows, and how many rows each has.
#[derive(Debug)]
pub struct Sieve<'g> {
    gate: &'g Gate,
    end: End,
    flows: &'g [Flow],
    fields: FieldMask,
    /// One row per kind.
    coder: Coder,
    known: HashMap<[u32; WIDTH], Kind>,
    /// Rows in every flow, per kind.
    rows: Vec<u64>,
    /// Rows in one flow alone, per flow.
    alone: BTreeMap<usize, BTreeMap<Kind, u64>>,
    /// Per pass, what flows of each kind that was judged.
    judged: Vec<Vec<Cells>>,
}

impl Gate {
    /// An empty sieve for some flows; consents are judged as of the given time.
    #[must_use]
    pub fn sieve<'g>(
        &'g self,
        end: End,
        flows: &'g [Flow],
        fields: &[FieldClass],
        now_ms: i64,
    ) -> Sieve<'g> {
        Sieve {
            gate: self,
            end,
            flows,
            fields: fields.iter().copied().collect(),
            coder: Coder::new(now_ms),
            known: HashMap::new(),
            rows: Vec::new(),
            alone: BTreeMap::new(),
            judged: vec![Vec::new(); flows.len().div_ceil(FLOWS)],
        }
    }
}

impl Sieve<'_> {
    /// The kind of a row by its facts and the record that it rests on; the row is not counted.
    pub fn kind(&mut self, facts: &RowFacts, consent: Option<&Record>) -> Kind {
        let coded = self.coder.code(facts, consent);
        let next = Kind(self.rows.len() as u32);
        let kind = *self.known.entry(coded.codes()).or_insert(next);
        if kind == next {
            self.coder.columns.add(coded);
            self.rows.push(0);
        }
        kind
    }

    /// Counts a row in every flow.
    pub fn count(&mut self, kind: Kind) {
        if let Some(rows) = self.rows.get_mut(kind.number()) {
            *rows += 1;
        }
    }

    /// Counts a row in one flow, by its place.
    pub fn count_in(&mut self, flow: usize, kind: Kind) {
        *self.alone.entry(flow).or_default().entry(kind).or_default() += 1;
    }

    /// How many kinds there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Judges the kinds that were not judged yet, in every flow.
    pub fn judge(&mut self) {
        for (flows, judged) in self.flows.chunks(FLOWS).zip(&mut self.judged) {
            let fresh: Vec<u32> = (judged.len()..self.rows.len())
                .map(|kind| kind as u32)
                .collect();
            if fresh.is_empty() {
                continue;
            }
            let columns = &self.coder.columns;
            let pass = Pass::new(self.gate, self.end, flows, self.fields, columns.now_ms());
            let table = Table::new(&pass, columns, &kinds(fresh, Vec::new()));
            let sheet = Sheet::new(&pass, &table);
            judged.extend(words(&table, &sheet));
        }
    }

    /// What flows of a kind's rows in a flow, by its place; nothing before it is judged.
    #[must_use]
    pub fn mask(&self, flow: usize, kind: Kind) -> FieldMask {
        let words = self.judged.get(flow / FLOWS);
        let cells = words.and_then(|words| words.get(kind.number()));
        classes(cells.copied().unwrap_or(0), flow % FLOWS)
    }

    /// The outcome of each flow over all rows that were counted, without masks; every kind is judged.
    pub fn outcomes(&mut self) -> Vec<Outcome> {
        let all = kinds((0..self.rows.len() as u32).collect(), self.rows.clone());
        let mut outcomes = Vec::with_capacity(self.flows.len());
        self.judged.clear();
        for flows in self.flows.chunks(FLOWS) {
            let (sums, judged) = self.sums(flows, &all);
            outcomes.extend(sums);
            self.judged.push(judged);
        }
        for (at, flow, kinds) in self.special() {
            let (alone, _) = self.sums(std::slice::from_ref(flow), &kinds);
            if let (Some(outcome), Some(alone)) = (outcomes.get_mut(at), alone.into_iter().next()) {
                outcome.absorb(alone);
            }
        }
        outcomes
    }

    /// The comparison with a draft over all rows that were counted, as [`Gate::simulate`] makes it;
    /// samples are numbers of kinds.
    #[must_use]
    pub fn simulate(&self, draft: &Gate) -> Vec<SimulatedCell> {
        let compare = |flows: &[Flow], kinds: &Kinds| {
            let gates = (self.gate, draft);
            let columns = &self.coder.columns;
            simulate::of_kinds(gates, self.end, flows, columns, self.fields, kinds)
        };
        let mut cells = compare(self.flows, &self.everywhere());
        let per_flow = self.fields.iter().count();
        for (at, flow, kinds) in self.special() {
            let alone = compare(std::slice::from_ref(flow), &kinds);
            for (cell, alone) in cells.iter_mut().skip(at * per_flow).zip(alone) {
                cell.absorb(alone);
            }
        }
        cells
    }

    /// The kinds that have rows in every flow.
    fn everywhere(&self) -> Kinds {
        let counted = self.rows.iter().enumerate().filter(|(_, rows)| **rows > 0);
        let (of, counts) = counted.map(|(kind, rows)| (kind as u32, *rows)).unzip();
        kinds(of, counts)
    }

    /// The kinds that have rows in one flow alone.
    fn special(&self) -> impl Iterator<Item = (usize, &Flow, Kinds)> {
        self.alone.iter().filter_map(|(at, rows)| {
            let (of, counts) = rows.iter().map(|(kind, rows)| (kind.0, *rows)).unzip();
            Some((*at, self.flows.get(*at)?, kinds(of, counts)))
        })
    }

    fn sums(&self, flows: &[Flow], kinds: &Kinds) -> (Vec<Outcome>, Vec<Cells>) {
        let columns = &self.coder.columns;
        let pass = Pass::new(self.gate, self.end, flows, self.fields, columns.now_ms());
        let table = Table::new(&pass, columns, kinds);
        let sheet = Sheet::new(&pass, &table);
        let outcomes = outcome::outcomes(&pass, kinds, &table, &sheet);
        (outcomes, words(&table, &sheet).collect())
    }
}

/// What flows of each kind of a table.
fn words(table: &Table<'_>, sheet: &Sheet<'_>) -> impl Iterator<Item = Cells> {
    let of_kind = table.of_kind.iter();
    of_kind.map(|row| sheet.flows(*row as usize))
}

/// Kinds that stand for themselves, with how many rows each has.
fn kinds(first: Vec<u32>, counts: Vec<u64>) -> Kinds {
    let rows = Distinct {
        of: Vec::new(),
        first,
    };
    Kinds { rows, counts }
}

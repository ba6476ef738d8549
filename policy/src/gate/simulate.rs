//! What a draft would change: the same rows through the gate in force and through the draft.
//! Spec: `spec/policy.md`, section 13.

use super::{
    Alarm, Gate,
    pass::{self, Cells, Pass, bit, bits},
    sheet::Sheet,
    table::{Kinds, Table},
};
use crate::{
    columns::{Columns, MAX_ROWS},
    facts::{FieldClass, FieldMask},
    flow::{End, Flow},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The most rows that stand as examples for one cell.
pub const MAX_SAMPLES: usize = 5;

/// What a draft would change for one recipient and class of fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SimulatedCell {
    /// Id of the recipient.
    pub to: String,
    /// Which class of fields.
    pub field: FieldClass,
    /// Rows that flow under the gate in force.
    pub flows_now: u64,
    /// Rows that flow under the draft alone.
    pub newly_flows: u64,
    /// Rows that flow under the gate in force alone.
    pub newly_withheld: u64,
    /// The rules that make the difference; a row that two rules withhold counts at both.
    pub by: Vec<Change>,
    /// Places of some rows that change, each with other facts than the rest.
    pub samples: Vec<usize>,
}

/// What one rule has to do with a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its id.
    pub policy: String,
    /// Rows that it withholds now and that would flow.
    pub newly_flows: u64,
    /// Rows that flow now and that it would withhold.
    pub newly_withheld: u64,
}

impl Gate {
    /// Compares this gate with a draft, cell by cell: for each flow, each class in its order.
    ///
    /// Two flows to one recipient have cells of their own, in the order of the flows.
    ///
    /// # Errors
    /// [`Alarm::Limit`] when there are more than [`MAX_ROWS`] rows.
    pub fn simulate(
        &self,
        draft: &Self,
        end: End,
        flows: &[Flow],
        columns: &Columns,
        fields: &[FieldClass],
    ) -> Result<Vec<SimulatedCell>, Alarm> {
        if columns.len() > MAX_ROWS {
            return Err(Alarm::Limit);
        }
        let fields: FieldMask = fields.iter().copied().collect();
        let kinds = Kinds::of(columns);
        Ok(of_kinds((self, draft), end, flows, columns, fields, &kinds))
    }
}

/// The comparison over rows that are sorted into kinds.
pub(super) fn of_kinds(
    (gate, draft): (&Gate, &Gate),
    end: End,
    flows: &[Flow],
    columns: &Columns,
    fields: FieldMask,
    kinds: &Kinds,
) -> Vec<SimulatedCell> {
    let passes = flows.chunks(pass::FLOWS);
    passes
        .flat_map(|flows| {
            let now = Side::new(gate, end, flows, columns, fields, kinds);
            let then = Side::new(draft, end, flows, columns, fields, kinds);
            compare(flows, fields, kinds, &now, &then)
        })
        .collect()
}

impl SimulatedCell {
    /// Adds what a draft would change for other rows in the same cell.
    pub(super) fn absorb(&mut self, other: Self) {
        self.flows_now += other.flows_now;
        self.newly_flows += other.newly_flows;
        self.newly_withheld += other.newly_withheld;
        for change in other.by {
            match self.by.iter_mut().find(|by| by.policy == change.policy) {
                Some(by) => {
                    by.newly_flows += change.newly_flows;
                    by.newly_withheld += change.newly_withheld;
                }
                None => self.by.push(change),
            }
        }
        self.by.sort_by(|a, b| a.policy.cmp(&b.policy));
        let room = MAX_SAMPLES.saturating_sub(self.samples.len());
        self.samples.extend(other.samples.into_iter().take(room));
    }
}

/// The rows under one gate.
struct Side<'g> {
    row_of: Vec<u32>,
    sheet: Sheet<'g>,
}

impl<'g> Side<'g> {
    fn new(
        gate: &'g Gate,
        end: End,
        flows: &'g [Flow],
        columns: &Columns,
        fields: FieldMask,
        kinds: &Kinds,
    ) -> Self {
        let pass = Pass::new(gate, end, flows, fields, columns.now_ms());
        let table = Table::new(&pass, columns, kinds);
        Self {
            sheet: Sheet::new(&pass, &table),
            row_of: table.of_kind,
        }
    }

    fn flows(&self, kind: usize) -> Cells {
        let row = self.row_of.get(kind);
        row.map_or(0, |row| self.sheet.flows(*row as usize))
    }

    fn reasons(&self, kind: usize) -> Vec<(&'g str, Cells)> {
        let row = self.row_of.get(kind);
        row.map_or_else(Vec::new, |row| self.sheet.reasons(*row as usize))
    }
}

fn compare(
    flows: &[Flow],
    fields: FieldMask,
    kinds: &Kinds,
    now: &Side<'_>,
    then: &Side<'_>,
) -> Vec<SimulatedCell> {
    let mut drafts: BTreeMap<usize, Draft> = BTreeMap::new();
    for (kind, (count, first)) in kinds.counts.iter().zip(&kinds.rows.first).enumerate() {
        let (before, after) = (now.flows(kind), then.flows(kind));
        let (opened, closed) = (after & !before, before & !after);
        for bit in bits(before) {
            drafts.entry(bit).or_default().flows_now += count;
        }
        for bit in bits(opened | closed) {
            drafts.entry(bit).or_default().sample(*first as usize);
        }
        for bit in bits(opened) {
            drafts.entry(bit).or_default().newly_flows += count;
        }
        for bit in bits(closed) {
            drafts.entry(bit).or_default().newly_withheld += count;
        }
        if opened != 0 {
            for (policy, cells) in now.reasons(kind) {
                for bit in bits(cells & opened) {
                    drafts.entry(bit).or_default().change(policy).newly_flows += count;
                }
            }
        }
        if closed != 0 {
            for (policy, cells) in then.reasons(kind) {
                for bit in bits(cells & closed) {
                    drafts.entry(bit).or_default().change(policy).newly_withheld += count;
                }
            }
        }
    }
    let cells = flows.iter().enumerate().flat_map(|(at, flow)| {
        fields
            .iter()
            .map(move |field| (bit(at, field), &flow.to, field))
    });
    cells
        .map(|(bit, to, field)| drafts.remove(&bit).unwrap_or_default().finish(to, field))
        .collect()
}

/// A cell that is being counted.
#[derive(Default)]
struct Draft {
    flows_now: u64,
    newly_flows: u64,
    newly_withheld: u64,
    by: BTreeMap<String, Change>,
    samples: Vec<usize>,
}

impl Draft {
    fn sample(&mut self, row: usize) {
        if self.samples.len() < MAX_SAMPLES {
            self.samples.push(row);
        }
    }

    fn change(&mut self, policy: &str) -> &mut Change {
        self.by.entry(policy.to_owned()).or_insert_with(|| Change {
            policy: policy.to_owned(),
            newly_flows: 0,
            newly_withheld: 0,
        })
    }

    fn finish(self, to: &str, field: FieldClass) -> SimulatedCell {
        SimulatedCell {
            to: to.to_owned(),
            field,
            flows_now: self.flows_now,
            newly_flows: self.newly_flows,
            newly_withheld: self.newly_withheld,
            by: self.by.into_values().collect(),
            samples: self.samples,
        }
    }
}

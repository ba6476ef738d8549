//! One pass over the rows: at most ten flows in six classes of fields, a cell to a bit.

use super::{Alarm, Gate, judge::Question};
use crate::{
    entities,
    facts::{FieldClass, FieldMask},
    flow::{End, Flow, Party},
    schema::{action, groups},
};

/// The most flows of one pass: their cells fit one word.
pub(crate) const FLOWS: usize = 10;

/// Cells per flow.
const CLASSES: usize = FieldClass::ALL.len();

/// A set of cells, by bit.
pub(crate) type Cells = u64;

/// The bit of a cell, from the place of its flow in the pass.
pub(crate) fn bit(flow: usize, field: FieldClass) -> usize {
    flow * CLASSES + field as usize
}

/// The classes of one flow among cells.
pub(crate) fn classes(cells: Cells, flow: usize) -> FieldMask {
    FieldMask::from_bits((cells >> (flow * CLASSES)) as u8)
}

/// The bits of cells, in order.
pub(crate) fn bits(cells: Cells) -> impl Iterator<Item = usize> {
    let mut rest = cells;
    std::iter::from_fn(move || {
        let bit = rest.trailing_zeros();
        rest &= rest.wrapping_sub(1);
        (bit < Cells::BITS).then_some(bit as usize)
    })
}

/// Cells refused because something is wrong, per alarm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Alarms([Cells; Alarm::ALL.len()]);

impl Alarms {
    pub(crate) fn add(&mut self, alarm: Alarm, cells: Cells) {
        if let Some(word) = self.0.get_mut(alarm as usize) {
            *word |= cells;
        }
    }

    pub(crate) fn join(&mut self, other: &Self, cells: Cells) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more & cells;
        }
    }

    /// Cells with any alarm.
    pub(crate) fn any(&self) -> Cells {
        self.0.iter().fold(0, |any, word| any | word)
    }

    /// Each cell at one alarm, the one nearest to the cause.
    pub(crate) fn settled(self) -> impl Iterator<Item = (Alarm, Cells)> {
        let mut seen = 0;
        CAUSES.into_iter().filter_map(move |alarm| {
            let cells = self.0.get(alarm as usize)? & !seen;
            seen |= cells;
            (cells != 0).then_some((alarm, cells))
        })
    }
}

/// Alarms from cause to effect.
const CAUSES: [Alarm; Alarm::ALL.len()] = [
    Alarm::Limit,
    Alarm::AgreementExpired,
    Alarm::LawpackStale,
    Alarm::UnknownValue,
    Alarm::EntityMissing,
    Alarm::RequestInvalid,
    Alarm::Eval,
];

/// Flows and classes of fields, looked up and checked before any row is.
pub(crate) struct Pass<'g> {
    pub(crate) gate: &'g Gate,
    pub(crate) flows: &'g [Flow],
    /// The cells that were asked for.
    pub(crate) asked: Cells,
    /// Cells refused whatever the rows are.
    pub(crate) alarms: Alarms,
    recipients: Vec<Option<&'g Party>>,
    questions: Vec<Option<Question>>,
}

impl<'g> Pass<'g> {
    /// At most [`FLOWS`] flows.
    pub(crate) fn new(
        gate: &'g Gate,
        end: End,
        flows: &'g [Flow],
        fields: FieldMask,
        now_ms: i64,
    ) -> Self {
        debug_assert!(flows.len() <= FLOWS, "callers cut flows into passes");
        let mut pass = Self {
            gate,
            flows,
            asked: 0,
            alarms: Alarms::default(),
            recipients: Vec::with_capacity(flows.len()),
            questions: Vec::new(),
        };
        for (at, flow) in flows.iter().enumerate() {
            let to = gate.recipient(flow, now_ms);
            for field in FieldClass::ALL.iter().copied() {
                let asked = fields.contains(field);
                let cell = (1 << bit(at, field)) * Cells::from(asked);
                pass.asked |= cell;
                let question = to.and_then(|_| gate.question(end, flow, field));
                pass.questions.push(match question {
                    Ok(question) => Some(question),
                    Err(alarm) => {
                        pass.alarms.add(alarm, cell);
                        None
                    }
                });
            }
            pass.recipients.push(to.ok());
        }
        pass
    }

    /// The cells about which rows can be asked.
    pub(crate) fn open(&self) -> Cells {
        self.asked & !self.alarms.any()
    }

    pub(crate) fn question(&self, bit: usize) -> Option<&Question> {
        self.questions.get(bit)?.as_ref()
    }

    /// Flow, recipient and class of an open cell.
    pub(crate) fn cell(&self, bit: usize) -> Option<(&'g Flow, &'g Party, FieldClass)> {
        let flow = self.flows.get(bit / CLASSES)?;
        let to = (*self.recipients.get(bit / CLASSES)?)?;
        Some((flow, to, *FieldClass::ALL.get(bit % CLASSES)?))
    }
}

impl Gate {
    /// The question of a cell, when everything that it rests on is in the store.
    pub(crate) fn question(
        &self,
        end: End,
        flow: &Flow,
        field: FieldClass,
    ) -> Result<Question, Alarm> {
        let action = action(end, field);
        if !entities::flow_is_complete(&self.store, &self.parties, &action, &groups(end), flow) {
            return Err(Alarm::EntityMissing);
        }
        Question::of_cell(end, flow, field)
    }
}

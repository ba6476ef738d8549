//! The rows of the folded state about counts of what lists have in common. Spec: section 6.

use super::State;
use crate::{
    blob::BlobId,
    entry::overlap::{OverlapAsk, PassFault},
    id::{EntryId, NodeId},
    time::{DAY, Moment},
};
use minicbor::{Decode, Encode};

/// Counts between two members are limited in so long, and rows are kept for it.
pub const OVERLAP_PERIOD: i64 = 30 * DAY;
/// The most counts that begin between two members in [`OVERLAP_PERIOD`], those with others included.
/// Two counts that differ by one person tell about that person.
pub const OVERLAPS_PER_PAIR: usize = 4;

/// A count that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OverlapRow {
    /// Who asked.
    #[n(0)]
    pub asker: NodeId,
    /// What for.
    #[n(1)]
    pub ask: OverlapAsk,
    /// Log time at which it was asked.
    #[n(2)]
    pub at: Moment,
    /// Its position.
    #[n(3)]
    pub position: u64,
    /// How many points the list of each party has, once it has agreed.
    #[n(4)]
    pub sizes: Vec<Option<u64>>,
    /// When the last party agreed.
    #[n(5)]
    pub started: Option<Moment>,
    /// Lists that were handed on, in the order of the log.
    #[n(6)]
    pub passes: Vec<PassRow>,
    /// How it ended.
    #[n(7)]
    pub ended: Option<EndedRow>,
}

/// A list that was handed on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PassRow {
    /// Whose list, by its place among the parties.
    #[n(0)]
    pub list: u8,
    /// How many parties had raised it before.
    #[n(1)]
    pub step: u8,
    /// The sealed points.
    #[n(2)]
    pub blob: BlobId,
    /// Bytes of the sealed points.
    #[n(3)]
    pub bytes: u64,
}

/// When and how a count ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EndedRow {
    /// When, in log time.
    #[n(0)]
    pub at: Moment,
    /// How.
    #[n(1)]
    pub how: Ended,
}

/// How a count ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Ended {
    /// All lists went all the way; the sealed counts, where one member counted.
    #[n(0)]
    Counted(#[cbor(n(0), with = "minicbor::bytes")] Option<Vec<u8>>),
    /// A party did not want it.
    #[n(1)]
    Stopped(#[n(0)] NodeId),
    /// A list could not be used.
    #[n(2)]
    Fault {
        /// Who says so.
        #[n(0)]
        by: NodeId,
        /// Whose list.
        #[n(1)]
        list: u8,
        /// The step at which it was handed on.
        #[n(2)]
        step: u8,
        /// What is wrong with it.
        #[n(3)]
        fault: PassFault,
    },
    /// Its time was over.
    #[n(3)]
    Expired,
}

impl OverlapRow {
    /// All parties: who asked, then the others in their order.
    #[must_use]
    pub fn parties(&self) -> Vec<NodeId> {
        let mut parties = vec![self.asker];
        parties.extend(&self.ask.with);
        parties
    }

    /// The place of a party among all.
    #[must_use]
    pub fn place(&self, node: NodeId) -> Option<usize> {
        self.parties().iter().position(|party| *party == node)
    }

    /// Who raises a list at a step: its owner first, then the parties after it, around.
    #[must_use]
    pub fn turn(&self, list: u8, step: u8) -> Option<NodeId> {
        let parties = self.parties();
        let (list, step) = (usize::from(list), usize::from(step));
        if list >= parties.len() || step >= parties.len() {
            return None;
        }
        parties.get((list + step) % parties.len()).copied()
    }

    /// Who reads a list that was handed on at a step: the next party, or after the last who counts.
    #[must_use]
    pub fn readers(&self, list: u8, step: u8) -> Vec<NodeId> {
        match (self.turn(list, step.saturating_add(1)), self.ask.counter) {
            (Some(next), _) => vec![next],
            (None, Some(counter)) => vec![counter],
            (None, None) => self.parties(),
        }
    }

    /// At which step a list is.
    #[must_use]
    pub fn step(&self, list: u8) -> u8 {
        let passed = self.passes.iter().filter(|pass| pass.list == list);
        u8::try_from(passed.count()).unwrap_or(u8::MAX)
    }

    /// The list that was handed on at a step.
    #[must_use]
    pub fn pass(&self, list: u8, step: u8) -> Option<&PassRow> {
        let mut passes = self.passes.iter();
        passes.find(|pass| pass.list == list && pass.step == step)
    }

    /// The announced size of a list.
    #[must_use]
    pub fn size(&self, list: u8) -> Option<u64> {
        self.sizes.get(usize::from(list)).copied().flatten()
    }

    /// How many lists there are, which is how many steps each takes.
    #[must_use]
    pub fn lists(&self) -> u8 {
        u8::try_from(self.sizes.len()).unwrap_or(u8::MAX)
    }

    /// Whether every list went all the way.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        let lists = usize::from(self.lists());
        self.passes.len() == lists * lists
    }

    /// Whether all have agreed and it has not ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.started.is_some() && self.ended.is_none()
    }
}

impl State {
    /// How many counts between two members began in the period before a moment.
    #[must_use]
    pub fn overlaps_of(&self, one: NodeId, other: NodeId, now: Moment) -> usize {
        let counted = self.overlaps.iter().filter(|(_, row)| {
            let began = row.started.is_some_and(|at| at.plus(OVERLAP_PERIOD) > now);
            began && row.place(one).is_some() && row.place(other).is_some()
        });
        counted.count()
    }

    /// Two of some members between whom no further count may begin at a moment.
    #[must_use]
    pub fn overlaps_full(&self, parties: &[NodeId], now: Moment) -> Option<(NodeId, NodeId)> {
        let pairs = parties.iter().enumerate().flat_map(|(n, one)| {
            let others = parties.iter().skip(n + 1);
            others.map(move |other| (*one, *other))
        });
        let mut full =
            pairs.filter(|(one, other)| self.overlaps_of(*one, *other, now) >= OVERLAPS_PER_PAIR);
        full.next()
    }

    /// The counts that were asked for lately, with the entries that asked.
    pub fn overlaps_with(&self, node: NodeId) -> impl Iterator<Item = (EntryId, &OverlapRow)> {
        self.overlaps
            .iter()
            .filter(move |(_, row)| row.place(node).is_some() || row.ask.counter == Some(node))
            .map(|(id, row)| (*id, row))
    }
}

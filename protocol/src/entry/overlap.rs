//! Counting what members' lists have in common, step by step over the log. Spec: section 5.14.
//!
//! All members read that parties compared lists, for what, and how long the lists were. What was compared
//! travels sealed from party to party, and the counts are sealed too.

use crate::{
    blob::BlobId,
    codec::Canonical,
    id::{EntryId, Hash, NodeId},
    time::Moment,
    token::{
        Kind,
        overlap::{Lists, POINT_BYTES},
    },
};
use minicbor::{Decode, Encode};

/// The most points of one list.
pub const OVERLAP_POINTS: usize = 1_000_000;
/// What sealing adds to a list at most: the frame, age's header and its tags.
pub const OVERLAP_SEALING: u64 = 64 * 1024;
/// The most bytes of sealed counts.
pub const COUNTS_BYTES: usize = 8 * 1024;

/// The wish to count what lists of the author and of others have in common.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OverlapAsk {
    /// The other parties, in rising order.
    #[n(0)]
    pub with: Vec<NodeId>,
    /// A member that is no party and that alone counts; without one every party does.
    #[n(1)]
    pub counter: Option<NodeId>,
    /// What is counted.
    #[n(2)]
    pub kind: Kind,
    /// What the counts are for, a word of the policy vocabulary.
    #[n(3)]
    pub purpose: String,
    /// How many points the author's list has.
    #[n(4)]
    pub size: u64,
    /// The least points of every list.
    #[n(5)]
    pub least: u64,
    /// When it ends, done or not.
    #[n(6)]
    pub until: Moment,
    /// The generation of the match tokens.
    #[n(7)]
    pub generation: u32,
    /// The agreement under which it happens.
    #[n(8)]
    pub agreement: Hash,
}

/// A party takes part with a list.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OverlapAgree {
    /// The count: the id of the entry that asked for it.
    #[n(0)]
    pub overlap: EntryId,
    /// How many points its list has.
    #[n(1)]
    pub size: u64,
}

/// A party has raised a list and hands it on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OverlapPass {
    /// The count.
    #[n(0)]
    pub overlap: EntryId,
    /// Whose list: its place among the parties, the asking one at 0.
    #[n(1)]
    pub list: u8,
    /// How many parties had raised it before.
    #[n(2)]
    pub step: u8,
    /// The points, sealed to the next party, or to who counts.
    #[n(3)]
    pub blob: BlobId,
    /// Bytes of the sealed points.
    #[n(4)]
    pub bytes: u64,
}

/// The end of a count.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OverlapEnd {
    /// The count.
    #[n(0)]
    pub overlap: EntryId,
    /// How it ends.
    #[n(1)]
    pub how: End,
}

/// How a count ends by somebody's word.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum End {
    /// A party does not want it, or not any more.
    #[n(0)]
    Stopped,
    /// A list that its reader cannot use.
    #[n(1)]
    Fault {
        /// Whose list.
        #[n(0)]
        list: u8,
        /// The step at which it was handed on.
        #[n(1)]
        step: u8,
        /// What is wrong.
        #[n(2)]
        fault: PassFault,
    },
    /// The counts, sealed to all parties by who counted: [`Counts`].
    #[n(2)]
    Counted(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
}

/// What is wrong with a list that was handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum PassFault {
    /// No keeper has it.
    #[n(0)]
    Missing,
    /// It cannot be opened or read.
    #[n(1)]
    Unreadable,
    /// It belongs to another count or step.
    #[n(2)]
    Other,
    /// It has another number of points than was announced.
    #[n(3)]
    Length,
    /// Points are equal or out of order.
    #[n(4)]
    Order,
    /// Something in it is no element of the group.
    #[n(5)]
    Element,
}

impl PassFault {
    /// In words, after "the list".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Missing => "is not at the keepers any more",
            Self::Unreadable => "cannot be opened or read",
            Self::Other => "belongs to another count",
            Self::Length => "has another number of entries than was announced",
            Self::Order => "has entries twice or out of order",
            Self::Element => "has an entry that is no element of the group",
        }
    }
}

/// What travels sealed in the blob of a pass.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PassedList {
    /// The version of this form.
    #[n(0)]
    pub version: u8,
    /// The count.
    #[n(1)]
    pub overlap: EntryId,
    /// Whose list.
    #[n(2)]
    pub list: u8,
    /// The step.
    #[n(3)]
    pub step: u8,
    /// The points: [`crate::token::overlap::Raised`].
    #[cbor(n(4), with = "minicbor::bytes")]
    pub points: Vec<u8>,
}

/// The version of [`PassedList`] and [`Counts`].
pub const OVERLAP_VERSION: u8 = 1;

impl Canonical for PassedList {
    const WHAT: &'static str = "list of an overlap count";
    const MAX_BYTES: usize = OVERLAP_POINTS * POINT_BYTES + 64;
}

/// What may be told of a count: whole cells only.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Cell {
    /// Which lists have them all in common: bit `n` is the list of party `n`.
    #[n(0)]
    pub lists: Lists,
    /// So many or more.
    #[n(1)]
    pub at_least: u64,
    /// Fewer than this; absent when it may be the whole of the shortest list.
    #[n(2)]
    pub below: Option<u64>,
}

/// The counts that parties are told.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Counts {
    /// The version of this form.
    #[n(0)]
    pub version: u8,
    /// The count that they answer.
    #[n(1)]
    pub overlap: EntryId,
    /// One cell for each set of lists, by rising set.
    #[n(2)]
    pub cells: Vec<Cell>,
}

impl Canonical for Counts {
    const WHAT: &'static str = "counts of an overlap";
    const MAX_BYTES: usize = 1_024;
}

impl Cell {
    /// What may be told of a count of points that lists of these sizes have in common.
    ///
    /// A count below the least cell is "fewer than that". Others are rounded down to whole cells. A count
    /// that leaves less than a cell of the shortest list out tells about everybody on it, so such counts
    /// and the cell below them are told as one.
    #[must_use]
    pub fn told(lists: Lists, count: u64, sizes: &[u64], min_cell: u64) -> Self {
        let least = min_cell.max(1);
        let members = (0..)
            .zip(sizes)
            .filter(|(n, _)| lists & (1_u16 << n) as u8 != 0);
        let shortest = members.map(|(_, size)| *size).min().unwrap_or(0);
        let top = policy::cell::told(shortest.saturating_sub(least), least);
        let at_least = policy::cell::told(count, least).min(top);
        Self {
            lists,
            at_least,
            below: (at_least < top || top == 0).then_some(at_least + least),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(count: u64, sizes: [u64; 2]) -> (u64, Option<u64>) {
        let cell = Cell::told(0b11, count, &sizes, 10);
        (cell.at_least, cell.below)
    }

    #[test]
    fn a_small_count_is_fewer_than_a_cell_and_others_are_whole_cells() {
        for (count, expected) in [
            (0, (0, Some(10))),
            (9, (0, Some(10))),
            (10, (10, Some(20))),
            (19, (10, Some(20))),
            (57, (50, Some(60))),
        ] {
            assert_eq!(told(count, [100, 5_000]), expected, "{count}");
        }
    }

    #[test]
    fn nobody_learns_that_all_or_nearly_all_of_the_shorter_list_are_on_the_other() {
        for count in 90..=100 {
            assert_eq!(told(count, [100, 5_000]), (90, None), "{count}");
            assert_eq!(told(count, [5_000, 100]), (90, None), "{count}");
        }
        assert_eq!(told(89, [100, 5_000]), (80, Some(90)));
        // 105 leaves 95, and of that whole cells.
        assert_eq!(told(95, [105, 105]), (90, None));
        assert_eq!(told(105, [105, 105]), (90, None));
    }

    #[test]
    fn a_cell_that_is_told_holds_the_count_and_at_least_a_cell_of_others() {
        for size in 100..130 {
            for count in 0..=size {
                let cell = Cell::told(0b11, count, &[size, 4_000], 10);
                let above = cell.below.unwrap_or(size + 1);
                assert!(cell.at_least <= count && count < above);
                assert!(above - cell.at_least >= 10);
            }
        }
    }
}

//! Which parts of a tree a proof is made of (RFC 9162, sections 2.1.3.1 and 2.1.4.1).

use super::node;
use crate::id::Hash;
use std::ops::Range;

/// A part of a tree that is complete: `1 << level` leaves, from `index << level` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subtree {
    /// How many times it was joined from two.
    pub level: u8,
    /// Its place among those of its level, counted from zero.
    pub index: u64,
}

impl Subtree {
    /// The subtree of one leaf.
    #[must_use]
    pub fn leaf(index: u64) -> Self {
        Self { level: 0, index }
    }

    /// What it makes together with its neighbour.
    #[must_use]
    pub fn parent(self) -> Self {
        Self {
            level: self.level + 1,
            index: self.index / 2,
        }
    }

    /// Whether its neighbour stands before it.
    #[must_use]
    pub fn is_right(self) -> bool {
        self.index % 2 == 1
    }
}

/// The largest power of two below a number of leaves that is at least two.
fn split(leaves: u64) -> u64 {
    1 << (63 - (leaves - 1).leading_zeros())
}

/// The spans of leaves whose roots prove one leaf, from the leaf upwards; none when the tree has no
/// such leaf.
#[must_use]
pub fn inclusion_spans(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if index >= size || size > super::LEAVES {
        return None;
    }
    let mut spans = Vec::new();
    let mut span = 0..size;
    while span.end - span.start > 1 {
        let middle = span.start + split(span.end - span.start);
        if index < middle {
            spans.push(middle..span.end);
            span.end = middle;
        } else {
            spans.push(span.start..middle);
            span.start = middle;
        }
    }
    spans.reverse();
    Some(spans)
}

/// The spans of leaves whose roots prove that the first `from` leaves are the beginning of `size`;
/// none when they are more. Equal trees, and an empty one, need no hashes.
#[must_use]
pub fn consistency_spans(from: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if from > size || size > super::LEAVES {
        return None;
    }
    if from == 0 || from == size {
        return Some(Vec::new());
    }
    let mut spans = Vec::new();
    let mut span = 0..size;
    let mut is_whole = true;
    while span.end != from {
        let middle = span.start + split(span.end - span.start);
        if from <= middle {
            spans.push(middle..span.end);
            span.end = middle;
        } else {
            spans.push(span.start..middle);
            span.start = middle;
            is_whole = false;
        }
    }
    if !is_whole {
        spans.push(span);
    }
    spans.reverse();
    Some(spans)
}

/// The complete subtrees that a span of a proof consists of, from left to right.
#[must_use]
pub fn subtrees(span: Range<u64>) -> Vec<Subtree> {
    let mut parts = Vec::new();
    let mut start = span.start;
    while start < span.end {
        let fits = 63 - (span.end - start).leading_zeros();
        let level = start.trailing_zeros().min(fits);
        parts.push(Subtree {
            level: u8::try_from(level).expect("a number of 64 bits has at most 64 zeros"),
            index: start >> level,
        });
        start += 1 << level;
    }
    parts
}

/// The root of a span from the hashes of its [`subtrees`]; none of none.
#[must_use]
pub fn join(parts: &[Hash]) -> Option<Hash> {
    let (last, before) = parts.split_last()?;
    Some(
        before
            .iter()
            .rev()
            .fold(*last, |right, left| node(*left, right)),
    )
}

//! A tree that grows at its end and remembers only its peaks.

use super::{LEAVES, Subtree, join, subtrees};
use crate::id::Hash;
use minicbor::{Decode, Encode};

/// The number of leaves, and the roots of the complete subtrees that they fall into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

/// Why numbers and hashes are no tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// One peak for each bit of the size.
    #[error("a tree of {size} leaves has {expected} peaks, not {found}")]
    Peaks {
        /// The size.
        size: u64,
        /// What follows from it.
        expected: u32,
        /// What is there.
        found: usize,
    },
    /// More leaves than a tree may have.
    #[error("a tree has at most {LEAVES} leaves")]
    TooLarge,
}

impl Tree {
    /// A tree that was written down.
    ///
    /// # Errors
    /// [`TreeError`] when size and peaks do not fit together.
    pub fn new(size: u64, peaks: Vec<Hash>) -> Result<Self, TreeError> {
        if size > LEAVES {
            return Err(TreeError::TooLarge);
        }
        let (expected, found) = (size.count_ones(), peaks.len());
        if u32::try_from(found) != Ok(expected) {
            return Err(TreeError::Peaks {
                size,
                expected,
                found,
            });
        }
        Ok(Self { size, peaks })
    }

    /// How many leaves it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The complete subtrees that it falls into, from the largest to the smallest.
    pub fn peaks(&self) -> impl Iterator<Item = (Subtree, Hash)> {
        subtrees(0..self.size)
            .into_iter()
            .zip(self.peaks.iter().copied())
    }

    /// The peaks' hashes one after the other.
    #[must_use]
    pub fn peak_bytes(&self) -> Vec<u8> {
        self.peaks.iter().flat_map(|peak| peak.0).collect()
    }

    /// Reads what [`Tree::peak_bytes`] wrote.
    ///
    /// # Errors
    /// [`TreeError`] when they do not fit the size.
    pub fn from_peak_bytes(size: u64, bytes: &[u8]) -> Result<Self, TreeError> {
        let (peaks, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(TreeError::Peaks {
                size,
                expected: size.count_ones(),
                found: peaks.len() + 1,
            });
        }
        Self::new(size, peaks.iter().copied().map(Hash).collect())
    }

    /// Appends the hash of a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_and_note(leaf, |_, _| ());
    }

    /// Appends the hash of a leaf, and notes every subtree that became complete by it: the leaf
    /// itself, then each that it closes.
    pub fn push_and_note(&mut self, leaf: Hash, mut note: impl FnMut(Subtree, Hash)) {
        let mut at = Subtree::leaf(self.size);
        let mut hash = leaf;
        note(at, hash);
        while at.is_right() {
            let Some(left) = self.peaks.pop() else { break };
            hash = super::node(left, hash);
            at = at.parent();
            note(at, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root; of no leaves, the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        join(&self.peaks).unwrap_or_else(|| Hash::of(&[]))
    }
}

impl<C> Encode<C> for Tree {
    fn encode<W: minicbor::encode::Write>(
        &self,
        to: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        to.array(2)?.u64(self.size)?.bytes(&self.peak_bytes())?.ok()
    }
}

#[derive(Decode)]
struct Plain(#[n(0)] u64, #[cbor(n(1), with = "minicbor::bytes")] Vec<u8>);

impl<'b, C> Decode<'b, C> for Tree {
    fn decode(
        from: &mut minicbor::Decoder<'b>,
        context: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        let Plain(size, peaks) = Plain::decode(from, context)?;
        Self::from_peak_bytes(size, &peaks).map_err(minicbor::decode::Error::message)
    }
}

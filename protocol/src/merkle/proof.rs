//! Proofs and what checks them (RFC 9162, sections 2.1.3.2 and 2.1.4.2).

use super::node;
use crate::id::Hash;
use minicbor::{Decode, Encode};

/// The most hashes of one proof: no tree within [`super::LEAVES`] needs more.
pub const PROOF_HASHES: usize = 49;

/// Why a proof shows nothing. Every message begins with the code `E_PROOF`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// More hashes than any tree needs.
    #[error("E_PROOF: a proof has at most {PROOF_HASHES} hashes, this has {found}")]
    TooLong {
        /// How many.
        found: usize,
    },
    /// More or fewer hashes than a tree of this size needs.
    #[error("E_PROOF: a proof in a tree of this size has another number of hashes")]
    Length,
    /// There is no such leaf.
    #[error("E_PROOF: a tree of {size} leaves has no leaf {index}")]
    Index {
        /// Counted from zero.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// The sizes are not those of a tree and its beginning.
    #[error("E_PROOF: a tree of {size} leaves does not begin with one of {from}")]
    Sizes {
        /// The smaller size.
        from: u64,
        /// The larger one.
        size: u64,
    },
    /// The hashes lead to another root.
    #[error("E_PROOF: the hashes lead to another root")]
    Root,
}

/// The hashes that lead from a leaf, or from an older root, to a root.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Proof(Vec<Hash>);

impl Proof {
    /// Takes hashes that may be a proof.
    ///
    /// # Errors
    /// [`ProofError::TooLong`].
    pub fn new(hashes: Vec<Hash>) -> Result<Self, ProofError> {
        if hashes.len() > PROOF_HASHES {
            return Err(ProofError::TooLong {
                found: hashes.len(),
            });
        }
        Ok(Self(hashes))
    }

    /// The hashes, in the order in which they are used.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.0
    }
}

/// Whether a leaf stands at a place of a tree.
///
/// # Errors
/// [`ProofError`], and nothing is shown.
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &Proof,
    root: Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Index { index, size });
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = leaf;
    for step in &proof.0 {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at % 2 == 1 || at == last {
            hash = node(*step, hash);
            (at, last) = up_from_left_edge(at, last);
        } else {
            hash = node(hash, *step);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// A node without a neighbour on its right rises until it has one on its left.
fn up_from_left_edge(mut at: u64, mut last: u64) -> (u64, u64) {
    while at.is_multiple_of(2) && at != 0 {
        (at, last) = (at >> 1, last >> 1);
    }
    (at, last)
}

/// Whether a tree of `size` leaves begins with the tree of `from` leaves.
///
/// Every tree begins with the empty one; its root is checked all the same.
///
/// # Errors
/// [`ProofError`], and nothing is shown.
pub fn verify_consistency(
    from: u64,
    from_root: Hash,
    size: u64,
    root: Hash,
    proof: &Proof,
) -> Result<(), ProofError> {
    if from > size {
        return Err(ProofError::Sizes { from, size });
    }
    if from == 0 || from == size {
        let expected = if from == 0 { Hash::of(&[]) } else { root };
        return match (proof.0.is_empty(), from_root == expected) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    // A complete beginning is its own first hash.
    let mut steps = proof.0.iter().copied();
    let start = if from.is_power_of_two() {
        from_root
    } else {
        steps.next().ok_or(ProofError::Length)?
    };
    let (mut at, mut last) = (from - 1, size - 1);
    while at % 2 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (mut old, mut new) = (start, start);
    for step in steps {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at % 2 == 1 || at == last {
            old = node(step, old);
            new = node(step, new);
            (at, last) = up_from_left_edge(at, last);
        } else {
            new = node(new, step);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old == from_root && new == root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

impl<C> Encode<C> for Proof {
    fn encode<W: minicbor::encode::Write>(
        &self,
        to: &mut minicbor::Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.0.encode(to, context)
    }
}

impl<'b, C> Decode<'b, C> for Proof {
    fn decode(
        from: &mut minicbor::Decoder<'b>,
        context: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        let long =
            |found| minicbor::decode::Error::message(ProofError::TooLong { found }.to_string());
        let length = from
            .array()?
            .ok_or_else(|| minicbor::decode::Error::message("a list of unknown length"))?;
        // The length is checked before anything is read, so that no memory is taken for it.
        let found = usize::try_from(length).unwrap_or(usize::MAX);
        if found > PROOF_HASHES {
            return Err(long(found));
        }
        let mut hashes = Vec::with_capacity(found);
        for _ in 0..found {
            hashes.push(Hash::decode(from, context)?);
        }
        Ok(Self(hashes))
    }
}

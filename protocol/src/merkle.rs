//! Merkle trees over SHA-256 (RFC 9162, section 2.1): who holds a root can check any leaf.
//!
//! A [`Tree`] grows leaf by leaf and keeps only its peaks, so a log of ten million entries is
//! continued with two dozen hashes. A [`Proof`] is a short list of hashes: that a leaf is in a tree
//! ([`verify_inclusion`]), or that one tree is the beginning of another ([`verify_consistency`]).
//! Which hashes a proof needs is told as spans of leaves ([`inclusion_spans`],
//! [`consistency_spans`]), so that a database hands out a few stored [`Subtree`]s instead of reading
//! every leaf. Spec: protocol.md, section 3.

mod proof;
mod span;
mod tree;

pub use proof::{PROOF_HASHES, Proof, ProofError, verify_consistency, verify_inclusion};
pub use span::{Subtree, consistency_spans, inclusion_spans, join, subtrees};
pub use tree::{Tree, TreeError};

use crate::id::Hash;
use sha2::{Digest, Sha256};

/// The most leaves of a tree. A proof has then at most [`PROOF_HASHES`] hashes.
pub const LEAVES: u64 = 1 << 48;

/// The hash of a leaf's data.
#[must_use]
pub fn leaf(data: &[u8]) -> Hash {
    Hash(
        Sha256::new_with_prefix([0])
            .chain_update(data)
            .finalize()
            .into(),
    )
}

/// The hash over two neighbours.
#[must_use]
pub fn node(left: Hash, right: Hash) -> Hash {
    let digest = Sha256::new_with_prefix([1])
        .chain_update(left.0)
        .chain_update(right.0);
    Hash(digest.finalize().into())
}

/// The root over some leaves that are at hand.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    let mut tree = Tree::default();
    for leaf in leaves {
        tree.push(*leaf);
    }
    tree.root()
}

/// The proof that the leaf at `index` is among the leaves at hand; none beyond their end.
#[must_use]
pub fn prove_inclusion(leaves: &[Hash], index: u64) -> Option<Proof> {
    prove(leaves, inclusion_spans(index, leaves.len() as u64)?)
}

/// The proof that the first `from` of the leaves at hand are their beginning; none for more than
/// there are.
#[must_use]
pub fn prove_consistency(leaves: &[Hash], from: u64) -> Option<Proof> {
    prove(leaves, consistency_spans(from, leaves.len() as u64)?)
}

fn prove(leaves: &[Hash], spans: Vec<std::ops::Range<u64>>) -> Option<Proof> {
    let hash = |span: std::ops::Range<u64>| {
        let (start, end) = (
            usize::try_from(span.start).ok()?,
            usize::try_from(span.end).ok()?,
        );
        leaves.get(start..end).map(root)
    };
    let hashes: Option<Vec<Hash>> = spans.into_iter().map(hash).collect();
    Proof::new(hashes?).ok()
}

#[cfg(test)]
mod tests;

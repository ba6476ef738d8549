//! The agreement: the rules of a coalition, as bytes that every member signs. Spec: section 5.2.
//!
//! The terms are the text that people read, kept to the letter, so that what was signed is what is
//! shown. [`policy::terms::Terms`] parses them; this module knows versions and signatures.

use crate::{
    codec::{self, Canonical},
    id::{CoalitionId, Hash, NodeId},
};
use minicbor::{Decode, Encode};
use ring::signature::{ED25519, UnparsedPublicKey};

/// The longest terms, in bytes: an agreement fits into one entry.
pub const TERMS_BYTES: usize = 40 * 1024;

/// One version of the agreement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Agreement {
    /// The coalition.
    #[n(0)]
    pub coalition: CoalitionId,
    /// 1, 2, 3, ...
    #[n(1)]
    pub version: u32,
    /// SHA-256 of the version in force when this one was proposed; [`Hash::ZERO`] for the first.
    #[n(2)]
    pub before: Hash,
    /// Every member, in rising order of node id: exactly who must sign.
    #[n(3)]
    pub parties: Vec<Party>,
    /// The members that keep the log.
    #[n(4)]
    pub keepers: Vec<NodeId>,
    /// The terms, to the letter.
    #[n(5)]
    pub terms: String,
}

/// An organization as the agreement names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Party {
    /// Its node.
    #[n(0)]
    pub node: NodeId,
    /// Its name.
    #[n(1)]
    pub name: String,
    /// Its legal kind, a word of the policy vocabulary.
    #[n(2)]
    pub kind: String,
}

impl Canonical for Agreement {
    const WHAT: &'static str = "agreement";
    const MAX_BYTES: usize = 56 * 1024;
}

impl Agreement {
    /// The hash by which entries refer to this version.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(&codec::encode(self))
    }

    /// Whether an organization is a party.
    #[must_use]
    pub fn has(&self, node: NodeId) -> bool {
        self.parties.iter().any(|party| party.node == node)
    }
}

/// What a member signs: a prefix that no other signature has, and the agreement's bytes.
#[must_use]
pub fn signed_bytes(agreement: &[u8]) -> Vec<u8> {
    [b"commonturf agreement v1\0".as_slice(), agreement].concat()
}

/// Whether a signature is this key's over this agreement.
#[must_use]
pub fn is_signed_by(agreement: &[u8], signature: &[u8; 64], statement_key: &[u8; 32]) -> bool {
    UnparsedPublicKey::new(&ED25519, statement_key)
        .verify(&signed_bytes(agreement), signature)
        .is_ok()
}

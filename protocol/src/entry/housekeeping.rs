//! Entries that keep the log itself in order: keys, checkpoints, ticks. Spec: section 5.10.

use crate::{id::Hash, identity::Signature};
use minicbor::{Decode, Encode};

/// The public half of a match-token key, under which members evaluate from here on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Keyset {
    /// [`crate::token::Keyset`], encoded.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub keyset: Vec<u8>,
}

/// What a member's state was at a position: equal positions must mean equal hashes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Checkpoint {
    /// A multiple of [`crate::fold::CHECKPOINT_EVERY`].
    #[n(0)]
    pub position: u64,
    /// [`crate::state::State::hash`] there.
    #[n(1)]
    pub state: Hash,
    /// SHA-256 of the MLS epoch authenticator there.
    #[n(2)]
    pub authenticator: Hash,
    /// The root of the log tree there.
    #[n(3)]
    pub root: Hash,
    /// Log time there, in seconds since 1970.
    #[n(4)]
    pub seconds: u64,
    /// The author's cosignature under the head of the log tree, by its statement key:
    /// [`crate::note::TreeHead::cosigned`].
    #[n(5)]
    pub cosignature: Signature,
}

/// Says nothing; its log time lets claims and deadlines end when nobody else speaks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Tick {}

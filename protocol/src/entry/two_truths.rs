//! A member that signed two truths, and the members' word that it may go on. Spec: section 5.16.
//!
//! What is said here proves itself: whoever says it need not be believed.

use crate::{
    id::{EntryId, Hash, NodeId},
    identity::Signature,
};
use minicbor::{Decode, Encode, bytes::ByteVec};

/// A member's cosignature under a head of the log tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Cosigned {
    /// The root that it vouched for.
    #[n(0)]
    pub root: Hash,
    /// The moment that it named, in seconds since 1970.
    #[n(1)]
    pub seconds: u64,
    /// By its statement key: [`crate::note::TreeHead::cosigned`].
    #[n(2)]
    pub signature: Signature,
}

/// Two things that one organization signed and that cannot both be true.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Truths {
    /// Two roots of the log tree over so many entries.
    #[n(0)]
    Heads {
        /// How many entries.
        #[n(0)]
        size: u64,
        /// One.
        #[n(1)]
        first: Cosigned,
        /// The other.
        #[n(2)]
        second: Cosigned,
    },
    /// Two identity documents of one number: [`crate::identity::SignedDocument`], encoded.
    #[n(1)]
    Documents {
        /// One.
        #[n(0)]
        first: ByteVec,
        /// The other.
        #[n(1)]
        second: ByteVec,
    },
}

/// A member signed two truths.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct TwoTruths {
    /// Who.
    #[n(0)]
    pub node: NodeId,
    /// What it signed.
    #[n(1)]
    pub truths: Truths,
}

/// The author agrees that a member that signed two truths may do everything again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct QuarantineLift {
    /// Who.
    #[n(0)]
    pub node: NodeId,
    /// The entry that proved it: agreement about one is none about another.
    #[n(1)]
    pub proof: EntryId,
}

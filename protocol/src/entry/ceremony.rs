//! Key ceremonies of the keepers, and what members say about the keys. Spec: section 5.12.

use crate::{
    id::{EntryId, Hash, NodeId},
    token::{Class, ceremony::Plan},
};
use minicbor::{Decode, Encode};

/// The most bytes of what one keeper seals to another.
pub const SEALED_BYTES: usize = 1_024;

/// A keeper begins a ceremony; the id of this entry is the ceremony's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CeremonyStart {
    /// What keyset it is to make: what the agreement's keepers call for, or fresh shares.
    #[n(0)]
    pub plan: Plan,
}

/// Round 1: a keeper commits to its secrets, once.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CeremonyCommit {
    /// The ceremony.
    #[n(0)]
    pub ceremony: EntryId,
    /// [`crate::token::ceremony::Commitments`], encoded.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub commitments: Vec<u8>,
}

/// Round 2: a keeper deals to all others, each part sealed to its keeper's age key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CeremonyDeal {
    /// The ceremony.
    #[n(0)]
    pub ceremony: EntryId,
    /// One part for each other keeper, by rising id.
    #[n(1)]
    pub parts: Vec<SealedPart>,
}

/// What one keeper dealt to another.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SealedPart {
    /// The id of the keeper that can open it.
    #[n(0)]
    pub to: u16,
    /// [`crate::token::ceremony::Dealt`], sealed with age.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// A keeper that helps to make a share for a new one hands it what the helpers dealt to it, summed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CeremonyHandOn {
    /// The ceremony.
    #[n(0)]
    pub ceremony: EntryId,
    /// [`crate::token::ceremony::Dealt`], sealed with age to the new keeper.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// A keeper has its share, and it fits the keyset; once all say so, the keyset is live.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CeremonyConfirm {
    /// The ceremony.
    #[n(0)]
    pub ceremony: EntryId,
    /// SHA-256 of the keyset's bytes, as this keeper computed it from the log.
    #[n(1)]
    pub digest: Hash,
}

/// Why a keeper ends a ceremony.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Complaint {
    /// What was dealt does not fit the commitments.
    #[n(0)]
    Unfit,
    /// What was dealt cannot be opened.
    #[n(1)]
    Sealed,
    /// The keeper lost its own secret.
    #[n(2)]
    Lost,
    /// Log time passed the deadline; never said, only folded.
    #[n(3)]
    Deadline,
}

/// A keeper ends a ceremony: nothing of it counts, and another one may begin.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CeremonyAbandon {
    /// The ceremony.
    #[n(0)]
    pub ceremony: EntryId,
    /// Whose part was wrong; its own id where the keeper itself is at fault.
    #[n(1)]
    pub about: u16,
    /// What is wrong.
    #[n(2)]
    pub why: Complaint,
}

/// A step of a rotation: the keys in use are multiplied by a factor that only those know who stayed
/// when a member was removed for cause.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct KeyRotation {
    /// The position of the commit that removed the member.
    #[n(0)]
    pub removal: u64,
    /// What its author says.
    #[n(1)]
    pub step: RotationStep,
}

/// What is said about a rotation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum RotationStep {
    /// A keeper says which keyset it comes to, and that it has its share of it.
    #[n(0)]
    Keyset(
        /// [`crate::token::Keyset`], encoded.
        #[cbor(n(0), with = "minicbor::bytes")]
        Vec<u8>,
    ),
    /// Another keeper comes to the same one and has its share; once all say so, it is in use.
    #[n(1)]
    Confirm(
        /// SHA-256 of the keyset's bytes, as this keeper computed them.
        #[n(0)]
        Hash,
    ),
    /// Before the keys are in use: a keeper cannot go along, and fresh keys are made. Afterwards: a
    /// member has found that they are not the product, and has its points evaluated instead.
    #[n(2)]
    Refuse(
        /// What is wrong.
        #[n(0)]
        RotationFault,
    ),
}

/// Why somebody refuses a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum RotationFault {
    /// The keyset is another one than the author's own factor leads to.
    #[n(0)]
    Other,
    /// The keeper has not the factor or not its own share: it came back from a backup.
    #[n(1)]
    Lost,
}

/// A member has all its tokens under the keys in use, and has said again what must still count.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct TokensMoved {
    /// The generation in use.
    #[n(0)]
    pub generation: u32,
}

/// A keeper signed an evaluation whose proof does not hold. The member keeps request and reply.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EvaluationFault {
    /// Who signed the reply.
    #[n(0)]
    pub keeper: NodeId,
    /// The generation that was asked for.
    #[n(1)]
    pub generation: u32,
    /// The reshare number that was asked for.
    #[n(2)]
    pub reshare: u32,
    /// The class.
    #[n(3)]
    pub class: Class,
    /// The member's number of the batch.
    #[n(4)]
    pub slot: u64,
    /// SHA-256 of the request.
    #[n(5)]
    pub request: Hash,
    /// SHA-256 of the reply.
    #[n(6)]
    pub reply: Hash,
}

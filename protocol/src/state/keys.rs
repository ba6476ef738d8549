//! The rows of the folded state about keys of match tokens: keysets, ceremonies, the change from one
//! generation to the next. Spec: section 6.

use crate::{
    entry::ceremony::{Complaint, SealedPart},
    id::{Hash, NodeId},
    time::Moment,
    token::ceremony,
};
use minicbor::{Decode, Encode};

/// A match-token key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct KeysetRow {
    /// [`crate::token::Keyset`], encoded.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// Where it began.
    #[n(1)]
    pub position: u64,
    /// When it began, or its shares were last refreshed, in log time.
    #[n(2)]
    pub at: Moment,
    /// The highest keeper id ever given, in this generation and those before.
    #[n(3)]
    pub last_id: u16,
    /// A share was handed on since the last refresh: until the next one the share of who went is good
    /// still, so it comes as soon as it can.
    #[n(4)]
    pub handed_on: bool,
}

/// A key ceremony.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CeremonyRow {
    /// What it is to make.
    #[n(0)]
    pub plan: ceremony::Plan,
    /// Who began it.
    #[n(1)]
    pub by: NodeId,
    /// When it fails unless the keyset is live, in log time.
    #[n(2)]
    pub deadline: Moment,
    /// Round 1, in log order.
    #[n(3)]
    pub committed: Vec<Committed>,
    /// The keyset that the commitments lead to, encoded, once all are there.
    #[n(4)]
    pub keyset: Option<minicbor::bytes::ByteVec>,
    /// Round 2, in log order.
    #[n(5)]
    pub dealt: Vec<DealtRow>,
    /// Keepers that have their shares, in log order.
    #[n(6)]
    pub confirmed: Vec<u16>,
    /// Why it failed, if it did.
    #[n(7)]
    pub failed: Option<Failure>,
    /// Where a share is handed on: what the helpers summed for the new keeper, in log order.
    #[n(8)]
    pub summed: Vec<Summed>,
}

/// What one helper summed for a new keeper.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Summed {
    /// The helper's id.
    #[n(0)]
    pub from: u16,
    /// Sealed to the new keeper.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// One keeper's commitments.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Committed {
    /// Its id.
    #[n(0)]
    pub keeper: u16,
    /// [`crate::token::ceremony::Commitments`], encoded.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub commitments: Vec<u8>,
}

/// What one keeper dealt.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DealtRow {
    /// Its id.
    #[n(0)]
    pub from: u16,
    /// A part for each other keeper.
    #[n(1)]
    pub parts: Vec<SealedPart>,
}

/// Why a key ceremony failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Failure {
    /// Who said so; who began it, where its time passed.
    #[n(0)]
    pub by: NodeId,
    /// The keeper that is complained of.
    #[n(1)]
    pub about: Option<u16>,
    /// What is wrong.
    #[n(2)]
    pub why: Complaint,
    /// When, in log time.
    #[n(3)]
    pub at: Moment,
}

/// The generation of match tokens that closes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClosingRow {
    /// Which.
    #[n(0)]
    pub generation: u32,
    /// Where the next one was put in use.
    #[n(1)]
    pub position: u64,
    /// When it closes at the latest, in log time.
    #[n(2)]
    pub until: Moment,
    /// Members that have moved, in order of node id.
    #[n(3)]
    pub moved: Vec<NodeId>,
}

/// How far a rotation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum RotationStanding {
    /// Keepers have not all said the same keyset yet.
    #[n(0)]
    Open,
    /// The product is in use.
    #[n(1)]
    InUse,
    /// A keeper refused, or its time passed: fresh keys are called for.
    #[n(2)]
    Failed,
}

/// The rotation of the keys after a removal for cause.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RotationRow {
    /// The position of the commit that removed: the factor is exported from the epoch that it opened.
    #[n(0)]
    pub position: u64,
    /// Who was removed, in order of node id.
    #[n(1)]
    pub removed: Vec<NodeId>,
    /// The generation that it leads to.
    #[n(2)]
    pub generation: u32,
    /// When it fails, in log time; none while an older generation closes, which it waits for.
    #[n(3)]
    pub deadline: Option<Moment>,
    /// The keyset that the first keeper said, encoded.
    #[n(4)]
    pub keyset: Option<minicbor::bytes::ByteVec>,
    /// The keepers that come to it, in log order.
    #[n(5)]
    pub confirmed: Vec<u16>,
    /// How far it has come.
    #[n(6)]
    pub standing: RotationStanding,
    /// Who refused it, in log order.
    #[n(7)]
    pub refused: Vec<NodeId>,
}

/// Reports of false evaluations, by keeper and member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct FaultKey {
    /// Who evaluated falsely.
    #[n(0)]
    pub keeper: NodeId,
    /// Who says so.
    #[n(1)]
    pub by: NodeId,
}

/// What a member reports of a keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct FaultRow {
    /// How often.
    #[n(0)]
    pub count: u64,
    /// SHA-256 of the latest such request.
    #[n(1)]
    pub request: Hash,
    /// SHA-256 of the reply to it.
    #[n(2)]
    pub reply: Hash,
    /// When it was ordered, in log time.
    #[n(3)]
    pub at: Moment,
}

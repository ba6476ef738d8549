//! The row of the folded state about a member that signed two truths. Spec: section 6.

use crate::{
    id::{EntryId, NodeId},
    time::Moment,
};
use minicbor::{Decode, Encode};

/// A member that signed two truths, also after the members have decided about it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct QuarantineRow {
    /// The entry that proved it.
    #[n(0)]
    pub proof: EntryId,
    /// Its position.
    #[n(1)]
    pub position: u64,
    /// When, in log time.
    #[n(2)]
    pub at: Moment,
    /// Who said it.
    #[n(3)]
    pub by: NodeId,
    /// What was signed twice.
    #[n(4)]
    pub what: Twice,
    /// How many entries the heads are about, or the number of the documents.
    #[n(5)]
    pub number: u64,
    /// Who agrees that it may go on, in order.
    #[n(6)]
    pub approvals: Vec<NodeId>,
    /// What the members have decided about.
    #[n(7)]
    pub settled: Option<Settled>,
    /// Whether it is quarantined now.
    #[n(8)]
    pub stands: bool,
}

/// What was signed twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum Twice {
    /// Heads of one length.
    #[n(0)]
    Heads,
    /// Identity documents of one number.
    #[n(1)]
    Documents,
}

/// Up to where what was signed twice is settled: the same is not held against a member again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Settled {
    /// Heads over at most so many entries.
    #[n(0)]
    pub size: u64,
    /// Documents up to this number.
    #[n(1)]
    pub serial: u64,
}

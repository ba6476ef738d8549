//! The rows of the folded state about recall: notices, their answers, disputes. Spec: section 6.

use crate::{
    entry::{
        payload::Payload,
        recall::{DisputeCode, ExceptionKind},
        share::{ErasureResult, Onward, Retained, RevokeKind},
    },
    id::{EntryId, Hash, NodeId},
    time::Moment,
};
use minicbor::{Decode, Encode};

/// A notice to one recipient about rows of a share.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NoticeRow {
    /// The share whose rows are meant.
    #[n(0)]
    pub share: EntryId,
    /// Who gives the notice.
    #[n(1)]
    pub from: NodeId,
    /// Who must act.
    #[n(2)]
    pub to: NodeId,
    /// Why.
    #[n(3)]
    pub kind: RevokeKind,
    /// How many rows.
    #[n(4)]
    pub count: u64,
    /// Where it was ordered.
    #[n(5)]
    pub position: u64,
    /// When, in log time.
    #[n(6)]
    pub at: Moment,
    /// By when the recipient must have stopped using the rows.
    #[n(7)]
    pub ack_due: Moment,
    /// By when the receipt must be there.
    #[n(8)]
    pub due: Moment,
    /// When the recipient said that it stopped.
    #[n(9)]
    pub acknowledged: Option<Moment>,
    /// The receipt.
    #[n(10)]
    pub receipt: Option<ReceiptRow>,
    /// Why nobody waits for a receipt any more.
    #[n(11)]
    pub exception: Option<ExceptionRow>,
    /// SHA-256 of the entry.
    #[n(12)]
    pub hash: Hash,
    /// Which rows, sealed to the recipient: one that lost what it read since a backup finds them here.
    #[n(13)]
    pub row_refs: Payload,
}

impl NoticeRow {
    /// Whether the recipient owes an answer, in log time.
    #[must_use]
    pub fn is_overdue(&self, log_time: Moment) -> bool {
        let silent = self.acknowledged.is_none() && self.ack_due < log_time;
        self.receipt.is_none() && self.exception.is_none() && (silent || self.due < log_time)
    }
}

/// An exception to a notice.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ExceptionRow {
    /// Of which kind.
    #[n(0)]
    pub kind: ExceptionKind,
    /// Why.
    #[n(1)]
    pub reason: String,
    /// Who answers for it.
    #[n(2)]
    pub approver: String,
    /// When it was ordered, in log time.
    #[n(3)]
    pub at: Moment,
}

/// What is reported of one share under one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct DisputeKey {
    /// The share.
    #[n(0)]
    pub share: EntryId,
    /// What.
    #[n(1)]
    pub code: DisputeCode,
}

/// A dispute about a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DisputeRow {
    /// The sender of the share.
    #[n(0)]
    pub from: NodeId,
    /// The recipient, who reports it.
    #[n(1)]
    pub by: NodeId,
    /// How many rows.
    #[n(2)]
    pub count: u64,
    /// When it was ordered, in log time.
    #[n(3)]
    pub at: Moment,
    /// When the recipient settled it, in log time.
    #[n(4)]
    pub settled: Option<Moment>,
}

/// A recipient's receipt.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ReceiptRow {
    /// What became of the rows.
    #[n(0)]
    pub result: ErasureResult,
    /// How many were erased, restricted, corrected or taken into use again.
    #[n(1)]
    pub erased: u64,
    /// When the receipt was ordered, in log time.
    #[n(2)]
    pub at: Moment,
    /// SHA-256 of the signed statement.
    #[n(3)]
    pub statement: Hash,
    /// What the recipient keeps.
    #[n(4)]
    pub retained: Vec<Retained>,
    /// Whether it keeps match tokens.
    #[n(5)]
    pub suppression_kept: bool,
    /// Notices that the recipient gave in turn.
    #[n(6)]
    pub onward: Vec<Onward>,
}

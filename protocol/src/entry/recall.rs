//! What ends a notice without a receipt, and what recipients report. Spec: section 5.9.

use crate::id::EntryId;
use minicbor::{Decode, Encode};

/// The most bytes of the reason of an exception.
pub const REASON_BYTES: usize = 500;
/// The most bytes of the name of whoever approved an exception.
pub const APPROVER_BYTES: usize = 120;

/// Why nobody waits for a receipt any more.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionKind {
    /// It cannot be done.
    #[n(0)]
    Impossible,
    /// It would take more than it is worth.
    #[n(1)]
    Disproportionate,
}

impl ExceptionKind {
    /// The name that people read and type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Impossible => "impossible",
            Self::Disproportionate => "disproportionate",
        }
    }
}

/// The sender of a notice does not wait for its receipt any more, and says why.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NoticeException {
    /// The notice: the id of the revoke entry.
    #[n(0)]
    pub notice: EntryId,
    /// Of which kind.
    #[n(1)]
    pub kind: ExceptionKind,
    /// Why: plain text on one line, at most [`REASON_BYTES`].
    #[n(2)]
    pub reason: String,
    /// The name of the person who answers for it, at most [`APPROVER_BYTES`].
    #[n(3)]
    pub approver: String,
}

/// What a recipient reports of a share.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum DisputeCode {
    /// It held people who had been taken back and have not agreed again since.
    #[n(0)]
    ErasedResurfaced,
    /// Once more, it held rows or fields that agreement or law keep from the recipient.
    #[n(1)]
    Overshare,
}

impl DisputeCode {
    /// The code that people look for.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ErasedResurfaced => "E_ERASED_RESURFACED",
            Self::Overshare => "W_OVERSHARE",
        }
    }
}

/// The recipient of a share tells everybody what should not have been in it. It names no person.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Dispute {
    /// The share: the id of the entry that announced it.
    #[n(0)]
    pub share: EntryId,
    /// What.
    #[n(1)]
    pub code: DisputeCode,
    /// How many rows; 0 settles the dispute.
    #[n(2)]
    pub count: u64,
}

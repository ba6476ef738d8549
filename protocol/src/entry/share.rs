//! Shares and their recall. Spec: sections 5.8 and 5.9.
//!
//! All members read who gave how much to whom for what; only the recipient can open the rows.

use super::payload::Payload;
use crate::{
    blob::BlobId,
    channel::Channel,
    id::{EntryId, Hash, NodeId},
    time::Moment,
};
use minicbor::{Decode, Encode};

/// The announcement of a share to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Share {
    /// The recipient.
    #[n(0)]
    pub to: NodeId,
    /// The purpose, a word of the policy vocabulary.
    #[n(1)]
    pub purpose: String,
    /// The channel the recipient may use.
    #[n(2)]
    pub channel: Channel,
    /// Field classes that flow, words of the policy vocabulary, in rising order.
    #[n(3)]
    pub fields: Vec<String>,
    /// How many persons.
    #[n(4)]
    pub count: u64,
    /// The agreement under which it flows.
    #[n(5)]
    pub agreement: Hash,
    /// The rows, sealed to the recipient.
    #[n(6)]
    pub blob: BlobId,
    /// Bytes of the sealed rows.
    #[n(7)]
    pub bytes: u64,
    /// When the recipient must stop using them.
    #[n(8)]
    pub expires: Option<Moment>,
    /// The root of the share tree: one leaf per row, over its random salt and the row, in the order
    /// of the rows. See [`row_leaf`].
    #[n(9)]
    pub root: Hash,
    /// What the recipient gives for it.
    #[n(10)]
    pub consideration: Consideration,
}

/// The leaf of the share tree for a row: its salt, then its bytes.
///
/// Without the salt nobody can tell of which row a leaf is, however few rows there could be.
#[must_use]
pub fn row_leaf(salt: &[u8; 32], row: &[u8]) -> Hash {
    crate::merkle::leaf(&[salt.as_slice(), row].concat())
}

/// The longest id of an invoice or report in a share, in bytes.
pub const EVIDENCE_BYTES: usize = 100;

/// What the recipient gives for a share: laws ask for a price where money's worth moves.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Consideration {
    /// Nothing, the usual price and so on: a word of the policy vocabulary.
    #[n(0)]
    pub kind: String,
    /// The id of the invoice or report that proves it, on file at the sender.
    #[n(1)]
    pub evidence: Option<String>,
    /// Whether the same terms are open to every organization of the recipient's kind.
    #[n(2)]
    pub equal_terms: bool,
}

impl Consideration {
    /// Nothing is given.
    #[must_use]
    pub fn none() -> Self {
        Self {
            kind: policy::Consideration::None.name().to_owned(),
            evidence: None,
            equal_terms: false,
        }
    }
}

/// The recipient's answer to a share.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ShareReceived {
    /// The share: the id of the entry that announced it.
    #[n(0)]
    pub share: EntryId,
    /// Persons taken.
    #[n(1)]
    pub accepted: u64,
    /// Persons that the recipient's own gate dropped.
    #[n(2)]
    pub dropped: u64,
}

/// Why a share is taken back.
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
pub enum RevokeKind {
    /// The person withdrew consent.
    #[n(0)]
    Withdrawal,
    /// The person objected.
    #[n(1)]
    Objection,
    /// The person asked for erasure.
    #[n(2)]
    Erasure,
    /// The organization takes the share back.
    #[n(3)]
    Recall,
    /// The rows stay, but must not be used.
    #[n(4)]
    Restriction,
    /// The rows are to be corrected.
    #[n(5)]
    Rectification,
    /// Rows that rest may be used again.
    #[n(6)]
    Lift,
}

impl RevokeKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Withdrawal,
        Self::Objection,
        Self::Erasure,
        Self::Recall,
        Self::Restriction,
        Self::Rectification,
        Self::Lift,
    ];

    /// The name that people read and type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Withdrawal => "withdrawal",
            Self::Objection => "objection",
            Self::Erasure => "erasure",
            Self::Recall => "recall",
            Self::Restriction => "restriction",
            Self::Rectification => "rectification",
            Self::Lift => "lift",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the rows must go.
    #[must_use]
    pub fn erases(self) -> bool {
        !matches!(self, Self::Restriction | Self::Rectification | Self::Lift)
    }
}

/// A notice to one recipient: these rows must go, rest, be corrected, or may be used again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Revoke {
    /// The share: the id of the entry that announced it.
    #[n(0)]
    pub share: EntryId,
    /// Why.
    #[n(1)]
    pub kind: RevokeKind,
    /// How many rows.
    #[n(2)]
    pub count: u64,
    /// Which rows: [`crate::id::RowRef`]s sealed to the recipient alone, with the corrections of a
    /// rectification.
    #[n(3)]
    pub row_refs: Payload,
}

/// The recipient has stopped using the rows of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NoticeAck {
    /// The notice: the id of the revoke entry.
    #[n(0)]
    pub notice: EntryId,
}

/// What became of the rows of a notice.
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
pub enum ErasureResult {
    /// Gone.
    #[n(0)]
    Erased,
    /// Were not held, or no longer.
    #[n(1)]
    NotFound,
    /// Held, and used no more.
    #[n(2)]
    Restricted,
    /// Corrected.
    #[n(3)]
    Rectified,
    /// Gone but for what a law makes the recipient keep.
    #[n(4)]
    PartlyRetained,
    /// The recipient does not do it, or could not read which rows are meant.
    #[n(5)]
    Refused,
    /// In use again.
    #[n(6)]
    Lifted,
}

impl ErasureResult {
    /// The name that people read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::NotFound => "not_found",
            Self::Restricted => "restricted",
            Self::Rectified => "rectified",
            Self::PartlyRetained => "partly_retained",
            Self::Refused => "refused",
            Self::Lifted => "lifted",
        }
    }
}

/// The most bytes of the ground on which a class of fields is kept.
pub const GROUND_BYTES: usize = 200;

/// A class of fields that a recipient keeps although it was asked to erase it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Retained {
    /// The class, a word of the policy vocabulary.
    #[n(0)]
    pub class: String,
    /// On which ground: plain text on one line, at most [`GROUND_BYTES`].
    #[n(1)]
    pub ground: String,
    /// Until when.
    #[n(2)]
    pub until: Moment,
}

/// The most notices that a receipt lists as given onward.
pub const ONWARD_NOTICES: usize = 400;

/// A notice that a recipient gave in turn, to an organization that it had passed the rows on to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Onward {
    /// To whom.
    #[n(0)]
    pub to: NodeId,
    /// The notice: the id of the revoke entry; absent while the share that carried the rows is not announced.
    #[n(1)]
    pub notice: Option<EntryId>,
    /// SHA-256 of the statement that answers it; absent while the answer is pending.
    #[n(2)]
    pub receipt: Option<Hash>,
}

/// A recipient's signed statement about a notice; good outside the log too.
///
/// It proves that the recipient said so, not that the rows are gone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ErasureReceipt {
    /// The statement's canonical bytes: [`ErasureStatement`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub statement: Vec<u8>,
    /// Ed25519 over `statement` with its prefix, by the recipient's statement key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// What an erasure receipt states.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ErasureStatement {
    /// Who states it.
    #[n(0)]
    pub node: NodeId,
    /// The notice: the id of the revoke entry.
    #[n(1)]
    pub notice: EntryId,
    /// The share whose rows they were.
    #[n(2)]
    pub share: EntryId,
    /// What became of them.
    #[n(3)]
    pub result: ErasureResult,
    /// How many rows were erased, restricted, corrected or taken into use again.
    #[n(4)]
    pub erased: u64,
    /// When, by the recipient's clock.
    #[n(5)]
    pub completed_at: Moment,
    /// Until when backups may still hold them.
    #[n(6)]
    pub backups_expire_by: Moment,
    /// What is kept, by rising class; empty unless the result is `partly_retained`.
    #[n(7)]
    pub retained: Vec<Retained>,
    /// Whether match tokens stay, and nothing else, so that the person is known should it be given
    /// once more.
    #[n(8)]
    pub suppression_kept: bool,
    /// Where the notice was ordered.
    #[n(9)]
    pub notice_position: u64,
    /// SHA-256 of the revoke entry.
    #[n(10)]
    pub notice_hash: Hash,
    /// Notices to whom the rows were passed on, by rising recipient and id; at most [`ONWARD_NOTICES`].
    #[n(11)]
    pub onward: Vec<Onward>,
}

impl crate::codec::Canonical for ErasureStatement {
    const WHAT: &'static str = "erasure statement";
    const MAX_BYTES: usize = 40 * 1024;
}

/// What the signature of an erasure receipt covers before the statement.
pub const ERASURE_PREFIX: &[u8] = b"commonturf erasure receipt v1\0";

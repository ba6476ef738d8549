//! The bytes of both files, and their limits.

use crate::{
    chain::Head,
    codec::{self, Canonical, CodecError},
    id::{CoalitionId, Hash, Lineage, NodeId},
    identity::{IdentityDocument, IdentityError, PublicKey, Signature, SignedDocument},
    merkle::{Proof, Tree},
    note::Note,
    time::Moment,
};
use minicbor::{Decode, Encode};

/// The most bytes of a file.
pub const EVIDENCE_BYTES: usize = 96 * 1024 * 1024;
/// The most entries of the log in one record; a longer log needs several, one after the other.
pub const RECORD_ITEMS: usize = 1_000_000;
/// The most notes of one file.
pub const NOTES: usize = 256;
/// The most signed heads of one file.
pub const HEADS: usize = 2_000;
/// The most identity documents of one file.
pub const DOCUMENTS: usize = 1_024;
/// The most disclosed entries of one record.
pub const ENTRIES: usize = 10_000;
/// The most bytes of a disclosed row.
pub const ROW_BYTES: usize = 2 * 1024 * 1024;
/// What every file begins with.
const MARK: &str = "commonturf evidence v1";

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Evidence {
    #[n(0)]
    mark: String,
    /// What it proves.
    #[n(1)]
    pub body: Body,
}

impl Canonical for Evidence {
    const WHAT: &'static str = "file of evidence";
    const MAX_BYTES: usize = EVIDENCE_BYTES;
}

/// What a file proves.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Body {
    /// That the log is what it was.
    #[n(0)]
    Record(#[n(0)] Record),
    /// What was shared of one person.
    #[n(1)]
    Person(#[n(0)] PersonProof),
    /// That somebody signed two histories of a log.
    #[n(2)]
    Fork(#[n(0)] ForkProof),
}

/// Where a log stands, as a keeper signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SignedHead {
    /// The keeper.
    #[n(0)]
    pub node: NodeId,
    /// Where its log stands.
    #[n(1)]
    pub head: Head,
    /// By its key for heads.
    #[n(2)]
    pub signature: Signature,
}

impl Canonical for SignedHead {
    const WHAT: &'static str = "signed head";
    const MAX_BYTES: usize = 1_024;
}

impl SignedHead {
    /// Whether the keeper with this key for heads signed it.
    #[must_use]
    pub fn is_signed(&self, head_key: &PublicKey) -> bool {
        head_key.verifies(&self.head.signed_bytes(), &self.signature)
    }
}

/// What was signed about a log and cannot all be true.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ForkProof {
    /// Whose log.
    #[n(0)]
    pub coalition: CoalitionId,
    /// The numbering.
    #[n(1)]
    pub lineage: Lineage,
    /// When it was seen, by the clock of who made the file.
    #[n(2)]
    pub seen: Moment,
    /// Signed heads with chain hashes.
    #[n(3)]
    pub heads: Vec<SignedHead>,
    /// Signed heads with roots.
    #[n(4)]
    pub notes: Vec<String>,
    /// Who signed.
    #[n(5)]
    pub documents: Vec<SignedDocument>,
}

impl ForkProof {
    /// From the first log time of a head to the moment at which all was seen.
    #[must_use]
    pub fn span(&self) -> (Moment, Moment) {
        let first = self.heads.iter().map(|shown| shown.head.log_time).min();
        (
            first.map_or(self.seen, |first| first.min(self.seen)),
            self.seen,
        )
    }
}

/// The log without its content.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Record {
    /// Whose log.
    #[n(0)]
    pub coalition: CoalitionId,
    /// The numbering.
    #[n(1)]
    pub lineage: Lineage,
    /// The log tree before the first item: empty, or where its author came in.
    #[n(2)]
    pub start: Tree,
    /// The entries after it, in order.
    #[n(3)]
    pub items: Vec<RecordItem>,
    /// Signed heads.
    #[n(4)]
    pub notes: Vec<String>,
    /// Who signed them.
    #[n(5)]
    pub documents: Vec<SignedDocument>,
    /// Entries that are disclosed, in order.
    #[n(6)]
    pub entries: Vec<Shown>,
}

/// One entry of the log, without its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RecordItem {
    /// When it was ordered.
    #[n(0)]
    pub log_time: Moment,
    /// SHA-256 of the envelope.
    #[n(1)]
    pub sealed: Hash,
}

/// An entry that is disclosed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Shown {
    /// Where it stands in the log.
    #[n(0)]
    pub position: u64,
    /// When it was ordered.
    #[n(1)]
    pub log_time: Moment,
    /// The envelope as it is in the log: its header holds the hash of the entry.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub envelope: Vec<u8>,
    /// The entry, encoded.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub entry: Vec<u8>,
}

/// A signed head and the way from an entry to its root.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Vouched {
    /// The note.
    #[n(0)]
    pub note: String,
    /// Inclusion in the log tree.
    #[n(1)]
    pub path: Proof,
}

/// What was shared of one person.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PersonProof {
    /// Whose log.
    #[n(0)]
    pub coalition: CoalitionId,
    /// The numbering.
    #[n(1)]
    pub lineage: Lineage,
    /// The announcement of the share.
    #[n(2)]
    pub share: Shown,
    /// Who vouches for the log that it stands in.
    #[n(3)]
    pub vouched: Vec<Vouched>,
    /// Who they are.
    #[n(4)]
    pub documents: Vec<SignedDocument>,
    /// The row's salt.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub salt: [u8; 32],
    /// The row as it went to the recipient.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub row: Vec<u8>,
    /// Its place in the share tree, counted from zero.
    #[n(7)]
    pub index: u64,
    /// Inclusion in the share tree.
    #[n(8)]
    pub path: Proof,
}

impl Record {
    /// The first and the last moment that it is about.
    #[must_use]
    pub fn span(&self) -> (Moment, Moment) {
        let time = |item: Option<&RecordItem>| item.map_or(Moment(0), |item| item.log_time);
        (time(self.items.first()), time(self.items.last()))
    }
}

impl PersonProof {
    /// From the announcement to the latest cosignature.
    #[must_use]
    pub fn span(&self) -> (Moment, Moment) {
        let notes = self
            .vouched
            .iter()
            .filter_map(|vouched| vouched.note.parse::<Note>().ok());
        let latest = notes
            .flat_map(|note| note.signatures)
            .filter_map(|line| i64::try_from(line.time?).ok()?.checked_mul(1_000))
            .max();
        let first = self.share.log_time;
        (
            first,
            latest.map_or(first, |latest| first.max(Moment(latest))),
        )
    }
}

/// Reads a document, when its signature holds and it counts at some moment of a span: a member that left
/// has none that still counts, one that came later had none yet, and one that changed its keys had one
/// between the two ends alone.
///
/// # Errors
/// [`IdentityError`].
pub fn document_in(
    signed: &SignedDocument,
    (first, last): (Moment, Moment),
) -> Result<IdentityDocument, IdentityError> {
    let ends = signed.verify(last).or_else(|_| signed.verify(first));
    if ends.is_err()
        && let Ok(claimed) = codec::decode::<IdentityDocument>(&signed.document)
        && (first..=last).contains(&claimed.valid_until)
    {
        return signed.verify(claimed.valid_until);
    }
    ends
}

/// Why a file says nothing at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Not the canonical bytes of a file.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Another kind of file, or another version.
    #[error("this file does not begin with {MARK:?}: it is no evidence, or of another version")]
    Mark,
    /// Over a named limit.
    #[error("a file of evidence has at most {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The named limit.
        limit: usize,
    },
}

impl Evidence {
    /// A file about something.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self {
            mark: MARK.to_owned(),
            body,
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn read(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let file: Self = codec::decode(bytes)?;
        if file.mark != MARK {
            return Err(EvidenceError::Mark);
        }
        match &file.body {
            Body::Record(record) => {
                at_most("entries of the log", record.items.len(), RECORD_ITEMS)?;
                at_most("disclosed entries", record.entries.len(), ENTRIES)?;
                at_most("notes", record.notes.len(), NOTES)?;
                at_most("documents", record.documents.len(), DOCUMENTS)?;
            }
            Body::Fork(proof) => {
                at_most("heads", proof.heads.len(), HEADS)?;
                at_most("notes", proof.notes.len(), NOTES)?;
                at_most("documents", proof.documents.len(), DOCUMENTS)?;
            }
            Body::Person(proof) => {
                at_most("notes", proof.vouched.len(), NOTES)?;
                at_most("documents", proof.documents.len(), DOCUMENTS)?;
                at_most("bytes of a row", proof.row.len(), ROW_BYTES)?;
            }
        }
        Ok(file)
    }
}

fn at_most(what: &'static str, found: usize, limit: usize) -> Result<(), EvidenceError> {
    if found > limit {
        return Err(EvidenceError::TooMany { what, limit });
    }
    Ok(())
}

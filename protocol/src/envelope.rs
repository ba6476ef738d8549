//! What a keeper sees of an entry: a header and sealed bytes. Spec: section 4.
//!
//! The header is the MLS authenticated data of the sealed message, so a keeper can read it and
//! nobody can change it. It carries ids only: nothing personal belongs here.

use crate::{
    blob::BlobId,
    codec::{self, Canonical, CodecError},
    entry::Class,
    id::{CoalitionId, EntryId, Hash, Lineage, NodeId},
    version::Versions,
};
use minicbor::{Decode, Encode};

/// The most bytes of one entry in the log, sealed.
pub const ENTRY_BYTES: usize = 64 * 1024;
/// The most blobs that one entry names.
pub const ENTRY_BLOBS: usize = 4;

/// The first version. Entries are sealed in the newest that all members speak.
pub const VERSION: u8 = 1;

/// How the sealed bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Form {
    /// An MLS application message whose plaintext is an [`crate::entry::Entry`].
    #[n(0)]
    Application,
    /// An MLS commit, in the open among members.
    #[n(1)]
    Commit,
}

/// What stands outside the seal, authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Header {
    /// Of the protocol: one that all members speak.
    #[n(0)]
    pub version: u8,
    /// The coalition whose log this is.
    #[n(1)]
    pub coalition: CoalitionId,
    /// The numbering it belongs to.
    #[n(2)]
    pub lineage: Lineage,
    /// Chosen by the author: the same id twice is one entry.
    #[n(3)]
    pub entry: EntryId,
    /// The admission class; a false one makes the entry void.
    #[n(4)]
    pub class: Class,
    /// What the sealed bytes are.
    #[n(5)]
    pub form: Form,
    /// Blobs that readers will need: a keeper admits no entry before it has them.
    #[n(6)]
    pub blobs: Vec<BlobId>,
    /// Whose entry it is: a keeper admits it from nobody else, and MLS must prove the same.
    ///
    /// A node cannot open its own messages, so without this word any member could write one in its
    /// name and make it believe that it had been restored from a backup.
    #[n(7)]
    pub author: NodeId,
    /// SHA-256 of the entry, for the kinds that must be provable to outsiders
    /// ([`crate::entry::Entry::evidence`]): whoever holds the entry can show that it is what was
    /// sealed here.
    #[n(8)]
    pub evidence: Option<Hash>,
}

impl Header {
    /// The same with the hash that the entry shows of itself.
    #[must_use]
    pub fn with_evidence(self, evidence: Option<Hash>) -> Self {
        Self { evidence, ..self }
    }

    /// The bytes that MLS authenticates.
    #[must_use]
    pub fn authenticated(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

/// A sealed entry on its way to the log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Envelope {
    /// The authenticated header.
    #[n(0)]
    pub header: Header,
    /// The MLS message.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

impl Canonical for Envelope {
    const WHAT: &'static str = "sealed entry";
    const MAX_BYTES: usize = ENTRY_BYTES;
}

/// Why an envelope is refused before anybody looks inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not the canonical bytes of an envelope.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A version that not all members speak.
    #[error("a sealed entry of version {0}, which not all members speak")]
    Version(u8),
    /// Another coalition's entry, or another numbering's.
    #[error("a sealed entry of another coalition or numbering")]
    Elsewhere,
    /// More blobs than one entry may name.
    #[error("a sealed entry names at most {ENTRY_BLOBS} blobs")]
    Blobs,
}

impl Envelope {
    /// Reads an envelope that must belong to this log, in one of the versions that all members speak:
    /// none before the first entry, which says itself in which version it is.
    ///
    /// # Errors
    /// [`EnvelopeError`], for all readers alike.
    pub fn read(
        bytes: &[u8],
        coalition: CoalitionId,
        lineage: Lineage,
        spoken: Option<Versions>,
    ) -> Result<Self, EnvelopeError> {
        let envelope: Self = codec::decode(bytes)?;
        let version = u32::from(envelope.header.version);
        if spoken.is_some_and(|spoken| !spoken.has(version)) {
            return Err(EnvelopeError::Version(envelope.header.version));
        }
        if envelope.header.coalition != coalition || envelope.header.lineage != lineage {
            return Err(EnvelopeError::Elsewhere);
        }
        if envelope.header.blobs.len() > ENTRY_BLOBS {
            return Err(EnvelopeError::Blobs);
        }
        Ok(envelope)
    }

    /// The bytes that go to the keeper.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// By this hash a keeper knows bytes that it has seen.
    #[must_use]
    pub fn hash(bytes: &[u8]) -> Hash {
        Hash::of(bytes)
    }
}

//! Blobs: large sealed bytes, named by their content. Spec: identity.md, section 6.
//!
//! A blob is cut into chunks of 4 MiB. Its manifest lists size and chunk hashes, and its id is the
//! hash of both, so each chunk can be checked when it arrives, from whoever it comes, and a
//! transfer goes on where it stopped.

use crate::{
    codec::Canonical,
    id::Hash,
    limits::{BLOB_BYTES, CHUNK_BYTES, MANIFEST_BYTES},
};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use std::{fmt, ops::Range};

/// What stands before size and chunk hashes.
const ID_DOMAIN: &[u8] = b"commonturf blob v1\0";

/// The name of a blob: what its manifest hashes to.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct BlobId(#[n(0)] pub Hash);

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({})", self.0.short())
    }
}

impl std::str::FromStr for BlobId {
    type Err = crate::id::IdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Why bytes are not the blob, or not a blob at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// Nothing is not worth a blob.
    #[error("a blob has at least one byte")]
    Empty,
    /// Over the limit.
    #[error("a blob has at most {BLOB_BYTES} bytes, this has {found}; split the share")]
    TooLarge {
        /// The size.
        found: u64,
    },
    /// The number of hashes does not fit the size.
    #[error("a blob of {size} bytes has {expected} chunks, this manifest lists {found}")]
    ChunkCount {
        /// The size in the manifest.
        size: u64,
        /// What follows from it.
        expected: u64,
        /// What is listed.
        found: u64,
    },
    /// There is no such chunk.
    #[error("this blob has no chunk {index}")]
    NoSuchChunk {
        /// Counted from zero.
        index: u64,
    },
    /// A chunk of another length.
    #[error("chunk {index} has {expected} bytes, {found} arrived; fetch it again")]
    ChunkLength {
        /// Counted from zero.
        index: u64,
        /// What follows from the size.
        expected: u64,
        /// What arrived.
        found: u64,
    },
    /// A chunk with other bytes.
    #[error("chunk {index} is not what the manifest lists; fetch it from another keeper")]
    ChunkHash {
        /// Counted from zero.
        index: u64,
    },
}

/// The size of a blob and the hash of each chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    size: u64,
    chunks: Vec<Hash>,
}

impl Manifest {
    /// The manifest of bytes that are at hand.
    ///
    /// # Errors
    /// [`BlobError::Empty`] or [`BlobError::TooLarge`].
    pub fn of(bytes: &[u8]) -> Result<Self, BlobError> {
        let chunk = usize::try_from(CHUNK_BYTES).expect("4 MiB fit any address space");
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        check_size(size)?;
        Self::new(size, bytes.chunks(chunk).map(Hash::of).collect())
    }

    /// A manifest that somebody declares.
    ///
    /// # Errors
    /// [`BlobError`] when size and number of chunks break a limit or each other.
    pub fn new(size: u64, chunks: Vec<Hash>) -> Result<Self, BlobError> {
        check_size(size)?;
        let (expected, found) = (
            size.div_ceil(CHUNK_BYTES),
            u64::try_from(chunks.len()).unwrap_or(u64::MAX),
        );
        if expected != found {
            return Err(BlobError::ChunkCount {
                size,
                expected,
                found,
            });
        }
        Ok(Self { size, chunks })
    }

    /// The blob's name.
    #[must_use]
    pub fn id(&self) -> BlobId {
        let mut hash = Sha256::new_with_prefix(ID_DOMAIN).chain_update(self.size.to_be_bytes());
        for chunk in &self.chunks {
            hash.update(chunk.0);
        }
        BlobId(Hash(hash.finalize().into()))
    }

    /// Bytes of the whole blob.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hash of each chunk, in order.
    #[must_use]
    pub fn chunks(&self) -> &[Hash] {
        &self.chunks
    }

    /// Which bytes of the blob a chunk holds; none beyond the end.
    #[must_use]
    pub fn range(&self, index: u64) -> Option<Range<u64>> {
        let start = index
            .checked_mul(CHUNK_BYTES)
            .filter(|start| *start < self.size)?;
        Some(start..self.size.min(start + CHUNK_BYTES))
    }

    /// Whether these bytes are that chunk.
    ///
    /// # Errors
    /// [`BlobError`]: no such chunk, another length, other bytes.
    pub fn verify_chunk(&self, index: u64, bytes: &[u8]) -> Result<(), BlobError> {
        let range = self.range(index).ok_or(BlobError::NoSuchChunk { index })?;
        let at = usize::try_from(index).map_err(|_| BlobError::NoSuchChunk { index })?;
        let hash = self
            .chunks
            .get(at)
            .ok_or(BlobError::NoSuchChunk { index })?;
        let (expected, found) = (
            range.end - range.start,
            u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        );
        if expected != found {
            return Err(BlobError::ChunkLength {
                index,
                expected,
                found,
            });
        }
        if Hash::of(bytes) != *hash {
            return Err(BlobError::ChunkHash { index });
        }
        Ok(())
    }
}

fn check_size(size: u64) -> Result<(), BlobError> {
    match size {
        0 => Err(BlobError::Empty),
        1..=BLOB_BYTES => Ok(()),
        found => Err(BlobError::TooLarge { found }),
    }
}

/// The array form of a manifest, before its numbers are checked against each other.
#[derive(Encode, Decode)]
struct Plain(#[n(0)] u64, #[n(1)] Vec<Hash>);

impl<C> Encode<C> for Manifest {
    fn encode<W: minicbor::encode::Write>(
        &self,
        to: &mut minicbor::Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        to.array(2)?.u64(self.size)?;
        self.chunks.encode(to, context)
    }
}

impl<'b, C> Decode<'b, C> for Manifest {
    fn decode(
        from: &mut minicbor::Decoder<'b>,
        context: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        let Plain(size, chunks) = Plain::decode(from, context)?;
        Self::new(size, chunks).map_err(minicbor::decode::Error::message)
    }
}

impl Canonical for Manifest {
    const WHAT: &'static str = "blob manifest";
    const MAX_BYTES: usize = MANIFEST_BYTES;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{decode, encode};

    const CHUNK: usize = 4 * 1024 * 1024;

    #[test]
    fn a_blob_is_cut_into_chunks_and_each_is_recognized() {
        let bytes = vec![7; CHUNK + 3];
        let manifest = Manifest::of(&bytes).unwrap();
        assert_eq!(manifest.range(1), Some(CHUNK_BYTES..CHUNK_BYTES + 3));
        assert_eq!(manifest.verify_chunk(0, &bytes[..CHUNK]), Ok(()));
        assert_eq!(manifest.verify_chunk(1, &bytes[CHUNK..]), Ok(()));
        assert_eq!(decode(&encode(&manifest)), Ok(manifest));
    }

    #[test]
    fn a_chunk_that_is_wrong_short_or_beyond_the_end_is_refused() {
        let manifest = Manifest::of(&[1, 2, 3]).unwrap();
        assert_eq!(
            manifest.verify_chunk(0, &[1, 2, 4]),
            Err(BlobError::ChunkHash { index: 0 })
        );
        let short = BlobError::ChunkLength {
            index: 0,
            expected: 3,
            found: 2,
        };
        assert_eq!(manifest.verify_chunk(0, &[1, 2]), Err(short));
        assert_eq!(
            manifest.verify_chunk(1, &[]),
            Err(BlobError::NoSuchChunk { index: 1 })
        );
        let far = u64::MAX;
        assert_eq!(
            manifest.verify_chunk(far, &[]),
            Err(BlobError::NoSuchChunk { index: far })
        );
    }

    #[test]
    fn a_manifest_whose_numbers_disagree_is_refused_also_on_the_wire() {
        let error = BlobError::ChunkCount {
            size: CHUNK_BYTES + 1,
            expected: 2,
            found: 1,
        };
        assert_eq!(Manifest::new(CHUNK_BYTES + 1, vec![Hash::ZERO]), Err(error));
        assert!(decode::<Manifest>(&encode(&Plain(CHUNK_BYTES + 1, vec![Hash::ZERO]))).is_err());
    }

    #[test]
    fn the_largest_blob_fits_and_one_byte_more_does_not() {
        let chunks = vec![Hash::ZERO; crate::limits::BLOB_CHUNKS];
        let largest = Manifest::new(BLOB_BYTES, chunks.clone()).unwrap();
        assert!(encode(&largest).len() <= MANIFEST_BYTES);
        let found = BLOB_BYTES + 1;
        assert_eq!(
            Manifest::new(found, chunks),
            Err(BlobError::TooLarge { found })
        );
        assert_eq!(Manifest::of(&[]), Err(BlobError::Empty));
    }

    #[test]
    fn another_size_or_order_of_chunks_is_another_blob() {
        let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
        let id = |size, chunks: &[Hash]| Manifest::new(size, chunks.to_vec()).unwrap().id();
        let two = id(CHUNK_BYTES + 1, &[a, b]);
        assert_ne!(two, id(CHUNK_BYTES + 2, &[a, b]));
        assert_ne!(two, id(CHUNK_BYTES + 1, &[b, a]));
    }
}

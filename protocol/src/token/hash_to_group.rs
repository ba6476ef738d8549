//! The map from values to points: `hash_to_ristretto255` of RFC 9380 with our own tag. Section 1.

use super::{bytes::put_lp, class::NORM_VERSION};
use crate::id::CoalitionId;
use curve25519_dalek::ristretto::RistrettoPoint;
use sha2::{Digest, Sha512};

/// The domain separation tag of every value that is tokenized.
pub const DST: &[u8] = b"commonturf-v1-H2G-ristretto255-SHA512";

/// Bytes of a SHA-512 input block.
const BLOCK: usize = 128;

/// `H`: the point of a message under a tag (RFC 9380, appendix B, with SHA-512).
///
/// # Panics
/// When the tag is longer than 255 bytes; tags are constants.
#[must_use]
pub fn hash_to_group(message: &[u8], dst: &[u8]) -> RistrettoPoint {
    let dst_length = u8::try_from(dst.len()).expect("tags are constants of at most 255 bytes");
    // expand_message_xmd for 64 bytes: one output block of SHA-512 is all that is needed.
    let first = Sha512::new()
        .chain_update([0; BLOCK])
        .chain_update(message)
        .chain_update(64_u16.to_be_bytes())
        .chain_update([0])
        .chain_update(dst)
        .chain_update([dst_length])
        .finalize();
    let uniform = Sha512::new()
        .chain_update(first)
        .chain_update([1])
        .chain_update(dst)
        .chain_update([dst_length]);
    RistrettoPoint::from_uniform_bytes(&uniform.finalize().into())
}

/// `x`: a value with all that separates it from equal bytes elsewhere.
#[must_use]
pub(crate) fn input(coalition: &CoalitionId, class: &str, kind: &str, value: &[u8]) -> Vec<u8> {
    let mut x = Vec::with_capacity(64 + value.len());
    put_lp(&mut x, &coalition.0);
    put_lp(&mut x, class.as_bytes());
    put_lp(&mut x, kind.as_bytes());
    x.push(NORM_VERSION);
    put_lp(&mut x, value);
    x
}

//! Length-prefixed bytes, scalars from wide hashes and points from the wire. Section 1.

use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::IsIdentity,
};

/// Appends `lp(v)`: the length as two bytes, big-endian, then the bytes.
///
/// # Panics
/// When the value has more than 65,535 bytes; every caller's values have a smaller limit.
pub(crate) fn put_lp(out: &mut Vec<u8>, value: &[u8]) {
    let length = u16::try_from(value.len()).expect("values are limited to far less than 64 KiB");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value);
}

/// `dec`: the point of a canonical encoding; none for any other bytes and for the identity.
pub(crate) fn decode_point(bytes: &[u8; 32]) -> Option<RistrettoPoint> {
    CompressedRistretto(*bytes)
        .decompress()
        .filter(|point| !point.is_identity())
}

/// A scalar of a canonical encoding, zero included.
pub(crate) fn decode_scalar(bytes: [u8; 32]) -> Option<Scalar> {
    Scalar::from_canonical_bytes(bytes).into()
}

//! Canonical bytes: deterministic CBOR (RFC 8949, section 4.2.1) in, the same bytes out.
//!
//! Structures are CBOR arrays or maps with small integer keys in rising order, lengths are
//! definite, integers and lengths take their shortest form. [`decode`] encodes what it read once
//! more and compares: a second spelling of the same value is refused, so that a hash or signature
//! covers a meaning and not just one way to write it. Spec: section 2.

use minicbor::{Decode, Encode};

/// Why bytes are not a canonical value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes are no CBOR of the expected shape.
    #[error("not a {what}: {detail}")]
    Shape {
        /// The type that was expected.
        what: &'static str,
        /// Position and cause, as the decoder tells it.
        detail: String,
    },
    /// The bytes are longer than the limit for their kind.
    #[error("a {what} has at most {limit} bytes, this has {found}")]
    TooLong {
        /// The type that was expected.
        what: &'static str,
        /// The named limit.
        limit: usize,
        /// What arrived.
        found: usize,
    },
    /// The bytes mean something, but are not the one way to say it.
    #[error("a {what} that is not in canonical form")]
    NotCanonical {
        /// The type that was expected.
        what: &'static str,
    },
}

/// A value with one canonical encoding and a limit on it.
pub trait Canonical: Encode<()> + for<'b> Decode<'b, ()> {
    /// The name that errors use.
    const WHAT: &'static str;
    /// The longest encoding that is read.
    const MAX_BYTES: usize;
}

/// The canonical bytes of a value.
#[must_use]
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("writing to memory cannot fail")
}

/// Reads canonical bytes, and refuses anything that [`encode`] would not have written.
///
/// # Errors
/// [`CodecError`]: too long, no such shape, or another spelling.
pub fn decode<T: Canonical>(bytes: &[u8]) -> Result<T, CodecError> {
    if bytes.len() > T::MAX_BYTES {
        return Err(CodecError::TooLong {
            what: T::WHAT,
            limit: T::MAX_BYTES,
            found: bytes.len(),
        });
    }
    let value: T = minicbor::decode(bytes).map_err(|error| CodecError::Shape {
        what: T::WHAT,
        detail: error.to_string(),
    })?;
    if encode(&value) != bytes {
        return Err(CodecError::NotCanonical { what: T::WHAT });
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    struct Pair(#[n(0)] u64, #[n(1)] Option<u64>);
    impl Canonical for Pair {
        const WHAT: &'static str = "pair";
        const MAX_BYTES: usize = 16;
    }

    #[test]
    fn canonical_bytes_are_read_back() {
        assert_eq!(
            decode::<Pair>(&encode(&Pair(5, Some(6)))),
            Ok(Pair(5, Some(6)))
        );
    }

    #[test]
    fn an_integer_in_a_longer_form_than_needed_is_refused() {
        let long_form = [0x82, 0x18, 0x05, 0x06]; // 5 spelled with a length byte
        assert_eq!(
            decode::<Pair>(&long_form),
            Err(CodecError::NotCanonical { what: "pair" })
        );
    }

    #[test]
    fn an_indefinite_length_is_refused() {
        let indefinite = [0x9f, 0x05, 0x06, 0xff];
        assert_eq!(
            decode::<Pair>(&indefinite),
            Err(CodecError::NotCanonical { what: "pair" })
        );
    }

    #[test]
    fn bytes_after_the_value_are_refused() {
        let mut bytes = encode(&Pair(5, Some(6)));
        bytes.push(0);
        assert_eq!(
            decode::<Pair>(&bytes),
            Err(CodecError::NotCanonical { what: "pair" })
        );
    }

    #[test]
    fn more_bytes_than_the_limit_are_refused_before_they_are_read() {
        assert!(matches!(
            decode::<Pair>(&[0; 17]),
            Err(CodecError::TooLong {
                limit: 16,
                found: 17,
                ..
            })
        ));
    }
}

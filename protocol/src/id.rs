//! Names of things: 32-byte key hashes for nodes, 16 random bytes for everything else.
//!
//! Every id prints as lower-case base32 without padding and parses from what it prints; a node id
//! also carries two check digits, because people read it to each other. Spec: section 1.

use data_encoding::Specification;
use minicbor::{Decode, Encode};
use rand_core::{CryptoRng, RngCore};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr, sync::LazyLock};

/// RFC 4648 base32, lower case, unpadded; reads capitals too.
static BASE32: LazyLock<data_encoding::Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification
        .translate
        .from
        .push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    specification
        .translate
        .to
        .push_str("abcdefghijklmnopqrstuvwxyz");
    specification
        .encoding()
        .expect("the alphabet has 32 distinct symbols")
});

/// Prints bytes the way ids do.
#[must_use]
pub fn to_base32(bytes: &[u8]) -> String {
    BASE32.encode(bytes)
}

/// Reads what [`to_base32`] prints, in either case.
///
/// # Errors
/// When a character is outside the alphabet or the length fits no byte string.
pub fn from_base32(text: &str) -> Result<Vec<u8>, IdError> {
    BASE32
        .decode(text.as_bytes())
        .map_err(|_| IdError::Alphabet)
}

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// A character that base32 does not have.
    #[error("an id has only the letters a to z and the digits 2 to 7; copy it again")]
    Alphabet,
    /// Too short or too long.
    #[error("this id is {found} characters long, not {expected}; copy it again, whole")]
    Length {
        /// What was given.
        found: usize,
        /// What an id of this kind has.
        expected: usize,
    },
    /// The check digits do not fit: a typing error.
    #[error("the last two characters of this node id do not fit the rest; compare it again")]
    CheckDigits,
}

macro_rules! random_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

        impl $name {
            /// A fresh id from the generator that the caller was given.
            pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
                let mut bytes = [0; 16];
                rng.fill_bytes(&mut bytes);
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&to_base32(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let text = text.trim();
                let bytes = from_base32(text)?;
                let bytes = bytes.try_into().map_err(|_| IdError::Length { found: text.len(), expected: 26 })?;
                Ok(Self(bytes))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

random_id! {
    /// A coalition.
    CoalitionId;
    /// One numbering of a coalition's log; a new one begins when entries were lost openly.
    Lineage;
    /// An entry, chosen by its author: the same id twice is one entry.
    EntryId;
    /// A row as it went to one recipient; says nothing about the person.
    RowRef;
}

/// A node, and so its organization: SHA-256 of the node's first root public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct NodeId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl NodeId {
    /// The id that belongs to a root public key (Ed25519, 32 bytes).
    #[must_use]
    pub fn of_root_key(root: &[u8; 32]) -> Self {
        Self(Sha256::digest(root).into())
    }

    /// The first eight characters: enough to tell members apart on a page, never to prove one.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(8).collect()
    }

    fn check(&self) -> [u8; 2] {
        let digest = Sha256::digest([b"commonturf node id v1".as_slice(), &self.0].concat());
        let mut letters = to_base32(&digest).into_bytes().into_iter();
        [
            letters.next().unwrap_or(b'a'),
            letters.next().unwrap_or(b'a'),
        ]
    }
}

/// 52 characters of base32 and two check digits.
const NODE_ID_CHARACTERS: usize = 54;

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = self.check();
        write!(
            f,
            "{}{}{}",
            to_base32(&self.0),
            char::from(a),
            char::from(b)
        )
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({})", self.short())
    }
}

impl FromStr for NodeId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let text = text.trim().to_ascii_lowercase();
        let length = || IdError::Length {
            found: text.chars().count(),
            expected: NODE_ID_CHARACTERS,
        };
        if text.len() != NODE_ID_CHARACTERS || !text.is_ascii() {
            return Err(length());
        }
        let (body, check) = text.split_at(NODE_ID_CHARACTERS - 2);
        let id = Self(from_base32(body)?.try_into().map_err(|_| length())?);
        if id.check() != check.as_bytes() {
            return Err(IdError::CheckDigits);
        }
        Ok(id)
    }
}

impl serde::Serialize for NodeId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for NodeId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A SHA-256 digest: of an entry's sealed bytes, a blob, an agreement, a chain of entries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Hash(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl Hash {
    /// Where a chain begins.
    pub const ZERO: Self = Self([0; 32]);

    /// SHA-256 of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The first eight hex digits, for tables.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(8).collect()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({})", self.short())
    }
}

impl FromStr for Hash {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let text = text.trim();
        let bytes = data_encoding::HEXLOWER_PERMISSIVE
            .decode(text.as_bytes())
            .map_err(|_| IdError::Alphabet)?;
        let bytes = bytes.try_into().map_err(|_| IdError::Length {
            found: text.len(),
            expected: 64,
        })?;
        Ok(Self(bytes))
    }
}

impl serde::Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_id_survives_printing_and_reading_in_capitals() {
        let id = NodeId::of_root_key(&[7; 32]);
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
    }

    #[test]
    fn a_mistyped_node_id_is_caught_by_its_check_digits() {
        let mut text = NodeId::of_root_key(&[7; 32]).to_string().into_bytes();
        text[3] = if text[3] == b'a' { b'b' } else { b'a' };
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.parse::<NodeId>(), Err(IdError::CheckDigits));
    }

    #[test]
    fn a_truncated_id_says_how_long_it_should_be() {
        let error = "abcdefgh".parse::<EntryId>().unwrap_err();
        assert_eq!(
            error,
            IdError::Length {
                found: 8,
                expected: 26
            }
        );
    }

    #[test]
    fn an_id_with_a_foreign_letter_is_refused() {
        assert_eq!("0000".parse::<EntryId>(), Err(IdError::Alphabet));
    }
}

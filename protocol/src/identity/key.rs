//! Ed25519 keys: what each is for, how it is named, how it signs and verifies (RFC 8032).
//!
//! A secret key has neither `Debug` nor `Serialize`, so it cannot slip into a log or an answer.

use crate::id::to_base32;
use curve25519_dalek::edwards::CompressedEdwardsY;
use minicbor::{Decode, Encode};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

/// What a key may be used for; never anything else.
#[derive(
    Clone,
    Copy,
    Debug,
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
#[serde(rename_all = "lowercase")]
#[cbor(index_only)]
pub enum KeyUse {
    /// Signs identity documents. Its hash is the node id.
    #[n(0)]
    Root,
    /// Signs requests and responses between nodes.
    #[n(1)]
    Request,
    /// Signs inside the coalition's MLS group.
    #[n(2)]
    Mls,
    /// Opens what is sealed to this node (X25519, not Ed25519).
    #[n(3)]
    Age,
    /// Signs the heads of the log that a keeper shows.
    #[n(4)]
    Head,
    /// Signs statements that hold outside the log too: agreements and erasure receipts.
    #[n(5)]
    Statement,
}

impl KeyUse {
    /// Every use, in the order in which documents list them.
    pub const ALL: [Self; 6] = [
        Self::Root,
        Self::Request,
        Self::Mls,
        Self::Age,
        Self::Head,
        Self::Statement,
    ];

    /// The word for people and vectors.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Request => "request",
            Self::Mls => "mls",
            Self::Age => "age",
            Self::Head => "head",
            Self::Statement => "statement",
        }
    }
}

impl fmt::Display for KeyUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A public key, 32 bytes: Ed25519, or X25519 when its use is [`KeyUse::Age`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct PublicKey(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl PublicKey {
    /// Whether this key made this Ed25519 signature over exactly these bytes.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(message, &signature.0)
            .is_ok()
    }

    /// Whether this is an Ed25519 point of large order. Under a point of small order one signature
    /// can fit many messages, so its owner could disown what it signed.
    #[must_use]
    pub fn is_sound_ed25519(&self) -> bool {
        CompressedEdwardsY(self.0)
            .decompress()
            .is_some_and(|point| !point.is_small_order())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// An Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Signature(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start: String = data_encoding::HEXLOWER
            .encode(&self.0)
            .chars()
            .take(8)
            .collect();
        write!(f, "Signature({start})")
    }
}

/// The name of a key within its node: eight bytes of a hash over its use and its public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct KeyId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 8]);

/// Eight bytes in base32.
const KEY_ID_CHARACTERS: usize = 13;

impl KeyId {
    /// The name that belongs to a public key in this use.
    #[must_use]
    pub fn of(usage: KeyUse, public: &PublicKey) -> Self {
        let digest = Sha256::new_with_prefix(b"commonturf key id v1")
            .chain_update(usage.name())
            .chain_update(public.0)
            .finalize();
        Self(std::array::from_fn(|at| {
            digest.get(at).copied().unwrap_or_default()
        }))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_base32(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = crate::id::IdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = crate::id::from_base32(text)?;
        let bytes = bytes.try_into().map_err(|_| crate::id::IdError::Length {
            found: text.len(),
            expected: KEY_ID_CHARACTERS,
        })?;
        Ok(Self(bytes))
    }
}

/// A secret Ed25519 key. Its seed is wiped when it goes out of scope; the expanded key exists
/// only while it signs.
pub struct SigningKey {
    seed: Zeroizing<[u8; 32]>,
    public: PublicKey,
}

impl SigningKey {
    /// The key that grows from a seed of 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let pair = pair(seed);
        let mut public = [0; 32];
        public.copy_from_slice(pair.public_key().as_ref());
        Self {
            seed: Zeroizing::new(*seed),
            public: PublicKey(public),
        }
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs exactly these bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(pair(&self.seed).sign(message).as_ref());
        Signature(bytes)
    }
}

fn pair(seed: &[u8; 32]) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(seed).expect("every 32 bytes are an Ed25519 seed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_message_and_key_alone() {
        let (key, other) = (
            SigningKey::from_seed(&[1; 32]),
            SigningKey::from_seed(&[2; 32]),
        );
        let signature = key.sign(b"yes");
        assert!(key.public().verifies(b"yes", &signature));
        assert!(!key.public().verifies(b"no", &signature));
        assert!(!other.public().verifies(b"yes", &signature));
    }

    #[test]
    fn a_key_of_small_order_is_not_sound() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(!PublicKey(identity).is_sound_ed25519());
        assert!(
            !PublicKey([0; 32]).is_sound_ed25519(),
            "a point of order four"
        );
        assert!(SigningKey::from_seed(&[1; 32]).public().is_sound_ed25519());
    }

    #[test]
    fn the_same_key_in_another_use_has_another_name() {
        let public = SigningKey::from_seed(&[1; 32]).public();
        let request = KeyId::of(KeyUse::Request, &public);
        assert_ne!(request, KeyId::of(KeyUse::Head, &public));
        assert_eq!(request.to_string().parse(), Ok(request));
        assert_eq!(request.to_string().len(), KEY_ID_CHARACTERS);
    }
}

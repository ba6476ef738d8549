//! A keeper's secret: one share of each class's key, wiped when dropped. Section 3.1.

use super::{
    Class,
    bytes::decode_scalar,
    keyset::{ClassKey, Keeper, Keyset, KeysetParts, PublicKey},
};
use crate::id::NodeId;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::{CryptoRng, RngCore};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a share at rest: version, generation, reshare, id, four scalars.
pub const SHARE_BYTES: usize = 1 + 4 + 4 + 2 + 4 * 32;

/// The version of a share's bytes at rest.
const SHARE_VERSION: u8 = 1;

/// The shares that one keeper holds. Has neither `Debug` nor `Clone`: it is stored sealed and used
/// by [`evaluate`](super::evaluate()) alone.
pub struct KeyShare {
    generation: u32,
    reshare: u32,
    keeper: u16,
    secrets: [Scalar; 4],
}

/// Why bytes are no key share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Another length or version.
    #[error(
        "a key share at rest has {SHARE_BYTES} bytes and begins with its version, 1; restore it from a backup"
    )]
    Shape,
    /// A scalar that is zero or not reduced.
    #[error("a key share holds a value that is no valid scalar; restore it from a backup")]
    Scalar,
    /// The id 0, which would be the key itself.
    #[error("a key share belongs to a keeper with an id from 1 on")]
    Keeper,
}

impl KeyShare {
    /// The share that a key ceremony gave a keeper: one canonical scalar for each of
    /// [`Class::ALL`]. The caller wipes its copy.
    ///
    /// # Errors
    /// [`ShareError::Scalar`] and [`ShareError::Keeper`].
    pub fn new(
        generation: u32,
        reshare: u32,
        keeper: u16,
        secrets: &[[u8; 32]; 4],
    ) -> Result<Self, ShareError> {
        if keeper == 0 {
            return Err(ShareError::Keeper);
        }
        let mut share = Self {
            generation,
            reshare,
            keeper,
            secrets: [Scalar::ZERO; 4],
        };
        for (place, bytes) in share.secrets.iter_mut().zip(secrets) {
            let scalar = decode_scalar(*bytes).ok_or(ShareError::Scalar)?;
            if scalar == Scalar::ZERO {
                return Err(ShareError::Scalar);
            }
            *place = scalar;
        }
        Ok(share)
    }

    /// Fresh keys of a coalition with one keeper, which then knows them whole: 1 of 1, id 1.
    ///
    /// # Panics
    /// Never: a random scalar is zero with odds of 2^-252.
    pub fn found(
        generation: u32,
        keeper: NodeId,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> (Self, Keyset) {
        let secrets = [(); 4].map(|()| Scalar::random(rng));
        let share = Self {
            generation,
            reshare: 0,
            keeper: 1,
            secrets,
        };
        let classes = Class::ALL.map(|class| share.public(class));
        let keyset = Keyset::new(KeysetParts {
            generation,
            reshare: 0,
            threshold: 1,
            keepers: vec![Keeper {
                id: 1,
                node: keeper,
            }],
            classes: classes
                .map(|key| ClassKey {
                    group: key,
                    shares: vec![key],
                })
                .to_vec(),
        });
        (
            share,
            keyset.expect("one keeper with its own public keys is a consistent keyset"),
        )
    }

    /// The generation of the keyset that this share belongs to.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The reshare number of the keyset that this share belongs to.
    #[must_use]
    pub fn reshare(&self) -> u32 {
        self.reshare
    }

    /// The keeper's id.
    #[must_use]
    pub fn keeper(&self) -> u16 {
        self.keeper
    }

    /// `V_i` of a class, as the keyset must show it.
    #[must_use]
    pub fn public(&self, class: Class) -> PublicKey {
        PublicKey(RistrettoPoint::mul_base(self.secret(class)).compress().0)
    }

    /// Whether this is the share that a keyset lists for its keeper, in every class.
    #[must_use]
    pub fn belongs_to(&self, keyset: &Keyset) -> bool {
        let same = (self.generation, self.reshare) == (keyset.generation(), keyset.reshare());
        let fits = |class| {
            let listed = keyset.share(class, self.keeper);
            listed.is_some_and(|listed| listed == RistrettoPoint::mul_base(self.secret(class)))
        };
        same && Class::ALL.into_iter().all(fits)
    }

    /// `k_i` of a class.
    pub(super) fn secret(&self, class: Class) -> &Scalar {
        self.secrets
            .get(class.index())
            .expect("a share has all four classes")
    }

    /// The bytes to seal and store.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(SHARE_BYTES));
        bytes.push(SHARE_VERSION);
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(&self.reshare.to_be_bytes());
        bytes.extend_from_slice(&self.keeper.to_be_bytes());
        for secret in &self.secrets {
            bytes.extend_from_slice(secret.as_bytes());
        }
        bytes
    }

    /// Reads what [`KeyShare::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`ShareError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ShareError> {
        let (&version, rest) = bytes.split_first().ok_or(ShareError::Shape)?;
        let (generation, rest) = rest.split_first_chunk().ok_or(ShareError::Shape)?;
        let (reshare, rest) = rest.split_first_chunk().ok_or(ShareError::Shape)?;
        let (keeper, rest) = rest.split_first_chunk().ok_or(ShareError::Shape)?;
        if version != SHARE_VERSION || rest.len() != 4 * 32 {
            return Err(ShareError::Shape);
        }
        let mut secrets = Zeroizing::new([[0; 32]; 4]);
        for (place, chunk) in secrets.iter_mut().zip(rest.chunks_exact(32)) {
            place.copy_from_slice(chunk);
        }
        let [generation, reshare] = [generation, reshare].map(|number| u32::from_be_bytes(*number));
        Self::new(generation, reshare, u16::from_be_bytes(*keeper), &secrets)
    }
}

impl Drop for KeyShare {
    fn drop(&mut self) {
        self.secrets.zeroize();
    }
}

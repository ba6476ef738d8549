//! The key with which a node signs inside MLS.

use openmls_traits::{
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

/// A node's `mls` key: Ed25519 (RFC 8032).
///
/// Only the seed is kept, in memory that is wiped; the expanded key lives for one signature.
pub struct MlsKey {
    seed: Zeroizing<[u8; 32]>,
    public: [u8; 32],
}

impl MlsKey {
    /// The key that belongs to a seed (RFC 8032: the private key).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("every 32 bytes are a seed");
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .expect("an Ed25519 public key has 32 bytes");
        Self {
            seed: Zeroizing::new(*seed),
            public,
        }
    }

    /// The public key, as the identity document shows it.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.public
    }
}

impl Signer for MlsKey {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        let pair = Ed25519KeyPair::from_seed_and_public_key(self.seed.as_slice(), &self.public)
            .map_err(|_| SignerError::SigningError)?;
        Ok(pair.sign(payload).as_ref().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

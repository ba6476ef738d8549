//! Sealing at rest: ChaCha20-Poly1305 under the node's key, bound to table, row and column.
//!
//! The key lies in a file beside the configuration (mode 0600) or comes from the environment; a
//! copy of the database alone opens nothing that is sealed.

use rand_core::{CryptoRng, RngCore};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroize;

/// The key that seals secrets of one node.
pub struct RestKey(LessSafeKey);

impl std::fmt::Debug for RestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RestKey")
    }
}

/// A sealed value that does not open: another key, another row, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a sealed value does not open: the key file is another node's, or the database was changed"
)]
pub struct SealedError;

impl RestKey {
    /// The key from its 32 bytes, which are wiped.
    #[must_use]
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).expect("32 bytes are a key");
        bytes.zeroize();
        Self(LessSafeKey::new(key))
    }

    /// Seals a value for one place: a table, a row and a column, as one text.
    pub fn seal(&self, place: &str, value: &[u8], rng: &mut (impl RngCore + CryptoRng)) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let mut bytes = value.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place),
                &mut bytes,
            )
            .expect("a value is shorter than the cipher's limit");
        [nonce.as_slice(), &bytes].concat()
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// [`SealedError`] when key or place are others, or a bit changed.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, SealedError> {
        let (nonce, bytes) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealedError)?;
        let mut bytes = bytes.to_vec();
        let opened = self
            .0
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(place),
                &mut bytes,
            )
            .map_err(|_| SealedError)?;
        Ok(opened.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_only_in_its_own_place_and_under_its_own_key() {
        let key = RestKey::new([1; 32]);
        let sealed = key.seal("secret/a", b"value", &mut crate::ambient::rng());
        assert_eq!(key.open("secret/a", &sealed), Ok(b"value".to_vec()));
        assert_eq!(key.open("secret/b", &sealed), Err(SealedError));
        assert_eq!(
            RestKey::new([2; 32]).open("secret/a", &sealed),
            Err(SealedError)
        );
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let key = RestKey::new([1; 32]);
        let sealed = key.seal("p", b"value", &mut crate::ambient::rng());
        for n in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[n] ^= 1;
            assert_eq!(key.open("p", &changed), Err(SealedError));
        }
    }
}

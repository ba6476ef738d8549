//! Sealing: bytes that only named recipients can open (the age format, X25519 recipients).
//!
//! A share is sealed to its recipients' keys alone. What the whole coalition may read, such as a
//! token set, is sealed to a fresh [`AgeIdentity`] that travels in the MLS-encrypted entry. Sealing
//! hides; it does not say who sealed: the entry that announces the hash does.
//!
//! age draws its own randomness from the operating system: it takes no generator. This is the one
//! place in the crate where the same call gives different bytes. Identities are drawn from the
//! caller's generator. Spec: identity.md, section 5.

use crate::{
    identity::PublicKey,
    limits::{MEMBERS_MAX, SEAL_HEADER_BYTES},
};
use bech32::{FromBase32, ToBase32, Variant};
use curve25519_dalek::montgomery::MontgomeryPoint;
use rand_core::{CryptoRng, RngCore};
use std::{
    fmt,
    io::{Read, Write},
    str::FromStr,
};
use zeroize::{Zeroize, Zeroizing};

/// The human-readable part of a printed recipient.
const RECIPIENT_PREFIX: &str = "age";
/// The human-readable part of a printed identity; capitals are printed, either case is read.
const IDENTITY_PREFIX: &str = "age-secret-key-";

/// Why sealing or opening failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Sealed to nobody would be lost.
    #[error("there is no recipient to seal to")]
    NoRecipient,
    /// More recipients than a coalition has members.
    #[error("sealed bytes have at most {MEMBERS_MAX} recipients, not {found}")]
    TooManyRecipients {
        /// What was asked for.
        found: usize,
    },
    /// A key that protects nothing.
    #[error("this recipient key is one of the few that protect nothing; ask for the right one")]
    WeakRecipient,
    /// A text that is no recipient or no identity.
    #[error("this is no age X25519 {what} in Bech32 form")]
    Text {
        /// Recipient or identity.
        what: &'static str,
    },
    /// Sealed, but to others.
    #[error("these bytes are not sealed to this identity")]
    NotForMe,
    /// Not in the age format, cut off, or changed.
    #[error("these sealed bytes are damaged or not in the age format; fetch them again")]
    Damaged,
    /// More inside than the caller wants.
    #[error("there are more than {limit} bytes inside")]
    TooLarge {
        /// The caller's limit.
        limit: usize,
    },
}

/// A public key to which bytes are sealed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgeRecipient([u8; 32]);

impl AgeRecipient {
    /// Takes an X25519 public key from an identity document.
    ///
    /// # Errors
    /// [`SealError::WeakRecipient`] for a point of small order: everybody knows the secret that it
    /// leads to, and age stops the whole program rather than seal to it.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, SealError> {
        let shared = MontgomeryPoint(bytes).mul_clamped([1; 32]);
        if shared.0 == [0; 32] {
            Err(SealError::WeakRecipient)
        } else {
            Ok(Self(bytes))
        }
    }

    /// The key as identity documents carry it.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        PublicKey(self.0)
    }

    fn to_age(self) -> age::x25519::Recipient {
        self.to_string()
            .parse()
            .expect("Bech32 of 32 bytes is a recipient")
    }
}

impl fmt::Display for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = bech32::encode(RECIPIENT_PREFIX, self.0.to_base32(), Variant::Bech32);
        f.write_str(&text.expect("the prefix is lower case"))
    }
}

impl fmt::Debug for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgeRecipient({self})")
    }
}

impl FromStr for AgeRecipient {
    type Err = SealError;
    fn from_str(text: &str) -> Result<Self, SealError> {
        let bytes = read_bech32(RECIPIENT_PREFIX, text.trim());
        Self::from_bytes(*bytes.ok_or(SealError::Text { what: "recipient" })?)
    }
}

/// A secret key that opens what is sealed to its recipient. It has no `Debug` and no `Serialize`
/// and is wiped when it goes out of scope.
pub struct AgeIdentity(Zeroizing<[u8; 32]>);

impl AgeIdentity {
    /// A fresh identity from the caller's generator: one per coalition-wide token set.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut());
        Self(bytes)
    }

    /// The identity with these 32 secret bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// The secret bytes, as an entry carries them to the whole coalition.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.clone()
    }

    /// The secret in the spelling of the age tools, for sealed storage and backups.
    #[must_use]
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        let text = bech32::encode(IDENTITY_PREFIX, self.0.to_base32(), Variant::Bech32);
        let mut lower = text.expect("the prefix is lower case");
        let upper = Zeroizing::new(lower.to_ascii_uppercase());
        lower.zeroize();
        upper
    }

    /// Reads what [`Self::to_secret_text`] or `age-keygen` wrote.
    ///
    /// # Errors
    /// [`SealError::Text`]; the text is not repeated.
    pub fn from_secret_text(text: &str) -> Result<Self, SealError> {
        let bytes = read_bech32(IDENTITY_PREFIX, text.trim());
        bytes.map(Self).ok_or(SealError::Text { what: "identity" })
    }

    /// To whom others seal so that this identity can open.
    #[must_use]
    pub fn recipient(&self) -> AgeRecipient {
        AgeRecipient(MontgomeryPoint::mul_base_clamped(*self.0).0)
    }

    fn to_age(&self) -> age::x25519::Identity {
        self.to_secret_text()
            .parse()
            .expect("Bech32 of 32 bytes is an identity")
    }
}

fn read_bech32(prefix: &str, text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let (found, data, variant) = bech32::decode(text).ok()?;
    let bytes = Zeroizing::new(Vec::<u8>::from_base32(&data).ok()?);
    let right_kind = found.eq_ignore_ascii_case(prefix) && variant == Variant::Bech32;
    let bytes: [u8; 32] = bytes.as_slice().try_into().ok().filter(|_| right_kind)?;
    Some(Zeroizing::new(bytes))
}

/// Seals bytes so that each of the recipients can open them and nobody else.
///
/// # Errors
/// [`SealError::NoRecipient`] or [`SealError::TooManyRecipients`].
pub fn seal(plaintext: &[u8], recipients: &[AgeRecipient]) -> Result<Vec<u8>, SealError> {
    if recipients.len() > MEMBERS_MAX {
        return Err(SealError::TooManyRecipients {
            found: recipients.len(),
        });
    }
    let recipients: Vec<_> = recipients
        .iter()
        .map(|recipient| recipient.to_age())
        .collect();
    let each = recipients
        .iter()
        .map(|recipient| recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(each).map_err(|_| SealError::NoRecipient)?;
    let mut sealed = Vec::with_capacity(plaintext.len() + 1_024);
    let mut writer = encryptor
        .wrap_output(&mut sealed)
        .expect("writing to memory cannot fail");
    writer
        .write_all(plaintext)
        .expect("writing to memory cannot fail");
    writer.finish().expect("writing to memory cannot fail");
    Ok(sealed)
}

/// Opens sealed bytes, if no more than `max_bytes` are inside.
///
/// # Errors
/// [`SealError`]: sealed to others, damaged (each chunk is authenticated, and so is the end), or
/// too large, which is noticed after reading one byte over the limit.
pub fn open(sealed: &[u8], identity: &AgeIdentity, max_bytes: usize) -> Result<Vec<u8>, SealError> {
    let start = sealed.get(..SEAL_HEADER_BYTES).unwrap_or(sealed);
    if !start.windows(5).any(|window| window == b"\n--- ") {
        return Err(SealError::Damaged); // a header without end, refused before it is parsed
    }
    let decryptor = age::Decryptor::new_buffered(sealed).map_err(|_| SealError::Damaged)?;
    let identity = identity.to_age();
    let reader = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity));
    let reader = reader.map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => SealError::NotForMe,
        _ => SealError::Damaged,
    })?;
    let mut plaintext = Vec::with_capacity(max_bytes.min(sealed.len()));
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX);
    let read = reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut plaintext);
    read.map_err(|_| SealError::Damaged)?;
    if plaintext.len() > max_bytes {
        plaintext.zeroize();
        return Err(SealError::TooLarge { limit: max_bytes });
    }
    Ok(plaintext)
}

/// Seals what is written to it, for one recipient; it is whole only after [`SealedWriter::finish`].
pub struct SealedWriter<W: Write>(age::stream::StreamWriter<W>);

impl<W: Write> SealedWriter<W> {
    /// Begins to seal.
    ///
    /// # Errors
    /// When the output does not take the header.
    pub fn new(output: W, recipient: AgeRecipient) -> std::io::Result<Self> {
        let recipient = recipient.to_age();
        let each = std::iter::once(&recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(each).map_err(std::io::Error::other)?;
        Ok(Self(encryptor.wrap_output(output)?))
    }

    /// Ends it and gives the output back.
    ///
    /// # Errors
    /// When the output does not take the end.
    pub fn finish(self) -> std::io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write> fmt::Debug for SealedWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedWriter")
    }
}

/// Opens what a [`SealedWriter`] wrote; a part that was changed or cut off fails to read.
///
/// # Errors
/// [`SealError::NotForMe`] or [`SealError::Damaged`].
pub fn opened(
    input: impl std::io::BufRead,
    identity: &AgeIdentity,
) -> Result<impl Read, SealError> {
    let decryptor = age::Decryptor::new_buffered(input).map_err(|_| SealError::Damaged)?;
    let identity = identity.to_age();
    decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => SealError::NotForMe,
            _ => SealError::Damaged,
        })
}

#[cfg(test)]
mod tests;

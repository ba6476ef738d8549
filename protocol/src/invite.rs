//! The invite code: everything that a newcomer needs, as text to send over any channel.
//!
//! `ct1-` and base32 in groups of four. Inside are the length, canonical CBOR, and at the end four
//! characters of checksum, so that a lost line and a typing error are told apart. Whoever holds
//! the code may ask to join once; members still compare digits by phone and approve.
//! Spec: identity.md, section 7.

use crate::{
    codec::{Canonical, CodecError, decode, encode},
    id::{CoalitionId, Hash, NodeId, from_base32, to_base32},
    identity::{Endpoint, Name},
    limits::{INVITE_BYTES, INVITE_TEXT_BYTES},
    sign::LogPoint,
    time::Moment,
};
use minicbor::{Decode, Encode};
use rand_core::{CryptoRng, RngCore};
use std::{fmt, fmt::Write, str::FromStr};

/// The version in the prefix and in the bytes.
const VERSION: u8 = 1;
/// What every code begins with, before its version.
const PREFIX: &str = "ct";
const CHECKSUM_CHARACTERS: usize = 4;
const GROUP: usize = 4;
/// Two bytes of length before the CBOR bytes.
const LENGTH_BYTES: usize = 2;

/// A secret of 128 bits that is good for one join. The log holds its hash alone.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct InviteToken(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

impl InviteToken {
    /// A fresh token from the caller's generator.
    pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// What the log and the keepers know of the token.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(&[b"commonturf invite token v1\0".as_slice(), &self.0].concat())
    }
}

impl fmt::Debug for InviteToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteToken(hidden)")
    }
}

/// What an invite says. Printing it shows the secret code.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Invite {
    #[n(0)]
    version: u8,
    /// The coalition to join.
    #[n(1)]
    pub coalition: CoalitionId,
    /// What its members call it.
    #[n(2)]
    pub coalition_name: Name,
    /// Who invites.
    #[n(3)]
    pub inviter: NodeId,
    /// The keeper to ask.
    #[n(4)]
    pub keeper: NodeId,
    /// Where that keeper is reached.
    #[n(5)]
    pub keeper_url: Endpoint,
    /// The secret that is good for one join.
    #[n(6)]
    pub token: InviteToken,
    /// Until when; the caller compares it with log time.
    #[n(7)]
    pub expires: Moment,
    /// Where the log stood, as the inviter saw it: a keeper that shows another history is caught.
    #[n(8)]
    pub log: LogPoint,
}

impl Canonical for Invite {
    const WHAT: &'static str = "invite";
    const MAX_BYTES: usize = INVITE_BYTES;
}

/// What an [`Invite`] is made of, the version apart.
#[derive(Clone, Debug)]
pub struct InviteParts {
    /// The coalition to join.
    pub coalition: CoalitionId,
    /// What its members call it.
    pub coalition_name: Name,
    /// Who invites.
    pub inviter: NodeId,
    /// The keeper to ask.
    pub keeper: NodeId,
    /// Where that keeper is reached.
    pub keeper_url: Endpoint,
    /// The secret that is good for one join.
    pub token: InviteToken,
    /// Until when.
    pub expires: Moment,
    /// Where the log stood.
    pub log: LogPoint,
}

impl From<InviteParts> for Invite {
    fn from(parts: InviteParts) -> Self {
        let InviteParts {
            coalition,
            coalition_name,
            inviter,
            keeper,
            keeper_url,
            token,
            expires,
            log,
        } = parts;
        Self {
            version: VERSION,
            coalition,
            coalition_name,
            inviter,
            keeper,
            keeper_url,
            token,
            expires,
            log,
        }
    }
}

/// Why a text is no invite code. No part of the code is repeated: it is a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// Something else was pasted.
    #[error("an invite code begins with ct1-; copy it from the first character on")]
    NotAnInvite,
    /// From a program of another version.
    #[error(
        "this invite code has version {found}, this program reads version 1; upgrade the older of the two"
    )]
    OtherVersion {
        /// What stands after `ct`.
        found: u32,
    },
    /// More text than any code has.
    #[error("an invite code has at most {INVITE_TEXT_BYTES} characters; copy the code alone")]
    TooLong,
    /// A character that no code has.
    #[error(
        "character {position} is not one that an invite code has (a to z, 2 to 7); compare it with the original"
    )]
    Character {
        /// Counted from one, without spaces and dashes.
        position: usize,
    },
    /// Fewer characters than the code says.
    #[error(
        "this invite code was cut off: it has {found} of {expected} characters; copy it again, whole"
    )]
    CutOff {
        /// What was given.
        found: usize,
        /// What the code itself says.
        expected: usize,
    },
    /// More characters than the code says.
    #[error("{extra} characters follow after the end of the invite code; copy the code alone")]
    Trailing {
        /// How many too many.
        extra: usize,
    },
    /// The checksum does not fit.
    #[error(
        "a character of this invite code is wrong; compare it with the original, or copy it again"
    )]
    Typo,
    /// The checksum fits, the content does not.
    #[error("this invite code is whole but cannot be read: {0}")]
    Content(#[from] CodecError),
}

impl Invite {
    /// What the log and the keepers know of the token.
    #[must_use]
    pub fn token_hash(&self) -> Hash {
        self.token.hash()
    }
}

impl fmt::Display for Invite {
    /// The code to send.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = encode(self);
        let length = u16::try_from(content.len()).map_err(|_| fmt::Error)?;
        let body = to_base32(&[length.to_be_bytes().as_slice(), &content].concat());
        write!(f, "{PREFIX}{VERSION}")?;
        for (at, letter) in body.chars().chain(checksum(&body).chars()).enumerate() {
            if at % GROUP == 0 {
                f.write_char('-')?;
            }
            f.write_char(letter)?;
        }
        Ok(())
    }
}

impl FromStr for Invite {
    type Err = InviteError;

    /// Reads a code in any case, with spaces, line breaks and dashes wherever they fell.
    fn from_str(text: &str) -> Result<Self, InviteError> {
        if text.len() > INVITE_TEXT_BYTES {
            return Err(InviteError::TooLong);
        }
        let rest = after_prefix(text)?;
        let letters: String = rest
            .chars()
            .filter(|c| !is_filler(*c))
            .map(|c| c.to_ascii_lowercase())
            .collect();
        if let Some(at) = letters
            .chars()
            .position(|c| !matches!(c, 'a'..='z' | '2'..='7'))
        {
            return Err(InviteError::Character { position: at + 1 });
        }
        check_length(&letters)?;
        let (body, sum) = letters
            .split_at_checked(letters.len() - CHECKSUM_CHARACTERS)
            .ok_or(InviteError::Typo)?;
        if checksum(body) != sum {
            return Err(InviteError::Typo);
        }
        let bytes = from_base32(body).map_err(|_| InviteError::Typo)?;
        let invite: Self = decode(bytes.get(LENGTH_BYTES..).unwrap_or_default())?;
        if invite.version != VERSION {
            return Err(InviteError::OtherVersion {
                found: invite.version.into(),
            });
        }
        Ok(invite)
    }
}

/// Dashes of all kinds, white space and invisible characters: what mail programs add.
fn is_filler(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '-' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{feff}')
}

/// What follows `ct1-`. The dash is required: without it nothing says where the version ends.
fn after_prefix(text: &str) -> Result<&str, InviteError> {
    let text = text.trim_start_matches(is_filler);
    let start = text
        .get(..PREFIX.len())
        .filter(|start| start.eq_ignore_ascii_case(PREFIX));
    let rest = start
        .and_then(|_| text.get(PREFIX.len()..))
        .ok_or(InviteError::NotAnInvite)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (version, rest) = rest
        .split_at_checked(digits)
        .ok_or(InviteError::NotAnInvite)?;
    let found: u32 = version.parse().map_err(|_| InviteError::NotAnInvite)?;
    if !rest.starts_with(is_filler) && !rest.is_empty() {
        return Err(InviteError::NotAnInvite);
    }
    if found != u32::from(VERSION) {
        return Err(InviteError::OtherVersion { found });
    }
    Ok(rest)
}

/// Compares the number of letters with the length that the first of them spell.
fn check_length(letters: &str) -> Result<(), InviteError> {
    let found = letters.len();
    let shortest = base32_length(LENGTH_BYTES) + CHECKSUM_CHARACTERS;
    let mut values = letters.bytes().map(base32_value);
    // Three letters carry 15 of the 16 bits, the fourth the last one.
    let mut next = || {
        values.next().ok_or(InviteError::CutOff {
            found,
            expected: shortest,
        })
    };
    let (a, b, c, d) = (next()?, next()?, next()?, next()?);
    let content = (a << 11) | (b << 6) | (c << 1) | (d >> 4);
    if content > INVITE_BYTES {
        return Err(InviteError::Typo);
    }
    let expected = base32_length(LENGTH_BYTES + content) + CHECKSUM_CHARACTERS;
    match found {
        _ if found < expected => Err(InviteError::CutOff { found, expected }),
        _ if found > expected => Err(InviteError::Trailing {
            extra: found - expected,
        }),
        _ => Ok(()),
    }
}

fn base32_value(letter: u8) -> usize {
    match letter {
        b'a'..=b'z' => usize::from(letter - b'a'),
        _ => usize::from(letter.saturating_sub(b'2')) + 26,
    }
}

fn base32_length(bytes: usize) -> usize {
    (bytes * 8).div_ceil(5)
}

/// Twenty bits: a slip of the hand passes once in a million.
fn checksum(body: &str) -> String {
    let digest = Hash::of(&[b"commonturf invite v1\0".as_slice(), body.as_bytes()].concat());
    to_base32(&digest.0)
        .chars()
        .take(CHECKSUM_CHARACTERS)
        .collect()
}

#[cfg(test)]
mod tests;

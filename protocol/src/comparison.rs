//! The digits that two people compare on the telephone before a newcomer comes in.
//!
//! Both nodes work them out alone: the newcomer from its invite code and what it asked with, the
//! inviter from the folded state. They are equal only if both mean the same coalition, the same
//! inviter, the same invitation and the same newcomer. Spec: identity.md, section 8.

use crate::{
    codec::encode,
    id::{CoalitionId, Hash, NodeId},
    invite::InviteToken,
    state::{State, rows::JoinRow},
};
use std::{fmt, str::FromStr};

/// What goes before the hashed bytes.
const DOMAIN: &[u8] = b"commonturf comparison v1\0";
/// How many digits are compared: 79.7 bits.
pub const DIGITS: usize = 24;
/// How many stand together.
const GROUP: usize = 4;
/// Ten to the power of [`DIGITS`].
const MODULUS: u128 = 1_000_000_000_000_000_000_000_000;

/// All that must be the same at both ends, in 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison(pub Hash);

/// What both ends must mean alike.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    /// The coalition.
    pub coalition: CoalitionId,
    /// What it is called.
    pub coalition_name: &'a str,
    /// Who invites: its id stands for the root key behind every document that it will ever have.
    pub inviter: NodeId,
    /// The hash of the invitation's token.
    pub token: Hash,
    /// The newcomer's signed identity document, encoded.
    pub document: &'a [u8],
    /// The newcomer's MLS key package. It is fresh for every request, so nobody knows the digits of
    /// a request before it is made.
    pub key_package: &'a [u8],
}

impl Comparison {
    /// What two ends compare.
    #[must_use]
    pub fn of(compared: &Compared<'_>) -> Self {
        let bytes = [
            DOMAIN,
            &compared.coalition.0,
            &Hash::of(compared.coalition_name.as_bytes()).0,
            &compared.inviter.0,
            &compared.token.0,
            &Hash::of(compared.document).0,
            &Hash::of(compared.key_package).0,
        ]
        .concat();
        Self(Hash::of(&bytes))
    }

    /// What the inviter compares of a newcomer that waits.
    #[must_use]
    pub fn of_newcomer(state: &State, join: &JoinRow) -> Self {
        let meta = state.meta();
        Self::of(&Compared {
            coalition: meta.coalition,
            coalition_name: &meta.name,
            inviter: join.inviter,
            token: join.token_hash,
            document: &join.document,
            key_package: &join.key_package,
        })
    }

    /// What the newcomer compares of its own request.
    #[must_use]
    pub fn of_request(
        invite: &crate::invite::Invite,
        document: &crate::identity::SignedDocument,
        key_package: &[u8],
    ) -> Self {
        Self::of(&Compared {
            coalition: invite.coalition,
            coalition_name: invite.coalition_name.as_str(),
            inviter: invite.inviter,
            token: InviteToken::hash(&invite.token),
            document: &encode(document),
            key_package,
        })
    }

    /// What people read to each other.
    #[must_use]
    pub fn digits(&self) -> Digits {
        let mut first = [0; 16];
        for (to, from) in first.iter_mut().zip(self.0.0) {
            *to = from;
        }
        Digits(u128::from_be_bytes(first) % MODULUS)
    }
}

/// 24 digits in groups of four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits(u128);

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0width$}", self.0, width = DIGITS);
        for (n, digit) in digits.chars().enumerate() {
            if n > 0 && n % GROUP == 0 {
                f.write_str(" ")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// A text that is not the digits to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these are not the digits to compare: there are {DIGITS} of them, in groups of {GROUP}")]
pub struct DigitsError;

impl FromStr for Digits {
    type Err = DigitsError;

    /// Reads digits as they are typed: spaces, dashes and dots between them do not matter.
    fn from_str(text: &str) -> Result<Self, DigitsError> {
        let between =
            |letter: &char| letter.is_whitespace() || ['-', '.', '\u{2013}'].contains(letter);
        let digits: String = text.chars().filter(|letter| !between(letter)).collect();
        if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DigitsError);
        }
        digits.parse().map(Self).map_err(|_| DigitsError)
    }
}

impl serde::Serialize for Digits {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared<'a>() -> Compared<'a> {
        Compared {
            coalition: CoalitionId([1; 16]),
            coalition_name: "Riverside",
            inviter: NodeId([2; 32]),
            token: Hash([3; 32]),
            document: b"document",
            key_package: b"package",
        }
    }

    #[test]
    fn the_digits_of_a_known_request_are_these() {
        let comparison = Comparison::of(&compared());
        assert_eq!(
            comparison.digits().to_string(),
            "8943 0809 9921 8365 9904 7037"
        );
    }

    #[test]
    fn another_value_in_any_place_brings_other_digits() {
        let same = compared();
        let others = [
            Compared {
                coalition: CoalitionId([9; 16]),
                ..same
            },
            Compared {
                coalition_name: "Riverside 2",
                ..same
            },
            Compared {
                inviter: NodeId([9; 32]),
                ..same
            },
            Compared {
                token: Hash([9; 32]),
                ..same
            },
            Compared {
                document: b"documen",
                key_package: b"tpackage",
                ..same
            },
            Compared {
                key_package: b"another",
                ..same
            },
        ];
        let known = Comparison::of(&same).digits();
        for other in others {
            assert_ne!(Comparison::of(&other).digits(), known, "{other:?}");
        }
    }

    #[test]
    fn digits_are_read_as_people_type_them_and_nothing_else_is() {
        let digits = Digits(12_345_678_901_234_567_890_123);
        assert_eq!(digits.to_string(), "0123 4567 8901 2345 6789 0123");
        for text in [
            "0123 4567 8901 2345 6789 0123",
            "012345678901234567890123",
            " 0123-4567-8901-2345-6789-0123\n",
            "0123.4567 8901\u{2013}2345\t6789 0123",
        ] {
            assert_eq!(text.parse(), Ok(digits), "{text:?}");
        }
        for text in [
            "",
            "0123",
            "0123 4567 8901 2345 6789 012",
            "0123 4567 8901 2345 6789 01234",
            "0123 4567 8901 2345 6789 012a",
            "+123 4567 8901 2345 6789 0123",
            "\u{0661}123 4567 8901 2345 6789 0123",
        ] {
            assert_eq!(text.parse::<Digits>(), Err(DigitsError), "{text:?}");
        }
    }
}

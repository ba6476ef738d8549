//! From a stored point to the tokens that members compare. Section 5.

use super::{Class, bytes::put_lp};
use crate::id::{CoalitionId, IdError, from_base32, to_base32};
use minicbor::{Decode, Encode};
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

/// `N`: what a value became under the coalition's key. Stored sealed, never sent; a rotation needs
/// it. Prints nothing of itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point(pub [u8; 32]);

impl Point {
    /// The token by which claims, contact reports and suppressions meet in the fold.
    ///
    /// For many points of one class, make a [`TokenKey`] once.
    #[must_use]
    pub fn ground_token(&self, coalition: &CoalitionId, generation: u32, class: Class) -> Token {
        TokenKey::ground(coalition, generation, class).token(self)
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Point(..)")
    }
}

/// The key that turns points of one class into tokens for one purpose.
pub struct TokenKey(Zeroizing<[u8; 32]>);

impl TokenKey {
    /// Purpose `ground`, which all members share.
    #[must_use]
    pub fn ground(coalition: &CoalitionId, generation: u32, class: Class) -> Self {
        Self::derive(coalition, generation, class, "ground", &[])
    }

    /// Purpose `overlap`: only who knows the secret can join these lists.
    #[must_use]
    pub fn overlap(
        coalition: &CoalitionId,
        generation: u32,
        class: Class,
        secret: &[u8; 32],
    ) -> Self {
        Self::derive(coalition, generation, class, "overlap", secret)
    }

    fn derive(
        coalition: &CoalitionId,
        generation: u32,
        class: Class,
        purpose: &str,
        secret: &[u8],
    ) -> Self {
        let mut bound = Zeroizing::new(Vec::with_capacity(96));
        put_lp(&mut bound, &coalition.0);
        bound.extend_from_slice(&generation.to_be_bytes());
        put_lp(&mut bound, class.name().as_bytes());
        put_lp(&mut bound, purpose.as_bytes());
        put_lp(&mut bound, secret);
        Self(Zeroizing::new(blake3::derive_key(
            "commonturf match token v1",
            &bound,
        )))
    }

    /// The token of a point.
    #[must_use]
    pub fn token(&self, point: &Point) -> Token {
        let hash = blake3::keyed_hash(&self.0, &point.0);
        Token(
            *hash
                .as_bytes()
                .first_chunk()
                .expect("a hash has 32 bytes, a token the first 16"),
        )
    }
}

/// A match token: 16 bytes that are equal at all members for equal values of one class.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Token(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_base32(&self.0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

impl FromStr for Token {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let text = text.trim();
        let bytes = from_base32(text)?;
        bytes.try_into().map(Self).map_err(|_| IdError::Length {
            found: text.len(),
            expected: 26,
        })
    }
}

//! Rows that travel with an entry: inside it while they are few, in a sealed blob beyond that.
//!
//! Rows have a fixed width and stand in strictly rising order, so one set of rows has one spelling
//! and a reader finds a token by halving. Spec: section 5.3.

use crate::{blob::BlobId, channel::Channel, time::Moment, token::Token};
use minicbor::{Decode, Encode};

/// Rows up to this many bytes stay inside the entry.
pub const INLINE_BYTES: usize = 32 * 1024;
/// The most bytes of rows that one entry brings (a million tokens).
pub const PAYLOAD_BYTES: usize = 32 * 1024 * 1024;

/// Where the rows of an entry are.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Payload {
    /// In the entry.
    #[n(0)]
    Inline(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// In a blob, sealed to an age identity that only this entry names (coalition-wide), or to the
    /// recipient's own key (`identity` is absent).
    #[n(1)]
    Blob {
        /// The blob's content address.
        #[n(0)]
        blob: BlobId,
        /// Bytes of the rows after opening.
        #[n(1)]
        bytes: u64,
        /// The age identity that opens the blob.
        #[n(2)]
        identity: Option<String>,
    },
}

impl Payload {
    /// The blob that a reader must fetch, if any.
    #[must_use]
    pub fn blob(&self) -> Option<BlobId> {
        match self {
            Self::Inline(_) => None,
            Self::Blob { blob, .. } => Some(*blob),
        }
    }
}

/// Why the bytes of a payload are not its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowsError {
    /// A length that is no whole number of rows, none, or too many.
    #[error("the rows are cut off, missing or too many")]
    Length,
    /// Two rows are equal or out of order.
    #[error("the rows are not in rising order")]
    Order,
    /// A row has a value that means nothing.
    #[error("a row has an unknown code")]
    Code,
}

/// A row of fixed width.
pub trait Row: Copy + Ord {
    /// Bytes of one row.
    const WIDTH: usize;
    /// Appends the bytes of this row.
    fn write(&self, to: &mut Vec<u8>);
    /// Reads one row from exactly [`Row::WIDTH`] bytes.
    fn read(bytes: &[u8]) -> Option<Self>;
}

/// The bytes of some rows: sorted, each once.
#[must_use]
pub fn write_rows<R: Row>(rows: impl IntoIterator<Item = R>) -> Vec<u8> {
    let mut rows: Vec<R> = rows.into_iter().collect();
    rows.sort_unstable();
    rows.dedup();
    let mut bytes = Vec::with_capacity(rows.len() * R::WIDTH);
    for row in rows {
        row.write(&mut bytes);
    }
    bytes
}

/// Reads what [`write_rows`] wrote.
///
/// # Errors
/// [`RowsError`] for anything that [`write_rows`] would not have written, and for no rows at all.
pub fn read_rows<R: Row>(bytes: &[u8]) -> Result<Vec<R>, RowsError> {
    if bytes.is_empty() || bytes.len() > PAYLOAD_BYTES || !bytes.len().is_multiple_of(R::WIDTH) {
        return Err(RowsError::Length);
    }
    let rows: Vec<R> = bytes
        .chunks_exact(R::WIDTH)
        .map(R::read)
        .collect::<Option<_>>()
        .ok_or(RowsError::Code)?;
    if rows.is_sorted_by(|a, b| a < b) {
        Ok(rows)
    } else {
        Err(RowsError::Order)
    }
}

fn split_token(bytes: &[u8]) -> Option<(Token, &[u8])> {
    let (token, rest) = bytes.split_first_chunk::<16>()?;
    Some((Token(*token), rest))
}

impl Row for Token {
    const WIDTH: usize = 16;
    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.0);
    }
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(split_token(bytes)?.0)
    }
}

/// One contact point by two tokens, while an older generation closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenPair {
    /// By the generation in use.
    pub token: Token,
    /// By the generation that closes.
    pub before: Token,
}

impl Row for TokenPair {
    const WIDTH: usize = 32;
    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.token.0);
        to.extend_from_slice(&self.before.0);
    }
    fn read(bytes: &[u8]) -> Option<Self> {
        let (token, rest) = split_token(bytes)?;
        let (before, rest) = split_token(rest)?;
        rest.is_empty().then_some(Self { token, before })
    }
}

/// What happened at a contact point (spec section 5.6; the effect classes of canvass results).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum ContactEffect {
    /// Tried, nobody reached.
    #[n(0)]
    Attempt,
    /// Somebody was reached.
    #[n(1)]
    Contact,
}

/// One attempt in a contact report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContactRow {
    /// The contact point.
    pub token: Token,
    /// When; where only the day is known, the day's end, so that the whole day counts.
    pub at: Moment,
    /// What came of it.
    pub effect: ContactEffect,
}

impl Row for ContactRow {
    const WIDTH: usize = 25;
    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.token.0);
        to.extend_from_slice(&self.at.0.to_be_bytes());
        to.push(match self.effect {
            ContactEffect::Attempt => 0,
            ContactEffect::Contact => 1,
        });
    }
    fn read(bytes: &[u8]) -> Option<Self> {
        let (token, rest) = split_token(bytes)?;
        let (at, rest) = rest.split_first_chunk::<8>()?;
        let effect = match rest {
            [0] => ContactEffect::Attempt,
            [1] => ContactEffect::Contact,
            _ => return None,
        };
        Some(Self {
            token,
            at: Moment(i64::from_be_bytes(*at)),
            effect,
        })
    }
}

/// A set of channels, one bit each in the order of [`Channel::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Channels(#[n(0)] pub u8);

impl Channels {
    /// All four.
    pub const EVERY: Self = Self(0b1111);

    /// The set of one channel.
    #[must_use]
    pub fn only(channel: Channel) -> Self {
        Self(match channel {
            Channel::Door => 1,
            Channel::Phone => 2,
            Channel::Text => 4,
            Channel::Email => 8,
        })
    }

    /// Whether a channel is in the set.
    #[must_use]
    pub fn has(self, channel: Channel) -> bool {
        self.0 & Self::only(channel).0 != 0
    }

    /// Both sets together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set less another.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The channels in the set.
    pub fn iter(self) -> impl Iterator<Item = Channel> {
        Channel::ALL
            .into_iter()
            .filter(move |channel| self.has(*channel))
    }
}

impl FromIterator<Channel> for Channels {
    fn from_iter<I: IntoIterator<Item = Channel>>(channels: I) -> Self {
        channels.into_iter().fold(Self::default(), |set, channel| {
            set.with(Self::only(channel))
        })
    }
}

/// One assertion in a suppression, or its withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SuppressionRow {
    /// The contact point or person.
    pub token: Token,
    /// On which channels.
    pub channels: Channels,
    /// Said to have died: in force once two organizations say so.
    pub deceased: bool,
}

impl Row for SuppressionRow {
    const WIDTH: usize = 18;
    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.token.0);
        to.push(self.channels.0);
        to.push(u8::from(self.deceased));
    }
    fn read(bytes: &[u8]) -> Option<Self> {
        let (token, rest) = split_token(bytes)?;
        let (channels, deceased) = match rest {
            [channels, deceased @ (0 | 1)] => (Channels(*channels), *deceased == 1),
            _ => return None,
        };
        let known = channels.without(Channels::EVERY).is_empty();
        (known && (deceased || !channels.is_empty())).then_some(Self {
            token,
            channels,
            deceased,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(n: u8) -> Token {
        Token([n; 16])
    }

    #[test]
    fn rows_are_written_in_order_and_once() {
        let bytes = write_rows([token(2), token(1), token(2)]);
        assert_eq!(read_rows::<Token>(&bytes), Ok(vec![token(1), token(2)]));
    }

    #[test]
    fn rows_out_of_order_are_refused() {
        let bytes = [token(2).0, token(1).0].concat();
        assert_eq!(read_rows::<Token>(&bytes), Err(RowsError::Order));
    }

    #[test]
    fn a_repeated_row_is_refused() {
        let bytes = [token(1).0, token(1).0].concat();
        assert_eq!(read_rows::<Token>(&bytes), Err(RowsError::Order));
    }

    #[test]
    fn a_cut_row_and_no_row_at_all_are_refused() {
        assert_eq!(read_rows::<Token>(&[1; 17]), Err(RowsError::Length));
        assert_eq!(read_rows::<Token>(&[]), Err(RowsError::Length));
    }

    #[test]
    fn an_unknown_effect_is_refused() {
        let mut bytes = write_rows([ContactRow {
            token: token(1),
            at: Moment(5),
            effect: ContactEffect::Contact,
        }]);
        *bytes.last_mut().unwrap() = 2;
        assert_eq!(read_rows::<ContactRow>(&bytes), Err(RowsError::Code));
    }

    #[test]
    fn a_suppression_of_no_channel_or_of_an_unknown_one_is_refused() {
        for channels in [0, 0b1_0000] {
            let bytes = [token(1).0.as_slice(), &[channels, 0]].concat();
            assert_eq!(read_rows::<SuppressionRow>(&bytes), Err(RowsError::Code));
        }
    }
}

//! The t keepers that answer one batch together. Section 3.1.

use super::{MAX_KEEPERS, keyset::Keyset};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// Keeper ids in rising order, each once, none of them 0. Whether they fit a keyset, see
/// [`Keyset::quorum`] and [`Keyset::admits`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quorum(Vec<u16>);

/// Why some ids are no quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    /// Out of order, twice the same, or the id 0.
    #[error("the keepers of a quorum are named in rising order, each once, from 1 on")]
    Order,
    /// Another number of keepers than the threshold.
    #[error("a quorum of this keyset has {threshold} keepers, this has {found}")]
    Size {
        /// The keyset's t.
        threshold: usize,
        /// How many were named.
        found: usize,
    },
    /// An id that the keyset does not have.
    #[error("keeper {0} is not in this keyset")]
    Unknown(u16),
}

impl Quorum {
    /// Checks the order of some ids.
    ///
    /// # Errors
    /// [`QuorumError::Order`], or [`QuorumError::Size`] beyond [`MAX_KEEPERS`].
    pub fn new(ids: Vec<u16>) -> Result<Self, QuorumError> {
        if ids.len() > MAX_KEEPERS {
            return Err(QuorumError::Size {
                threshold: MAX_KEEPERS,
                found: ids.len(),
            });
        }
        let rising = ids.iter().zip(ids.iter().skip(1)).all(|(a, b)| a < b);
        if !rising || ids.first().is_none_or(|&first| first == 0) {
            return Err(QuorumError::Order);
        }
        Ok(Self(ids))
    }

    /// The ids, rising.
    #[must_use]
    pub fn ids(&self) -> &[u16] {
        &self.0
    }

    /// Whether a keeper takes part.
    #[must_use]
    pub fn contains(&self, keeper: u16) -> bool {
        self.0.contains(&keeper)
    }
}

impl Keyset {
    /// The quorum of some of this keyset's keepers, in any order.
    ///
    /// # Errors
    /// [`QuorumError`]: not t of them, one twice, or one unknown.
    pub fn quorum(&self, ids: &[u16]) -> Result<Quorum, QuorumError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let quorum = Quorum::new(ids)?;
        self.admits(&quorum)?;
        Ok(quorum)
    }

    /// Checks that a quorum is t keepers of this keyset.
    ///
    /// # Errors
    /// [`QuorumError::Size`] and [`QuorumError::Unknown`].
    pub fn admits(&self, quorum: &Quorum) -> Result<(), QuorumError> {
        let threshold = usize::from(self.threshold());
        if quorum.0.len() != threshold {
            return Err(QuorumError::Size {
                threshold,
                found: quorum.0.len(),
            });
        }
        match quorum.0.iter().find(|&&id| self.keeper(id).is_none()) {
            Some(&unknown) => Err(QuorumError::Unknown(unknown)),
            None => Ok(()),
        }
    }
}

impl<C> Encode<C> for Quorum {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.0.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Quorum {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        Self::new(Vec::decode(d, ctx)?).map_err(|error| decode::Error::custom(error).at(at))
    }
}

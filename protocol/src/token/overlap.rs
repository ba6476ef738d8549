//! Counting what lists have in common without showing them: PSI cardinality by exponents that commute.
//!
//! Each party maps its points to the group, raises them to a secret exponent of its own and sorts the
//! result, which is a shuffle because raised points look random. Every list passes through every party
//! once. Raised by all, equal points of two lists are equal again, and nobody can tell whose they were.
//! After De Cristofaro, Gasti and Tsudik (2012), over ristretto255. Spec: `spec/matching.md`, section 7.

use super::{
    Kind, Point,
    bytes::{decode_point, decode_scalar, put_lp},
    hash_to_group::hash_to_group,
    lagrange::inverse_of,
};
use crate::id::{CoalitionId, EntryId};
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::{CryptoRng, RngCore};
use zeroize::{Zeroize, Zeroizing};

/// The domain separation tag of points that are counted.
pub const DST: &[u8] = b"commonturf-v1-overlap-ristretto255-SHA512";

/// Bytes of one raised point.
pub const POINT_BYTES: usize = 32;

/// Points worked on at a time, so that a long list needs little memory.
const BATCH: usize = 4_096;

/// A party's secret for one count. Wiped when dropped; a new one for each count, so that nothing of two
/// counts can be joined.
pub struct Exponent(Scalar);

impl Exponent {
    /// A fresh one.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        loop {
            let mut wide = Zeroizing::new([0; 64]);
            rng.fill_bytes(wide.as_mut());
            let scalar = Scalar::from_bytes_mod_order_wide(&wide);
            if scalar != Scalar::ZERO {
                return Self(scalar);
            }
        }
    }

    /// The secret bytes, for sealed storage.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Reads what [`Self::to_bytes`] gave; nothing for any other bytes and for zero.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let scalar = decode_scalar(*bytes)?;
        (scalar != Scalar::ZERO).then_some(Self(scalar))
    }

    /// Half of it goes in, because the encoder of batches doubles.
    fn half(&self) -> Zeroizing<Scalar> {
        Zeroizing::new(self.0 * inverse_of(2))
    }
}

impl Drop for Exponent {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Why bytes are not the raised points that they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Another number of points than was announced.
    #[error("another number of points than was announced")]
    Length,
    /// Two points are equal or out of order.
    #[error("its points are not in rising order, each once")]
    Order,
    /// An encoding of no group element, or of the identity.
    #[error("one of its points is no element of the group")]
    Element,
}

/// What separates the points of one count from those of any other.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The coalition.
    pub coalition: CoalitionId,
    /// The count: the id of the entry that asked for it.
    pub overlap: EntryId,
    /// The generation of the match tokens.
    pub generation: u32,
    /// What is counted.
    pub kind: Kind,
}

impl Setting {
    fn element(&self, point: &Point) -> RistrettoPoint {
        let mut x = Zeroizing::new(Vec::with_capacity(128));
        put_lp(&mut x, &self.coalition.0);
        put_lp(&mut x, &self.overlap.0);
        x.extend_from_slice(&self.generation.to_be_bytes());
        put_lp(&mut x, self.kind.name().as_bytes());
        put_lp(&mut x, &point.0);
        hash_to_group(&x, DST)
    }
}

/// Points of a list, raised by one party or more, in rising order.
#[derive(Clone, PartialEq, Eq)]
pub struct Raised(Vec<[u8; POINT_BYTES]>);

impl std::fmt::Debug for Raised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Raised({})", self.0.len())
    }
}

impl Raised {
    /// A party's own list, each point once, raised by that party.
    #[must_use]
    pub fn own(setting: &Setting, mut points: Vec<Point>, exponent: &Exponent) -> Self {
        points.sort_unstable();
        points.dedup();
        let half = exponent.half();
        let raised = points.chunks(BATCH).flat_map(|batch| {
            let batch = batch.iter().map(|point| *half * setting.element(point));
            compressed(&batch.collect::<Vec<_>>())
        });
        Self::sorted(raised.collect())
    }

    /// Reads a list that is to have so many points.
    ///
    /// # Errors
    /// [`ListError`].
    pub fn read(bytes: &[u8], size: u64) -> Result<Self, ListError> {
        let (encoded, rest) = bytes.as_chunks::<POINT_BYTES>();
        if !rest.is_empty() || encoded.len() as u64 != size {
            return Err(ListError::Length);
        }
        if !encoded.is_sorted_by(|a, b| a < b) {
            return Err(ListError::Order);
        }
        if encoded.iter().any(|bytes| decode_point(bytes).is_none()) {
            return Err(ListError::Element);
        }
        Ok(Self(encoded.to_vec()))
    }

    /// Another party's list of so many points, raised once more.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn again(bytes: &[u8], size: u64, exponent: &Exponent) -> Result<Self, ListError> {
        let (encoded, rest) = bytes.as_chunks::<POINT_BYTES>();
        if !rest.is_empty() || encoded.len() as u64 != size {
            return Err(ListError::Length);
        }
        if !encoded.is_sorted_by(|a, b| a < b) {
            return Err(ListError::Order);
        }
        let half = exponent.half();
        let mut raised = Vec::with_capacity(encoded.len());
        for batch in encoded.chunks(BATCH) {
            let batch = batch.iter().map(|bytes| Some(*half * decode_point(bytes)?));
            let batch: Vec<_> = batch.collect::<Option<_>>().ok_or(ListError::Element)?;
            raised.extend(compressed(&batch));
        }
        Ok(Self::sorted(raised))
    }

    fn sorted(mut points: Vec<[u8; POINT_BYTES]>) -> Self {
        points.sort_unstable();
        Self(points)
    }

    /// The bytes that travel.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// How many points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has(&self, point: &[u8; POINT_BYTES]) -> bool {
        self.0.binary_search(point).is_ok()
    }
}

fn compressed(points: &[RistrettoPoint]) -> Vec<[u8; POINT_BYTES]> {
    RistrettoPoint::double_and_compress_batch(points)
        .into_iter()
        .map(|point| point.0)
        .collect()
}

/// A set of lists: bit `n` stands for list `n`.
pub type Lists = u8;

/// How many points all lists of each set of two lists or more have in common, by rising set.
///
/// The lists were raised by the same parties, all of them.
#[must_use]
pub fn common(lists: &[Raised]) -> Vec<(Lists, u64)> {
    let sets = 0..1_u16 << lists.len().min(8);
    let sets = sets.filter_map(|set| Lists::try_from(set).ok());
    let several = sets.filter(|set| set.count_ones() >= 2);
    several
        .map(|set| {
            let members = (0..).zip(lists).filter(|(n, _)| set & (1 << n) != 0);
            let mut members: Vec<&Raised> = members.map(|(_, list)| list).collect();
            members.sort_by_key(|list| list.len());
            let Some((shortest, others)) = members.split_first() else {
                return (set, 0);
            };
            let everywhere = |point: &&[u8; 32]| others.iter().all(|list| list.has(point));
            (set, shortest.0.iter().filter(everywhere).count() as u64)
        })
        .collect()
}

#[cfg(test)]
mod tests;

//! From keepers' answers to points: verify each, combine t of them, unblind. Section 3.5.
//!
//! The three steps are three types, because unblinding an unchecked answer would let a keeper
//! choose what the node takes for its tokens:
//!
//! ```compile_fail
//! fn points(batch: protocol::token::BlindedBatch) -> Vec<protocol::token::Point> {
//!     batch.finalize() // only a VerifiedBatch has this
//! }
//! ```
//!
//! ```
//! fn points(batch: protocol::token::VerifiedBatch<'_>) -> Vec<protocol::token::Point> {
//!     batch.finalize()
//! }
//! ```

use super::{
    blind::BlindedBatch,
    derive::Point,
    dleq::{Context, Transcript},
    keyset::Keyset,
    lagrange::{decode_points, inverse_of, weight},
    quorum::{Quorum, QuorumError},
    wire::EvalReply,
};
use crate::id::{Hash, NodeId};
use curve25519_dalek::ristretto::{RistrettoBasepointTable, RistrettoPoint};

/// Why an answer is not used. All but [`VerifyError::Keyset`] and [`VerifyError::Quorum`], which
/// are the caller's, are the keeper's fault; in a signed reply they are evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Not the keyset that the batch was prepared for.
    #[error("the batch was prepared for another keyset; prepare it again in the same slot")]
    Keyset,
    /// Not t keepers of the keyset.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
    /// An answer to something else.
    #[error("keeper {0} answered another request")]
    Request(u16),
    /// From a keeper that was not asked.
    #[error("keeper {0} is not in the quorum that was asked")]
    NotAsked(u16),
    /// More or fewer points than were sent.
    #[error("keeper {keeper} answered {found} points instead of {sent}")]
    Count {
        /// Who answered.
        keeper: u16,
        /// How many came back.
        found: usize,
        /// How many were sent.
        sent: usize,
    },
    /// A point that is not canonical or the identity.
    #[error("point {place} of keeper {keeper} is no valid point")]
    Point {
        /// Who answered.
        keeper: u16,
        /// Which point, from 0 on.
        place: usize,
    },
    /// The proof does not hold: the points were not made with the keeper's share.
    #[error("the proof of keeper {0} does not hold; ask another quorum and report it")]
    Proof(u16),
}

/// Why shares do not make up a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// Shares of another batch, or of two quorums.
    #[error("the shares answer different requests; ask one quorum for the whole batch")]
    Mixed,
    /// Not one share of each keeper of the quorum.
    #[error(
        "the shares do not come from each keeper of the quorum once; wait for the missing keeper"
    )]
    Quorum,
}

/// One keeper's answer, checked against its public key.
pub struct VerifiedShare {
    request: Hash,
    quorum: Quorum,
    keeper: u16,
    points: Vec<RistrettoPoint>,
}

/// A batch with checked answers of a whole quorum; nothing else makes points.
pub struct VerifiedBatch<'a> {
    batch: &'a BlindedBatch,
    /// `S_1..S_n`.
    sums: Vec<RistrettoPoint>,
}

impl BlindedBatch {
    /// Checks one keeper's answer. `member` is the node that signed the request, `quorum` whom it
    /// asked.
    ///
    /// # Errors
    /// [`VerifyError`]; the answer is then worth nothing.
    pub fn verify(
        &self,
        keyset: &Keyset,
        member: &NodeId,
        quorum: &Quorum,
        reply: &EvalReply,
    ) -> Result<VerifiedShare, VerifyError> {
        let keeper = reply.keeper;
        let same = (keyset.generation(), keyset.reshare()) == (self.generation, self.reshare);
        if !same || keyset.group(self.class) != self.group {
            return Err(VerifyError::Keyset);
        }
        keyset.admits(quorum)?;
        let request = self.request(quorum).digest();
        if reply.request != request {
            return Err(VerifyError::Request(keeper));
        }
        if !quorum.contains(keeper) {
            return Err(VerifyError::NotAsked(keeper));
        }
        let (found, sent) = (reply.points.count(), self.cost());
        if found != sent {
            return Err(VerifyError::Count {
                keeper,
                found,
                sent,
            });
        }
        let points = decode_points(reply.points.as_slice())
            .map_err(|place| VerifyError::Point { keeper, place })?;
        if !self.proof_holds(keyset, member, quorum, reply, &points) {
            return Err(VerifyError::Proof(keeper));
        }
        Ok(VerifiedShare {
            request,
            quorum: quorum.clone(),
            keeper,
            points,
        })
    }

    fn proof_holds(
        &self,
        keyset: &Keyset,
        member: &NodeId,
        quorum: &Quorum,
        reply: &EvalReply,
        points: &[RistrettoPoint],
    ) -> bool {
        let Some(share) = keyset.share(self.class, reply.keeper) else {
            return false;
        };
        let effective = share * (weight(quorum.ids(), reply.keeper, 0) * inverse_of(4));
        let context = Context {
            coalition: &self.coalition,
            generation: self.generation,
            reshare: self.reshare,
            class: self.class,
            member,
            slot: self.slot,
            quorum,
            keeper: reply.keeper,
        };
        let transcript =
            Transcript::new(&context, &effective, self.wire(), reply.points.as_slice());
        let (m, z) = (transcript.sum(self.doubled()), transcript.sum(points));
        transcript.verify(&effective, &m, &z, &reply.proof)
    }

    /// Adds up the checked answers of a whole quorum.
    ///
    /// # Errors
    /// [`CombineError`].
    pub fn combine(&self, shares: Vec<VerifiedShare>) -> Result<VerifiedBatch<'_>, CombineError> {
        let mut shares = shares;
        shares.sort_unstable_by_key(|share| share.keeper);
        let quorum = shares
            .first()
            .map(|share| share.quorum.clone())
            .ok_or(CombineError::Quorum)?;
        let request = self.request(&quorum).digest();
        if shares.iter().any(|share| share.request != request) {
            return Err(CombineError::Mixed);
        }
        if !shares
            .iter()
            .map(|share| share.keeper)
            .eq(quorum.ids().iter().copied())
        {
            return Err(CombineError::Quorum);
        }
        let mut rest = shares.into_iter().map(|share| share.points);
        let mut sums = rest.next().unwrap_or_default();
        for points in rest {
            for (sum, point) in sums.iter_mut().zip(points) {
                *sum += point;
            }
        }
        Ok(VerifiedBatch { batch: self, sums })
    }
}

impl VerifiedBatch<'_> {
    /// `N` of each value, in the order in which [`prepare`](super::blind::prepare) was given them.
    #[must_use]
    pub fn finalize(self) -> Vec<Point> {
        let half_group = RistrettoBasepointTable::create(&(self.batch.group * inverse_of(2)));
        let mut places = Vec::with_capacity(self.batch.values);
        let mut halves = Vec::with_capacity(self.batch.values);
        for ((blind, place), sum) in self.batch.blinds().zip(&self.sums) {
            if let Some(place) = place {
                places.push(place);
                halves.push(sum - &half_group * blind);
            }
        }
        let encoded = RistrettoPoint::double_and_compress_batch(&halves);
        let mut placed: Vec<(usize, Point)> = places
            .into_iter()
            .zip(encoded.into_iter().map(|point| Point(point.0)))
            .collect();
        placed.sort_unstable_by_key(|(place, _)| *place);
        placed.into_iter().map(|(_, point)| point).collect()
    }
}

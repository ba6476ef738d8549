//! What a keeper does with a batch: check it, multiply it by its share, prove it. Sections 3.3, 4.2.
//!
//! [`EvalRequest::check`] and [`CheckedRequest::answer`] are two steps, because the keeper writes
//! the member's slot and budget to disk between them.

use super::{
    Class, WIRE_VERSION,
    bytes::decode_point,
    dleq::{Context, Transcript},
    keyset::Keyset,
    lagrange::{decode_points, inverse_of, weight},
    quorum::QuorumError,
    share::KeyShare,
    wire::{EvalReply, EvalRequest, Points},
};
use crate::id::{CoalitionId, NodeId};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use rand_core::{CryptoRng, RngCore};
use zeroize::{Zeroize, Zeroizing};

/// Why a keeper does not answer a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// A version that this keeper does not speak.
    #[error(
        "this keeper speaks version {WIRE_VERSION} of evaluation requests, not {0}; update the older node"
    )]
    Version(u8),
    /// Another coalition's request.
    #[error("the request names another coalition")]
    Coalition,
    /// Not the keyset in force: read the log on and prepare the batch again in the same slot.
    #[error(
        "the request is for keyset {asked_generation}.{asked_reshare}, in force is {generation}.{reshare}; read the log on and ask again"
    )]
    Keyset {
        /// The generation that was asked for.
        asked_generation: u32,
        /// The reshare number that was asked for.
        asked_reshare: u32,
        /// The generation in force.
        generation: u32,
        /// The reshare number in force.
        reshare: u32,
    },
    /// The keeper's own share does not belong to the keyset; answering would look like cheating.
    #[error(
        "this keeper's share does not belong to the keyset in force; restore it or run the key ceremony again"
    )]
    Share,
    /// The quorum is not t keepers of the keyset.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
    /// This keeper is not asked.
    #[error("keeper {0} is not in the request's quorum")]
    NotAsked(u16),
    /// Points that do not rise: out of order, or one twice.
    #[error("the points of a batch rise strictly; point {0} does not")]
    Order(usize),
    /// A point that is not canonical or the identity.
    #[error("point {0} of the batch is no valid point")]
    Point(usize),
}

/// A request whose every field was checked, with its points decoded.
pub struct CheckedRequest<'a> {
    request: &'a EvalRequest,
    points: Vec<RistrettoPoint>,
}

impl EvalRequest {
    /// Checks all that does not depend on the member: keyset, quorum, order and points.
    ///
    /// # Errors
    /// [`EvalError`], the first that applies, cheapest first.
    pub fn check<'a>(
        &'a self,
        share: &KeyShare,
        keyset: &Keyset,
        coalition: &CoalitionId,
    ) -> Result<CheckedRequest<'a>, EvalError> {
        if self.version != WIRE_VERSION {
            return Err(EvalError::Version(self.version));
        }
        if self.coalition != *coalition {
            return Err(EvalError::Coalition);
        }
        let (generation, reshare) = (keyset.generation(), keyset.reshare());
        if (self.generation, self.reshare) != (generation, reshare) {
            let (asked_generation, asked_reshare) = (self.generation, self.reshare);
            return Err(EvalError::Keyset {
                asked_generation,
                asked_reshare,
                generation,
                reshare,
            });
        }
        check_share(share, keyset, self.class)?;
        keyset.admits(&self.quorum)?;
        if !self.quorum.contains(share.keeper()) {
            return Err(EvalError::NotAsked(share.keeper()));
        }
        let points = self.points.as_slice();
        if let Some(place) = points
            .iter()
            .zip(points.iter().skip(1))
            .position(|(a, b)| a >= b)
        {
            return Err(EvalError::Order(place + 1));
        }
        let points = decode_points(points).map_err(EvalError::Point)?;
        Ok(CheckedRequest {
            request: self,
            points,
        })
    }
}

impl CheckedRequest<'_> {
    /// Evaluates and proves, for the member that signed the request. The share must be the one
    /// that the request was checked with: another one gives a reply that no node accepts.
    #[must_use]
    pub fn answer(
        &self,
        share: &KeyShare,
        member: &NodeId,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> EvalReply {
        let request = self.request;
        let e = Zeroizing::new(effective_secret(share, request));
        let half = Zeroizing::new(*e * inverse_of(2));
        let products: Vec<RistrettoPoint> = self.points.iter().map(|point| point * *half).collect();
        let evaluated: Vec<[u8; 32]> = RistrettoPoint::double_and_compress_batch(&products)
            .into_iter()
            .map(|point| point.0)
            .collect();
        let context = Context {
            coalition: &request.coalition,
            generation: request.generation,
            reshare: request.reshare,
            class: request.class,
            member,
            slot: request.slot,
            quorum: &request.quorum,
            keeper: share.keeper(),
        };
        let effective = RistrettoPoint::mul_base(&e);
        let transcript =
            Transcript::new(&context, &effective, request.points.as_slice(), &evaluated);
        let m = transcript.sum(&self.points);
        let mut nonce_key = blake3::derive_key(
            "commonturf dleq nonce v1",
            share.secret(request.class).as_bytes(),
        );
        let proof = transcript.prove(&e, &nonce_key, &m, rng);
        nonce_key.zeroize();
        let points = Points::new(evaluated).expect("a reply has as many points as its request");
        EvalReply {
            request: request.digest(),
            keeper: share.keeper(),
            points,
            proof,
        }
    }
}

/// Checks and answers a batch in one step, where no budget stands between.
///
/// # Errors
/// [`EvalError`].
pub fn evaluate(
    share: &KeyShare,
    keyset: &Keyset,
    coalition: &CoalitionId,
    member: &NodeId,
    request: &EvalRequest,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<EvalReply, EvalError> {
    Ok(request
        .check(share, keyset, coalition)?
        .answer(share, member, rng))
}

/// `e_i = lam_i * k_i / 4`.
fn effective_secret(share: &KeyShare, request: &EvalRequest) -> Scalar {
    weight(request.quorum.ids(), share.keeper(), 0) * inverse_of(4) * share.secret(request.class)
}

fn check_share(share: &KeyShare, keyset: &Keyset, class: Class) -> Result<(), EvalError> {
    let same = (share.generation(), share.reshare()) == (keyset.generation(), keyset.reshare());
    let public = decode_point(&share.public(class).0);
    if same && public.is_some() && keyset.share(class, share.keeper()) == public {
        Ok(())
    } else {
        Err(EvalError::Share)
    }
}

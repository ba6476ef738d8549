//! What a keeper says to everybody in a ceremony, and the public keys that follow from it.

use super::{CeremonyKind, Plan};
use crate::{
    codec::Canonical,
    token::{
        Class, ClassKey, Keyset, KeysetError, KeysetParts, MAX_KEEPERS, PublicKey,
        bytes::{decode_point, decode_scalar},
    },
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{Identity, VartimeMultiscalarMul},
};
use frost_ristretto255::{
    Ciphersuite, Identifier, Ristretto255Sha512, Signature,
    keys::{VerifiableSecretSharingCommitment, dkg::round1},
};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// A keeper's commitments to its secret polynomials, one for each of [`Class::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Commitments {
    /// By class.
    #[n(0)]
    pub classes: Vec<Commitment>,
}

/// The commitment to one polynomial.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Commitment {
    /// The coefficients times G, 32 bytes each, constant term first; a refresh leaves that one out.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub points: Vec<u8>,
    /// FROST's proof that the keeper knows the constant term; in a refresh it proves nothing.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub proof: [u8; 64],
}

impl Canonical for Commitments {
    const WHAT: &'static str = "commitments of a key ceremony";
    const MAX_BYTES: usize = 4 * (32 * MAX_KEEPERS + 64 + 16) + 16;
}

/// Why commitments are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommitmentError {
    /// Not four classes, or not as many points as the plan asks for.
    #[error(
        "commitments have one entry for each of the four classes, with a point for each coefficient"
    )]
    Shape,
    /// Bytes that are no point, or no signature.
    #[error("the {0} commitment holds a value that is no valid point or scalar")]
    Point(Class),
    /// The keeper has not shown that it knows its own secret.
    #[error("the proof of the {0} commitment does not hold")]
    Proof(Class),
    /// The id takes no part.
    #[error("keeper {0} takes no part in this ceremony")]
    Keeper(u16),
}

/// Commitments that hold; nothing else makes one.
#[derive(Clone, Debug)]
pub struct CheckedCommitments {
    /// By class: all t coefficients times G.
    coefficients: Vec<Vec<RistrettoPoint>>,
    packages: Vec<round1::Package>,
}

impl Commitments {
    /// Checks what a keeper says.
    ///
    /// # Errors
    /// [`CommitmentError`].
    pub fn check(&self, plan: &Plan, keeper: u16) -> Result<CheckedCommitments, CommitmentError> {
        if !plan.keepers.iter().any(|known| known.id == keeper) {
            return Err(CommitmentError::Keeper(keeper));
        }
        if self.classes.len() != Class::ALL.len() {
            return Err(CommitmentError::Shape);
        }
        let (mut coefficients, mut packages) = (Vec::new(), Vec::new());
        for (class, commitment) in Class::ALL.into_iter().zip(&self.classes) {
            let points = commitment.read(plan, class)?;
            if plan.kind == CeremonyKind::Fresh {
                let constant = points.first().ok_or(CommitmentError::Shape)?;
                check_proof(keeper, constant, &commitment.proof, class)?;
            }
            packages.push(commitment.package(class)?);
            coefficients.push(points);
        }
        Ok(CheckedCommitments {
            coefficients,
            packages,
        })
    }
}

impl Commitment {
    fn read(&self, plan: &Plan, class: Class) -> Result<Vec<RistrettoPoint>, CommitmentError> {
        let (points, rest) = self.points.as_chunks::<32>();
        if !rest.is_empty() || points.len() != plan.points() {
            return Err(CommitmentError::Shape);
        }
        let mut read = Vec::new();
        if plan.kind == CeremonyKind::Refresh {
            read.push(RistrettoPoint::identity());
        }
        for point in points {
            read.push(decode_point(point).ok_or(CommitmentError::Point(class))?);
        }
        Ok(read)
    }

    fn package(&self, class: Class) -> Result<round1::Package, CommitmentError> {
        let wrong = |_| CommitmentError::Point(class);
        let points = VerifiableSecretSharingCommitment::deserialize_whole(&self.points);
        let proof = Signature::deserialize(&self.proof).map_err(wrong)?;
        Ok(round1::Package::new(points.map_err(wrong)?, proof))
    }
}

/// FROST's check, which its library makes only for somebody who takes part: `R = mu*G - c*phi_0`.
fn check_proof(
    keeper: u16,
    constant: &RistrettoPoint,
    proof: &[u8; 64],
    class: Class,
) -> Result<(), CommitmentError> {
    let refused = CommitmentError::Proof(class);
    let (r, mu) = proof.split_first_chunk::<32>().ok_or(refused)?;
    let mu: [u8; 32] = mu.try_into().map_err(|_| refused)?;
    let mu = decode_scalar(mu).ok_or(refused)?;
    let identifier = Identifier::try_from(keeper).map_err(|_| refused)?;
    let bound = [identifier.serialize().as_slice(), &constant.compress().0, r].concat();
    let c = Ristretto255Sha512::HDKG(&bound).ok_or(refused)?;
    let expected = RistrettoPoint::mul_base(&mu) - constant * c;
    if expected.compress().0 == *r {
        Ok(())
    } else {
        Err(refused)
    }
}

impl CheckedCommitments {
    /// The library's form of one class's commitment.
    pub(super) fn package(&self, class: Class) -> Option<&round1::Package> {
        self.packages.get(class.index())
    }

    /// What this keeper's polynomial of a class comes to at an id, times G.
    pub(super) fn at(&self, class: Class, id: u16) -> RistrettoPoint {
        let points = self
            .coefficients
            .get(class.index())
            .map_or(&[][..], Vec::as_slice);
        let next = |power: &Scalar| Some(power * Scalar::from(id));
        let powers = std::iter::successors(Some(Scalar::ONE), next);
        let powers: Vec<Scalar> = powers.take(points.len()).collect();
        RistrettoPoint::vartime_multiscalar_mul(powers, points)
    }
}

/// The keyset that all keepers' commitments lead to: what every node computes for itself.
///
/// # Errors
/// [`KeysetError`]: somebody's commitments are missing, a refresh has another keyset before it than
/// the plan says, or a key comes out as no valid point.
pub fn keyset(
    plan: &Plan,
    all: &BTreeMap<u16, CheckedCommitments>,
    before: Option<&Keyset>,
) -> Result<Keyset, KeysetError> {
    if !plan
        .keepers
        .iter()
        .all(|keeper| all.contains_key(&keeper.id))
    {
        return Err(KeysetError::Shape);
    }
    let refreshed = before.filter(|_| plan.kind == CeremonyKind::Refresh);
    let is_next = refreshed.map_or(plan.kind == CeremonyKind::Fresh, |before| {
        Plan::refresh(before).as_ref() == Some(plan)
    });
    if !is_next {
        return Err(KeysetError::Shape);
    }
    let sum =
        |class: Class, id: u16| -> RistrettoPoint { all.values().map(|of| of.at(class, id)).sum() };
    let written = |point: RistrettoPoint| PublicKey(point.compress().0);
    let mut classes = Vec::new();
    for class in Class::ALL {
        let group = refreshed.map_or_else(|| sum(class, 0), |before| before.group(class));
        let shares = plan.keepers.iter().map(|keeper| {
            let old = refreshed.and_then(|before| before.share(class, keeper.id));
            written(sum(class, keeper.id) + old.unwrap_or_else(RistrettoPoint::identity))
        });
        classes.push(ClassKey {
            group: written(group),
            shares: shares.collect(),
        });
    }
    Keyset::new(KeysetParts {
        generation: plan.generation,
        reshare: plan.reshare,
        threshold: plan.threshold,
        keepers: plan.keepers.clone(),
        classes,
    })
}

//! The proof that one key made all points of a batch: a batched Chaum-Pedersen proof. Section 3.4.

use super::{
    Class,
    bytes::{decode_scalar, put_lp},
    quorum::Quorum,
};
use crate::id::{CoalitionId, NodeId};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::VartimeMultiscalarMul};
use rand_core::{CryptoRng, RngCore};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

/// All that a proof is bound to besides the points.
pub(super) struct Context<'a> {
    pub(super) coalition: &'a CoalitionId,
    pub(super) generation: u32,
    pub(super) reshare: u32,
    pub(super) class: Class,
    pub(super) member: &'a NodeId,
    pub(super) slot: u64,
    pub(super) quorum: &'a Quorum,
    pub(super) keeper: u16,
}

impl Context<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut ctx = Vec::with_capacity(128);
        put_lp(&mut ctx, &self.coalition.0);
        ctx.extend_from_slice(&self.generation.to_be_bytes());
        ctx.extend_from_slice(&self.reshare.to_be_bytes());
        put_lp(&mut ctx, self.class.name().as_bytes());
        put_lp(&mut ctx, &self.member.0);
        ctx.extend_from_slice(&self.slot.to_be_bytes());
        let ids = self.quorum.ids();
        ctx.push(u8::try_from(ids.len()).expect("a quorum has at most five keepers"));
        for id in ids {
            ctx.extend_from_slice(&id.to_be_bytes());
        }
        ctx.extend_from_slice(&self.keeper.to_be_bytes());
        ctx
    }
}

/// What both sides derive from a batch: a digest and a coefficient for each point.
pub(super) struct Transcript {
    digest: [u8; 32],
    coefficients: Vec<Scalar>,
}

impl Transcript {
    /// Reads the stream of section 3.4. `effective` is `W_i`; the two lists are equally long.
    pub(super) fn new(
        context: &Context<'_>,
        effective: &RistrettoPoint,
        blinded: &[[u8; 32]],
        evaluated: &[[u8; 32]],
    ) -> Self {
        let mut bound = Vec::with_capacity(256);
        put_lp(&mut bound, &context.bytes());
        bound.extend_from_slice(effective.compress().as_bytes());
        let count = u32::try_from(blinded.len()).expect("a batch has at most 4096 points");
        bound.extend_from_slice(&count.to_be_bytes());
        let mut hasher = blake3::Hasher::new_derive_key("commonturf dleq v1");
        hasher
            .update(&bound)
            .update(blinded.as_flattened())
            .update(evaluated.as_flattened());
        let mut stream = hasher.finalize_xof();
        let mut digest = [0; 32];
        stream.fill(&mut digest);
        let coefficients = blinded.iter().map(|_| {
            let mut short = [0; 16];
            stream.fill(&mut short);
            Scalar::from(u128::from_le_bytes(short))
        });
        Self {
            digest,
            coefficients: coefficients.collect(),
        }
    }

    /// `sum d_j * P_j` of public points, in variable time.
    pub(super) fn sum<'a>(
        &self,
        points: impl IntoIterator<Item = &'a RistrettoPoint>,
    ) -> RistrettoPoint {
        RistrettoPoint::vartime_multiscalar_mul(&self.coefficients, points)
    }

    /// Proves that `e` is the logarithm of `W` to G and of `Z` to `M`. Constant time in `e`.
    pub(super) fn prove(
        &self,
        e: &Scalar,
        nonce_key: &[u8; 32],
        m: &RistrettoPoint,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> [u8; 64] {
        let z = m * e;
        let u = self.nonce(nonce_key, rng);
        let c = self.challenge(m, &z, &RistrettoPoint::mul_base(&u), &(m * *u));
        let s = *u - c * e;
        let mut proof = [0; 64];
        for (place, byte) in proof
            .iter_mut()
            .zip(c.as_bytes().iter().chain(s.as_bytes()))
        {
            *place = *byte;
        }
        proof
    }

    /// Checks a proof over public values. False too when `c` or `s` is not canonical.
    #[must_use]
    pub(super) fn verify(
        &self,
        effective: &RistrettoPoint,
        m: &RistrettoPoint,
        z: &RistrettoPoint,
        proof: &[u8; 64],
    ) -> bool {
        let [c, s] = halves(proof).map(decode_scalar);
        let (Some(c), Some(s)) = (c, s) else {
            return false;
        };
        let first = RistrettoPoint::vartime_double_scalar_mul_basepoint(&c, effective, &s);
        let second = RistrettoPoint::vartime_multiscalar_mul([s, c], [m, z]);
        c == self.challenge(m, z, &first, &second)
    }

    /// `u`: from the keeper's secret, the transcript and fresh randomness, so that neither a bad
    /// generator nor a repeated batch gives a nonce away.
    fn nonce(&self, key: &[u8; 32], rng: &mut (impl RngCore + CryptoRng)) -> Zeroizing<Scalar> {
        let mut fresh = Zeroizing::new([0; 32]);
        rng.fill_bytes(fresh.as_mut());
        let mut wide = Zeroizing::new([0; 64]);
        let mut hasher = blake3::Hasher::new_keyed(key);
        hasher.update(&self.digest).update(fresh.as_ref());
        hasher.finalize_xof().fill(wide.as_mut());
        Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide))
    }

    fn challenge(
        &self,
        m: &RistrettoPoint,
        z: &RistrettoPoint,
        first: &RistrettoPoint,
        second: &RistrettoPoint,
    ) -> Scalar {
        let mut hash = Sha512::new()
            .chain_update(b"commonturf dleq c v1")
            .chain_update(self.digest);
        for point in [m, z, first, second] {
            hash.update(point.compress().as_bytes());
        }
        Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
    }
}

fn halves(proof: &[u8; 64]) -> [[u8; 32]; 2] {
    let (chunks, _) = proof.as_chunks::<32>();
    let half = |place: usize| *chunks.get(place).expect("64 bytes are two chunks of 32");
    [half(0), half(1)]
}

//! Rotation by a common factor, after a member was removed for cause. Section 3.8.
//!
//! Everybody multiplies what it holds by the same secret `delta`: keepers their shares, the keyset its
//! public keys, members their points. Tokens change without an evaluation, and who does not know
//! `delta` is left behind with the old ones.

use super::{
    Class, ClassKey, KeyShare, Keyset, KeysetError, KeysetParts, Point, PublicKey, ShareError,
    bytes::decode_point, lagrange::inverse_of,
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use zeroize::{Zeroize, Zeroizing};

/// For what members export the bytes of a factor from the epoch that a removal opened; the context is
/// the coalition's id.
pub const EXPORT_LABEL: &str = "commonturf delta v1";

/// The factor of one rotation. Wiped when dropped; whoever keeps it undoes the rotation.
pub struct Rotation(Scalar);

impl Rotation {
    /// The factor from 64 bytes that only the remaining members can export.
    ///
    /// `None` for bytes that come to zero.
    #[must_use]
    pub fn new(exported: &[u8; 64]) -> Option<Self> {
        let delta = Scalar::from_bytes_mod_order_wide(exported);
        (delta != Scalar::ZERO).then_some(Self(delta))
    }

    /// A keeper's share under the next generation.
    ///
    /// # Errors
    /// Never for a share that holds: the group has no divisors of zero.
    pub fn share(&self, share: &KeyShare) -> Result<KeyShare, ShareError> {
        let secrets = Class::ALL.map(|class| (self.0 * share.secret(class)).to_bytes());
        let secrets = Zeroizing::new(secrets);
        KeyShare::new(
            share.generation().saturating_add(1),
            0,
            share.keeper(),
            &secrets,
        )
    }

    /// The keyset of the next generation.
    ///
    /// # Errors
    /// Never for a keyset that holds.
    pub fn keyset(&self, keyset: &Keyset) -> Result<Keyset, KeysetError> {
        let rotated = |point: RistrettoPoint| PublicKey((self.0 * point).compress().0);
        let classes = Class::ALL.map(|class| ClassKey {
            group: rotated(keyset.group(class)),
            shares: keyset
                .keepers()
                .iter()
                .filter_map(|keeper| keyset.share(class, keeper.id))
                .map(rotated)
                .collect(),
        });
        Keyset::new(KeysetParts {
            generation: keyset.generation().saturating_add(1),
            reshare: 0,
            classes: classes.into(),
            ..keyset.parts().clone()
        })
    }

    /// Points under the next generation, in order; `None` when one is no point.
    #[must_use]
    pub fn points(&self, points: &[Point]) -> Option<Vec<Point>> {
        // The batch encoder doubles, so half the factor goes in.
        let half = Zeroizing::new(self.0 * inverse_of(2));
        let rotated = points
            .iter()
            .map(|point| Some(*half * decode_point(&point.0)?));
        let rotated = rotated.collect::<Option<Vec<_>>>()?;
        let encoded = RistrettoPoint::double_and_compress_batch(&rotated);
        Some(encoded.into_iter().map(|point| Point(point.0)).collect())
    }
}

impl Drop for Rotation {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

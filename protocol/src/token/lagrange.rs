//! Interpolation among keepers' ids. Section 3.1.

use super::bytes::decode_point;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::VartimeMultiscalarMul};

/// The weight of the share of `own` among the ids `among`, for the value at `at` (0 is the key).
///
/// `among` holds distinct ids, `own` one of them. Ids are public, so nothing here is secret.
pub(crate) fn weight(among: &[u16], own: u16, at: u16) -> Scalar {
    let own_scalar = Scalar::from(own);
    let at = Scalar::from(at);
    let (mut above, mut below) = (Scalar::ONE, Scalar::ONE);
    for &other in among.iter().filter(|&&other| other != own) {
        let other = Scalar::from(other);
        above *= at - other;
        below *= own_scalar - other;
    }
    above * below.invert()
}

/// The public key at `at` of the polynomial that passes through these ids' public keys.
pub(crate) fn interpolate(points: &[(u16, RistrettoPoint)], at: u16) -> RistrettoPoint {
    let ids: Vec<u16> = points.iter().map(|(id, _)| *id).collect();
    let weights = ids.iter().map(|&id| weight(&ids, id, at));
    RistrettoPoint::vartime_multiscalar_mul(weights, points.iter().map(|(_, point)| point))
}

/// 1/2, 1/4 or 1/8 modulo the group order.
pub(crate) fn inverse_of(small: u8) -> Scalar {
    Scalar::from(small).invert()
}

/// Reads many points at once; the place of the first that is none.
pub(crate) fn decode_points(encoded: &[[u8; 32]]) -> Result<Vec<RistrettoPoint>, usize> {
    encoded
        .iter()
        .enumerate()
        .map(|(place, bytes)| decode_point(bytes).ok_or(place))
        .collect()
}

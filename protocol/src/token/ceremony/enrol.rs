//! A share for a new keeper, made by t present ones, none of whom learns it. Section 3.7.
//!
//! FROST's repair of shares: each helper splits its weighted share among the helpers ([`help`]), each
//! helper sums what it got ([`gather`]) and hands the sum, sealed, to the newcomer ([`join`]).
//! The library's last step checks nothing, so the newcomer's share is held against the keys that the
//! log shows.

use super::{
    Plan,
    participant::{DEALT_BYTES, Dealt, FinishError, identifier, key_package, public_package},
};
use crate::token::{
    Class, ClassKey, KeyShare, Keyset, KeysetError, KeysetParts, PublicKey, lagrange,
};
use frost_ristretto255::{
    Ristretto255Sha512,
    keys::repairable::{Delta, Sigma, repair_share_part1, repair_share_part2, repair_share_part3},
};
use rand_core::{CryptoRng, RngCore};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Why a share cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnrolError {
    /// Not t helpers of the keyset, or an id that has a share.
    #[error("a new share takes exactly t present keepers, and an id that has no share yet")]
    Helpers,
    /// The sum is not the share that the keyset's public keys call for: a helper cheated.
    #[error(
        "the new share does not fit the keyset; the enrolment must be repeated with other helpers"
    )]
    Share,
    /// Values of another keyset, or no scalars.
    #[error("what the helpers gave does not fit together")]
    Mismatch,
}

impl From<FinishError> for EnrolError {
    fn from(_: FinishError) -> Self {
        Self::Mismatch
    }
}

/// Splits a helper's share for a newcomer: one part for each helper, itself included.
///
/// # Errors
/// [`EnrolError`].
pub fn help(
    share: &KeyShare,
    keyset: &Keyset,
    helpers: &[u16],
    newcomer: u16,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<BTreeMap<u16, Dealt>, EnrolError> {
    let quorum = keyset.quorum(helpers).map_err(|_| EnrolError::Helpers)?;
    if newcomer == 0 || keyset.keeper(newcomer).is_some() || !quorum.contains(share.keeper()) {
        return Err(EnrolError::Helpers);
    }
    let ids = quorum.ids().iter().map(|&id| identifier(id));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    let mut parts: BTreeMap<u16, Dealt> = BTreeMap::new();
    for class in Class::ALL {
        let key = key_package(share, keyset, class)?;
        let deltas =
            repair_share_part1::<Ristretto255Sha512, _>(&ids, &key, rng, identifier(newcomer)?)
                .map_err(|_| EnrolError::Mismatch)?;
        for &id in quorum.ids() {
            let delta = deltas.get(&identifier(id)?).ok_or(EnrolError::Mismatch)?;
            put(
                parts.entry(id).or_insert_with(empty),
                class,
                &delta.serialize(),
            )?;
        }
    }
    Ok(parts)
}

/// Sums what all helpers gave to one of them: what that one hands to the newcomer.
///
/// # Errors
/// [`EnrolError::Mismatch`] for values that are no scalars.
pub fn gather(parts: &[Dealt]) -> Result<Dealt, EnrolError> {
    let mut sum = empty();
    for class in Class::ALL {
        let deltas = parts.iter().map(|part| Delta::deserialize(of(part, class)));
        let deltas = deltas.collect::<Result<Vec<_>, _>>();
        let sigma = repair_share_part2(&deltas.map_err(|_| EnrolError::Mismatch)?);
        put(&mut sum, class, &sigma.serialize())?;
    }
    Ok(sum)
}

/// The newcomer's share from the helpers' sums.
///
/// # Errors
/// [`EnrolError::Share`] when it is not the share that the keyset calls for.
pub fn join(keyset: &Keyset, newcomer: u16, sums: &[Dealt]) -> Result<KeyShare, EnrolError> {
    let mut secrets = Zeroizing::new([[0; 32]; 4]);
    for (class, place) in Class::ALL.into_iter().zip(secrets.iter_mut()) {
        let sigmas = sums.iter().map(|sum| Sigma::deserialize(of(sum, class)));
        let sigmas = sigmas.collect::<Result<Vec<_>, _>>();
        let sigmas = sigmas.map_err(|_| EnrolError::Mismatch)?;
        let public = public_package(keyset, class)?;
        let key = repair_share_part3(&sigmas, identifier(newcomer)?, &public)
            .map_err(|_| EnrolError::Mismatch)?;
        let scalar = Zeroizing::new(key.signing_share().serialize());
        *place = scalar
            .as_slice()
            .try_into()
            .map_err(|_| EnrolError::Mismatch)?;
    }
    let share = KeyShare::new(keyset.generation(), keyset.reshare(), newcomer, &secrets)
        .map_err(|_| EnrolError::Share)?;
    let fits = |class| expected_share(keyset, class, newcomer) == share.public(class);
    if Class::ALL.into_iter().all(fits) {
        Ok(share)
    } else {
        Err(EnrolError::Share)
    }
}

/// The public key that a share with this id must have: where the keyset's polynomial passes.
#[must_use]
pub fn expected_share(keyset: &Keyset, class: Class, id: u16) -> PublicKey {
    let known = keyset.keepers().iter().take(keyset.threshold().into());
    let known = known.filter_map(|keeper| Some((keeper.id, keyset.share(class, keeper.id)?)));
    let known: Vec<_> = known.collect();
    PublicKey(lagrange::interpolate(&known, id).compress().0)
}

/// The keyset once a share was handed on: the same keys and shares, with the newcomer's in the place of the
/// one that went. Every node computes it.
///
/// # Errors
/// [`KeysetError`] for a plan that does not follow from the keyset.
pub fn handed_on(plan: &Plan, before: &Keyset) -> Result<Keyset, KeysetError> {
    let written = |class, id| match before.share(class, id) {
        Some(share) => PublicKey(share.compress().0),
        None => expected_share(before, class, id),
    };
    let classes = Class::ALL.map(|class| ClassKey {
        group: PublicKey(before.group(class).compress().0),
        shares: plan
            .keepers
            .iter()
            .map(|keeper| written(class, keeper.id))
            .collect(),
    });
    Keyset::new(KeysetParts {
        generation: before.generation(),
        reshare: before.reshare(),
        threshold: before.threshold(),
        keepers: plan.keepers.clone(),
        classes: classes.into(),
    })
}

fn empty() -> Dealt {
    Zeroizing::new([0; DEALT_BYTES])
}

fn of(dealt: &Dealt, class: Class) -> &[u8] {
    let (scalars, _) = dealt.as_chunks::<32>();
    scalars.get(class.index()).map_or(&[], |scalar| scalar)
}

fn put(dealt: &mut Dealt, class: Class, scalar: &[u8]) -> Result<(), EnrolError> {
    let (scalars, _) = dealt.as_chunks_mut::<32>();
    let place = scalars.get_mut(class.index()).ok_or(EnrolError::Mismatch)?;
    *place = scalar.try_into().map_err(|_| EnrolError::Mismatch)?;
    Ok(())
}

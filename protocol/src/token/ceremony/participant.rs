//! What one keeper does in a ceremony: commit, deal, finish.

use super::{CeremonyKind, CheckedCommitments, Commitment, Commitments, Plan};
use crate::{
    codec::{self, Canonical, CodecError},
    token::{Class, KeyShare, Keyset, ShareError, bytes::decode_scalar},
};
use curve25519_dalek::ristretto::RistrettoPoint;
use frost_ristretto255::{
    Identifier, VerifyingKey,
    keys::{
        KeyPackage, PublicKeyPackage, SigningShare, VerifyingShare,
        dkg::{self, round1, round2},
        refresh,
    },
};
use minicbor::{Decode, Encode, bytes::ByteVec};
use rand_core::{CryptoRng, RngCore};
use std::collections::BTreeMap;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of what one keeper deals to another: a scalar for each class.
pub const DEALT_BYTES: usize = 4 * 32;

/// What one keeper deals to another, to be sealed to it.
pub type Dealt = Zeroizing<[u8; DEALT_BYTES]>;

/// Why a keeper cannot finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FinishError {
    /// What a keeper dealt does not fit what it committed to.
    #[error("what keeper {0} dealt does not fit its commitments")]
    Dealt(u16),
    /// Commitments or parts are missing, or the secret belongs to another ceremony.
    #[error("this keeper's secret and the ceremony in the log do not fit together")]
    Mismatch,
}

/// One keeper's secret in a ceremony, from its commitment until its share is made. Has neither
/// `Debug` nor `Clone`: it is stored sealed, and erased when the ceremony is over.
pub struct Participant {
    id: u16,
    packages: Vec<round1::SecretPackage>,
}

#[derive(Encode, Decode)]
struct Stored {
    #[n(0)]
    id: u16,
    #[n(1)]
    packages: Vec<ByteVec>,
}

impl Canonical for Stored {
    const WHAT: &'static str = "secret of a key ceremony";
    const MAX_BYTES: usize = 8 * 1024;
}

impl Drop for Stored {
    fn drop(&mut self) {
        for package in &mut self.packages {
            package.zeroize();
        }
    }
}

impl Participant {
    /// Draws a keeper's secrets and says what it commits to.
    ///
    /// # Errors
    /// [`FinishError::Mismatch`] when the id takes no part in the plan, or the plan is none.
    pub fn commit(
        plan: &Plan,
        id: u16,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(Self, Commitments), FinishError> {
        let mismatch = |_| FinishError::Mismatch;
        if !plan.keepers.iter().any(|keeper| keeper.id == id) {
            return Err(FinishError::Mismatch);
        }
        let identifier = Identifier::try_from(id).map_err(mismatch)?;
        let most = u16::try_from(plan.keepers.len()).map_err(|_| FinishError::Mismatch)?;
        let least = u16::from(plan.threshold);
        let (mut packages, mut classes) = (Vec::new(), Vec::new());
        for _ in Class::ALL {
            let (secret, package) = match plan.kind {
                CeremonyKind::Fresh => dkg::part1(identifier, most, least, &mut *rng),
                CeremonyKind::Refresh => {
                    refresh::refresh_dkg_part1(identifier, most, least, &mut *rng)
                }
                CeremonyKind::HandOn => return Err(FinishError::Mismatch),
            }
            .map_err(mismatch)?;
            let proof = package.proof_of_knowledge().serialize().map_err(mismatch)?;
            classes.push(Commitment {
                points: package.commitment().serialize_whole().map_err(mismatch)?,
                proof: proof.try_into().map_err(|_| FinishError::Mismatch)?,
            });
            packages.push(secret);
        }
        Ok((Self { id, packages }, Commitments { classes }))
    }

    /// The bytes to seal and store.
    ///
    /// # Panics
    /// Never: what the library made it can write.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let packages = self.packages.iter().map(|package| {
            let bytes = package
                .serialize()
                .expect("a secret package can be written");
            ByteVec::from(bytes)
        });
        let stored = Stored {
            id: self.id,
            packages: packages.collect(),
        };
        Zeroizing::new(codec::encode(&stored))
    }

    /// Reads what [`Participant::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`ShareError::Shape`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ShareError> {
        let stored: Stored = codec::decode(bytes).map_err(|_: CodecError| ShareError::Shape)?;
        let packages = stored.packages.iter();
        let packages = packages.map(|bytes| round1::SecretPackage::deserialize(bytes));
        let packages = packages.collect::<Result<Vec<_>, _>>();
        Ok(Self {
            id: stored.id,
            packages: packages.map_err(|_| ShareError::Shape)?,
        })
    }

    /// What this keeper deals to each other one, once all have committed. The same each time.
    ///
    /// # Errors
    /// [`FinishError::Mismatch`].
    pub fn deal(
        &self,
        plan: &Plan,
        all: &BTreeMap<u16, CheckedCommitments>,
    ) -> Result<BTreeMap<u16, Dealt>, FinishError> {
        let mut dealt: BTreeMap<u16, Dealt> = BTreeMap::new();
        for class in Class::ALL {
            let (_, packages) = self.second(plan, all, class)?;
            for keeper in plan.keepers.iter().filter(|keeper| keeper.id != self.id) {
                let package = packages
                    .get(&identifier(keeper.id)?)
                    .ok_or(FinishError::Mismatch)?;
                let mut scalar = package.signing_share().serialize();
                let place = dealt
                    .entry(keeper.id)
                    .or_insert_with(|| Zeroizing::new([0; DEALT_BYTES]));
                let (chunks, _) = place.as_chunks_mut::<32>();
                let chunk = chunks.get_mut(class.index()).ok_or(FinishError::Mismatch)?;
                chunk.copy_from_slice(&scalar);
                scalar.zeroize();
            }
        }
        Ok(dealt)
    }

    /// This keeper's share, once all others have dealt to it. `before` is its share and keyset until
    /// now, which a refresh builds on. The same each time.
    ///
    /// # Errors
    /// [`FinishError`]; with [`FinishError::Dealt`] the ceremony is over, and its cause is known.
    pub fn finish(
        &self,
        plan: &Plan,
        all: &BTreeMap<u16, CheckedCommitments>,
        dealt: &BTreeMap<u16, Dealt>,
        before: Option<(&KeyShare, &Keyset)>,
    ) -> Result<KeyShare, FinishError> {
        for (&from, dealt) in dealt {
            self.check_dealt(from, all, dealt)?;
        }
        let mut secrets = Zeroizing::new([[0; 32]; 4]);
        for (class, place) in Class::ALL.into_iter().zip(secrets.iter_mut()) {
            let mut scalar = self.third(plan, all, dealt, before, class)?;
            *place = scalar
                .as_slice()
                .try_into()
                .map_err(|_| FinishError::Mismatch)?;
            scalar.zeroize();
        }
        KeyShare::new(plan.generation, plan.reshare, self.id, &secrets)
            .map_err(|_| FinishError::Mismatch)
    }

    fn check_dealt(
        &self,
        from: u16,
        all: &BTreeMap<u16, CheckedCommitments>,
        dealt: &Dealt,
    ) -> Result<(), FinishError> {
        let commitments = all.get(&from).ok_or(FinishError::Mismatch)?;
        let (scalars, _) = dealt.as_chunks::<32>();
        for (class, bytes) in Class::ALL.into_iter().zip(scalars) {
            let mut scalar = decode_scalar(*bytes).ok_or(FinishError::Dealt(from))?;
            let fits = RistrettoPoint::mul_base(&scalar) == commitments.at(class, self.id);
            scalar.zeroize();
            if !fits {
                return Err(FinishError::Dealt(from));
            }
        }
        Ok(())
    }

    /// The library's second step for one class. It consumes the secret, so it is given a copy.
    fn second(
        &self,
        plan: &Plan,
        all: &BTreeMap<u16, CheckedCommitments>,
        class: Class,
    ) -> Result<(round2::SecretPackage, BTreeMap<Identifier, round2::Package>), FinishError> {
        let secret = self
            .packages
            .get(class.index())
            .ok_or(FinishError::Mismatch)?;
        let others = self.others(all, class)?;
        let done = match plan.kind {
            CeremonyKind::Fresh => dkg::part2(secret.clone(), &others),
            CeremonyKind::Refresh => refresh::refresh_dkg_part2(secret.clone(), &others),
            CeremonyKind::HandOn => return Err(FinishError::Mismatch),
        };
        done.map_err(|_| FinishError::Mismatch)
    }

    /// The library's last step for one class: this keeper's scalar.
    fn third(
        &self,
        plan: &Plan,
        all: &BTreeMap<u16, CheckedCommitments>,
        dealt: &BTreeMap<u16, Dealt>,
        before: Option<(&KeyShare, &Keyset)>,
        class: Class,
    ) -> Result<Vec<u8>, FinishError> {
        let (secret, _) = self.second(plan, all, class)?;
        let others = self.others(all, class)?;
        let mut packages = BTreeMap::new();
        for (&from, dealt) in dealt {
            let (scalars, _) = dealt.as_chunks::<32>();
            let scalar = scalars.get(class.index()).ok_or(FinishError::Mismatch)?;
            let share = SigningShare::deserialize(scalar).map_err(|_| FinishError::Dealt(from))?;
            packages.insert(identifier(from)?, round2::Package::new(share));
        }
        let (key, _) = match (plan.kind, before) {
            (CeremonyKind::Fresh, _) => dkg::part3(&secret, &others, &packages),
            (CeremonyKind::Refresh, Some((share, keyset))) => refresh::refresh_dkg_shares(
                &secret,
                &others,
                &packages,
                public_package(keyset, class)?,
                key_package(share, keyset, class)?,
            ),
            (CeremonyKind::Refresh, None) | (CeremonyKind::HandOn, _) => {
                return Err(FinishError::Mismatch);
            }
        }
        .map_err(|_| FinishError::Mismatch)?;
        Ok(key.signing_share().serialize())
    }

    fn others(
        &self,
        all: &BTreeMap<u16, CheckedCommitments>,
        class: Class,
    ) -> Result<BTreeMap<Identifier, round1::Package>, FinishError> {
        let mut others = BTreeMap::new();
        for (&id, commitments) in all.iter().filter(|(id, _)| **id != self.id) {
            let package = commitments.package(class).ok_or(FinishError::Mismatch)?;
            others.insert(identifier(id)?, package.clone());
        }
        Ok(others)
    }
}

pub(super) fn identifier(id: u16) -> Result<Identifier, FinishError> {
    Identifier::try_from(id).map_err(|_| FinishError::Mismatch)
}

/// A keyset's class as the library has it.
pub(super) fn public_package(
    keyset: &Keyset,
    class: Class,
) -> Result<PublicKeyPackage, FinishError> {
    let wrong = |_| FinishError::Mismatch;
    let mut shares = BTreeMap::new();
    for keeper in keyset.keepers() {
        let point = keyset
            .share(class, keeper.id)
            .ok_or(FinishError::Mismatch)?;
        let share = VerifyingShare::deserialize(&point.compress().0).map_err(wrong)?;
        shares.insert(identifier(keeper.id)?, share);
    }
    let group = VerifyingKey::deserialize(&keyset.group(class).compress().0).map_err(wrong)?;
    Ok(PublicKeyPackage::new(
        shares,
        group,
        Some(keyset.threshold().into()),
    ))
}

/// A keeper's share of a class as the library has it.
pub(super) fn key_package(
    share: &KeyShare,
    keyset: &Keyset,
    class: Class,
) -> Result<KeyPackage, FinishError> {
    let wrong = |_| FinishError::Mismatch;
    let group = VerifyingKey::deserialize(&keyset.group(class).compress().0).map_err(wrong)?;
    let public = VerifyingShare::deserialize(&share.public(class).0).map_err(wrong)?;
    let secret = SigningShare::deserialize(share.secret(class).as_bytes()).map_err(wrong)?;
    Ok(KeyPackage::new(
        identifier(share.keeper())?,
        secret,
        public,
        group,
        keyset.threshold().into(),
    ))
}

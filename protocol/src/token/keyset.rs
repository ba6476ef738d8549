//! A keyset: who holds the shares of the coalition's keys, and the public side of them. Section 3.1.

use super::{Class, MAX_KEEPERS, MAX_KEYSET_BYTES, bytes::decode_point, lagrange};
use crate::{codec::Canonical, id::NodeId};
use curve25519_dalek::ristretto::RistrettoPoint;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use std::collections::BTreeSet;

/// A point as it is written: the canonical encoding of a ristretto255 element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct PublicKey(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

/// A keeper of a keyset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Keeper {
    /// Its number in the shared polynomial: from 1 on, never used for another keeper.
    #[n(0)]
    pub id: u16,
    /// The node that holds the share.
    #[n(1)]
    pub node: NodeId,
}

/// The public keys of one class.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ClassKey {
    /// `K = kG`.
    #[n(0)]
    pub group: PublicKey,
    /// `V_i = k_i G`, in the order of the keepers.
    #[n(1)]
    pub shares: Vec<PublicKey>,
}

/// A keyset as it is written; [`Keyset::new`] checks it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct KeysetParts {
    /// Rises when tokens change.
    #[n(0)]
    pub generation: u32,
    /// Rises when shares change and tokens stay.
    #[n(1)]
    pub reshare: u32,
    /// t: how many keepers answer a batch.
    #[n(2)]
    pub threshold: u8,
    /// All keepers, by rising id.
    #[n(3)]
    pub keepers: Vec<Keeper>,
    /// One per class, in the order of [`Class::ALL`].
    #[n(4)]
    pub classes: Vec<ClassKey>,
}

/// Why parts are no keyset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysetError {
    /// No keeper, or too many.
    #[error("a keyset has 1 to {MAX_KEEPERS} keepers, this has {0}")]
    Keepers(usize),
    /// Two quorums could miss each other, or none exists.
    #[error(
        "with {keepers} keepers the threshold is more than half of them and at most all, not {threshold}"
    )]
    Threshold {
        /// n.
        keepers: usize,
        /// t as it was given.
        threshold: u8,
    },
    /// Ids that do not rise from 1 on, or a node that holds two shares.
    #[error("keepers are listed by rising id from 1 on, each node once")]
    Order,
    /// Not one key for each class, or not one share key for each keeper.
    #[error("a keyset has a key for each of the four classes, with one share for each keeper")]
    Shape,
    /// Bytes that are no point, or the identity.
    #[error("a {0} key is no valid point")]
    Point(Class),
    /// The share keys do not lie on one polynomial of degree t - 1 through the group key.
    #[error("the {0} share keys do not make up the group key; the key ceremony must be repeated")]
    Inconsistent(Class),
}

/// A checked keyset: every t of its shares make up the group keys.
#[derive(Clone, Debug)]
pub struct Keyset {
    parts: KeysetParts,
    groups: Vec<RistrettoPoint>,
    shares: Vec<Vec<(u16, RistrettoPoint)>>,
}

impl Keyset {
    /// Checks the parts of a keyset.
    ///
    /// # Errors
    /// [`KeysetError`] for the first rule of section 3.1 that they break.
    pub fn new(parts: KeysetParts) -> Result<Self, KeysetError> {
        check_keepers(&parts)?;
        if parts.classes.len() != Class::ALL.len() {
            return Err(KeysetError::Shape);
        }
        let (mut groups, mut shares) = (Vec::new(), Vec::new());
        for (class, key) in Class::ALL.into_iter().zip(&parts.classes) {
            let (group, of_keepers) = check_class(&parts, class, key)?;
            groups.push(group);
            shares.push(of_keepers);
        }
        Ok(Self {
            parts,
            groups,
            shares,
        })
    }

    /// The keyset as it is written.
    #[must_use]
    pub fn parts(&self) -> &KeysetParts {
        &self.parts
    }

    /// Rises when tokens change.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.parts.generation
    }

    /// Rises when shares change and tokens stay.
    #[must_use]
    pub fn reshare(&self) -> u32 {
        self.parts.reshare
    }

    /// t: how many keepers answer a batch.
    #[must_use]
    pub fn threshold(&self) -> u8 {
        self.parts.threshold
    }

    /// All keepers, by rising id; n is their number.
    #[must_use]
    pub fn keepers(&self) -> &[Keeper] {
        &self.parts.keepers
    }

    /// The keeper of an id.
    #[must_use]
    pub fn keeper(&self, id: u16) -> Option<&Keeper> {
        self.parts.keepers.iter().find(|keeper| keeper.id == id)
    }

    /// The id of a node, if it is a keeper.
    #[must_use]
    pub fn id_of(&self, node: &NodeId) -> Option<u16> {
        self.parts
            .keepers
            .iter()
            .find(|keeper| keeper.node == *node)
            .map(|keeper| keeper.id)
    }

    /// `K` of a class.
    pub(crate) fn group(&self, class: Class) -> RistrettoPoint {
        *self
            .groups
            .get(class.index())
            .expect("a keyset has all four classes")
    }

    /// `V_i` of a class.
    pub(crate) fn share(&self, class: Class, keeper: u16) -> Option<RistrettoPoint> {
        let of_class = self.shares.get(class.index())?;
        of_class
            .iter()
            .find(|(id, _)| *id == keeper)
            .map(|(_, point)| *point)
    }
}

fn check_keepers(parts: &KeysetParts) -> Result<(), KeysetError> {
    let keepers = parts.keepers.len();
    if !(1..=MAX_KEEPERS).contains(&keepers) {
        return Err(KeysetError::Keepers(keepers));
    }
    let threshold = usize::from(parts.threshold);
    if 2 * threshold <= keepers || threshold > keepers {
        return Err(KeysetError::Threshold {
            keepers,
            threshold: parts.threshold,
        });
    }
    let rising = parts
        .keepers
        .iter()
        .zip(parts.keepers.iter().skip(1))
        .all(|(a, b)| a.id < b.id);
    let from_one = parts.keepers.iter().all(|keeper| keeper.id > 0);
    let nodes: BTreeSet<&NodeId> = parts.keepers.iter().map(|keeper| &keeper.node).collect();
    if !rising || !from_one || nodes.len() != keepers {
        return Err(KeysetError::Order);
    }
    Ok(())
}

/// A class's group key, and its share keys by keeper id.
type ClassPoints = (RistrettoPoint, Vec<(u16, RistrettoPoint)>);

fn check_class(
    parts: &KeysetParts,
    class: Class,
    key: &ClassKey,
) -> Result<ClassPoints, KeysetError> {
    if key.shares.len() != parts.keepers.len() {
        return Err(KeysetError::Shape);
    }
    let point = |key: &PublicKey| decode_point(&key.0).ok_or(KeysetError::Point(class));
    let group = point(&key.group)?;
    let mut shares = Vec::new();
    for (keeper, share) in parts.keepers.iter().zip(&key.shares) {
        shares.push((keeper.id, point(share)?));
    }
    // The first t shares fix the polynomial; the group key and all other shares must lie on it.
    let (first, rest) = shares.split_at(usize::from(parts.threshold));
    let consistent = lagrange::interpolate(first, 0) == group
        && rest
            .iter()
            .all(|(id, point)| lagrange::interpolate(first, *id) == *point);
    if consistent {
        Ok((group, shares))
    } else {
        Err(KeysetError::Inconsistent(class))
    }
}

impl PartialEq for Keyset {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Keyset {}

impl<C> Encode<C> for Keyset {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.parts.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Keyset {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        Self::new(KeysetParts::decode(d, ctx)?).map_err(|error| decode::Error::custom(error).at(at))
    }
}

impl Canonical for Keyset {
    const WHAT: &'static str = "keyset";
    const MAX_BYTES: usize = MAX_KEYSET_BYTES;
}

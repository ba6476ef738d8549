//! What a node does before it asks: hide each value behind a blind that fits only it. Section 3.2.

use super::{
    BATCH_SIZES, Class, EVAL_POINTS, WIRE_VERSION,
    hash_to_group::{DST, hash_to_group, input},
    keyset::Keyset,
    normalize::Normalized,
    quorum::Quorum,
    wire::{EvalRequest, Points},
};
use crate::id::CoalitionId;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use zeroize::{Zeroize, Zeroizing};

/// The kind of the values that fill a batch; no real value has it.
const PAD: &str = "pad";

/// Why values are no batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// Nothing to ask, or more than one batch holds.
    #[error("a batch has 1 to {EVAL_POINTS} values, this has {0}")]
    Count(usize),
    /// A value of another class than the batch.
    #[error("value {0} belongs to another class than the batch")]
    Class(usize),
    /// The same value twice.
    #[error("a batch holds each value once; remove duplicates first")]
    Duplicate,
}

/// One element of a batch, real or pad.
struct Element {
    /// `B_j`.
    wire: [u8; 32],
    /// `2 P_j`, which `B_j` encodes.
    doubled: RistrettoPoint,
    /// `r_j`.
    blind: Scalar,
    /// The place among the caller's values; none for a pad.
    place: Option<usize>,
}

/// Blinded values and all that is needed to check and unblind the answers.
///
/// Elements stand by rising wire bytes: blinded points are pseudorandom, so their order is a
/// shuffle that tells nothing, and the same for every retry. Blinds are wiped when dropped.
pub struct BlindedBatch {
    pub(super) coalition: CoalitionId,
    pub(super) generation: u32,
    pub(super) reshare: u32,
    pub(super) class: Class,
    pub(super) slot: u64,
    /// `K` of the class.
    pub(super) group: RistrettoPoint,
    /// How many of the elements are the caller's.
    pub(super) values: usize,
    wire: Points,
    elements: Vec<Element>,
}

/// Blinds a batch of distinct values of one class, fills it with pads and shuffles it.
///
/// The same arguments give the same bytes, so a retry is recognized and not charged again; another
/// slot or value never shares a blind. `job_secret` is 32 random bytes that the node keeps sealed
/// until the audit window of the slot closes.
///
/// # Errors
/// [`PrepareError`].
pub fn prepare(
    job_secret: &[u8; 32],
    coalition: &CoalitionId,
    keyset: &Keyset,
    class: Class,
    slot: u64,
    values: &[Normalized],
) -> Result<BlindedBatch, PrepareError> {
    let size = BATCH_SIZES
        .into_iter()
        .find(|size| *size >= values.len() && !values.is_empty());
    let size = size.ok_or(PrepareError::Count(values.len()))?;
    if let Some(place) = values
        .iter()
        .position(|value| value.kind().class() != class)
    {
        return Err(PrepareError::Class(place));
    }
    let generation = keyset.generation();
    let real = values.iter().map(|value| {
        input(
            coalition,
            class.name(),
            value.kind().name(),
            value.value().as_bytes(),
        )
    });
    let pads = (values.len()..size).map(|place| {
        let value = Zeroizing::new(pad_value(job_secret, generation, slot, place));
        input(coalition, class.name(), PAD, value.as_ref())
    });
    let mut points = Vec::with_capacity(size);
    let mut blinds = Zeroizing::new(Vec::with_capacity(size));
    for x in real.chain(pads).map(Zeroizing::new) {
        let blind = blind_of(job_secret, generation, slot, &x);
        points.push(hash_to_group(&x, DST) + RistrettoPoint::mul_base(&blind));
        blinds.push(*blind);
    }
    let elements = shuffled(&points, &blinds, values.len());
    let wire: Vec<[u8; 32]> = elements.iter().map(|element| element.wire).collect();
    if wire.iter().zip(wire.iter().skip(1)).any(|(a, b)| a == b) {
        return Err(PrepareError::Duplicate);
    }
    Ok(BlindedBatch {
        coalition: *coalition,
        generation,
        reshare: keyset.reshare(),
        class,
        slot,
        group: keyset.group(class),
        values: values.len(),
        wire: Points::new(wire).expect("a batch has one of the fixed sizes"),
        elements,
    })
}

impl BlindedBatch {
    /// The request for a quorum. Ask another one with the same batch when a keeper fails.
    #[must_use]
    pub fn request(&self, quorum: &Quorum) -> EvalRequest {
        EvalRequest {
            version: WIRE_VERSION,
            coalition: self.coalition,
            generation: self.generation,
            reshare: self.reshare,
            class: self.class,
            quorum: quorum.clone(),
            slot: self.slot,
            points: self.wire.clone(),
        }
    }

    /// How many values the batch holds, pads not counted.
    #[must_use]
    pub fn values(&self) -> usize {
        self.values
    }

    /// How many points the batch costs of the budget, pads counted.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.wire.count()
    }

    /// `B_1..B_n`.
    pub(super) fn wire(&self) -> &[[u8; 32]] {
        self.wire.as_slice()
    }

    /// `2 P_1..2 P_n`.
    pub(super) fn doubled(&self) -> impl Iterator<Item = &RistrettoPoint> {
        self.elements.iter().map(|element| &element.doubled)
    }

    /// `r_j` and the place among the caller's values, for each element in order.
    pub(super) fn blinds(&self) -> impl Iterator<Item = (&Scalar, Option<usize>)> {
        self.elements
            .iter()
            .map(|element| (&element.blind, element.place))
    }
}

impl Drop for BlindedBatch {
    fn drop(&mut self) {
        for element in &mut self.elements {
            element.blind.zeroize();
            element.doubled.zeroize();
        }
    }
}

fn shuffled(points: &[RistrettoPoint], blinds: &[Scalar], values: usize) -> Vec<Element> {
    let wire = RistrettoPoint::double_and_compress_batch(points);
    let mut elements: Vec<Element> = (0..)
        .zip(points.iter().zip(blinds).zip(wire))
        .map(|(place, ((point, blind), wire))| Element {
            wire: wire.0,
            doubled: point + point,
            blind: *blind,
            place: (place < values).then_some(place),
        })
        .collect();
    elements.sort_unstable_by_key(|element| element.wire);
    elements
}

/// `r_j`: bound to the value, the generation and the slot.
fn blind_of(job_secret: &[u8; 32], generation: u32, slot: u64, x: &[u8]) -> Zeroizing<Scalar> {
    let mut wide = Zeroizing::new([0; 64]);
    let mut hasher = blake3::Hasher::new_keyed(job_secret);
    hasher
        .update(&generation.to_be_bytes())
        .update(&slot.to_be_bytes())
        .update(x);
    hasher.finalize_xof().fill(wide.as_mut());
    Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide))
}

/// The value of a pad: as unknown to others as a real one, and the same in a retry.
fn pad_value(job_secret: &[u8; 32], generation: u32, slot: u64, place: usize) -> [u8; 32] {
    let key = Zeroizing::new(blake3::derive_key("commonturf pad v1", job_secret));
    let place = u32::try_from(place).expect("a batch has at most 4096 points");
    let mut hasher = blake3::Hasher::new_keyed(&key);
    hasher
        .update(&generation.to_be_bytes())
        .update(&slot.to_be_bytes())
        .update(&place.to_be_bytes());
    hasher.finalize().into()
}

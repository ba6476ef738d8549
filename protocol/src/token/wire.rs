//! What a node asks of a keeper and what it gets: a batch of points there and back. Section 4.
//!
//! Neither carries a signature: both travel in signed HTTP messages, which also say who asks.

use super::{Class, EVAL_POINTS, MAX_EVAL_BYTES, quorum::Quorum};
use crate::{
    codec::{Canonical, encode as encode_canonical},
    id::{CoalitionId, Hash},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// Points of a batch: at least one, at most [`EVAL_POINTS`], written as one string of 32 bytes each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Points(Vec<[u8; 32]>);

impl Points {
    /// Points from their encodings; none for an empty or too long batch.
    #[must_use]
    pub fn new(points: Vec<[u8; 32]>) -> Option<Self> {
        (1..=EVAL_POINTS)
            .contains(&points.len())
            .then_some(Self(points))
    }

    /// The encodings, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[[u8; 32]] {
        &self.0
    }

    /// How many there are: what a budget counts, pads included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// SHA-256 over `B_1..B_n`: what a keeper binds to a member's slot, whatever the quorum.
    #[must_use]
    pub fn digest(&self) -> Hash {
        Hash::of(self.0.as_flattened())
    }
}

impl<C> Encode<C> for Points {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(self.0.as_flattened())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Points {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        let bytes = d.bytes()?;
        let (points, rest) = bytes.as_chunks::<32>();
        let points = Self::new(points.to_vec()).filter(|_| rest.is_empty());
        points.ok_or_else(|| {
            decode::Error::message("a batch has 1 to 4096 points of 32 bytes each").at(at)
        })
    }
}

/// A batch of blinded points for one keeper of a quorum; the same bytes go to all of them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EvalRequest {
    /// [`WIRE_VERSION`](super::WIRE_VERSION).
    #[n(0)]
    pub version: u8,
    /// The coalition whose keys apply.
    #[n(1)]
    pub coalition: CoalitionId,
    /// The keyset's generation.
    #[n(2)]
    pub generation: u32,
    /// The keyset's reshare number.
    #[n(3)]
    pub reshare: u32,
    /// The class whose key applies.
    #[n(4)]
    pub class: Class,
    /// The t keepers that answer.
    #[n(5)]
    pub quorum: Quorum,
    /// The member's number of this batch.
    #[n(6)]
    pub slot: u64,
    /// `B_1..B_n`, rising.
    #[n(7)]
    pub points: Points,
}

impl EvalRequest {
    /// SHA-256 of the canonical bytes: what a reply answers.
    #[must_use]
    pub fn digest(&self) -> Hash {
        Hash::of(&encode_canonical(self))
    }
}

impl Canonical for EvalRequest {
    const WHAT: &'static str = "evaluation request";
    const MAX_BYTES: usize = MAX_EVAL_BYTES;
}

/// A keeper's answer to an [`EvalRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EvalReply {
    /// [`EvalRequest::digest`] of what is answered.
    #[n(0)]
    pub request: Hash,
    /// The id of the keeper that answers.
    #[n(1)]
    pub keeper: u16,
    /// `E_1..E_n`, in the order of the request.
    #[n(2)]
    pub points: Points,
    /// `c` and `s` of the proof.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub proof: [u8; 64],
}

impl Canonical for EvalReply {
    const WHAT: &'static str = "evaluation reply";
    const MAX_BYTES: usize = MAX_EVAL_BYTES;
}

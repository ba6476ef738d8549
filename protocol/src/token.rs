//! Match tokens: equal values meet at every member, and no member alone can compute them.
//!
//! A node normalizes a value ([`normalize`]), hides it ([`blind`]), lets t keepers multiply it by
//! their key shares ([`evaluate()`]), checks each answer's proof, and only then gets the [`Point`]
//! that it keeps ([`finalize`]). What members compare is the [`Token`] derived from the point.
//!
//! ```text
//! value --normalize--> Normalized --prepare--> BlindedBatch --request--> EvalRequest
//!                                                                             | t keepers
//! Token <--derive-- Point <--finalize-- VerifiedBatch <--verify, combine-- EvalReply
//! ```
//!
//! Spec: `spec/matching.md`; sections below are its sections.

pub mod blind;
mod bytes;
pub mod ceremony;
pub mod class;
pub mod derive;
mod dleq;
pub mod evaluate;
pub mod finalize;
pub mod hash_to_group;
pub mod keyset;
mod lagrange;
pub mod normalize;
pub mod overlap;
pub mod quorum;
pub mod rotate;
pub mod share;
pub mod wire;

pub use blind::{BlindedBatch, PrepareError};
pub use class::{Class, Kind, NORM_VERSION};
pub use derive::{Point, Token, TokenKey};
pub use evaluate::{CheckedRequest, EvalError, evaluate};
pub use finalize::{CombineError, VerifiedBatch, VerifiedShare, VerifyError};
pub use keyset::{ClassKey, Keeper, Keyset, KeysetError, KeysetParts, PublicKey};
pub use normalize::Normalized;
pub use quorum::{Quorum, QuorumError};
pub use rotate::Rotation;
pub use share::{KeyShare, ShareError};
pub use wire::{EvalReply, EvalRequest, Points};

/// The version of requests and replies that this code speaks. Section 4.
pub const WIRE_VERSION: u8 = 1;

/// Points in one batch at most, pads included.
pub const EVAL_POINTS: usize = 4096;

/// The sizes that a batch is filled up to, so that its size tells little. Section 3.2.
pub const BATCH_SIZES: [usize; 3] = [64, 512, EVAL_POINTS];

/// Keepers in one keyset at most.
pub const MAX_KEEPERS: usize = 5;

/// Bytes of a normalized value at most; longer ones yield no token.
pub const MAX_VALUE_BYTES: usize = 512;

/// Bytes of an encoded request or reply at most: the points and room for the rest.
pub const MAX_EVAL_BYTES: usize = 32 * EVAL_POINTS + 512;

/// Bytes of an encoded keyset at most.
pub const MAX_KEYSET_BYTES: usize = 4096;

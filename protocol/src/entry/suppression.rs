//! Suppressions and their withdrawal: minimal, and blocked by no policy. Spec: section 5.7.

use super::payload::Payload;
use minicbor::{Decode, Encode};

/// Assertions that contact points or persons must not be contacted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Suppress {
    /// The assertions, as rows of [`super::payload::SuppressionRow`].
    #[n(0)]
    pub rows: Payload,
    /// The generation of the tokens.
    #[n(1)]
    pub generation: u32,
}

/// The author takes own assertions back; those of others stand.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SuppressWithdraw {
    /// What is taken back, as rows of [`super::payload::SuppressionRow`].
    #[n(0)]
    pub rows: Payload,
    /// The generation of the tokens.
    #[n(1)]
    pub generation: u32,
}

//! Contact reports: who was attempted, when, with which effect. Spec: section 5.6.

use super::payload::Payload;
use crate::{channel::Channel, id::EntryId};
use minicbor::{Decode, Encode};

/// Attempts on one channel. Reports of any age are taken.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ContactReport {
    /// How the people were contacted.
    #[n(0)]
    pub channel: Channel,
    /// The attempts, as rows of [`super::payload::ContactRow`].
    #[n(1)]
    pub rows: Payload,
    /// The claim under which they were made, if there was one.
    #[n(2)]
    pub claim: Option<EntryId>,
    /// The generation of the tokens.
    #[n(3)]
    pub generation: u32,
}

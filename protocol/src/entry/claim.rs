//! Claims: taken, kept alive, given back. Spec: section 5.5.

use super::payload::Payload;
use crate::{
    channel::Channel,
    id::{EntryId, Hash},
    time::Moment,
};
use minicbor::{Decode, Encode};

/// An exclusive reservation of contact points on a channel for a window.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    /// How they will be contacted.
    #[n(0)]
    pub channel: Channel,
    /// The window's first moment.
    #[n(1)]
    pub from: Moment,
    /// The moment after the window's last.
    #[n(2)]
    pub to: Moment,
    /// The contact points, as rows of [`crate::token::Token`], or of [`super::payload::TokenPair`].
    #[n(3)]
    pub tokens: Payload,
    /// Void when ordered after this moment: a forgotten claim takes no turf days later.
    #[n(4)]
    pub grant_by: Moment,
    /// The agreement under which it is made.
    #[n(5)]
    pub agreement: Hash,
    /// The generation of the tokens; another one than the one in use makes it void.
    #[n(6)]
    pub generation: u32,
    /// Whether each row names its point by both tokens: while an older generation closes.
    #[n(7)]
    pub paired: bool,
}

/// A sign of life: without one in time, a claim lapses.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClaimRenew {
    /// The claim: the id of the entry that made it.
    #[n(0)]
    pub claim: EntryId,
}

/// The end of a claim, or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClaimRelease {
    /// The claim: the id of the entry that made it.
    #[n(0)]
    pub claim: EntryId,
    /// The contact points given back; absent: all.
    #[n(1)]
    pub tokens: Option<Payload>,
}

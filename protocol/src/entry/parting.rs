//! Who goes: leaving, and removal for cause. Spec: section 5.11.
//!
//! The act itself is the MLS commit, as with additions: from its epoch on the member reads nothing.

use crate::id::{EntryId, NodeId};
use minicbor::{Decode, Encode};

/// The longest reason of a proposal to remove a member, in bytes.
pub const REASON_BYTES: usize = 500;

/// The author wants to go; another member makes the commit.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Leave {}

/// A proposal that a member goes; it counts as its author's approval.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Remove {
    /// Who shall go.
    #[n(0)]
    pub node: NodeId,
    /// Why, on one line of 1 to 500 bytes. The one who shall go reads it too.
    #[n(1)]
    pub reason: String,
}

/// The author agrees with a proposal to remove a member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RemoveApprove {
    /// Who shall go.
    #[n(0)]
    pub node: NodeId,
    /// The entry that proposed it: an approval of an earlier one is none of this one.
    #[n(1)]
    pub proposal: EntryId,
}

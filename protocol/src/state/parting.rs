//! The rows of the folded state about who goes and who comes back. Spec: section 6.

use crate::{
    id::{EntryId, NodeId},
    time::Moment,
};
use minicbor::{Decode, Encode};

/// A member's last way back into the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Returned {
    /// The position of the commit.
    #[n(0)]
    pub position: u64,
    /// When, in log time.
    #[n(1)]
    pub at: Moment,
}

/// A proposal that a member goes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RemovalRow {
    /// The entry that proposed it.
    #[n(0)]
    pub proposal: EntryId,
    /// Why.
    #[n(1)]
    pub reason: String,
    /// When it was proposed, in log time.
    #[n(2)]
    pub at: Moment,
    /// Who agrees, in order; the first is who proposed it.
    #[n(3)]
    pub approvals: Vec<NodeId>,
}

//! What was observed at the four nodes after the round, before anybody judges it.

use super::canary::Traces;
use super::known::Seen;
use crate::nodes::Standing;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is judged.
#[derive(Debug, Clone, Default)]
pub(super) struct Observed {
    /// Claims with what they were granted.
    pub(super) claims: Vec<ClaimSeen>,
    /// Shares as their recipients hold them.
    pub(super) shares: Vec<ShareSeen>,
    /// What the files of each node show, by slug.
    pub(super) traces: BTreeMap<String, Traces>,
    /// Where each node stands, all at one position.
    pub(super) standings: Vec<Standing>,
    /// Revocations.
    pub(super) notices: Vec<NoticeSeen>,
    /// Opt-outs that one organization told the coalition, and who refuses the door since.
    pub(super) opt_outs: Vec<OptOutSeen>,
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClaimSeen {
    /// Slug of its holder.
    pub(super) by: String,
    /// First and last day, `YYYY-MM-DD`.
    pub(super) window: (String, String),
    /// Doors that its coordinator was granted, by the answer to the claim.
    pub(super) granted: usize,
    /// The walk list that was written for it.
    pub(super) walk_list: Vec<Seen>,
}

impl ClaimSeen {
    /// The doors on the walk list.
    pub(super) fn doors(&self) -> BTreeSet<&str> {
        self.walk_list
            .iter()
            .filter_map(|row| row.door.as_deref())
            .collect()
    }
}

/// Rows of one sender at one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShareSeen {
    /// Slug of the sender.
    pub(super) from: String,
    /// Slug of the recipient.
    pub(super) to: String,
    /// Kinds of fields that were asked for.
    pub(super) fields: BTreeSet<String>,
    /// How many people the sender says it sent; 0 where nobody was.
    pub(super) sent: usize,
    /// How many of them the recipient's own gate dropped, by its answer.
    pub(super) dropped: usize,
    /// How many of them were taken back.
    pub(super) taken_back: usize,
    /// What the recipient holds.
    pub(super) rows: Vec<Seen>,
}

/// A revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoticeSeen {
    /// Who took back.
    pub(super) from: String,
    /// Who had to erase.
    pub(super) to: String,
    /// Whether the signed receipt is there, as the sender sees it.
    pub(super) receipt: bool,
    /// E-mail addresses and telephones of the person that must be gone from the recipient's files.
    pub(super) gone: (BTreeSet<String>, BTreeSet<String>),
}

/// An opt-out from visits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OptOutSeen {
    /// Who told it.
    pub(super) by: String,
    /// Whom it had to reach.
    pub(super) members: BTreeSet<String>,
    /// Who knows of it.
    pub(super) reached: BTreeSet<String>,
}

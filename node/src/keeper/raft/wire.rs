//! What keepers say to each other, and what a keeper's Raft log holds, as canonical CBOR.
//!
//! openraft's types are translated here and leave this folder nowhere.

use super::{Peer, Proposal, Types};
use minicbor::{Decode, Encode};
use openraft::{
    CommittedLeaderId, Entry, EntryPayload, LeaderId, LogId, Membership, SnapshotMeta,
    StoredMembership, Vote,
    raft::{
        AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
    },
};
use protocol::{
    codec::Canonical,
    id::{Hash, NodeId},
    time::Moment,
};
use std::collections::{BTreeMap, BTreeSet};

/// The longest message between keepers: entries of one call, and room for what is around them.
const MESSAGE_BYTES: usize = 3 * 1024 * 1024;

macro_rules! canonical {
    ($($name:ident $what:literal $bytes:expr;)*) => {$(
        impl Canonical for $name {
            const WHAT: &'static str = $what;
            const MAX_BYTES: usize = $bytes;
        }
    )*};
}

canonical! {
    WireVote "vote" 64;
    WireLogId "Raft log id" 64;
    WireEntry "Raft log entry" MESSAGE_BYTES;
    WireStoredMembership "list of keepers" 16 * 1024;
    WireSnapshot "mark in the log" 16 * 1024;
    Marker "place in the log" 256;
    Append "Raft append" MESSAGE_BYTES;
    Appended "answer to a Raft append" 256;
    Ask "Raft vote request" 256;
    Asked "answer to a Raft vote request" 256;
    Install "Raft snapshot" 32 * 1024;
    Installed "answer to a Raft snapshot" 256;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct WireVote {
    #[n(0)]
    term: u64,
    #[n(1)]
    id: u64,
    #[n(2)]
    committed: bool,
}

impl WireVote {
    pub(super) fn term(self) -> u64 {
        self.term
    }
}

impl From<Vote<u64>> for WireVote {
    fn from(vote: Vote<u64>) -> Self {
        Self {
            term: vote.leader_id.term,
            id: vote.leader_id.node_id,
            committed: vote.committed,
        }
    }
}

impl From<WireVote> for Vote<u64> {
    fn from(wire: WireVote) -> Self {
        Self {
            leader_id: LeaderId::new(wire.term, wire.id),
            committed: wire.committed,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct WireLogId {
    #[n(0)]
    term: u64,
    #[n(1)]
    id: u64,
    #[n(2)]
    index: u64,
}

impl WireLogId {
    pub(super) fn index(self) -> u64 {
        self.index
    }
}

impl From<LogId<u64>> for WireLogId {
    fn from(log_id: LogId<u64>) -> Self {
        Self {
            term: log_id.leader_id.term,
            id: log_id.leader_id.node_id,
            index: log_id.index,
        }
    }
}

impl From<WireLogId> for LogId<u64> {
    fn from(wire: WireLogId) -> Self {
        Self::new(CommittedLeaderId::new(wire.term, wire.id), wire.index)
    }
}

fn wire_log_id(log_id: Option<LogId<u64>>) -> Option<WireLogId> {
    log_id.map(Into::into)
}

/// Voters, in one set or in two during a change, and everybody who takes part.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct WireMembership {
    #[n(0)]
    voters: Vec<Vec<u64>>,
    #[n(1)]
    nodes: Vec<WireNode>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct WireNode {
    #[n(0)]
    id: u64,
    #[n(1)]
    node: Option<NodeId>,
}

impl From<&Membership<u64, Peer>> for WireMembership {
    fn from(membership: &Membership<u64, Peer>) -> Self {
        let voters = membership.get_joint_config().iter();
        Self {
            voters: voters.map(|set| set.iter().copied().collect()).collect(),
            nodes: membership
                .nodes()
                .map(|(id, peer)| WireNode {
                    id: *id,
                    node: peer.node,
                })
                .collect(),
        }
    }
}

impl From<WireMembership> for Membership<u64, Peer> {
    fn from(wire: WireMembership) -> Self {
        let sets: Vec<BTreeSet<u64>> = wire
            .voters
            .into_iter()
            .map(|set| set.into_iter().collect())
            .collect();
        let nodes: BTreeMap<u64, Peer> = wire
            .nodes
            .into_iter()
            .map(|node| (node.id, Peer { node: node.node }))
            .collect();
        Self::new(sets, nodes)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct WireStoredMembership {
    #[n(0)]
    at: Option<WireLogId>,
    #[n(1)]
    membership: WireMembership,
}

impl From<&StoredMembership<u64, Peer>> for WireStoredMembership {
    fn from(stored: &StoredMembership<u64, Peer>) -> Self {
        Self {
            at: wire_log_id(*stored.log_id()),
            membership: stored.membership().into(),
        }
    }
}

impl From<WireStoredMembership> for StoredMembership<u64, Peer> {
    fn from(wire: WireStoredMembership) -> Self {
        Self::new(wire.at.map(Into::into), wire.membership.into())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct WireEntry {
    #[n(0)]
    at: WireLogId,
    #[n(1)]
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
enum Content {
    #[n(0)]
    Blank,
    #[n(1)]
    Proposal(#[n(0)] Proposal),
    #[n(2)]
    Membership(#[n(0)] WireMembership),
}

impl From<Entry<Types>> for WireEntry {
    fn from(entry: Entry<Types>) -> Self {
        Self {
            at: entry.log_id.into(),
            content: match entry.payload {
                EntryPayload::Blank => Content::Blank,
                EntryPayload::Normal(proposal) => Content::Proposal(proposal),
                EntryPayload::Membership(membership) => Content::Membership((&membership).into()),
            },
        }
    }
}

impl From<WireEntry> for Entry<Types> {
    fn from(wire: WireEntry) -> Self {
        Self {
            log_id: wire.at.into(),
            payload: match wire.content {
                Content::Blank => EntryPayload::Blank,
                Content::Proposal(proposal) => EntryPayload::Normal(proposal),
                Content::Membership(membership) => EntryPayload::Membership(membership.into()),
            },
        }
    }
}

/// A place in the coalition log: all that a snapshot needs to hold, since the log itself is the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Marker {
    /// The last position.
    #[n(0)]
    pub(super) position: u64,
    /// The chain hash there.
    #[n(1)]
    pub(super) chain: Hash,
    /// The log time there.
    #[n(2)]
    pub(super) log_time: Moment,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct WireSnapshot {
    #[n(0)]
    at: Option<WireLogId>,
    #[n(1)]
    membership: WireStoredMembership,
    #[n(2)]
    id: String,
    #[n(3)]
    pub(super) marker: Marker,
}

impl WireSnapshot {
    pub(super) fn new(meta: &SnapshotMeta<u64, Peer>, marker: Marker) -> Self {
        Self {
            at: wire_log_id(meta.last_log_id),
            membership: (&meta.last_membership).into(),
            id: meta.snapshot_id.clone(),
            marker,
        }
    }

    pub(super) fn meta(&self) -> SnapshotMeta<u64, Peer> {
        SnapshotMeta {
            last_log_id: self.at.map(Into::into),
            last_membership: self.membership.clone().into(),
            snapshot_id: self.id.clone(),
        }
    }
}

/// Entries from the leader, or its heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Append {
    #[n(0)]
    pub(super) to: u64,
    #[n(1)]
    vote: WireVote,
    #[n(2)]
    before: Option<WireLogId>,
    #[n(3)]
    entries: Vec<WireEntry>,
    #[n(4)]
    committed: Option<WireLogId>,
}

impl Append {
    pub(super) fn new(to: u64, rpc: AppendEntriesRequest<Types>) -> Self {
        Self {
            to,
            vote: rpc.vote.into(),
            before: wire_log_id(rpc.prev_log_id),
            entries: rpc.entries.into_iter().map(Into::into).collect(),
            committed: wire_log_id(rpc.leader_commit),
        }
    }

    pub(super) fn from(&self) -> u64 {
        self.vote.id
    }
}

impl From<Append> for AppendEntriesRequest<Types> {
    fn from(wire: Append) -> Self {
        Self {
            vote: wire.vote.into(),
            prev_log_id: wire.before.map(Into::into),
            entries: wire.entries.into_iter().map(Into::into).collect(),
            leader_commit: wire.committed.map(Into::into),
        }
    }
}

/// What became of an [`Append`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) enum Appended {
    #[n(0)]
    Success,
    #[n(1)]
    Partial(#[n(0)] Option<WireLogId>),
    #[n(2)]
    Conflict,
    #[n(3)]
    HigherVote(#[n(0)] WireVote),
}

impl From<AppendEntriesResponse<u64>> for Appended {
    fn from(answer: AppendEntriesResponse<u64>) -> Self {
        match answer {
            AppendEntriesResponse::Success => Self::Success,
            AppendEntriesResponse::PartialSuccess(at) => Self::Partial(wire_log_id(at)),
            AppendEntriesResponse::Conflict => Self::Conflict,
            AppendEntriesResponse::HigherVote(vote) => Self::HigherVote(vote.into()),
        }
    }
}

impl From<Appended> for AppendEntriesResponse<u64> {
    fn from(wire: Appended) -> Self {
        match wire {
            Appended::Success => Self::Success,
            Appended::Partial(at) => Self::PartialSuccess(at.map(Into::into)),
            Appended::Conflict => Self::Conflict,
            Appended::HigherVote(vote) => Self::HigherVote(vote.into()),
        }
    }
}

/// A candidate asks for a vote.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Ask {
    #[n(0)]
    pub(super) to: u64,
    #[n(1)]
    vote: WireVote,
    #[n(2)]
    last: Option<WireLogId>,
}

impl Ask {
    pub(super) fn new(to: u64, rpc: &VoteRequest<u64>) -> Self {
        Self {
            to,
            vote: rpc.vote.into(),
            last: wire_log_id(rpc.last_log_id),
        }
    }

    pub(super) fn from(&self) -> u64 {
        self.vote.id
    }
}

impl From<Ask> for VoteRequest<u64> {
    fn from(wire: Ask) -> Self {
        Self::new(wire.vote.into(), wire.last.map(Into::into))
    }
}

/// Whether a candidate has the vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Asked {
    #[n(0)]
    vote: WireVote,
    #[n(1)]
    granted: bool,
    #[n(2)]
    last: Option<WireLogId>,
}

impl From<VoteResponse<u64>> for Asked {
    fn from(answer: VoteResponse<u64>) -> Self {
        Self {
            vote: answer.vote.into(),
            granted: answer.vote_granted,
            last: wire_log_id(answer.last_log_id),
        }
    }
}

impl From<Asked> for VoteResponse<u64> {
    fn from(wire: Asked) -> Self {
        Self {
            vote: wire.vote.into(),
            vote_granted: wire.granted,
            last_log_id: wire.last.map(Into::into),
        }
    }
}

/// A leader tells who is far behind where the log stands; the entries are read by pages.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Install {
    #[n(0)]
    pub(super) to: u64,
    #[n(1)]
    vote: WireVote,
    #[n(2)]
    pub(super) snapshot: WireSnapshot,
}

impl Install {
    pub(super) fn new(to: u64, vote: Vote<u64>, snapshot: WireSnapshot) -> Self {
        Self {
            to,
            vote: vote.into(),
            snapshot,
        }
    }

    pub(super) fn vote(&self) -> Vote<u64> {
        self.vote.into()
    }
}

/// The vote that the follower holds after an [`Install`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Installed {
    #[n(0)]
    vote: WireVote,
}

impl From<SnapshotResponse<u64>> for Installed {
    fn from(answer: SnapshotResponse<u64>) -> Self {
        Self {
            vote: answer.vote.into(),
        }
    }
}

impl From<Installed> for SnapshotResponse<u64> {
    fn from(wire: Installed) -> Self {
        Self::new(wire.vote.into())
    }
}

//! Raft among the keepers: one log, ordered by whoever leads. Spec: section 8.7.
//!
//! openraft orders and replicates; this folder gives it a log in the node's database (`log`), a
//! state that is the coalition log (`machine`), a network that is the federation listener
//! (`network`), and keeps its types to itself. One keeper is a Raft of one, by the same road.

mod catch_up;
pub mod change;
mod circle;
mod log;
mod machine;
mod mark;
mod network;
pub mod repair;
mod rpc;
mod runtime;
mod start;
#[cfg(test)]
mod tests;
mod wire;

pub use circle::Circle;
pub use rpc::{on_append, on_install, on_vote, vote_request};
pub use start::keep_again;

use self::machine::Placed;
use crate::{
    app::App,
    http::problem::Failure,
    store::{Store, repair::Stage},
};
use minicbor::{Decode, Encode};
use openraft::{
    Raft, ServerState,
    error::{ClientWriteError, RaftError},
    raft::ClientWriteResponse,
};
use protocol::{
    chain::Sealed,
    id::{Lineage, NodeId},
    problem::{Problem, ProblemKind},
    time::Moment,
};
use std::{
    io::Cursor,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// How often a leader shows that it is there, and how long a call between keepers may take, in
/// milliseconds.
const HEARTBEAT: u64 = 500;
/// After so long without a leader, a keeper stands for election, in milliseconds; the moment is drawn
/// between the two.
const ELECTION: (u64, u64) = (1_500, 3_000);
/// How long a leader may hear nothing of a majority before it takes no more entries, in milliseconds.
const QUORUM_SILENCE: u64 = 3_000;
/// How long an append may take until its outcome is called unknown.
const APPEND_TIME: Duration = Duration::from_secs(10);
/// How long a lone keeper may take to lead itself when it starts.
const LEAD_TIME: Duration = Duration::from_secs(5);
/// Entries after which the Raft log is cut: a snapshot costs nothing here.
const SNAPSHOT_EVERY: u64 = 1_000;
/// Applied entries that stay in the Raft log for keepers that were away a moment.
const LOG_KEPT: u64 = 500;
/// A keeper that lacks more entries than this reads pages instead.
const LAG_FOR_SNAPSHOT: u64 = 2_000;

openraft::declare_raft_types!(
    /// What Raft orders here.
    pub(crate) Types:
        D = Proposal,
        R = Placed,
        NodeId = u64,
        Node = Peer,
        Entry = openraft::Entry<Types>,
        SnapshotData = Cursor<Vec<u8>>,
        Responder = openraft::impls::OneshotResponder<Types>,
        AsyncRuntime = runtime::Runtime,
);

/// Entries to be ordered, with the time of the leader that proposed them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Proposal {
    #[n(0)]
    time: Moment,
    #[n(1)]
    entries: Vec<Sealed>,
}

/// A keeper under one Raft id; where it is reached is in its identity document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peer {
    node: Option<NodeId>,
}

/// What this node does as a keeper, if it is one.
#[derive(Default)]
pub struct Kept {
    running: tokio::sync::Mutex<Option<Arc<Running>>>,
    circle: Mutex<Option<Arc<Circle>>>,
    refused: Mutex<Option<String>>,
    stage: Mutex<Option<Stage>>,
    copied: AtomicU64,
}

/// Why Raft did not take a proposal.
type WriteError = RaftError<u64, ClientWriteError<u64, Peer>>;

impl Kept {
    /// The keepers as this node knows them, without waiting for anything.
    #[must_use]
    pub fn circle(&self) -> Option<Arc<Circle>> {
        self.circle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Why this node does not keep the log although it should.
    #[must_use]
    pub fn refused(&self) -> Option<String> {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How far the repair of an only keeper has come; none where nothing is to be repaired.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_stage(&self, stage: Option<Stage>) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    /// The position up to which this keeper has the blobs that entries name.
    pub(crate) fn copied(&self) -> &AtomicU64 {
        &self.copied
    }

    fn set_refused(&self, why: Option<String>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }
}

/// A running part in Raft.
pub(crate) struct Running {
    id: u64,
    raft: Raft<Types>,
    store: Store,
    lineage: Lineage,
    /// Whether this keeper may be read from: it has applied the entry that made it a voter.
    readable: AtomicBool,
}

/// Where a keeper stands in Raft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The id under which this node takes part.
    pub id: u64,
    /// `leader`, `follower`, `candidate` or `learner`.
    pub role: &'static str,
    /// Who leads, as far as this keeper knows.
    pub leader: Option<NodeId>,
    /// Whether entries can be ordered, as far as this keeper knows.
    pub quorum: bool,
    /// The voters.
    pub voters: Vec<NodeId>,
}

/// This node's part in Raft; started when it does not run yet and this node is a keeper.
///
/// # Errors
/// `unknown-coalition` when this node keeps no log, `repair` when its database went back in time.
pub(crate) async fn running(app: &App) -> Result<Arc<Running>, Failure> {
    let mut running = app.kept.running.lock().await;
    if let Some(running) = running.as_ref()
        && running.raft.metrics().borrow().running_state.is_ok()
    {
        return Ok(running.clone());
    }
    *running = None;
    let started = Arc::new(start::start(app).await?);
    *running = Some(started.clone());
    drop(running);
    let stopping = (app.clone(), started.clone());
    app.life.spawn(async move {
        let (app, started) = stopping;
        app.life.stopped().await;
        let _ = started.raft.shutdown().await;
    });
    Ok(started)
}

/// This node's part in Raft, if it runs.
pub(crate) async fn if_running(app: &App) -> Option<Arc<Running>> {
    app.kept.running.lock().await.clone()
}

/// Who leads a majority of the keepers, as far as this node knows; none where it does not keep the log.
pub async fn leader(app: &App) -> Option<NodeId> {
    let standing = if_running(app).await?.standing();
    standing.leader.filter(|_| standing.quorum)
}

/// How many keepers vote, as far as this node knows; 0 where it does not keep the log.
pub async fn voters(app: &App) -> usize {
    match if_running(app).await {
        Some(running) => running.standing().voters.len(),
        None => 0,
    }
}

/// Refuses where this keeper knows of no leader, so that nothing new will come here.
///
/// # Errors
/// `no-quorum`.
pub async fn must_follow(app: &App) -> Result<(), Failure> {
    match running(app).await?.standing().leader {
        Some(_) => Ok(()),
        None => Err(no_quorum("this keeper hears of no leader")),
    }
}

fn keeps_nothing() -> Failure {
    Failure::new(ProblemKind::UnknownCoalition, "this node keeps no log")
}

fn no_quorum(detail: &str) -> Failure {
    let mut problem = Problem::new(ProblemKind::NoQuorum, detail, "");
    problem.retry_after_ms = Some(ELECTION.0);
    Failure(Box::new(problem))
}

fn not_leader(leader: NodeId) -> Failure {
    let mut problem = Problem::new(ProblemKind::NotLeader, "", "");
    problem.leader = Some(leader);
    Failure(Box::new(problem))
}

impl Running {
    fn metrics<T>(&self, read: impl FnOnce(&openraft::RaftMetrics<u64, Peer>) -> T) -> T {
        read(&self.raft.metrics().borrow())
    }

    /// Where this keeper stands.
    pub(crate) fn standing(&self) -> Standing {
        self.metrics(|metrics| {
            let members = metrics.membership_config.membership();
            let node = |id: u64| members.get_node(&id).and_then(|peer| peer.node);
            let mut voters: Vec<NodeId> = members.voter_ids().filter_map(node).collect();
            voters.sort_unstable();
            voters.dedup();
            let heard = metrics
                .millis_since_quorum_ack
                .is_some_and(|silence| silence < QUORUM_SILENCE);
            let (role, quorum) = match metrics.state {
                ServerState::Leader => ("leader", heard || voters.len() == 1),
                ServerState::Follower => ("follower", metrics.current_leader.is_some()),
                ServerState::Candidate => ("candidate", false),
                ServerState::Learner | ServerState::Shutdown => {
                    ("learner", metrics.current_leader.is_some())
                }
            };
            Standing {
                id: self.id,
                role,
                leader: metrics.current_leader.and_then(node),
                quorum,
                voters,
            }
        })
    }

    /// Refuses appends where this keeper does not lead, or leads nobody.
    ///
    /// # Errors
    /// `not-leader` that names the leader, or `no-quorum`.
    pub(crate) fn must_lead(&self, me: NodeId) -> Result<(), Failure> {
        let standing = self.standing();
        match (standing.leader, standing.quorum) {
            (Some(leader), true) if leader == me => Ok(()),
            (Some(leader), _) if leader != me => Err(not_leader(leader)),
            _ => Err(no_quorum(
                "nothing is ordered and nothing is granted until a majority of the keepers is there",
            )),
        }
    }

    /// Orders entries; answers once they are on disk at a majority and applied here.
    ///
    /// # Errors
    /// `not-leader`, `no-quorum`, or `outcome-unknown`: then the same entries may be sent again.
    pub(crate) async fn order(
        &self,
        time: Moment,
        entries: Vec<Sealed>,
    ) -> Result<Placed, Failure> {
        let mut placed = Placed::new();
        for entries in in_calls(entries) {
            let write = self.raft.client_write(Proposal { time, entries });
            let outcome = tokio::time::timeout(APPEND_TIME, write).await;
            placed.extend(self.placed(outcome.ok())?);
        }
        Ok(placed)
    }

    fn placed(
        &self,
        outcome: Option<Result<ClientWriteResponse<Types>, WriteError>>,
    ) -> Result<Placed, Failure> {
        match outcome {
            Some(Ok(answer)) => Ok(answer.data),
            None => Err(Failure::new(ProblemKind::OutcomeUnknown, "")),
            Some(Err(RaftError::APIError(ClientWriteError::ForwardToLeader(to)))) => {
                match to.leader_node.and_then(|peer| peer.node) {
                    // What was proposed before the leader lost its place may still be ordered.
                    Some(leader) => Err(not_leader(leader)),
                    None => Err(no_quorum("no keeper leads at present")),
                }
            }
            Some(Err(error)) => {
                tracing::error!(%error, "an append failed");
                Err(Failure::new(ProblemKind::OutcomeUnknown, ""))
            }
        }
    }

    /// Refuses reads until this keeper has everything that it may have signed in an earlier life.
    ///
    /// # Errors
    /// `keeper-behind`.
    pub(crate) async fn must_be_readable(&self) -> Result<(), Failure> {
        if self.readable.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut db = self.store.read("reading Raft state").await?;
        let members = machine::membership(&mut db).await?;
        if members.voter_ids().any(|id| id == self.id) {
            self.readable.store(true, Ordering::Relaxed);
            return Ok(());
        }
        Err(Failure::new(
            ProblemKind::KeeperBehind,
            "this keeper has not caught up with the others yet",
        ))
    }

    /// The node behind a Raft id, where this keeper knows it.
    fn node_of(&self, id: u64) -> Option<NodeId> {
        self.metrics(|metrics| {
            let members = metrics.membership_config.membership();
            members.get_node(&id).and_then(|peer| peer.node)
        })
    }

    /// Refuses messages for another life of this node, or from one keeper in another's name.
    fn must_be_between(&self, caller: NodeId, from: u64, to: u64) -> Result<(), Failure> {
        if to != self.id {
            return Err(Failure::new(
                ProblemKind::Conflict,
                "this node takes part under another Raft id",
            ));
        }
        match self.node_of(from) {
            Some(known) if known != caller => Err(Failure::new(
                ProblemKind::Forbidden,
                "this Raft id is another keeper's",
            )),
            _ => Ok(()),
        }
    }
}

/// Entries in groups that go through within one call between keepers.
fn in_calls(entries: Vec<Sealed>) -> Vec<Vec<Sealed>> {
    let mut calls: Vec<Vec<Sealed>> = Vec::new();
    let mut bytes = log::CALL_BYTES;
    for entry in entries {
        bytes += entry.0.len();
        match calls.last_mut() {
            Some(call) if bytes <= log::CALL_BYTES => call.push(entry),
            _ => {
                bytes = entry.0.len();
                calls.push(vec![entry]);
            }
        }
    }
    calls
}

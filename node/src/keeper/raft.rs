//! Raft among the keepers: one log, ordered by whoever leads. Spec: section 8.7.
//!
//! openraft orders and replicates; this folder gives it a log in the node's database ([`log`]), a
//! state that is the coalition log ([`machine`]), a network that is the federation listener
//! ([`network`]), and keeps its types to itself. One keeper is a Raft of one, by the same road.

mod catch_up;
pub mod change;
mod circle;
mod log;
mod machine;
mod mark;
mod network;
#[cfg(test)]
mod tests;
mod wire;

pub use circle::Circle;

use self::{
    log::Log,
    machine::{Machine, Placed},
    mark::{Mark, Reached},
    network::Network,
};
use crate::{
    app::App,
    http::problem::Failure,
    store::{
        self, Store,
        raft::{self as table, Value},
    },
};
use bytes::Bytes;
use minicbor::{Decode, Encode};
use openraft::{
    Config, Raft, ServerState, SnapshotPolicy,
    error::{ClientWriteError, RaftError},
    raft::ClientWriteResponse,
};
use protocol::{
    chain::Sealed,
    codec,
    id::{Lineage, NodeId},
    problem::{Problem, ProblemKind},
    time::Moment,
};
use std::{
    collections::BTreeMap,
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
        AsyncRuntime = openraft::TokioRuntime,
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
    copied: AtomicU64,
}

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

fn settings() -> anyhow::Result<Arc<Config>> {
    let config = Config {
        cluster_name: "commonturf".to_owned(),
        heartbeat_interval: HEARTBEAT,
        election_timeout_min: ELECTION.0,
        election_timeout_max: ELECTION.1,
        install_snapshot_timeout: 60_000,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(SNAPSHOT_EVERY),
        max_in_snapshot_log_to_keep: LOG_KEPT,
        replication_lag_threshold: LAG_FOR_SNAPSHOT,
        ..Config::default()
    };
    Ok(Arc::new(config.validate()?))
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
    let started = Arc::new(start(app).await?);
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

/// How many keepers vote, as far as this node knows; 0 where it does not keep the log.
pub async fn voters(app: &App) -> usize {
    match if_running(app).await {
        Some(running) => running.standing().voters.len(),
        None => 0,
    }
}

fn keeps_nothing() -> Failure {
    Failure::new(ProblemKind::UnknownCoalition, "this node keeps no log")
}

async fn start(app: &App) -> Result<Running, Failure> {
    let founding = circle::refresh(app).await.ok_or_else(keeps_nothing)?;
    let circle = app.kept.circle().ok_or_else(keeps_nothing)?;
    let path = app.dir.mark();
    let (known, marked) = (Mark::find(&path), path.exists());
    let mut db = app.store.read("looking for Raft state").await?;
    let id = table::id(&mut db).await?;
    drop(db);
    let (id, fresh) = match id {
        Some(id) => (id, false),
        None if !circle.is_keeper(app.me) => return Err(keeps_nothing()),
        None => (begin(app).await?, true),
    };
    let reached = reached(app, id).await?;
    let trusted = match known {
        Some(known) => !reached.is_behind(known),
        // Stopped before the file was written the first time: nothing was promised yet.
        None => !marked && reached.term == 0 && reached.length == 0,
    };
    if !fresh && !trusted {
        return Err(went_back(app));
    }
    app.kept.set_refused(None);
    let mark = Arc::new(Mark::open(&path, reached).map_err(Failure::internal)?);
    let store = app.store.clone();
    let raft = Raft::new(
        id,
        settings()?,
        Network::new(app),
        Log::new(store.clone(), mark),
        Machine::new(store.clone(), circle.lineage, app.wake.kept.clone()),
    )
    .await
    .map_err(Failure::internal)?;
    let running = Running {
        id,
        raft,
        store,
        lineage: circle.lineage,
        readable: AtomicBool::new(false),
    };
    // A founder whose database is from before its first entry must not begin a second log.
    if founding && !(fresh && marked) {
        running.found(app.me).await?;
    }
    running.lead_alone().await;
    Ok(running)
}

/// Draws an id. One that was used before would let a keeper vote that has forgotten its votes.
async fn begin(app: &App) -> Result<u64, Failure> {
    use rand_core::RngCore;
    let id = (crate::ambient::rng().next_u64() >> 1).max(1);
    let mut tx = app.store.write("becoming a keeper").await?;
    table::begin(&mut tx, id).await?;
    tx.commit().await?;
    Ok(id)
}

/// How far the database has come.
async fn reached(app: &App, id: u64) -> Result<Reached, Failure> {
    let damaged = |error| store::StoreError::damaged("raft_state", error);
    let mut db = app.store.read("looking for Raft state").await?;
    let vote = table::get(&mut db, Value::Vote).await?;
    let vote: Option<wire::WireVote> = vote
        .map(|bytes| codec::decode(&bytes))
        .transpose()
        .map_err(damaged)?;
    let purged = table::get(&mut db, Value::Purged).await?;
    let purged: Option<wire::WireLogId> = purged
        .map(|bytes| codec::decode(&bytes))
        .transpose()
        .map_err(damaged)?;
    let last = table::last(&mut db).await?.map(|(index, _)| index);
    let last = last.or(purged.map(|at| at.index()));
    Ok(Reached {
        id,
        term: vote.map_or(0, |vote| vote.term()),
        length: last.map_or(0, |last| last + 1),
    })
}

fn went_back(app: &App) -> Failure {
    let why = "this node's database is older than what it has promised as a keeper, so it was restored from a \
               backup or copied; it does not keep the log now. Where other keepers have the log, let it come back \
               with `commonturf coalition keep-again`: it reads the log from them and is a keeper again then. Where \
               it is the only keeper, put the newest copy of its directory in place";
    tracing::error!(why, "this keeper's database went back in time");
    app.kept.set_refused(Some(why.to_owned()));
    Failure::new(ProblemKind::Repair, why)
}

/// Comes back as a keeper after a restore: under a new id, as one that has everything to learn.
///
/// # Errors
/// `conflict` when nothing is wrong, or when this node is the only keeper.
pub async fn keep_again(app: &App) -> Result<(), Failure> {
    let conflict = |detail: &str| Failure::new(ProblemKind::Conflict, detail);
    match running(app).await {
        Ok(_) => return Err(conflict("this node keeps the log; nothing has to be done")),
        Err(failure) if failure.0.kind() == Some(ProblemKind::Repair) => {}
        Err(failure) => return Err(failure),
    }
    let circle = app.kept.circle().ok_or_else(keeps_nothing)?;
    if circle.keepers().all(|node| node == app.me) {
        return Err(conflict(
            "this node is the only keeper: nobody else has the log. Put the newest copy of its directory in place",
        ));
    }
    forget(app).await?;
    running(app).await.map(drop)
}

async fn forget(app: &App) -> Result<(), Failure> {
    let mut tx = app.store.write("giving up a Raft id").await?;
    table::forget(&mut tx).await?;
    tx.commit().await?;
    match std::fs::remove_file(app.dir.mark()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::internal(error)),
        _ => Ok(()),
    }
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
    /// The first keeper is a Raft of one.
    async fn found(&self, me: NodeId) -> Result<(), Failure> {
        if self
            .raft
            .is_initialized()
            .await
            .map_err(Failure::internal)?
        {
            return Ok(());
        }
        let alone = BTreeMap::from([(self.id, Peer { node: Some(me) })]);
        self.raft.initialize(alone).await.map_err(Failure::internal)
    }

    /// A lone voter leads at once; who calls it meanwhile would be told that nobody does.
    async fn lead_alone(&self) {
        let voters: Vec<u64> =
            self.metrics(|metrics| metrics.membership_config.voter_ids().collect());
        if voters == [self.id] {
            let wait = self.raft.wait(Some(LEAD_TIME));
            let _ = wait.state(ServerState::Leader, "a lone keeper leads").await;
        }
    }

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
                .is_none_or(|silence| silence < QUORUM_SILENCE);
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
        outcome: Option<
            Result<ClientWriteResponse<Types>, RaftError<u64, ClientWriteError<u64, Peer>>>,
        >,
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

/// The bytes with which a candidate asks for a vote, for tests of who may.
#[must_use]
pub fn vote_request(to: u64, term: u64, from: u64) -> Vec<u8> {
    let request = openraft::raft::VoteRequest::new(openraft::Vote::new(term, from), None);
    codec::encode(&wire::Ask::new(to, &request))
}

/// `POST raft/append`: entries or a heartbeat of the leader.
///
/// # Errors
/// [`Failure`] when it is not for this keeper, or this keeper cannot take part.
pub async fn on_append(app: &App, caller: NodeId, body: &Bytes) -> Result<Vec<u8>, Failure> {
    let message: wire::Append = crate::federation::read_cbor(body)?;
    let running = running(app).await?;
    running.must_be_between(caller, message.from(), message.to)?;
    let answer = running.raft.append_entries(message.into()).await;
    let answer = answer.map_err(Failure::internal)?;
    Ok(codec::encode(&wire::Appended::from(answer)))
}

/// `POST raft/vote`: a candidate asks for this keeper's vote.
///
/// # Errors
/// As [`on_append`].
pub async fn on_vote(app: &App, caller: NodeId, body: &Bytes) -> Result<Vec<u8>, Failure> {
    let message: wire::Ask = crate::federation::read_cbor(body)?;
    let running = running(app).await?;
    running.must_be_between(caller, message.from(), message.to)?;
    let answer = running.raft.vote(message.into()).await;
    let answer = answer.map_err(Failure::internal)?;
    Ok(codec::encode(&wire::Asked::from(answer)))
}

/// `POST raft/snapshot`: this keeper is far behind; it reads pages until it has come to the mark.
///
/// # Errors
/// As [`on_append`]; `keeper-behind` when more has to be read than one call has time for.
pub async fn on_install(app: &App, caller: NodeId, body: &Bytes) -> Result<Vec<u8>, Failure> {
    let message: wire::Install = crate::federation::read_cbor(body)?;
    let running = running(app).await?;
    running.must_be_between(caller, message.vote().leader_id.node_id, message.to)?;
    let marker = message.snapshot.marker;
    catch_up::run(app, &running, caller, marker.position).await?;
    let snapshot = openraft::Snapshot {
        meta: message.snapshot.meta(),
        snapshot: Box::new(Cursor::new(codec::encode(&marker))),
    };
    let answer = running
        .raft
        .install_full_snapshot(message.vote(), snapshot)
        .await
        .map_err(Failure::internal)?;
    Ok(codec::encode(&wire::Installed::from(answer)))
}

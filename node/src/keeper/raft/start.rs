//! Beginning to take part: the first time, after a restart, and not after a restore.

use super::{
    ELECTION, HEARTBEAT, LAG_FOR_SNAPSHOT, LEAD_TIME, LOG_KEPT, Peer, Running, SNAPSHOT_EVERY,
    circle, keeps_nothing,
    log::Log,
    machine::Machine,
    mark::{Mark, Reached},
    network::Network,
    repair, running,
    wire::{WireLogId, WireVote},
};
use crate::{
    app::App,
    http::problem::Failure,
    store::{
        self,
        raft::{self as table, Value},
        repair::Stage,
    },
};
use openraft::{Config, Raft, ServerState, SnapshotPolicy};
use protocol::{codec, id::NodeId, problem::ProblemKind};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
};

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

pub(super) async fn start(app: &App) -> Result<Running, Failure> {
    let founding = circle::refresh(app).await.ok_or_else(keeps_nothing)?;
    let circle = app.kept.circle().ok_or_else(keeps_nothing)?;
    let path = app.dir.mark();
    let stage = repair::stored(app).await?.map(|repair| repair.stage);
    if stage == Some(Stage::Gathering) {
        return Err(went_back(app).await);
    }
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
        return Err(went_back(app).await);
    }
    app.kept.set_refused(None);
    let repaired = stage == Some(Stage::Returning);
    app.kept.set_stage(stage.filter(|_| repaired));
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
    if (founding && !(fresh && marked)) || stage.is_some() && repair::is_alone(app) {
        running.found(app.me).await?;
    }
    running.lead_alone().await;
    Ok(running)
}

/// Draws an id. One that was used before would let a keeper vote that has forgotten its votes.
async fn begin(app: &App) -> Result<u64, Failure> {
    let id = drawn();
    let mut tx = app.store.write("becoming a keeper").await?;
    table::begin(&mut tx, id).await?;
    tx.commit().await?;
    Ok(id)
}

pub(super) fn drawn() -> u64 {
    use rand_core::RngCore;
    (crate::ambient::rng().next_u64() >> 1).max(1)
}

/// How far the database has come.
async fn reached(app: &App, id: u64) -> Result<Reached, Failure> {
    let damaged = |error| store::StoreError::damaged("raft_state", error);
    let mut db = app.store.read("looking for Raft state").await?;
    let vote = table::get(&mut db, Value::Vote).await?;
    let vote: Option<WireVote> = vote
        .map(|bytes| codec::decode(&bytes))
        .transpose()
        .map_err(damaged)?;
    let purged = table::get(&mut db, Value::Purged).await?;
    let purged: Option<WireLogId> = purged
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

async fn went_back(app: &App) -> Failure {
    let why = "this node's database is older than what it has promised as a keeper, so it was restored from a \
               backup or copied; it does not keep the log now. Where other keepers have the log, let it come back \
               with `commonturf coalition keep-again`: it reads the log from them and is a keeper again then";
    let alone = repair::is_alone(app);
    let why = if alone { repair::LONE } else { why };
    if app.kept.refused().is_none() {
        tracing::error!(why, "this keeper's database went back in time");
    }
    app.kept.set_refused(Some(why.to_owned()));
    if alone && let Err(failure) = repair::begin(app).await {
        return failure;
    }
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
            "this node is the only keeper: members hand back the log that they hold. See how far that has come with \
             `commonturf coalition keep-again --lone --dry-run`",
        ));
    }
    let guard = app.coalition.read().await;
    if let Some(coalition) = guard.as_ref() {
        let since = coalition.state.meta().head.log_time;
        let mut tx = app.store.write("noting a restored ledger").await?;
        crate::keeper::ledger::note_restored(app, &mut tx, &coalition.state, since).await?;
        tx.commit().await?;
    }
    drop(guard);
    forget(app).await?;
    running(app).await.map(drop)
}

pub(super) async fn forget(app: &App) -> Result<(), Failure> {
    let mut tx = app.store.write("giving up a Raft id").await?;
    table::forget(&mut tx).await?;
    store::repair::forget(&mut tx).await?;
    tx.commit().await?;
    match std::fs::remove_file(app.dir.mark()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::internal(error)),
        _ => Ok(()),
    }
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
        // Asked of the core itself: what it shows to others lags behind when it has just begun.
        let voters = self.raft.with_raft_state(|state| {
            let members = state.membership_state.effective().membership();
            members.voter_ids().collect::<Vec<u64>>()
        });
        let voters = voters.await.unwrap_or_default();
        if voters == [self.id] {
            let wait = self.raft.wait(Some(LEAD_TIME));
            let _ = wait.state(ServerState::Leader, "a lone keeper leads").await;
        }
    }
}

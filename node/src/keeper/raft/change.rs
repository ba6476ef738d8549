//! From the agreement's keepers to Raft's: the leader brings the one in line with the other.
//!
//! A new keeper first learns the log; once all new ones have, one change puts the voters in place. A
//! keeper that came back under a new id takes the place of its old one. Members notice nothing.

use super::{Peer, Running, circle, if_running, running, start::forget};
use crate::{
    app::App, federation::status::KeeperStatus, http::problem::Failure, sync::keeper_client::Keeper,
};
use openraft::{ChangeMembers, RaftMetrics};
use protocol::{id::NodeId, problem::ProblemKind};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How long another keeper may take to say who it is.
const ASK_TIME: Duration = Duration::from_secs(3);
/// How long one change of the voters may take; it goes on by itself afterwards.
const CHANGE_TIME: Duration = Duration::from_secs(20);
/// How many Raft entries a new keeper may lack when it becomes a voter.
const NEARLY: u64 = 50;

/// Takes part where the agreement says so, and changes over where the agreement has changed.
///
/// # Errors
/// When the database fails, or a change does not go through; it is tried again.
pub async fn run(app: &App) -> anyhow::Result<()> {
    circle::refresh(app).await;
    let Some(circle) = app.kept.circle() else {
        return Ok(());
    };
    if !circle.is_keeper(app.me) && if_running(app).await.is_none() && !takes_part(app).await? {
        return Ok(());
    }
    let own = match running(app).await {
        Ok(own) => own,
        // Said on every page already; nothing helps before a person does something.
        Err(failure) if failure.0.kind() == Some(ProblemKind::Repair) => return Ok(()),
        Err(failure) => return Err(anyhow::anyhow!("{}", failure.0.title)),
    };
    if own.standing().role == "leader" {
        lead(app, &own).await
    } else if circle.is_keeper(app.me) {
        Ok(())
    } else {
        retire(app, &own).await
    }
}

async fn takes_part(app: &App) -> anyhow::Result<bool> {
    let mut db = app.store.read("looking for Raft state").await?;
    Ok(crate::store::raft::id(&mut db).await?.is_some())
}

async fn ask(app: &App, node: NodeId) -> Option<KeeperStatus> {
    let circle = app.kept.circle()?;
    let keeper = Keeper::at(circle.coalition, circle.seat(node)?);
    let status = tokio::time::timeout(ASK_TIME, keeper.status(app)).await;
    status.ok()?.ok()
}

/// Who takes part by Raft's own list, and how far each has come.
struct Present {
    voters: BTreeSet<u64>,
    nodes: BTreeMap<u64, Option<NodeId>>,
    settled: bool,
    last: u64,
    matched: BTreeMap<u64, u64>,
}

impl Present {
    fn of(metrics: &RaftMetrics<u64, Peer>) -> Self {
        let members = metrics.membership_config.membership();
        let matched = metrics.replication.iter().flatten();
        Self {
            voters: members.voter_ids().collect(),
            nodes: members.nodes().map(|(id, peer)| (*id, peer.node)).collect(),
            settled: members.get_joint_config().len() == 1,
            last: metrics.last_log_index.unwrap_or(0),
            matched: matched
                .filter_map(|(id, at)| Some((*id, at.as_ref()?.index)))
                .collect(),
        }
    }

    /// The id under which a node votes.
    fn voter(&self, node: NodeId) -> Option<u64> {
        let mut own = self.nodes.iter().filter(|(_, known)| **known == Some(node));
        own.find_map(|(id, _)| self.voters.contains(id).then_some(*id))
    }

    fn has_learned(&self, id: u64) -> bool {
        self.voters.contains(&id)
            || self
                .matched
                .get(&id)
                .is_some_and(|at| at + NEARLY >= self.last)
    }
}

async fn lead(app: &App, own: &Running) -> anyhow::Result<()> {
    let Some(circle) = app.kept.circle() else {
        return Ok(());
    };
    let present = own.metrics(Present::of);
    let mut wanted = BTreeSet::new();
    let mut ready = true;
    for node in circle.keepers() {
        let id = match node == app.me {
            true => Some(own.id),
            false => id_of(app, own, &present, node).await?,
        };
        match id {
            Some(id) if present.has_learned(id) => drop(wanted.insert(id)),
            _ => ready = false,
        }
    }
    if ready && !wanted.is_empty() && (wanted != present.voters || !present.settled) {
        tracing::info!(keepers = wanted.len(), "the keepers change over");
        change(own, ChangeMembers::ReplaceAllVoters(wanted)).await?;
    } else if ready {
        // Whoever began to learn and is not to be a keeper any more.
        let spare = present.nodes.keys().filter(|id| !wanted.contains(id));
        let spare: BTreeSet<u64> = spare.copied().collect();
        if !spare.is_empty() {
            change(own, ChangeMembers::RemoveNodes(spare)).await?;
        }
    }
    Ok(())
}

/// The id of another keeper: the one that it says, and lets it learn where that is new; the one under
/// which it votes, where it cannot be asked.
async fn id_of(
    app: &App,
    own: &Running,
    present: &Present,
    node: NodeId,
) -> anyhow::Result<Option<u64>> {
    let Some(said) = ask(app, node).await.and_then(|status| status.id) else {
        return Ok(present.voter(node));
    };
    match present.nodes.get(&said) {
        Some(known) if *known == Some(node) => Ok(Some(said)),
        Some(_) => anyhow::bail!("a keeper claims another keeper's Raft id"),
        None => {
            tracing::info!(keeper = %node.short(), "a new keeper learns the log");
            let peer = Peer { node: Some(node) };
            let add = ChangeMembers::AddNodes(BTreeMap::from([(said, peer)]));
            change(own, add).await?;
            Ok(Some(said))
        }
    }
}

async fn change(own: &Running, change: ChangeMembers<u64, Peer>) -> anyhow::Result<()> {
    let changing = own.raft.change_membership(change, false);
    match tokio::time::timeout(CHANGE_TIME, changing).await {
        Ok(done) => done.map(drop).map_err(|error| anyhow::anyhow!("{error}")),
        Err(_) => anyhow::bail!("the keepers have not changed over yet"),
    }
}

/// Ends this node's part once the others vote without it. They do not call it any more, so it asks.
async fn retire(app: &App, own: &Running) -> anyhow::Result<()> {
    let Some(circle) = app.kept.circle() else {
        return Ok(());
    };
    for node in circle.keepers().filter(|node| *node != app.me) {
        let Some(status) = ask(app, node).await else {
            continue;
        };
        if status.role == "leader" && status.quorum && !status.voters.contains(&app.me) {
            let _ = own.raft.shutdown().await;
            app.kept.running.lock().await.take();
            forget(app)
                .await
                .map_err(|failure: Failure| anyhow::anyhow!("{}", failure.0.title))?;
            tracing::info!("this node keeps the log no longer");
            return Ok(());
        }
    }
    Ok(())
}

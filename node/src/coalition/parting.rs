//! Leaving, removing another member for cause, and coming back after a stop.

use super::members;
use crate::{
    app::App,
    audit::truths,
    http::problem::Failure,
    shares::recall::{self, Recall, What},
    store::{self, coalition::Phase},
    sync::{fold, outbox},
};
use protocol::{
    entry::parting::{Leave, Remove, RemoveApprove},
    fold::{agreement::keepers, parting::votes},
    id::{EntryId, NodeId},
    problem::ProblemKind,
};
use serde::Serialize;

/// What leaving did, or would do.
#[derive(Debug, Serialize)]
pub struct Leaving {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// What is taken back of the shares that this organization gave.
    pub recalled: Vec<Recall>,
    /// Receipts that others still owe.
    pub owed: Vec<Owed>,
    /// Own claims that end.
    pub claims: usize,
    /// The entry that says that it leaves; absent while others owe receipts.
    pub entry: Option<EntryId>,
}

/// A receipt that an ally owes.
#[derive(Debug, Serialize)]
pub struct Owed {
    /// The ally.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Until when, in log time.
    pub due: i64,
}

/// Leaves the coalition: takes back every own share first, and says that it leaves once nobody owes
/// a receipt any more, or at once where it does not wait.
///
/// # Errors
/// [`Failure`] when this node is in no coalition, or keeps its log alone.
pub async fn leave(app: &App, wait: bool, dry_run: bool) -> Result<Leaving, Failure> {
    {
        let coalition = super::active(app).await?;
        if keepers(&coalition.state) == [app.me] {
            return Err(Failure::new(
                ProblemKind::Conflict,
                "this organization alone keeps the log: without it there is no coalition; let another one keep it first",
            ));
        }
    }
    let recalled = take_back(app, dry_run).await?;
    let (owed, claims) = still_owed(app).await?;
    let new = recalled.iter().any(|recall| !recall.notices.is_empty());
    let mut leaving = Leaving {
        dry_run,
        recalled,
        owed,
        claims,
        entry: None,
    };
    let may_go = !wait || (leaving.owed.is_empty() && !new);
    if !dry_run && may_go {
        leaving.entry = Some(say(app, Leave {}).await?);
    }
    Ok(leaving)
}

/// Takes back every share that still stands.
async fn take_back(app: &App, dry_run: bool) -> Result<Vec<Recall>, Failure> {
    let mut db = app.store.read("reading shares").await?;
    let given = store::share::all(&mut db).await?;
    drop(db);
    let mut recalled = Vec::new();
    for share in given.iter().filter(|share| share.state != "void") {
        let recall = recall::revoke(app, &What::Share(share.share), dry_run).await?;
        if !recall.notices.is_empty() {
            recalled.push(recall);
        }
    }
    Ok(recalled)
}

async fn still_owed(app: &App) -> Result<(Vec<Owed>, usize), Failure> {
    let coalition = super::active(app).await?;
    let state = &coalition.state;
    let open = state.notices.iter().filter(|(_, notice)| {
        notice.from == app.me
            && notice.receipt.is_none()
            && notice.exception.is_none()
            && state.active(notice.to).is_some()
    });
    let owed = open
        .map(|(_, notice)| Owed {
            name: members::name(state, notice.to),
            rows: notice.count,
            due: notice.due.0,
        })
        .collect();
    let claims = state
        .claims
        .iter()
        .filter(|(_, claim)| claim.author == app.me)
        .count();
    Ok((owed, claims))
}

/// What a removal is about, for a preview and after the fact.
#[derive(Debug, Serialize)]
pub struct Removal {
    /// Who shall go.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// How many agree.
    pub agree: usize,
    /// How many must.
    pub needed: usize,
    /// Claims of it that would end.
    pub claims: usize,
    /// Receipts that it owes to anybody, and will not give any more.
    pub owes: usize,
    /// What was said; absent in a dry run.
    pub entry: Option<EntryId>,
}

/// Proposes that a member goes, or agrees with a proposal that it does.
///
/// # Errors
/// [`Failure`] when nobody has that name, or there is no proposal to agree with.
pub async fn remove(
    app: &App,
    who: &str,
    reason: Option<&str>,
    dry_run: bool,
) -> Result<Removal, Failure> {
    let (mut removal, proposal) = {
        let coalition = super::active(app).await?;
        let state = &coalition.state;
        let node = members::find(state, who)?;
        if node == app.me {
            return Err(Failure::input(
                "this is your own organization: use `commonturf coalition leave`",
            ));
        }
        let (agree, needed) = votes(state, node);
        let removal = Removal {
            node,
            name: members::name(state, node),
            agree,
            needed,
            claims: state
                .claims
                .iter()
                .filter(|(_, claim)| claim.author == node)
                .count(),
            owes: state
                .notices
                .iter()
                .filter(|(_, notice)| notice.to == node && notice.receipt.is_none())
                .count(),
            entry: None,
        };
        let proposal = state.removals.get(&node).map(|row| row.proposal);
        (removal, proposal)
    };
    let node = removal.node;
    if dry_run {
        return Ok(removal);
    }
    removal.entry = Some(match (reason, proposal) {
        (Some(reason), _) => {
            let reason = reason.trim().to_owned();
            say(app, Remove { node, reason }).await?
        }
        (None, Some(proposal)) => say(app, RemoveApprove { node, proposal }).await?,
        (None, None) => {
            return Err(Failure::not_found(format!(
                "nobody has proposed that {} goes",
                removal.name
            )));
        }
    });
    Ok(removal)
}

async fn say(app: &App, entry: impl Into<protocol::entry::Entry>) -> Result<EntryId, Failure> {
    let mut tx = app.store.write("saying who goes").await?;
    let id = outbox::queue(app, &mut tx, entry.into(), None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok(id)
}

/// Sends a node that has stopped on its way back into the group.
///
/// # Errors
/// [`Failure`] when it has not stopped, or has seen two histories of the log: then the keeper that
/// would help is the one with the fault.
pub async fn come_back(app: &App) -> Result<(), Failure> {
    let phase = {
        let guard = app.coalition.read().await;
        guard.as_ref().map(|coalition| coalition.row.phase)
    };
    if phase != Some(Phase::Stopped) {
        return Err(Failure::new(
            ProblemKind::Conflict,
            "this node has not stopped, so there is nothing to come back from",
        ));
    }
    let mut db = app.store.read("looking for two histories").await?;
    let forks = store::proof::forks(&mut db).await?;
    if forks.iter().any(|fork| !truths::is_about_a_member(fork)) {
        return Err(Failure::new(
            ProblemKind::Conflict,
            "this node has proof of two histories of the log; show it to the other members first: \
             see `commonturf audit status`",
        ));
    }
    drop(db);
    let why = "a person asked this node to come back into the group";
    fold::set_phase(app, Phase::Returning, Some(why))
        .await
        .map_err(Failure::internal)?;
    app.wake.jobs.notify_one();
    Ok(())
}

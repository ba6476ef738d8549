//! Which keepers there are, what is known of each, and which one to ask first.

use super::coalition::Coalition;
use super::keeper_client::Keeper;
use crate::{app::App, federation::status::KeeperStatus};
use protocol::{
    codec, fold,
    id::NodeId,
    identity::{IdentityDocument, SignedDocument},
    time::Moment,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a keeper that did not answer is asked last, in milliseconds.
const AVOIDED: i64 = 30_000;

/// What a keeper calls its own part while it is in repair.
const IN_REPAIR: &str = "repair";
/// How often every keeper is asked where it stands, in milliseconds.
const ASKED_EVERY: i64 = 10_000;
/// How long a keeper may take to tell where it stands.
const ASK_TIME: Duration = Duration::from_secs(3);

/// A keeper, and where it is reached.
#[derive(Debug, Clone)]
pub struct Seat {
    /// Whose.
    pub node: NodeId,
    /// Its address; none when it is this node.
    pub url: Option<String>,
    /// Its document, where it is known already.
    pub document: Option<IdentityDocument>,
}

impl Seat {
    /// A member under the address in its document.
    #[must_use]
    pub fn of_member(app: &App, coalition: &Coalition, node: NodeId) -> Option<Self> {
        let document = coalition.state.document(node)?;
        let url = document.endpoints.first()?.as_str().to_owned();
        Some(Self {
            node,
            url: (node != app.me).then_some(url),
            document: Some(document),
        })
    }

    /// Every keeper, as far as this node has folded; the one that the invitation named before that.
    #[must_use]
    pub fn all(app: &App, coalition: &Coalition) -> Vec<Self> {
        let named = fold::agreement::keepers(&coalition.state);
        let seats: Vec<Self> = named
            .into_iter()
            .filter_map(|node| Self::of_member(app, coalition, node))
            .collect();
        if seats.is_empty() {
            vec![Self::introduced(app, coalition)]
        } else {
            seats
        }
    }

    fn introduced(app: &App, coalition: &Coalition) -> Self {
        let row = &coalition.row;
        let signed: Option<SignedDocument> = codec::decode(&row.keeper_document).ok();
        Self {
            node: row.keeper,
            url: (row.keeper != app.me).then(|| row.keeper_url.clone()),
            document: signed.and_then(|signed| codec::decode(&signed.document).ok()),
        }
    }
}

/// What one keeper has shown of itself.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// When it last answered, by this node's clock.
    pub answered_at: Option<Moment>,
    /// When it last did not answer, and why, if it has not answered since.
    pub failed: Option<(Moment, String)>,
    /// What it last said of itself, and when.
    pub status: Option<KeeperStatus>,
}

impl Known {
    fn is_avoided(&self, now: Moment) -> bool {
        self.failed
            .as_ref()
            .is_some_and(|(at, _)| now.since(*at) < AVOIDED)
    }
}

/// What is known of all keepers; forgotten when the node stops.
#[derive(Debug, Default)]
pub struct Book(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    known: BTreeMap<NodeId, Known>,
    leader: Option<NodeId>,
    last: Option<NodeId>,
    asked_at: Option<Moment>,
    in_repair: BTreeSet<NodeId>,
}

/// What a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Any keeper can answer.
    Read,
    /// The leader answers; others name it.
    Order,
}

impl Book {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keepers in the order in which to ask them: who did not answer lately comes last; before that
    /// the leader for what is to be ordered; this node itself and whoever answered last for the rest.
    pub(super) fn order(&self, seats: &[Seat], purpose: Purpose, now: Moment) -> Vec<Seat> {
        let pages = self.pages();
        let rank = |seat: &Seat| {
            let known = pages.known.get(&seat.node);
            let own = seat.url.is_none();
            let avoided = known.is_some_and(|known| known.is_avoided(now));
            let leads = purpose == Purpose::Order && pages.leader == Some(seat.node);
            (avoided, !leads, !own, pages.last != Some(seat.node))
        };
        let mut seats = seats.to_vec();
        seats.sort_by_key(rank);
        seats
    }

    pub(super) fn answered(&self, node: NodeId, now: Moment) {
        let mut pages = self.pages();
        pages.last = Some(node);
        let known = pages.known.entry(node).or_default();
        known.answered_at = Some(now);
        known.failed = None;
    }

    pub(super) fn failed(&self, node: NodeId, now: Moment, why: String) {
        let mut pages = self.pages();
        pages.known.entry(node).or_default().failed = Some((now, why));
    }

    pub(super) fn leads(&self, leader: Option<NodeId>) {
        self.pages().leader = leader;
    }

    /// Keeps what a keeper said of itself.
    pub fn says(&self, node: NodeId, status: KeeperStatus, now: Moment) {
        let mut pages = self.pages();
        if status.role == "leader" && status.quorum {
            pages.leader = Some(node);
        }
        let known = pages.known.entry(node).or_default();
        known.answered_at = Some(now);
        known.failed = None;
        let repairs = status.role == IN_REPAIR;
        known.status = Some(status);
        if repairs {
            pages.in_repair.insert(node);
        }
    }

    /// A keeper has refused something because it is in repair.
    pub(super) fn repairs(&self, node: NodeId) {
        self.pages().in_repair.insert(node);
    }

    /// A keeper has said that nothing is to be repaired any more.
    pub(super) fn is_repaired(&self, node: NodeId) {
        self.pages().in_repair.remove(&node);
    }

    /// Whether a keeper was in repair when it was last asked for anything.
    #[must_use]
    pub fn in_repair(&self, node: NodeId) -> bool {
        self.pages().in_repair.contains(&node)
    }

    /// What is known of a keeper.
    #[must_use]
    pub fn known(&self, node: NodeId) -> Known {
        self.pages().known.get(&node).cloned().unwrap_or_default()
    }
}

/// Asks every keeper where it stands, now and then.
///
/// # Errors
/// Never: who does not answer is noted.
pub async fn ask(app: &App) -> anyhow::Result<()> {
    let keepers = {
        let guard = app.coalition.read().await;
        match guard.as_ref().filter(|coalition| coalition.is_active()) {
            Some(coalition) => Keeper::of(app, coalition),
            None => return Ok(()),
        }
    };
    let now = app.now();
    {
        let mut pages = app.keepers.pages();
        if pages
            .asked_at
            .is_some_and(|at| (0..ASKED_EVERY).contains(&now.since(at)))
        {
            return Ok(());
        }
        pages.asked_at = Some(now);
    }
    let asked = keepers.each().into_iter().map(|one| async move {
        let Some(node) = one.node() else { return };
        match tokio::time::timeout(ASK_TIME, one.status(app)).await {
            Ok(Ok(status)) => app.keepers.says(node, status, app.now()),
            Ok(Err(error)) => app.keepers.failed(node, app.now(), error.to_string()),
            Err(_) => app
                .keepers
                .failed(node, app.now(), "it did not answer in time".to_owned()),
        }
    });
    futures_util::future::join_all(asked).await;
    Ok(())
}

/// Whether entries can be ordered, as far as this node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quorum {
    /// A keeper leads a majority.
    Ok,
    /// Keepers were asked, and none leads a majority.
    NoQuorum,
    /// No keeper was asked yet.
    Unknown,
}

/// A keeper as pages and `coalition status` show it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct KeeperLine {
    /// Its node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// `leader`, `follower`, `candidate`, `learner`, `stopped`, `unreachable`, or `unknown`.
    pub role: String,
    /// The last position of its log, as it said last.
    pub position: Option<u64>,
    /// How many entries it lacks of the longest log that a keeper has shown.
    pub lag: Option<u64>,
    /// When it last answered, by this node's clock.
    pub answered_at: Option<Moment>,
    /// Why it did not, if the last try failed.
    pub error: Option<String>,
    /// Whether it is this organization.
    pub you: bool,
}

/// What is known of each keeper.
#[must_use]
pub fn lines(app: &App, coalition: &Coalition) -> Vec<KeeperLine> {
    let seats = Seat::all(app, coalition);
    let known = |seat: &Seat| app.keepers.known(seat.node);
    let said = |seat: &Seat| known(seat).status.map(|status| status.position);
    let longest = seats.iter().filter_map(said).max();
    let line = |seat: &Seat| {
        let known = known(seat);
        let own = (seat.node == app.me).then(|| app.kept.refused()).flatten();
        let status = known.status.filter(|_| known.failed.is_none());
        let role = match (&known.failed, &status) {
            (Some(_), _) => "unreachable".to_owned(),
            (None, Some(status)) => status.role.clone(),
            (None, None) => "unknown".to_owned(),
        };
        KeeperLine {
            node: seat.node,
            name: crate::coalition::members::name(&coalition.state, seat.node),
            role,
            position: status.as_ref().map(|status| status.position),
            lag: status
                .as_ref()
                .and_then(|status| Some(longest?.saturating_sub(status.position))),
            answered_at: known.answered_at,
            error: own.or(known.failed.map(|(_, why)| why)),
            you: seat.node == app.me,
        }
    };
    seats.iter().map(line).collect()
}

/// Whether entries can be ordered.
#[must_use]
pub fn quorum(app: &App, coalition: &Coalition) -> Quorum {
    let mut asked = false;
    for seat in Seat::all(app, coalition) {
        let known = app.keepers.known(seat.node);
        asked |= known.failed.is_some() || known.status.is_some();
        let leads = |status: &KeeperStatus| status.role == "leader" && status.quorum;
        if known.failed.is_none() && known.status.as_ref().is_some_and(leads) {
            return Quorum::Ok;
        }
    }
    if asked {
        Quorum::NoQuorum
    } else {
        Quorum::Unknown
    }
}

/// As [`quorum`], of the coalition that this node is in.
pub async fn quorum_now(app: &App) -> Quorum {
    let guard = app.coalition.read().await;
    guard
        .as_ref()
        .map_or(Quorum::Unknown, |coalition| quorum(app, coalition))
}

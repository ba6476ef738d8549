//! Which keepers there are, what is known of each, and which one to ask first.

use super::coalition::Coalition;
use crate::app::App;
use protocol::{
    codec, fold,
    id::NodeId,
    identity::{IdentityDocument, SignedDocument},
    time::Moment,
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How long a keeper that did not answer is asked last, in milliseconds.
const AVOIDED: i64 = 30_000;

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
    pub status: Option<crate::federation::status::KeeperStatus>,
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
    pub fn says(&self, node: NodeId, status: crate::federation::status::KeeperStatus) {
        let mut pages = self.pages();
        if status.role == "leader" && status.quorum {
            pages.leader = Some(node);
        }
        pages.known.entry(node).or_default().status = Some(status);
    }

    /// What is known of a keeper.
    #[must_use]
    pub fn known(&self, node: NodeId) -> Known {
        self.pages().known.get(&node).cloned().unwrap_or_default()
    }
}

//! Who takes part, as far as this node has folded: kept aside, because a call between keepers cannot
//! wait while a long page is folded.

use crate::{app::App, sync::keepers::Seat};
use protocol::{
    fold,
    id::{CoalitionId, Lineage, NodeId},
    identity::IdentityDocument,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

/// The coalition's keepers, and those of the version before, with their documents.
#[derive(Debug, Clone)]
pub struct Circle {
    /// The coalition.
    pub coalition: CoalitionId,
    /// The numbering of its log.
    pub lineage: Lineage,
    seats: BTreeMap<NodeId, Place>,
}

#[derive(Debug, Clone)]
struct Place {
    document: IdentityDocument,
    keeper: bool,
}

impl Circle {
    /// The keepers under the version in force, in order of node id.
    pub fn keepers(&self) -> impl Iterator<Item = NodeId> {
        let seats = self.seats.iter().filter(|(_, place)| place.keeper);
        seats.map(|(node, _)| *node)
    }

    /// Whether a node is a keeper under the version in force.
    #[must_use]
    pub fn is_keeper(&self, node: NodeId) -> bool {
        self.seats.get(&node).is_some_and(|place| place.keeper)
    }

    /// The document of a node that keeps the log, or kept it under the version before.
    #[must_use]
    pub fn document(&self, node: NodeId) -> Option<&IdentityDocument> {
        self.seats.get(&node).map(|place| &place.document)
    }

    /// Where another keeper is reached.
    #[must_use]
    pub fn seat(&self, node: NodeId) -> Option<Seat> {
        let document = self.document(node)?;
        Some(Seat {
            node,
            url: Some(document.endpoints.first()?.as_str().to_owned()),
            document: Some(document.clone()),
        })
    }
}

/// Looks at the folded state again; tells whether this node is founding, or none when it is in no
/// coalition.
pub(super) async fn refresh(app: &App) -> Option<bool> {
    let guard = app.coalition.read().await;
    let coalition = guard
        .as_ref()
        .filter(|coalition| coalition.row.phase != crate::store::coalition::Phase::Joining)?;
    let state = &coalition.state;
    let mut seats = BTreeMap::new();
    for (node, member) in state.roster() {
        if let Some(document) = state.document(*node)
            && fold::agreement::kept_lately(state, *node)
        {
            let keeper = member.keeper;
            seats.insert(*node, Place { document, keeper });
        }
    }
    let founding = seats.is_empty() && coalition.row.keeper == app.me;
    if founding {
        let document = app.identity();
        seats.insert(
            app.me,
            Place {
                document,
                keeper: true,
            },
        );
    }
    let circle = Circle {
        coalition: coalition.row.id,
        lineage: coalition.row.lineage,
        seats,
    };
    drop(guard);
    let mut known = app
        .kept
        .circle
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    *known = Some(Arc::new(circle));
    Some(founding)
}

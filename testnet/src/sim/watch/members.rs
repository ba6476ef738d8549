//! What must hold of members that change: whoever is gone reads nothing, and everybody speaks under the
//! keys that the log lists.

use super::{Verdict, Watch, blind, violated};
use crate::sim::world::World;
use commonturf::app::App;
use protocol::{codec, state::State};

impl Watch {
    /// Takes note of who has gone, and of who is in again.
    pub(super) fn removals(&mut self, world: &World, state: &State) {
        for (node, app) in world.apps() {
            let member = state.members.get(&app.me);
            let Some(member) = member else { continue };
            match member.left_at {
                Some(left_at) => drop(self.gone.insert(node, left_at)),
                // An older state does not know of the removal; a later one knows of the return.
                None => {
                    if self
                        .gone
                        .get(&node)
                        .is_some_and(|gone| *gone < member.joined_at)
                    {
                        self.gone.remove(&node);
                    }
                }
            }
        }
    }

    /// Whoever was removed has folded, and received, nothing that was ordered after its removal.
    pub(super) async fn the_removed_read_nothing(&self, world: &World) -> Verdict {
        for (node, gone) in &self.gone {
            if !world.runs(*node) {
                continue;
            }
            let app = world.app(*node);
            let folded = {
                let guard = app.coalition.read().await;
                let state = guard.as_ref().map(|coalition| &coalition.state);
                // Whoever was let in again begins where it came in.
                let again = state.is_some_and(|state| {
                    let member = state.active(app.me);
                    member.is_some_and(|member| member.joined_at > *gone)
                });
                if again {
                    continue;
                }
                state.map_or(0, |state| state.meta().head.position)
            };
            let mut db = app.store.read("watching").await.map_err(blind)?;
            let last: Option<i64> = sqlx::query_scalar("SELECT MAX(position) FROM history")
                .fetch_one(&mut *db)
                .await
                .map_err(blind)?;
            let last = last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0);
            if folded.max(last) > *gone {
                return violated(
                    "a removed member reads nothing more",
                    format!(
                        "node {node} was removed at position {gone} and has read up to {}",
                        folded.max(last)
                    ),
                );
            }
        }
        Ok(())
    }
}

/// A member holds the document, and so the keys, under which its own state lists it.
pub(super) fn listed_keys(node: usize, app: &App, state: &State) -> Verdict {
    let Some(member) = state.active(app.me) else {
        return Ok(());
    };
    if codec::encode(&app.keys().document) == member.document {
        return Ok(());
    }
    violated(
        "a member speaks under the keys that the log lists",
        format!("node {node}, position {}", state.meta().head.position),
    )
}

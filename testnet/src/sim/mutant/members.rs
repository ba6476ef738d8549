//! Planted faults of members that change.

use super::{Mutant, sql};
use crate::sim::world::World;
use anyhow::{Context, Result};
use commonturf::store::coalition::Phase;

pub(super) async fn harm(mutant: Mutant, world: &mut World) -> Result<()> {
    match mutant {
        Mutant::RemovedReads => removed_reads(world).await,
        Mutant::OldKeysStay => old_keys(world).await,
        _ => {
            let forgotten = "DELETE FROM received_share WHERE EXISTS \
                             (SELECT 1 FROM history WHERE kind = 'not read')";
            for node in world.running() {
                sql(world, node, forgotten).await?;
            }
            Ok(())
        }
    }
}

/// The state of whoever is furthest, in the place of that of whoever is gone.
async fn removed_reads(world: &World) -> Result<()> {
    let mut furthest = None;
    for (_, app) in world.apps() {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref().filter(|coalition| coalition.is_active()) else {
            continue;
        };
        let position = coalition.state.meta().head.position;
        if furthest.as_ref().is_none_or(|(known, _)| *known < position) {
            furthest = Some((position, coalition.state.clone()));
        }
    }
    let (_, state) = furthest.context("nobody is active")?;
    for (_, app) in world.apps() {
        let mut guard = app.coalition.write().await;
        let gone = guard.as_mut().filter(|c| c.row.phase == Phase::Gone);
        if let Some(coalition) = gone {
            coalition.state = state.clone();
        }
    }
    Ok(())
}

async fn old_keys(world: &mut World) -> Result<()> {
    for node in world.running() {
        let app = world.app(node).clone();
        let old = {
            let guard = app.coalition.read().await;
            let coalition = guard.as_ref().filter(|coalition| coalition.is_active());
            let state = coalition.map(|coalition| &coalition.state);
            state.and_then(|state| {
                let mut past = state.past_documents.iter();
                past.find(|((who, _), _)| *who == app.me)
                    .map(|(_, row)| row.document.clone())
            })
        };
        if let Some(old) = old {
            let mut tx = app.store.write("harm").await?;
            sqlx::query("UPDATE node SET document = $1")
                .bind(old)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            world.restart(node).await?;
        }
    }
    Ok(())
}

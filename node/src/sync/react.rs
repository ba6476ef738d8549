//! What this node does in its own tables because of an entry, in the transaction that folds it.
//!
//! Only writes: whatever needs the network or takes long is left to a job.

use crate::{
    app::App,
    store::{self, Write, outbox::Outgoing},
};
use protocol::{
    entry::{Entry, payload::Payload},
    fold::{At, Outcome},
    id::EntryId,
    mls::Leaf,
    state::State,
};

/// An entry that took effect.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Where, when, by whom.
    pub at: At,
    /// What was said.
    pub entry: &'a Entry,
    /// The rows that came with it.
    pub rows: Option<&'a [u8]>,
    /// What it did.
    pub outcome: &'a Outcome,
}

/// Brings this node's own tables up to an entry.
///
/// # Errors
/// When the database fails or the entry stops this node.
pub async fn entry(
    app: &App,
    tx: &mut Write,
    state: &State,
    event: &Event<'_>,
) -> anyhow::Result<()> {
    if let Entry::Revoke(revoke) = event.entry
        && let Payload::Blob { blob, .. } = &revoke.row_refs
        && let Some(notice) = state.notices.get(&event.at.entry)
    {
        // A node that comes back from a backup must still find what it has to erase.
        let backup = state.longest_backup().unwrap_or_default();
        store::blob::keep_until(&mut *tx, *blob, notice.due.plus(backup)).await?;
    }
    match event.entry {
        Entry::Keyset(_) | Entry::CeremonyConfirm(_) => new_keys(tx, state, event.at).await,
        Entry::KeyRotation(_) => {
            super::rotated::in_use(app, tx, state, event.at).await?;
            new_keys(tx, state, event.at).await
        }
        Entry::Claim(_) | Entry::ClaimRenew(_) | Entry::ClaimRelease(_) => {
            crate::impact::count::react(tx, state, event).await?;
            crate::claims::react(app, tx, state, event).await
        }
        Entry::Share(_)
        | Entry::ShareReceived(_)
        | Entry::Revoke(_)
        | Entry::NoticeAck(_)
        | Entry::ErasureReceipt(_) => crate::shares::react(app, tx, state, event).await,
        Entry::Identity(_) => crate::keys::bring_in_line(app, tx, state).await,
        Entry::Checkpoint(checkpoint) => {
            let author = event.at.author;
            let same_log = super::vouch::cosigned(app, tx, state, author, checkpoint).await?;
            if author == app.me {
                return Ok(());
            }
            super::echo::compare(tx, state, author, checkpoint, same_log).await
        }
        _ => Ok(()),
    }
}

/// New keys are in use: what was told by the old tokens is told again as points get new ones.
async fn new_keys(tx: &mut Write, state: &State, at: At) -> anyhow::Result<()> {
    let generation = state.meta().generation;
    let row = generation.and_then(|generation| state.keysets.get(&generation));
    let begins = row.is_some_and(|row| row.position == at.position);
    if begins && generation > Some(1) {
        store::suppression::untell_all(&mut *tx).await?;
        store::contact_report::untell_all(&mut *tx).await?;
        if state.closing.is_empty() {
            store::token_job::forget_before(&mut *tx).await?;
        }
    }
    Ok(())
}

/// Claims whose time is over.
///
/// # Errors
/// When the database fails.
pub async fn claims_ended(tx: &mut Write, ended: &[EntryId]) -> store::Result<()> {
    crate::claims::ended(tx, ended).await
}

/// An own entry that changed nothing, and will not be tried again.
///
/// # Errors
/// When the database fails.
pub async fn own_void(tx: &mut Write, entry: EntryId, why: &str) -> store::Result<()> {
    crate::claims::own_void(tx, entry, why).await?;
    crate::keys::own_void(tx, entry).await?;
    store::contact_report::untell(tx, entry).await?;
    store::suppression::untell(tx, entry).await?;
    store::overlap::void(tx, entry).await?;
    crate::shares::own_void(tx, entry, why).await
}

/// This node's commit won: what its newcomers need is kept until the keeper has it.
///
/// # Errors
/// When the database fails.
pub async fn admitted(
    app: &App,
    tx: &mut Write,
    state: &State,
    at: At,
    added: &[Leaf],
    own: Option<&Outgoing>,
) -> anyhow::Result<()> {
    let Some(own) = own else { return Ok(()) };
    let Some(welcome) = super::outbox::rows_plain(app, own)? else {
        return Ok(());
    };
    let snapshot = state.snapshot();
    for (node, _) in added {
        let row = store::admission::New {
            node: *node,
            welcome: &welcome,
            snapshot: &snapshot,
            position: at.position,
        };
        store::admission::insert(tx, &app.rest, &row).await?;
    }
    Ok(())
}

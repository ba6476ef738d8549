//! How long keepers hold what was said: until every member has read it and a month is over, half a year at
//! most. Then the sealed bytes go, and the line (when, and the hash) stays, so that chain, tree, proofs and
//! repeated appends hold for ever. Spec: section 8.9.
//!
//! Each keeper decides by itself: the bytes are the same everywhere, and so is what allows them to go.

use super::raft;
use crate::{app::App, store};
use protocol::{
    limits::{LOG_LEAST, LOG_MOST, PRUNE_BATCH},
    state::State,
};

/// Lets a batch of entries go, if any may.
///
/// # Errors
/// When the database fails.
pub async fn run(app: &App) -> anyhow::Result<()> {
    if raft::if_running(app).await.is_none() {
        return Ok(());
    }
    let (read_by_all, head) = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref().filter(|coalition| coalition.is_active()) else {
            return Ok(());
        };
        (read_by_all(&coalition.state), coalition.state.meta().head)
    };
    let mut db = app
        .store
        .read("looking for what keepers may let go")
        .await?;
    let pruned = store::keeper::pruned(&mut db).await?;
    let before = |age: i64| head.log_time.plus(-age);
    let least = store::keeper::last_before(&mut db, before(LOG_LEAST), pruned).await?;
    let most = store::keeper::last_before(&mut db, before(LOG_MOST), pruned).await?;
    drop(db);
    // What this node has not folded itself stays in any case.
    let may_go = read_by_all.min(least).max(most).min(head.position);
    let to = may_go.min(pruned.saturating_add(PRUNE_BATCH));
    if to <= pruned {
        return Ok(());
    }
    let mut tx = app.store.write("letting old entries go").await?;
    store::keeper::prune(&mut tx, pruned, to).await?;
    tx.commit().await?;
    tracing::info!(up_to = to, "what was said long ago is gone; its lines stay");
    Ok(())
}

/// Up to which position every member says that it has read: by its checkpoint, or because it was given the
/// state when it came in or came back.
fn read_by_all(state: &State) -> u64 {
    let read = state.roster().map(|(_, member)| {
        let back = member.returned.map_or(0, |returned| returned.position);
        member.checkpoint.max(member.joined_at).max(back)
    });
    read.min().unwrap_or(0)
}

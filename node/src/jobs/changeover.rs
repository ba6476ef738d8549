//! Moving to new keys of match tokens: once every point has its new token and everything that must
//! still count was said again, this member says so. Spec: section 5.13 of `spec/protocol.md`.

use crate::{app::App, store, sync::outbox};
use protocol::{channel::Channel, entry::ceremony::TokensMoved, time::DAY};

/// Says that this member has moved, once it has.
///
/// # Errors
/// When the database fails.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let generation = {
        let guard = app.coalition.read().await;
        let active = guard.as_ref().filter(|coalition| coalition.is_active());
        active.and_then(|coalition| {
            let closing = coalition.state.closing.get(&())?;
            let moved = closing.moved.contains(&app.me);
            coalition.state.meta().generation.filter(|_| !moved)
        })
    };
    let Some(generation) = generation else {
        return Ok(());
    };
    let mut tx = app.store.write("moving to new keys").await?;
    let progress = store::token_job::progress(&mut tx, Some(generation)).await?;
    if progress.iter().any(|class| class.waiting > 0) {
        return Ok(());
    }
    let withheld = app.wake.withheld.borrow().is_some();
    let until = app.now().plus(DAY);
    for channel in Channel::ALL {
        let untold = store::contact_report::untold(&mut tx, channel, generation, until, 1).await?;
        if !untold.is_empty() && !withheld {
            return Ok(());
        }
    }
    let suppressions = store::suppression::untold(&mut tx, generation, 1).await?;
    let mut waiting = suppressions.len();
    for kind in ["suppress", "contact_report", "tokens_moved"] {
        waiting += usize::from(store::outbox::waiting_of(&mut tx, kind).await? > 0);
    }
    if waiting == 0 {
        outbox::queue(app, &mut tx, TokensMoved { generation }.into(), None).await?;
        tx.commit().await?;
        app.wake.outbox.notify_one();
    }
    Ok(())
}

//! Lets log time pass when nobody speaks and something is due to end.

use crate::{app::App, store, sync::outbox};
use protocol::{entry::housekeeping::Tick, fold};

/// Appends a tick when a claim's end has come and no entry has carried log time past it.
///
/// # Errors
/// When the database fails.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let due = {
        let coalition = app.coalition.read().await;
        let Some(coalition) = coalition
            .as_ref()
            .filter(|coalition| coalition.is_kept_by(app.me))
        else {
            return Ok(());
        };
        fold::claim::next_end(&coalition.state).is_some_and(|end| end <= app.now())
    };
    if !due {
        return Ok(());
    }
    let mut tx = app.store.write("letting time pass").await?;
    if store::outbox::waiting_of(&mut tx, "tick").await? == 0 {
        outbox::queue(app, &mut tx, Tick {}.into(), None).await?;
        tx.commit().await?;
        app.wake.outbox.notify_one();
    }
    Ok(())
}

//! Lets log time pass when nobody speaks and something is due to end.

use crate::{app::App, keys::RENEW_BEFORE, store, sync::outbox};
use protocol::{entry::housekeeping::Tick, fold, state::State, time::Moment};

/// Appends a tick when a claim's end, a notice's deadline or the day to renew a document has come and no
/// entry has carried log time past it.
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
        is_due(&coalition.state, app.now())
    };
    // One tick is enough, so the leader says it.
    let leads = match super::raft::if_running(app).await {
        Some(running) => running.must_lead(app.me).is_ok(),
        None => false,
    };
    if !due || !leads {
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

/// Whether something ends, or becomes overdue, between the log's time and now.
fn is_due(state: &State, now: Moment) -> bool {
    let log_time = state.meta().head.log_time;
    let passes = |deadline: Moment| log_time <= deadline && deadline < now;
    let overdue = state.notices.iter().any(|(_, notice)| {
        (notice.acknowledged.is_none() && passes(notice.ack_due))
            || (notice.receipt.is_none() && passes(notice.due))
    });
    // Members judge by log time alone whether it is time to renew their documents.
    let renewal = state.roster().any(|(node, _)| {
        let document = state.document(*node);
        document.is_some_and(|document| passes(document.valid_until.plus(-RENEW_BEFORE)))
    });
    let ends = [
        fold::claim::next_end(state),
        fold::ceremony::next_end(state),
        fold::overlap::next_end(state),
    ];
    overdue || renewal || ends.into_iter().flatten().any(|end| end <= now)
}

//! Reading on from the cursor. Spec: section 8.3.

use super::{fold, keeper_client::Keeper};
use crate::{app::App, store::coalition::Phase};
use protocol::problem::ProblemKind;

/// How long a read waits for something new, in seconds.
const WAIT: u64 = 20;
/// Why a node goes the way back, as its pages say it.
const AWAY_TOO_LONG: &str = "this node was away for so long that the keepers no longer hold what was said meanwhile; it comes \
     back with what came of it";

/// Reads one page and folds it.
///
/// # Errors
/// When the keeper is not reached, or an entry stops this node; the cursor has not moved past it.
pub async fn step(app: &App) -> anyhow::Result<()> {
    one_page(app, WAIT).await
}

/// Reads one page and folds it, waiting at most some seconds for one to come.
///
/// # Errors
/// As [`step`].
pub async fn one_page(app: &App, wait: u64) -> anyhow::Result<()> {
    let (keeper, position) = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref() else {
            return Ok(());
        };
        (
            Keeper::of(app, coalition),
            coalition.state.meta().head.position,
        )
    };
    let page = match keeper.page(app, position, wait).await {
        Ok(page) => page,
        Err(error) if error.kind() == Some(ProblemKind::LogPruned) => {
            tracing::warn!(
                "what was said meanwhile is gone; this node comes back with the folded state"
            );
            fold::set_phase(app, Phase::Returning, Some(AWAY_TOO_LONG)).await?;
            app.wake.jobs.notify_one();
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    app.wake.contact.send_modify(|contact| {
        contact.answered_at = Some(app.now());
        contact.error = None;
    });
    fold::page(app, page).await
}

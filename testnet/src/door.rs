//! What two people do on the telephone before a newcomer comes in.

use anyhow::{Context, Result, anyhow, ensure};
use commonturf::{app::App, coalition::compare};

/// Compares the digits at both ends, says so at the newcomer's, and returns what the inviter approves with.
///
/// # Errors
/// When the newcomer does not wait at this inviter's door, or the digits differ.
pub async fn compared(inviter: &App, newcomer: &App) -> Result<String> {
    let failed = |failure: commonturf::http::problem::Failure| anyhow!("{failure:?}");
    let ours = {
        let guard = inviter.coalition.read().await;
        let coalition = guard.as_ref().context("the inviter is in no coalition")?;
        let waiting = compare::newcomers(&coalition.state, inviter.me);
        let waits = waiting.into_iter().find(|join| join.node == newcomer.me);
        let waits = waits.context("the newcomer does not wait yet")?;
        waits.digits.context("another member has invited it")?
    };
    let door = compare::door(newcomer).await.map_err(failed)?;
    let theirs = door.context("the newcomer waits at no door")?.digits;
    ensure!(ours == theirs, "both ends show other digits");
    let digits = ours.to_string();
    compare::confirm(newcomer, &digits).await.map_err(failed)?;
    Ok(digits)
}

//! Founding a coalition, inviting, joining, approving; proposing and signing its agreement.

pub mod agreement;
pub mod compare;
pub mod found;
pub mod invite;
pub mod join;
pub mod members;
pub mod parties;
pub mod parting;

use crate::{app::App, http::problem::Failure, sync::coalition::Coalition};
use protocol::problem::ProblemKind;
use tokio::sync::RwLockReadGuard;

/// Refuses what needs the present state of the coalition while this node is on its way back.
///
/// # Errors
/// A `conflict` problem that says what to wait for.
pub async fn not_coming_back(app: &App) -> Result<(), Failure> {
    use crate::store::coalition::Phase;
    let guard = app.coalition.read().await;
    let phase = guard.as_ref().map(|coalition| coalition.row.phase);
    match phase {
        Some(Phase::Restored | Phase::Returning) => Err(Failure::new(
            ProblemKind::Conflict,
            "this node is on its way back into the coalition and does not know yet what changed since; \
             wait until `commonturf coalition status` says that it is in",
        )),
        _ => Ok(()),
    }
}

/// The coalition that this node is a member of.
///
/// # Errors
/// A `not-in-coalition` problem that says what to do.
pub async fn active(app: &App) -> Result<RwLockReadGuard<'_, Coalition>, Failure> {
    let guard = app.coalition.read().await;
    let detail = match guard.as_ref() {
        None => {
            "create one with `commonturf coalition create`, or join one with `commonturf coalition join`"
        }
        Some(coalition) if coalition.row.phase == crate::store::coalition::Phase::Joining => {
            "this node has asked to join and waits for the inviter's approval: see `commonturf coalition waiting`"
        }
        Some(coalition) if coalition.row.phase == crate::store::coalition::Phase::Gone => {
            "this organization is not a member of its coalition any more; its own lists are here as before"
        }
        Some(_) => "",
    };
    match RwLockReadGuard::try_map(guard, |coalition| {
        coalition.as_ref().filter(|_| detail.is_empty())
    }) {
        Ok(guard) => Ok(guard),
        Err(_) => Err(Failure::new(ProblemKind::NotInCoalition, detail)),
    }
}

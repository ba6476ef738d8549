//! Founding a coalition, inviting, joining, approving; proposing and signing its agreement.

pub mod agreement;
pub mod found;
pub mod invite;
pub mod join;
pub mod members;
pub mod parties;

use crate::{app::App, http::problem::Failure, sync::coalition::Coalition};
use protocol::problem::ProblemKind;
use tokio::sync::RwLockReadGuard;

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
            "this node has asked to join and waits for the inviter's approval"
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

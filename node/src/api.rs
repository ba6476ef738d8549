//! The desk's API: JSON for commands and other tools of the organization's own people.

pub mod agreement;
pub mod audit;
pub mod calls;
pub mod claims;
pub mod coalition;
pub mod contacts;
pub mod desk;
pub mod identity;
pub mod impact;
pub mod overlap;
pub mod papers;
pub mod parting;
pub mod people;
pub mod plans;
pub mod policy;
pub mod recall;
pub mod shares;
pub mod standing;
pub mod status;
pub mod suppressions;
pub mod tokens;
pub mod turf;

use crate::{
    app::App,
    http::problem::Failure,
    sync::{
        keepers::Quorum,
        outbox::{self, Fate},
    },
};
use protocol::{id::EntryId, problem::ProblemKind};
use std::time::Duration;

/// How long a call waits for its entry to come back from the log.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What became of something that was said to the coalition.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Said {
    /// The entry.
    pub entry: EntryId,
    /// `done` once it has taken effect, `waiting` while the keeper has not answered.
    pub state: &'static str,
    /// Why it waits, where that is known: `no-quorum`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<&'static str>,
}

/// Waits for an entry's echo.
///
/// # Errors
/// A `conflict` problem with the reason when the entry is void.
pub async fn said(app: &App, entry: EntryId) -> Result<Said, Failure> {
    match outbox::wait(app, entry, PATIENCE).await? {
        Fate::Done => Ok(Said {
            entry,
            state: "done",
            because: None,
        }),
        Fate::Waiting => Ok(Said {
            entry,
            state: "waiting",
            because: match crate::sync::keepers::quorum_now(app).await {
                Quorum::NoQuorum => Some(ProblemKind::NoQuorum.code()),
                Quorum::Ok | Quorum::Unknown => None,
            },
        }),
        Fate::Void(why) => Err(Failure::new(
            ProblemKind::Conflict,
            format!("the coalition did not accept it: {why}"),
        )),
    }
}

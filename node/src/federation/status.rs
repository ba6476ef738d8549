//! `GET status`: where a keeper stands. Spec: section 8.7.

use super::{Caller, cbor};
use crate::{app::App, http::problem::Failure, keeper::raft};
use axum::{Extension, extract::State, response::Response};
use minicbor::{Decode, Encode};
use protocol::{codec::Canonical, id::NodeId};

/// Where a keeper stands, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct KeeperStatus {
    /// Its Raft id; none when it does not take part.
    #[n(0)]
    pub id: Option<u64>,
    /// `leader`, `follower`, `candidate`, `learner`, `repair` after a restore, or `stopped`.
    #[n(1)]
    pub role: String,
    /// Who leads, as far as it knows.
    #[n(2)]
    pub leader: Option<NodeId>,
    /// Whether it takes it that entries can be ordered.
    #[n(3)]
    pub quorum: bool,
    /// Who votes.
    #[n(4)]
    pub voters: Vec<NodeId>,
    /// The last position of its log.
    #[n(5)]
    pub position: u64,
}

impl Canonical for KeeperStatus {
    const WHAT: &'static str = "status of a keeper";
    const MAX_BYTES: usize = 4 * 1024;
}

/// Tells where this keeper stands.
pub async fn status(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Failure> {
    caller.must_be_member()?;
    Ok(cbor(&of(&app).await?))
}

async fn of(app: &App) -> Result<KeeperStatus, Failure> {
    let position = *app.wake.kept.borrow();
    Ok(match raft::running(app).await {
        Ok(running) => {
            let standing = running.standing();
            KeeperStatus {
                id: Some(standing.id),
                role: standing.role.to_owned(),
                leader: standing.leader,
                quorum: standing.quorum,
                voters: standing.voters,
                position,
            }
        }
        Err(_) => KeeperStatus {
            id: None,
            role: match app.kept.refused() {
                Some(_) => "repair".to_owned(),
                None => "stopped".to_owned(),
            },
            leader: None,
            quorum: false,
            voters: Vec::new(),
            position,
        },
    })
}

//! What other keepers ask: `POST raft/append`, `raft/vote`, `raft/snapshot`.

use super::{catch_up, running, wire};
use crate::{app::App, federation::read_cbor, http::problem::Failure};
use bytes::Bytes;
use protocol::{codec, id::NodeId};
use std::io::Cursor;

/// The bytes with which a candidate asks for a vote, for tests of who may.
#[must_use]
pub fn vote_request(to: u64, term: u64, from: u64) -> Vec<u8> {
    let request = openraft::raft::VoteRequest::new(openraft::Vote::new(term, from), None);
    codec::encode(&wire::Ask::new(to, &request))
}

/// `POST raft/append`: entries or a heartbeat of the leader.
///
/// # Errors
/// [`Failure`] when it is not for this keeper, or this keeper cannot take part.
pub async fn on_append(app: &App, caller: NodeId, body: &Bytes) -> Result<Vec<u8>, Failure> {
    let message: wire::Append = read_cbor(body)?;
    let running = running(app).await?;
    running.must_be_between(caller, message.from(), message.to)?;
    let answer = running.raft.append_entries(message.into()).await;
    let answer = answer.map_err(Failure::internal)?;
    Ok(codec::encode(&wire::Appended::from(answer)))
}

/// `POST raft/vote`: a candidate asks for this keeper's vote.
///
/// # Errors
/// As [`on_append`].
pub async fn on_vote(app: &App, caller: NodeId, body: &Bytes) -> Result<Vec<u8>, Failure> {
    let message: wire::Ask = read_cbor(body)?;
    let running = running(app).await?;
    running.must_be_between(caller, message.from(), message.to)?;
    let answer = running.raft.vote(message.into()).await;
    let answer = answer.map_err(Failure::internal)?;
    Ok(codec::encode(&wire::Asked::from(answer)))
}

/// `POST raft/snapshot`: this keeper is far behind; it reads pages until it has come to the mark.
///
/// # Errors
/// As [`on_append`]; `keeper-behind` when more has to be read than one call has time for.
pub async fn on_install(app: &App, caller: NodeId, body: &Bytes) -> Result<Vec<u8>, Failure> {
    let message: wire::Install = read_cbor(body)?;
    let running = running(app).await?;
    running.must_be_between(caller, message.vote().leader_id.node_id, message.to)?;
    let marker = message.snapshot.marker;
    catch_up::run(app, &running, caller, marker.position).await?;
    let snapshot = openraft::Snapshot {
        meta: message.snapshot.meta(),
        snapshot: Box::new(Cursor::new(codec::encode(&marker))),
    };
    let answer = running
        .raft
        .install_full_snapshot(message.vote(), snapshot)
        .await
        .map_err(Failure::internal)?;
    Ok(codec::encode(&wire::Installed::from(answer)))
}

//! `POST raft/...`: what keepers say to each other. Spec: section 8.7.
//!
//! Repeating one of these calls is safe by Raft itself, so their nonces are not kept: several
//! hundred a second would fill that memory at once.

use super::{APPLICATION_CBOR, Caller};
use crate::{app::App, http::problem::Failure, keeper::raft};
use axum::{Extension, extract::State, response::IntoResponse, response::Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;

/// The longest call between keepers.
pub const RAFT_BODY: usize = 3 * 1024 * 1024;

fn answer(bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, APPLICATION_CBOR)], bytes).into_response()
}

/// Entries, or a heartbeat.
pub async fn append(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Failure> {
    caller.must_be_keeper()?;
    Ok(answer(raft::on_append(&app, caller.node, &body).await?))
}

/// A candidate asks for a vote.
pub async fn vote(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Failure> {
    caller.must_be_keeper()?;
    Ok(answer(raft::on_vote(&app, caller.node, &body).await?))
}

/// How far the log goes, for a keeper that is far behind.
pub async fn snapshot(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Failure> {
    caller.must_be_keeper()?;
    Ok(answer(raft::on_install(&app, caller.node, &body).await?))
}

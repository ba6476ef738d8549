//! `POST evaluate`: blinded points become evaluated ones, with a proof. Spec: section 8.5.

use super::{Caller, cbor, read_cbor};
use crate::{app::App, http::problem::Failure, keeper};
use axum::{Extension, extract::State, response::Response};
use bytes::Bytes;

/// Evaluates a member's batch under its budget.
pub async fn evaluate(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Failure> {
    caller.must_be_member()?;
    let request: protocol::token::EvalRequest = read_cbor(&body)?;
    Ok(cbor(
        &keeper::evaluator::evaluate(&app, caller.node, request).await?,
    ))
}

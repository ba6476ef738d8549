//! `POST log`: entries to be ordered. Spec: section 8.2.

use super::{Caller, cbor, read_cbor};
use crate::{app::App, http::problem::Failure, keeper};
use axum::{Extension, extract::State, response::Response};
use bytes::Bytes;
use protocol::chain::{APPEND_ENTRIES, Append};
use protocol::problem::ProblemKind;

/// Orders a member's entries, one by one, and answers once they are on disk.
pub async fn append(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Failure> {
    caller.must_be_member()?;
    let append: Append = read_cbor(&body)?;
    if append.entries.len() > APPEND_ENTRIES {
        return Err(Failure::new(
            ProblemKind::TooLarge,
            format!("an append has at most {APPEND_ENTRIES} entries"),
        ));
    }
    Ok(cbor(
        &keeper::log::append(&app, caller.node, append.entries).await?,
    ))
}

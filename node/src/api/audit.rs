//! `/audit`: how the log is vouched for, whose books differ, and files that prove it to outsiders.

use super::shares::Items;
use crate::{
    app::App,
    audit::{self, Difference, Status, file},
    http::problem::Failure,
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use protocol::id::EntryId;
use serde::Deserialize;

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/audit", get(status))
        .route("/audit/reconcile", get(reconcile))
        .route("/audit/record", get(record))
        .route("/audit/fork", get(fork))
        .route("/audit/shares/{share}/people/{person}", get(person))
}

/// Tells how the log is vouched for.
pub async fn status(State(app): State<App>) -> Result<Json<Status>, Failure> {
    Ok(Json(audit::status(&app).await?))
}

/// Shares whose two ends do not agree.
pub async fn reconcile(State(app): State<App>) -> Result<Json<Items<Difference>>, Failure> {
    Ok(Json(Items::new(audit::reconcile(&app).await?)))
}

/// From where on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct From {
    after: Option<u64>,
}

/// The record of the log, as a file.
pub async fn record(State(app): State<App>, Query(from): Query<From>) -> Result<Response, Failure> {
    Ok(download(file::record(&app, from.after).await?))
}

/// The proof that somebody signed two histories of the log, as a file.
pub async fn fork(State(app): State<App>) -> Result<Response, Failure> {
    Ok(download(audit::fork::file(&app).await?))
}

/// The proof of one person's row in one share, as a file.
pub async fn person(
    State(app): State<App>,
    Path((share, person)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let share: EntryId = share
        .parse()
        .map_err(|error| Failure::input(format!("share: {error}")))?;
    Ok(download(file::person(&app, share, &person).await?))
}

fn download(bytes: Vec<u8>) -> Response {
    let headers = [
        (http::header::CONTENT_TYPE, "application/octet-stream"),
        (http::header::CACHE_CONTROL, "no-store"),
    ];
    (headers, bytes).into_response()
}

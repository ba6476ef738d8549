//! `/audit`: how the log is vouched for, whose books differ, and files that prove it to outsiders.

use super::{said, shares::Items};
use crate::{
    app::App,
    audit::{
        self, Difference, Status, file,
        truths::{self, Accusation, Lifting},
    },
    http::{extract::Body, problem::Failure},
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use protocol::{evidence::EVIDENCE_BYTES, fold::two_truths, id::EntryId};
use serde::Deserialize;

/// The longest body with a file of evidence in base32.
const EVIDENCE_TEXT: usize = EVIDENCE_BYTES / 5 * 8 + 4_096;

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/audit", get(status))
        .route("/audit/reconcile", get(reconcile))
        .route("/audit/record", get(record))
        .route("/audit/fork", get(fork))
        .route(
            "/audit/accusations",
            post(accuse).layer(DefaultBodyLimit::max(EVIDENCE_TEXT)),
        )
        .route("/audit/lifted", post(lift))
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

/// What is held against a member.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuse {
    /// A file of evidence in base32; without it, what this node has seen itself.
    evidence: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

/// Tells the coalition that members signed two truths.
pub async fn accuse(
    State(app): State<App>,
    Body(ask): Body<Accuse>,
) -> Result<Json<Items<Accusation>>, Failure> {
    let file = ask.evidence.map(|text| {
        protocol::id::from_base32(&text)
            .map_err(|error| Failure::input(format!("evidence: {error}")))
    });
    let file = file.transpose()?;
    let accusations = truths::accuse(&app, file.as_deref(), ask.dry_run).await?;
    for accusation in &accusations {
        if let Some(entry) = accusation.entry {
            said(&app, entry).await?;
        }
    }
    Ok(Json(Items::new(accusations)))
}

/// Who may go on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    organization: String,
    #[serde(default)]
    dry_run: bool,
}

/// Agrees that a quarantined member may go on.
pub async fn lift(State(app): State<App>, Body(ask): Body<Lift>) -> Result<Json<Lifting>, Failure> {
    let mut lifting = truths::lift(&app, &ask.organization, ask.dry_run).await?;
    if let Some(entry) = lifting.entry {
        said(&app, entry).await?;
        let guard = app.coalition.read().await;
        if let Some(coalition) = guard.as_ref() {
            let stands = two_truths::standing(&coalition.state, lifting.node).is_some();
            (lifting.agree, lifting.needed) = if stands {
                two_truths::votes(&coalition.state, lifting.node)
            } else {
                (lifting.needed, lifting.needed)
            };
        }
    }
    Ok(Json(lifting))
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

//! `/coalition/leave`, `/coalition/removals`, `/coalition/return`.

use super::said;
use crate::{
    app::App,
    coalition::parting::{self, Leaving, Removal},
    http::{extract::Body, problem::Failure},
};
use axum::{Json, Router, extract::State, routing::post};
use serde::Deserialize;

/// Routes about who goes and who comes back.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/coalition/leave", post(leave))
        .route("/coalition/removals", post(propose))
        .route("/coalition/removals/approvals", post(approve))
        .route("/coalition/return", post(come_back))
}

/// How to leave.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Leave {
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    without_waiting: bool,
}

async fn leave(State(app): State<App>, Body(leave): Body<Leave>) -> Result<Json<Leaving>, Failure> {
    let leaving = parting::leave(&app, !leave.without_waiting, leave.dry_run).await?;
    if let Some(entry) = leaving.entry {
        said(&app, entry).await?;
    }
    Ok(Json(leaving))
}

/// Who shall go, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Propose {
    organization: String,
    reason: String,
    #[serde(default)]
    dry_run: bool,
}

async fn propose(
    State(app): State<App>,
    Body(propose): Body<Propose>,
) -> Result<Json<Removal>, Failure> {
    let reason = Some(propose.reason.as_str());
    told(
        &app,
        parting::remove(&app, &propose.organization, reason, propose.dry_run).await?,
    )
    .await
}

/// With whose removal this organization agrees.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approve {
    organization: String,
    #[serde(default)]
    dry_run: bool,
}

async fn approve(
    State(app): State<App>,
    Body(approve): Body<Approve>,
) -> Result<Json<Removal>, Failure> {
    told(
        &app,
        parting::remove(&app, &approve.organization, None, approve.dry_run).await?,
    )
    .await
}

/// The removal as it stands once what was said is folded.
async fn told(app: &App, mut removal: Removal) -> Result<Json<Removal>, Failure> {
    if let Some(entry) = removal.entry {
        said(app, entry).await?;
        let guard = app.coalition.read().await;
        if let Some(coalition) = guard.as_ref() {
            let votes = protocol::fold::parting::votes(&coalition.state, removal.node);
            // Gone already: the votes went with the member.
            if coalition.state.active(removal.node).is_some() {
                (removal.agree, removal.needed) = votes;
            } else {
                removal.agree = removal.needed;
            }
        }
    }
    Ok(Json(removal))
}

async fn come_back(State(app): State<App>) -> Result<Json<serde_json::Value>, Failure> {
    parting::come_back(&app).await?;
    Ok(Json(serde_json::json!({ "state": "returning" })))
}

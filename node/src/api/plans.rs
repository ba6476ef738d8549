//! `/plans`: file, list, show, change, withdraw.

use super::{Said, said};
use crate::{
    app::App,
    http::problem::Failure,
    plans::{
        self,
        draft::{self, Draft, Intention},
        meet::Meeting,
        show::{self, Shown},
    },
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::{get, post},
};
use protocol::{channel::Channel, entry::plan::Place, id::EntryId};
use serde::{Deserialize, Serialize};

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/plans", get(list).post(file))
        .route("/plans/{plan}", get(one))
        .route("/plans/{plan}/withdrawal", post(withdraw))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct How {
    #[serde(default)]
    dry_run: bool,
}

/// A plan that was filed, or would be.
#[derive(Debug, Serialize)]
struct Filed {
    /// What became of the entry; none on a dry run.
    #[serde(flatten)]
    said: Option<Said>,
    channel: Channel,
    from: i64,
    to: i64,
    label: String,
    purpose: String,
    volume: u64,
    places: Vec<Place>,
    contact: String,
    /// Plans of others that it meets.
    meets: Vec<Meeting>,
    /// Contact points of the list in places that were left out, because too few lie there.
    left_out: u64,
    /// Why it cannot be filed.
    withheld: Option<String>,
}

impl Filed {
    fn new(said: Option<Said>, draft: Draft) -> Self {
        Self {
            said,
            channel: draft.entry.channel,
            from: draft.entry.from.0,
            to: draft.entry.to.0,
            label: draft.entry.label,
            purpose: draft.entry.purpose,
            volume: draft.entry.volume,
            places: draft.entry.places,
            contact: draft.entry.contact,
            meets: draft.meets,
            left_out: draft.left_out,
            withheld: draft.withheld,
        }
    }
}

async fn file(
    State(app): State<App>,
    Query(how): Query<How>,
    Json(intention): Json<Intention>,
) -> Result<Json<Filed>, Failure> {
    if how.dry_run {
        let draft = draft::work_out(&app, intention).await?;
        return Ok(Json(Filed::new(None, draft)));
    }
    let (draft, entry) = plans::file(&app, intention).await?;
    let said = said(&app, entry).await?;
    Ok(Json(Filed::new(Some(said), draft)))
}

async fn list(State(app): State<App>) -> Result<Json<Vec<Shown>>, Failure> {
    Ok(Json(show::list(&app).await?))
}

async fn one(State(app): State<App>, Path(plan): Path<String>) -> Result<Json<Shown>, Failure> {
    Ok(Json(show::one(&app, &plan).await?))
}

/// A plan that was taken back.
#[derive(Debug, Serialize)]
struct Withdrawn {
    #[serde(flatten)]
    said: Said,
    plan: EntryId,
}

async fn withdraw(
    State(app): State<App>,
    Path(plan): Path<String>,
) -> Result<Json<Withdrawn>, Failure> {
    let (plan, entry) = plans::withdraw(&app, &plan).await?;
    let said = said(&app, entry).await?;
    Ok(Json(Withdrawn { said, plan }))
}

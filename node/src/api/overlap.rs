//! `/overlaps`: ask for counts of what lists have in common, agree, decline, look.

use super::{Said, said};
use crate::{
    app::App,
    http::problem::Failure,
    overlap::{
        say::{self, Draft, Wish},
        show::{self, Shown},
    },
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::{get, post},
};
use protocol::id::EntryId;
use serde::{Deserialize, Serialize};

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/overlaps", get(list).post(ask))
        .route("/overlaps/{overlap}", get(one))
        .route("/overlaps/{overlap}/agreement", post(agree))
        .route("/overlaps/{overlap}/decline", post(decline))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct How {
    #[serde(default)]
    dry_run: bool,
}

/// A count that was asked for or agreed to, or would be.
#[derive(Debug, Serialize)]
struct Brought {
    /// What became of the entry; none on a dry run.
    #[serde(flatten)]
    said: Option<Said>,
    /// The count; of a dry run that asks, none.
    overlap: Option<EntryId>,
    /// All parties, this organization included.
    parties: Vec<String>,
    /// The member that counts; none where every party does.
    counter: Option<String>,
    /// What is counted.
    by: &'static str,
    counts: &'static str,
    /// The own list.
    list: String,
    /// People on it.
    people: u64,
    /// People on it who have such a key and may be counted.
    with_key: u64,
    /// Entries of the list that take part.
    size: u64,
    /// The least entries of every list.
    least: u64,
}

impl Brought {
    fn new(said: Option<Said>, overlap: Option<EntryId>, draft: Draft) -> Self {
        Self {
            said,
            overlap,
            parties: draft.parties,
            counter: draft.counter,
            by: draft.kind.name(),
            counts: crate::overlap::counted(draft.kind),
            list: draft.chosen.label,
            people: draft.chosen.people,
            with_key: draft.chosen.with_key,
            size: draft.chosen.points.len() as u64,
            least: draft.least,
        }
    }
}

async fn ask(
    State(app): State<App>,
    Query(how): Query<How>,
    Json(wish): Json<Wish>,
) -> Result<Json<Brought>, Failure> {
    if how.dry_run {
        let draft = say::draft_ask(&app, &wish).await?;
        return Ok(Json(Brought::new(None, None, draft)));
    }
    let draft = say::ask(&app, &wish).await?;
    let said = said(&app, draft.overlap).await?;
    let overlap = draft.overlap;
    Ok(Json(Brought::new(Some(said), Some(overlap), draft)))
}

async fn list(State(app): State<App>) -> Result<Json<Vec<Shown>>, Failure> {
    Ok(Json(show::list(&app).await?))
}

async fn one(State(app): State<App>, Path(overlap): Path<String>) -> Result<Json<Shown>, Failure> {
    Ok(Json(show::one(&app, &overlap).await?))
}

/// The list that this organization agrees with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    /// The own list; absent for everybody on any list.
    #[serde(default)]
    list: Option<String>,
}

async fn agree(
    State(app): State<App>,
    Path(overlap): Path<String>,
    Query(how): Query<How>,
    Json(with): Json<With>,
) -> Result<Json<Brought>, Failure> {
    if how.dry_run {
        let draft = say::draft_agree(&app, &overlap, with.list.as_ref()).await?;
        let overlap = draft.overlap;
        return Ok(Json(Brought::new(None, Some(overlap), draft)));
    }
    let (draft, entry) = say::agree(&app, &overlap, with.list.as_ref()).await?;
    let said = said(&app, entry).await?;
    let overlap = draft.overlap;
    Ok(Json(Brought::new(Some(said), Some(overlap), draft)))
}

/// A count that was ended.
#[derive(Debug, Serialize)]
struct Ended {
    #[serde(flatten)]
    said: Said,
    overlap: EntryId,
}

async fn decline(
    State(app): State<App>,
    Path(overlap): Path<String>,
) -> Result<Json<Ended>, Failure> {
    let (overlap, entry) = say::stop(&app, &overlap).await?;
    let said = said(&app, entry).await?;
    Ok(Json(Ended { said, overlap }))
}

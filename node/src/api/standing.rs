//! `/standing-claims`: make, list and end.

use crate::{
    app::App,
    claims::standing::{self, Wish, words},
    http::problem::Failure,
    store::standing::Standing,
};
use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use jiff::civil::Date;
use protocol::channel::Channel;
use serde::{Deserialize, Serialize};

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/standing-claims", get(list).post(add))
        .route("/standing-claims/{number}/end", post(end))
}

#[derive(Debug, Deserialize)]
struct Add {
    #[serde(flatten)]
    wish: Wish,
    #[serde(default)]
    dry_run: bool,
}

/// A window of days, both included.
#[derive(Debug, Serialize)]
struct Window {
    from: Date,
    to: Date,
}

/// What was made.
#[derive(Debug, Serialize)]
struct Added {
    /// None after a dry run.
    number: Option<u64>,
    /// What is claimed next.
    next: Vec<Window>,
}

async fn add(State(app): State<App>, Json(add): Json<Add>) -> Result<Json<Added>, Failure> {
    let (number, windows) = standing::add(&app, &add.wish, add.dry_run).await?;
    let next = windows.into_iter().map(|(from, to)| Window { from, to });
    Ok(Json(Added {
        number,
        next: next.collect(),
    }))
}

/// A standing claim as people see it.
#[derive(Debug, Serialize)]
struct Shown {
    number: u64,
    list: Option<String>,
    area: Option<String>,
    channel: Channel,
    on: Vec<&'static str>,
    ahead: u64,
    until: Option<String>,
    /// Windows up to this day are claimed.
    claimed_through: String,
    /// Why the next one is not; empty where nothing stands in the way.
    why: String,
}

impl From<Standing> for Shown {
    fn from(standing: Standing) -> Self {
        Self {
            number: standing.number,
            list: standing.list,
            area: standing.area,
            channel: standing.channel,
            on: words(standing.weekdays),
            ahead: standing.ahead,
            until: standing.until_day,
            claimed_through: standing.done_day,
            why: standing.why,
        }
    }
}

async fn list(State(app): State<App>) -> Result<Json<Vec<Shown>>, Failure> {
    let all = standing::list(&app).await?;
    Ok(Json(all.into_iter().map(Shown::from).collect()))
}

async fn end(
    State(app): State<App>,
    Path(number): Path<u64>,
) -> Result<Json<serde_json::Value>, Failure> {
    standing::end(&app, number).await?;
    Ok(Json(serde_json::json!({ "number": number })))
}

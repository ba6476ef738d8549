//! `/calls`: phone banks, the next number for a caller, and what came of it.

use super::said;
use crate::{
    app::App,
    calls::{
        bank::{self, Opening, Standing, clock},
        next::{self, Next},
        outcome::{self, Outcome, Told},
    },
    claims::check,
    http::problem::Failure,
    store::call::{Bank, CallState},
};
use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/calls", get(list).post(open))
        .route("/calls/{bank}", get(show))
        .route("/calls/{bank}/next", post(next_one))
        .route("/calls/{bank}/end", post(close))
        .route("/calls/results", post(tell))
        .route("/calls/skips", post(skip))
}

/// A phone bank as people see it.
#[derive(Debug, Serialize)]
struct Shown {
    bank: u64,
    list: Option<String>,
    area: Option<String>,
    from: String,
    to: String,
    /// `HH:MM`.
    opens: String,
    closes: String,
    lease_minutes: i64,
    tries: u64,
    ahead: u64,
    open: bool,
    /// Why no more numbers were found lately; empty where some were.
    why: String,
    /// How many numbers stand how.
    numbers: BTreeMap<CallState, u64>,
}

impl From<Standing> for Shown {
    fn from(Standing { bank, counts }: Standing) -> Self {
        let Bank {
            bank,
            list,
            area,
            first_day,
            last_day,
            opens,
            closes,
            lease,
            tries,
            ahead,
            open,
            looked_at: _,
            why,
        } = bank;
        Self {
            bank,
            list,
            area,
            from: first_day,
            to: last_day,
            opens: clock(opens),
            closes: clock(closes),
            lease_minutes: lease / 60_000,
            tries,
            ahead,
            open,
            why,
            numbers: counts,
        }
    }
}

async fn list(State(app): State<App>) -> Result<Json<Vec<Shown>>, Failure> {
    let banks = bank::list(&app).await?;
    Ok(Json(banks.into_iter().map(Shown::from).collect()))
}

async fn show(State(app): State<App>, Path(number): Path<u64>) -> Result<Json<Shown>, Failure> {
    Ok(Json(bank::standing(&app, number).await?.into()))
}

#[derive(Debug, Deserialize)]
struct Open {
    #[serde(flatten)]
    opening: Opening,
    #[serde(default)]
    dry_run: bool,
}

/// What callers will find.
#[derive(Debug, Serialize)]
struct Opened {
    /// The phone bank; none after a dry run.
    bank: Option<u64>,
    /// List, and area.
    label: String,
    /// Numbers by how they stand now.
    numbers: BTreeMap<check::Standing, u64>,
    /// People of the list without a number.
    without_number: u64,
}

async fn open(State(app): State<App>, Json(open): Json<Open>) -> Result<Json<Opened>, Failure> {
    let (answer, bank) = bank::open(&app, &open.opening, open.dry_run).await?;
    Ok(Json(Opened {
        bank,
        numbers: check::counts(&answer.checked),
        without_number: answer.universe.without_point,
        label: answer.universe.label,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Caller {
    caller: String,
}

async fn next_one(
    State(app): State<App>,
    Path(number): Path<u64>,
    Json(who): Json<Caller>,
) -> Result<Json<Next>, Failure> {
    Ok(Json(next::next(&app, number, &who.caller).await?))
}

async fn tell(State(app): State<App>, Json(told): Json<Outcome>) -> Result<Json<Told>, Failure> {
    Ok(Json(outcome::tell(&app, &told).await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    lease: String,
}

async fn skip(
    State(app): State<App>,
    Json(skip): Json<Skip>,
) -> Result<Json<serde_json::Value>, Failure> {
    outcome::skip(&app, &skip.lease).await?;
    Ok(Json(serde_json::json!({})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    #[serde(default)]
    dry_run: bool,
}

/// The end of a phone bank.
#[derive(Debug, Serialize)]
struct Ended {
    bank: u64,
    /// Numbers that were not called: given back to allies.
    given_back: u64,
    /// How many of the entries that say so have taken effect.
    done: usize,
    entries: usize,
}

async fn close(
    State(app): State<App>,
    Path(number): Path<u64>,
    Json(end): Json<End>,
) -> Result<Json<Ended>, Failure> {
    let closed = bank::close(&app, number, end.dry_run).await?;
    let mut done = 0;
    for entry in &closed.entries {
        done += usize::from(said(&app, *entry).await?.state == "done");
    }
    Ok(Json(Ended {
        bank: number,
        given_back: closed.given_back,
        done,
        entries: closed.entries.len(),
    }))
}

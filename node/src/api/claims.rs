//! `/claims`: look, take, list, show, renew, release, print.

use super::{Said, said};
use crate::{
    app::App,
    claims::{
        change::{self, Part},
        check::{self, Checked, Standing},
        show::{self, Summary, Whole},
        take::{self, Answer, From, Question},
        universe::InArea,
        walk_list, window,
    },
    coalition::{self, members},
    disclosure,
    http::problem::Failure,
    people::{ImportFailure, spool::Spooled},
};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::header;
use jiff::civil::Date;
use policy::PublicationKind;
use protocol::{channel::Channel, id::EntryId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most contact points that one answer shows.
const ROWS_MOST: usize = 100_000;

/// Header of a file: how many people, or shares, are not in it that one could expect there.
pub const LEFT_OUT: &str = "commonturf-left-out";
/// Header of a walk list: until when the last of them is left out, in milliseconds since 1970.
pub const LEFT_OUT_UNTIL: &str = "commonturf-left-out-until";

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/claims", get(list).post(claim))
        .route("/claims/check", post(look))
        .route("/claims/{claim}", get(one))
        .route("/claims/{claim}/renewal", post(renew))
        .route("/claims/{claim}/release", post(release))
        .route("/claims/{claim}/walk-list", get(walk))
}

/// What to look at or take: a list by name, or a file whose bytes are the body; of either, or of all
/// lists, only what lies in an area.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    list: Option<String>,
    file: Option<String>,
    area: Option<String>,
    channel: Channel,
    from: Date,
    to: Date,
    #[serde(default = "rows")]
    rows: usize,
}

fn rows() -> usize {
    200
}

/// How everything stands.
#[derive(Debug, Serialize)]
pub struct Looked {
    /// List or file name.
    pub label: String,
    /// How people will be contacted.
    pub channel: Channel,
    /// The window's first moment.
    pub from: i64,
    /// The moment after the window's last.
    pub to: i64,
    /// Persons of the list, or rows of the file.
    pub rows: u64,
    /// Rows without a contact point on the channel.
    pub without_point: u64,
    /// Rows whose contact point or id is not known from any list.
    pub unknown: u64,
    /// Rows that could not be read.
    pub unreadable: u64,
    /// Where an area was named: what was left out, and what was placed roughly.
    pub area: Option<InArea>,
    /// Contact points by standing.
    pub counts: BTreeMap<Standing, u64>,
    /// People who were contacted as often lately as the agreement allows: nobody meets them now.
    pub capped: check::Waiting,
    /// Contact points because of whom, by standing.
    pub because_of: BTreeMap<String, BTreeMap<Standing, u64>>,
    /// Contact points, as many as were asked for.
    pub points: Vec<PointRow>,
    /// Why nothing can be claimed, whatever is free: a member may not read the claim.
    pub withheld: Option<String>,
}

/// One contact point.
#[derive(Debug, Serialize)]
pub struct PointRow {
    /// As people read it.
    pub display: String,
    /// How it stands.
    pub state: Standing,
    /// Because of whom.
    pub by: Option<String>,
    /// Until which day.
    pub until: Option<String>,
    /// How many own people may be contacted there.
    pub people: usize,
}

async fn look(
    State(app): State<App>,
    Query(ask): Query<Ask>,
    body: Body,
) -> Result<Json<Looked>, Failure> {
    let (channel, rows) = (ask.channel, ask.rows);
    let answer = take::look(&app, question(&app, ask, body).await?).await?;
    Ok(Json(looked(&app, channel, rows, answer).await?))
}

async fn question(app: &App, ask: Ask, body: Body) -> Result<Question, Failure> {
    let from = source(app, ask.list, ask.file, body).await?;
    let from = match (from, ask.area) {
        (Some(from), None) => from,
        (from, Some(area)) => From::In(area, Box::new(from.unwrap_or(From::Everybody))),
        (None, None) => {
            return Err(Failure::input(
                "name a list or an area, or send a file and its name",
            ));
        }
    };
    Ok(Question {
        from,
        channel: ask.channel,
        first: ask.from,
        last: ask.to,
        portion: None,
    })
}

async fn source(
    app: &App,
    list: Option<String>,
    file: Option<String>,
    body: Body,
) -> Result<Option<From>, Failure> {
    match (list, file) {
        (Some(_), Some(_)) => Err(Failure::input("name a list or send a file, not both")),
        (Some(list), None) => Ok(Some(From::List(list))),
        (None, Some(name)) => Ok(Some(From::File(name, spool(app, body).await?))),
        (None, None) => Ok(None),
    }
}

/// Takes an upload into a file without a name.
async fn spool(app: &App, body: Body) -> Result<std::fs::File, Failure> {
    let spooled = Spooled::receive(&app.dir.0, body.into_data_stream())
        .await
        .map_err(ImportFailure::from)?;
    spooled.reader().map_err(Failure::internal)
}

async fn looked(
    app: &App,
    channel: Channel,
    rows: usize,
    answer: Answer,
) -> Result<Looked, Failure> {
    let allowed = disclosure::allowed(app, PublicationKind::Claim, channel).await;
    let coalition = coalition::active(app).await?;
    let zone = &answer.ground.params.time_zone;
    let name = |point: &Checked| point.by.map(|by| members::name(&coalition.state, by));
    let mut because_of: BTreeMap<String, BTreeMap<Standing, u64>> = BTreeMap::new();
    for point in &answer.checked {
        if let Some(by) = name(point) {
            let standings = because_of.entry(by).or_default();
            *standings.entry(point.standing).or_default() += 1;
        }
    }
    Ok(Looked {
        label: answer.universe.label,
        channel,
        from: answer.window.from.0,
        to: answer.window.to.0,
        rows: answer.universe.rows,
        without_point: answer.universe.without_point,
        unknown: answer.universe.unknown,
        unreadable: answer.universe.unreadable,
        area: answer.universe.area,
        counts: check::counts(&answer.checked),
        capped: check::waiting(&answer.checked),
        because_of,
        withheld: allowed.err().map(|refusal| refusal.0.detail),
        points: answer
            .checked
            .iter()
            .take(rows.min(ROWS_MOST))
            .map(|point| PointRow {
                display: point.display.clone(),
                state: point.standing,
                by: name(point),
                until: point.until.map(|until| window::last_day(zone, until)),
                people: point.people,
            })
            .collect(),
    })
}

/// A claim that was taken.
#[derive(Debug, Serialize)]
pub struct Taken {
    /// What became of the entry.
    #[serde(flatten)]
    pub said: Said,
    /// Contact points left out before anything was said, by standing.
    pub left_out: BTreeMap<Standing, u64>,
    /// People who were contacted as often lately as the agreement allows: walk lists leave them out.
    pub capped: check::Waiting,
    /// Rows without a contact point on the channel.
    pub without_point: u64,
    /// Rows whose contact point or id is not known from any list.
    pub unknown: u64,
    /// Rows that could not be read.
    pub unreadable: u64,
    /// The claim; undecided while it waits for the keeper.
    pub claim: Whole,
}

async fn claim(
    State(app): State<App>,
    Query(ask): Query<Ask>,
    body: Body,
) -> Result<Json<Taken>, Failure> {
    let rows = ask.rows.min(ROWS_MOST);
    let (answer, id) = take::take(&app, question(&app, ask, body).await?).await?;
    let said = said(&app, id).await?;
    let mut left_out = BTreeMap::new();
    for point in answer.checked.iter().filter(|point| point.left_out) {
        *left_out.entry(point.standing).or_default() += 1;
    }
    Ok(Json(Taken {
        said,
        left_out,
        capped: check::waiting(&answer.checked),
        without_point: answer.universe.without_point,
        unknown: answer.universe.unknown,
        unreadable: answer.universe.unreadable,
        claim: show::whole(&app, &id.to_string(), rows).await?,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    #[serde(default)]
    all: bool,
}

async fn list(
    State(app): State<App>,
    Query(which): Query<Which>,
) -> Result<Json<Vec<Summary>>, Failure> {
    Ok(Json(show::list(&app, which.all).await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    #[serde(default = "rows")]
    rows: usize,
}

async fn one(
    State(app): State<App>,
    Path(claim): Path<String>,
    Query(rows): Query<Rows>,
) -> Result<Json<Whole>, Failure> {
    Ok(Json(
        show::whole(&app, &claim, rows.rows.min(ROWS_MOST)).await?,
    ))
}

/// A claim that was changed.
#[derive(Debug, Serialize)]
pub struct Changed {
    /// What became of the entry.
    #[serde(flatten)]
    pub said: Said,
    /// The claim.
    pub claim: EntryId,
    /// Contact points that were given back.
    pub given_back: u64,
    /// The claim as it is now.
    pub now: Summary,
}

async fn changed(
    app: &App,
    claim: EntryId,
    entry: EntryId,
    given_back: u64,
) -> Result<Json<Changed>, Failure> {
    let said = said(app, entry).await?;
    Ok(Json(Changed {
        said,
        claim,
        given_back,
        now: show::whole(app, &claim.to_string(), 0).await?.summary,
    }))
}

async fn renew(
    State(app): State<App>,
    Path(claim): Path<String>,
) -> Result<Json<Changed>, Failure> {
    let (claim, entry) = change::renew(&app, &claim).await?;
    changed(&app, claim, entry, 0).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Give {
    #[serde(default)]
    rest: bool,
    list: Option<String>,
    file: Option<String>,
}

async fn release(
    State(app): State<App>,
    Path(claim): Path<String>,
    Query(give): Query<Give>,
    body: Body,
) -> Result<Json<Changed>, Failure> {
    let part = match (give.rest, source(&app, give.list, give.file, body).await?) {
        (false, None) => Part::Whole,
        (true, None) => Part::Rest,
        (false, Some(from)) => Part::These(from),
        (true, Some(_)) => {
            return Err(Failure::input(
                "give back the rest or named points, not both",
            ));
        }
    };
    let (claim, entry, count) = change::release(&app, &claim, part).await?;
    changed(&app, claim, entry, count).await
}

async fn walk(State(app): State<App>, Path(claim): Path<String>) -> Result<Response, Failure> {
    let list = walk_list::make(&app, &claim).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"walk-list.csv\"",
        ),
    ];
    let capped = [
        (LEFT_OUT, list.capped.people.to_string()),
        (
            LEFT_OUT_UNTIL,
            list.capped.until.unwrap_or_default().to_string(),
        ),
    ];
    Ok((headers, capped, list.text).into_response())
}

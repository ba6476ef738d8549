//! `/places`, `/areas` and `/packets`: where doors lie, own areas, and packets of claims.

use super::{Said, said};
use crate::{
    app::App,
    http::problem::Failure,
    import::Mapping,
    people::{ImportFailure, spool::Spooled},
    store::packet::{Packet, PacketState},
    turf::{
        area::{self, Area, Kind},
        drawing::DRAWING_BYTES,
        packet,
        places::{self, Taken},
        result,
        sheet::{self, Layout},
    },
};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::header;
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/places", post(take_places))
        .route("/areas", get(list_areas).post(add_area))
        .route("/areas/{name}", get(show_area))
        .route("/areas/{name}/removal", post(remove_area))
        .route("/packets", get(list_packets).post(cut))
        .route("/packets/{code}", get(show_packet))
        .route("/packets/{code}/assignment", post(assign))
        .route("/packets/{code}/start", post(start))
        .route("/packets/{code}/end", post(finish))
        .route("/packets/{code}/results", post(record))
        .route("/packets/{code}/walk-list", get(walk_list))
        .route("/packets/{code}/sheet", get(print))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TakePlaces {
    /// `COLUMN=FIELD`, one per line.
    #[serde(default)]
    map: String,
    #[serde(default)]
    dry_run: bool,
}

async fn take_places(
    State(app): State<App>,
    Query(ask): Query<TakePlaces>,
    body: Body,
) -> Result<Json<Taken>, Failure> {
    let map: Vec<Mapping> = ask
        .map
        .lines()
        .map(|line| {
            line.parse()
                .map_err(|error| Failure::input(format!("{error}")))
        })
        .collect::<Result<_, _>>()?;
    let spooled = Spooled::receive(&app.dir.0, body.into_data_stream())
        .await
        .map_err(ImportFailure::from)?;
    let file = spooled.reader().map_err(Failure::internal)?;
    Ok(Json(places::import(&app, file, map, ask.dry_run).await?))
}

/// An area as people see it.
#[derive(Debug, Serialize)]
struct ShownArea {
    name: String,
    made_of: String,
    created_at: i64,
}

impl From<Area> for ShownArea {
    fn from(area: Area) -> Self {
        Self {
            made_of: area.made_of(),
            name: area.name,
            created_at: area.created_at,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddArea {
    name: String,
    kind: Kind,
}

async fn add_area(
    State(app): State<App>,
    Query(ask): Query<AddArea>,
    body: Body,
) -> Result<Json<ShownArea>, Failure> {
    let bytes = http_body_util::Limited::new(body, DRAWING_BYTES)
        .collect()
        .await
        .map_err(|_| {
            Failure::input(format!(
                "the file is larger than {} MiB, or the upload was cut off; simplify the boundary in the map tool that it \
                 comes from",
                DRAWING_BYTES >> 20
            ))
        })?;
    let added = area::add(&app, &ask.name, ask.kind, bytes.to_bytes().to_vec()).await?;
    Ok(Json(added.into()))
}

async fn list_areas(State(app): State<App>) -> Result<Json<Vec<ShownArea>>, Failure> {
    let areas = area::list(&app).await?;
    Ok(Json(areas.into_iter().map(ShownArea::from).collect()))
}

async fn show_area(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<ShownArea>, Failure> {
    Ok(Json(area::find(&app, &name).await?.into()))
}

async fn remove_area(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<ShownArea>, Failure> {
    Ok(Json(area::remove(&app, &name).await?.into()))
}

/// A packet as people see it.
#[derive(Debug, Serialize)]
struct ShownPacket {
    code: String,
    claim: String,
    number: u64,
    state: PacketState,
    assignee: String,
    stops: u64,
}

impl From<Packet> for ShownPacket {
    fn from(packet: Packet) -> Self {
        Self {
            code: packet::code(&packet),
            claim: packet.claim_id,
            number: packet.number,
            state: packet.state,
            assignee: packet.assignee,
            stops: packet.stops,
        }
    }
}

fn shown(packets: Vec<Packet>) -> Vec<ShownPacket> {
    packets.into_iter().map(ShownPacket::from).collect()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cut {
    claim: String,
    doors: usize,
    #[serde(default)]
    dry_run: bool,
}

/// What a claim was cut into.
#[derive(Debug, Serialize)]
struct WasCut {
    packets: Vec<ShownPacket>,
    /// Stops without coordinates: they follow street by street.
    without_point: u64,
    /// Contact points at which nobody may be contacted now.
    closed: u64,
}

async fn cut(State(app): State<App>, Json(cut): Json<Cut>) -> Result<Json<WasCut>, Failure> {
    let made = packet::make(&app, &cut.claim, cut.doors, cut.dry_run).await?;
    Ok(Json(WasCut {
        packets: shown(made.packets),
        without_point: made.without_point,
        closed: made.closed,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfClaim {
    claim: Option<String>,
}

async fn list_packets(
    State(app): State<App>,
    Query(of): Query<OfClaim>,
) -> Result<Json<Vec<ShownPacket>>, Failure> {
    Ok(Json(shown(packet::list(&app, of.claim.as_deref()).await?)))
}

async fn show_packet(
    State(app): State<App>,
    Path(code): Path<String>,
) -> Result<Json<ShownPacket>, Failure> {
    Ok(Json(packet::find(&app, &code).await?.into()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Assign {
    /// Who walks it; empty for nobody.
    to: String,
}

async fn assign(
    State(app): State<App>,
    Path(code): Path<String>,
    Json(assign): Json<Assign>,
) -> Result<Json<ShownPacket>, Failure> {
    Ok(Json(packet::assign(&app, &code, &assign.to).await?.into()))
}

async fn start(
    State(app): State<App>,
    Path(code): Path<String>,
) -> Result<Json<ShownPacket>, Failure> {
    Ok(Json(packet::start(&app, &code).await?.into()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    #[serde(default)]
    keep: bool,
    #[serde(default)]
    dry_run: bool,
}

/// A result, as somebody types it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedResult {
    person: String,
    result: String,
    /// `YYYY-MM-DD`; now without it.
    day: Option<jiff::civil::Date>,
}

/// What was noted.
#[derive(Debug, Serialize)]
struct Recorded {
    person_id: String,
    stop: u64,
    result: &'static str,
    /// The same stood there already.
    known: bool,
}

async fn record(
    State(app): State<App>,
    Path(code): Path<String>,
    Json(entry): Json<TypedResult>,
) -> Result<Json<Recorded>, Failure> {
    let entry = result::Entry {
        person: entry.person,
        result: entry.result,
        day: entry.day,
    };
    let recorded = result::record(&app, &code, &entry).await?;
    Ok(Json(Recorded {
        person_id: recorded.person_id,
        stop: recorded.stop,
        result: recorded.result,
        known: recorded.known,
    }))
}

/// The end of a packet.
#[derive(Debug, Serialize)]
struct Ended {
    #[serde(flatten)]
    said: Option<Said>,
    packet: ShownPacket,
    /// Contact points that nobody reached: given back, unless they were kept.
    rest: u64,
}

async fn finish(
    State(app): State<App>,
    Path(code): Path<String>,
    Json(end): Json<End>,
) -> Result<Json<Ended>, Failure> {
    let finished = packet::finish(&app, &code, end.keep, end.dry_run).await?;
    let said = match finished.entry {
        Some(entry) => Some(said(&app, entry).await?),
        None => None,
    };
    Ok(Json(Ended {
        said,
        packet: finished.packet.into(),
        rest: finished.rest,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct How {
    #[serde(default)]
    layout: Layout,
}

async fn walk_list(
    State(app): State<App>,
    Path(code): Path<String>,
    Query(how): Query<How>,
) -> Result<Response, Failure> {
    let text = sheet::csv(&app, &code, how.layout).await?;
    Ok(file("text/csv; charset=utf-8", "walk-list.csv", text))
}

async fn print(State(app): State<App>, Path(code): Path<String>) -> Result<Response, Failure> {
    let page = sheet::html(&app, &code).await?;
    Ok(file("text/html; charset=utf-8", "packet.html", page))
}

fn file(kind: &'static str, name: &str, text: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, text).into_response()
}

//! `/imports`, `/consent-forms`, `/lists` and `/people`: files in, and who came of them.

use crate::{
    app::App,
    claims::walk_list::cell,
    http::problem::Failure,
    people::{
        self, refer,
        report::{REJECTS_SHOWN, Report},
        request::Request,
        spool::Spooled,
    },
    shares,
    store::{
        self,
        consent::put_form,
        import_job,
        list::{self, List},
        people::Member,
        person::Person,
    },
};
use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, Query, State},
    response::IntoResponse,
    routing::{get, post},
};
use http::header;
use policy::consent::form::Form;
use protocol::{channel::Channel, entry::payload::Channels, id::Hash};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::AnyConnection;

/// How many people a search shows, unless told otherwise.
const SHOWN: i64 = 50;
/// The most rejected rows of one export.
const REJECTS_EXPORTED: i64 = 1_000_000;

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
        .route(
            "/imports",
            get(imports).post(import).layer(DefaultBodyLimit::disable()),
        )
        .route("/imports/{id}", get(one_import))
        .route("/imports/{id}/rejects.csv", get(rejects))
        .route("/consent-forms", post(consent_form))
        .route("/lists", get(lists))
        .route("/people", get(search))
        .route("/people/{reference}", get(show))
}

async fn import(
    State(app): State<App>,
    Query(pairs): Query<Vec<(String, String)>>,
    body: Body,
) -> Result<Json<Report>, Failure> {
    let request = Request::for_list(&pairs).map_err(|error| Failure::input(error.to_string()))?;
    receive(app, request, body).await
}

/// Takes an upload to its end and imports it. The work goes on when the caller goes away.
pub(super) async fn receive(
    app: App,
    request: Request,
    body: Body,
) -> Result<Json<Report>, Failure> {
    let spooled = Spooled::receive(&app.dir.0, body.into_data_stream())
        .await
        .map_err(people::ImportFailure::from)?;
    let (told, answer) = tokio::sync::oneshot::channel();
    app.life.clone().spawn(async move {
        let outcome = people::run(&app, &request, &spooled).await;
        // Whoever went away reads the report in the list of imports.
        let _ = told.send(outcome);
    });
    let report = answer.await.map_err(Failure::internal)??;
    Ok(Json(report))
}

async fn imports(State(app): State<App>) -> Result<Json<Vec<Report>>, Failure> {
    let mut db = app.store.read("listing imports").await?;
    let mut reports = Vec::new();
    let lists = list::all(&mut db).await?;
    for import in import_job::latest(&mut db).await? {
        // The import by itself shows the rows that were left out.
        let list = name(&lists, &import.list_id);
        reports.push(Report::of(&import, list, Vec::new())?);
    }
    Ok(Json(reports))
}

async fn one_import(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Report>, Failure> {
    let mut db = app.store.read("showing an import").await?;
    let import = stored(&mut db, &id).await?;
    let lists = list::all(&mut db).await?;
    let list = name(&lists, &import.list_id);
    let rejects = import_job::rejects(&mut db, &id, REJECTS_SHOWN).await?;
    Ok(Json(Report::of(&import, list, rejects)?))
}

/// Every row that an import left out, as a table.
async fn rejects(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Failure> {
    let mut db = app.store.read("showing what an import left out").await?;
    stored(&mut db, &id).await?;
    let mut text = "line,column,reason\r\n".to_owned();
    for reject in import_job::rejects(&mut db, &id, REJECTS_EXPORTED).await? {
        let column = cell(&reject.column);
        let reason = cell(&reject.reason);
        text.push_str(&format!("{},{column},{reason}\r\n", reject.line));
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"rejects.csv\"",
        ),
    ];
    Ok((headers, text))
}

async fn stored(db: &mut AnyConnection, id: &str) -> Result<import_job::Import, Failure> {
    let import = import_job::find(db, id).await?;
    import.ok_or_else(|| Failure::not_found("there is no import with this id"))
}

fn name(lists: &[List], list_id: &str) -> String {
    let list = lists.iter().find(|list| list.list_id == list_id);
    list.map(|list| list.name.clone()).unwrap_or_default()
}

/// A consent form that is kept.
#[derive(Debug, Serialize)]
pub struct KeptForm {
    /// SHA-256 of its text: what an import names it by.
    pub consent_form: String,
}

async fn consent_form(State(app): State<App>, text: String) -> Result<Json<KeptForm>, Failure> {
    Form::parse(&text).map_err(|error| Failure::input(error.to_string()))?;
    let hash = Hash::of(text.as_bytes()).to_string();
    let mut tx = app.store.write("keeping a consent form").await?;
    put_form(&mut tx, &hash, &text, app.now().0).await?;
    tx.commit().await?;
    Ok(Json(KeptForm { consent_form: hash }))
}

async fn lists(State(app): State<App>) -> Result<Json<Vec<List>>, Failure> {
    let mut db = app.store.read("showing the lists").await?;
    Ok(Json(list::all(&mut db).await?))
}

/// Whom to look for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    #[serde(default)]
    search: String,
    list: Option<String>,
    limit: Option<i64>,
}

/// A person in a row of a table.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The person's id.
    pub person_id: String,
    /// As people read it.
    pub name: String,
    /// House number and street.
    pub street: String,
    /// City.
    pub city: String,
    /// Postal code.
    pub postal_code: String,
    /// The names of the lists that the person is on.
    pub lists: Vec<String>,
}

async fn search(
    State(app): State<App>,
    Query(ask): Query<Search>,
) -> Result<Json<Vec<Row>>, Failure> {
    let mut db = app.store.read("looking for people").await?;
    let mut list_id = None;
    if let Some(wanted) = &ask.list {
        let found = list::by_name(&mut db, wanted).await?;
        let found = found.ok_or_else(|| Failure::not_found("there is no list with this name"))?;
        list_id = Some(found.list_id);
    }
    let limit = ask
        .limit
        .unwrap_or(SHOWN)
        .clamp(1, store::person::SEARCH_ROWS);
    let found = store::people::search(&mut db, &ask.search, list_id.as_deref(), limit).await?;
    let mut rows = Vec::new();
    for person in found {
        rows.push(Row {
            name: person.name(),
            lists: list::of_person(&mut db, &person.person_id).await?,
            person_id: person.person_id,
            street: person.address.line1,
            city: person.address.city,
            postal_code: person.address.postal_code,
        });
    }
    Ok(Json(rows))
}

async fn show(
    State(app): State<App>,
    Path(reference): Path<String>,
) -> Result<Json<Value>, Failure> {
    let mut db = app.store.read("showing a person").await?;
    let id = refer::one(&mut db, &reference).await?;
    let member = store::people::member(&mut db, &id).await?;
    let member = member.ok_or_else(|| Failure::not_found(refer::NOBODY))?;
    let mut shown = shown(&member, app.now().0);
    shown["lists"] = json!(list::of_person(&mut db, &id).await?);
    let ids = store::identifier::of_person(&mut db, &id).await?;
    let ids = ids
        .iter()
        .map(|(system, id)| json!({ "system": system, "id": id }));
    shown["ids"] = ids.collect();
    let contacts = store::contact::of_person(&mut db, &id).await?;
    let contacts = contacts.iter().map(|contact| {
        json!({
            "at": contact.at, "whole_day": contact.whole_day, "channel": contact.channel,
            "effect": contact.effect, "result": contact.result, "flagged": contact.flagged,
            "committee": contact.committee, "own": contact.own,
        })
    });
    shown["contacts"] = contacts.collect();
    drop(db);
    // Null where nobody can tell at present: this node has left the coalition it shared in.
    let holders = shares::holders(&app, &id).await;
    shown["holders"] = json!(holders.ok());
    Ok(Json(shown))
}

fn shown(member: &Member, now: i64) -> Value {
    let Member {
        person,
        points,
        consents,
        suppressions,
    } = member;
    let reached = points
        .iter()
        .filter(|point| point.point.class != store::point::PERSON);
    let points: Value = reached
        .map(|point| {
            json!({
                "point_id": point.point.point_id, "kind": point.point.kind, "shown": point.point.display,
                "value": point.point.value, "label": point.label, "bad": point.bad,
                "has_token": point.point.token.is_some(),
            })
        })
        .collect();
    let suppressions: Value = suppressions
        .iter()
        .map(|row| {
            json!({
                "suppression": row.suppression_id, "reason": row.cause, "channels": channels(row.channels),
                "point_id": row.point_id, "since": row.since, "withdrawn_at": row.withdrawn_at, "told": row.told,
            })
        })
        .collect();
    let records: Value = consents
        .iter()
        .map(|consent| {
            let standing = consent.record.standing(now);
            json!({
                "form": consent.form, "state": standing.state.name(), "record": consent.record,
            })
        })
        .collect();
    let mut all = facts(person);
    all["points"] = points;
    all["suppressions"] = suppressions;
    all["consents"] = records;
    all
}

/// The channels of some bits, by name.
fn channels(bits: i64) -> Vec<&'static str> {
    let set = Channels(u8::try_from(bits).unwrap_or_default());
    let named = Channel::ALL.into_iter().filter(|channel| set.has(*channel));
    named.map(Channel::name).collect()
}

fn facts(person: &Person) -> Value {
    json!({
        "person_id": person.person_id, "name": person.name(), "given": person.given,
        "middle": person.middle, "surname": person.surname, "suffix": person.suffix,
        "birth_date": person.birth_date, "birth_year": person.birth_year,
        "voter_state": person.voter_state, "voter_id": person.voter_id, "address": person.address,
        "source": person.source, "basis": person.basis, "partisan": person.partisan,
        "never_share": person.never_share, "minor": person.minor, "tags": person.tags,
        "answers": person.answers, "extra": person.extra, "created_at": person.created_at,
        "updated_at": person.updated_at,
    })
}

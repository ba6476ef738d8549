//! `/people/{person}/statement`, consent receipts, and whose consent ends.

use crate::{
    app::App,
    http::problem::Failure,
    pages,
    papers::{
        receipt::{self, Receipt},
        renewals::{self, Renewals},
        statement::{self, Statement},
    },
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use policy::Terms;
use serde::{Deserialize, Serialize};

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/people/{person}/statement", get(person_statement))
        .route("/people/{person}/statement.html", get(statement_file))
        .route("/people/{person}/consent-receipts", get(person_receipts))
        .route("/people/{person}/consent-receipts.html", get(receipts_file))
        .route("/consents/renewals", get(list_renewals))
}

/// Which record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    record: Option<String>,
}

/// How far to look ahead.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ahead {
    #[serde(default = "sixty")]
    days: u32,
}

fn sixty() -> u32 {
    60
}

/// Receipts of a person.
#[derive(Debug, Serialize)]
pub struct Receipts {
    receipts: Vec<Receipt>,
}

/// What the organization has of a person and who was given it.
pub async fn person_statement(
    State(app): State<App>,
    Path(person): Path<String>,
) -> Result<Json<Statement>, Failure> {
    Ok(Json(statement::statement(&app, &person).await?))
}

/// The same as a file for the person.
pub async fn statement_file(
    State(app): State<App>,
    Path(person): Path<String>,
) -> Result<Response, Failure> {
    let statement = statement::statement(&app, &person).await?;
    let zone = zone(&app).await;
    let text = pages::papers::statement(&statement, zone.as_deref())?;
    Ok(file("statement.html", text))
}

/// What a person agreed to.
pub async fn person_receipts(
    State(app): State<App>,
    Path(person): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Receipts>, Failure> {
    let receipts = receipt::receipts(&app, &person, which.record.as_deref()).await?;
    Ok(Json(Receipts { receipts }))
}

/// The same as a file for the person.
pub async fn receipts_file(
    State(app): State<App>,
    Path(person): Path<String>,
    Query(which): Query<Which>,
) -> Result<Response, Failure> {
    let receipts = receipt::receipts(&app, &person, which.record.as_deref()).await?;
    let zone = zone(&app).await;
    let text = pages::papers::receipts(&receipts, zone.as_deref())?;
    Ok(file("consent-receipt.html", text))
}

/// Whose consent ends soon or has ended.
pub async fn list_renewals(
    State(app): State<App>,
    Query(ahead): Query<Ahead>,
) -> Result<Json<Renewals>, Failure> {
    Ok(Json(renewals::renewals(&app, ahead.days).await?))
}

fn file(name: &str, text: String) -> Response {
    let headers = [
        (
            http::header::CONTENT_TYPE,
            "text/html; charset=utf-8".to_owned(),
        ),
        (
            http::header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (http::header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, text).into_response()
}

/// The time zone of the agreement in force.
async fn zone(app: &App) -> Option<String> {
    let guard = app.coalition.read().await;
    let (_, agreement) = guard.as_ref()?.state.agreement()?;
    Some(Terms::parse(&agreement.terms).ok()?.params.time_zone)
}

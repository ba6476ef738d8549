//! `/impact`: the report that shows whether working together pays.

use crate::{
    app::App,
    http::problem::Failure,
    impact::{
        report::{self, Ask, Impact},
        sheet,
    },
};
use axum::{
    Json, Router,
    extract::{Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::header;

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/impact", get(show))
        .route("/impact.csv", get(csv))
}

async fn show(State(app): State<App>, Query(ask): Query<Ask>) -> Result<Json<Impact>, Failure> {
    Ok(Json(report::make(&app, &ask).await?))
}

async fn csv(State(app): State<App>, Query(ask): Query<Ask>) -> Result<Response, Failure> {
    Ok(file(&report::make(&app, &ask).await?))
}

/// The report as a file to keep.
pub(crate) fn file(report: &Impact) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"impact.csv\"",
        ),
    ];
    (headers, sheet::csv(report)).into_response()
}

//! `/contacts`: canvass histories of other systems.

use super::people::receive;
use crate::{
    app::App,
    http::problem::Failure,
    people::{report::Report, request::Request},
};
use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Query, State},
    routing::post,
};

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new().route(
        "/contacts/imports",
        post(import).layer(DefaultBodyLimit::disable()),
    )
}

async fn import(
    State(app): State<App>,
    Query(pairs): Query<Vec<(String, String)>>,
    body: Body,
) -> Result<Json<Report>, Failure> {
    let request =
        Request::for_contacts(&pairs).map_err(|error| Failure::input(error.to_string()))?;
    receive(app, request, body).await
}

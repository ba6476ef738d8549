//! `POST /desk-links`: a one-time link by which a person signs in to the pages.

use crate::{app::App, http::problem::Failure, pages::session};
use axum::{Json, extract::State};

/// A link that is good once and for a few minutes.
#[derive(Debug, serde::Serialize)]
pub struct Link {
    /// The address to open.
    pub url: String,
    /// Until when it is good, in milliseconds since 1970.
    pub expires_at: i64,
}

/// Makes a link.
pub async fn link(State(app): State<App>) -> Result<Json<Link>, Failure> {
    let (url, expires_at) = session::new_link(&app).await?;
    Ok(Json(Link { url, expires_at }))
}

//! `/tokens`: how far the organization's points have been turned into match tokens.

use crate::{app::App, http::problem::Failure, store};
use axum::{Json, Router, extract::State, routing::get};

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new().route("/tokens", get(status))
}

/// What `tokens status` shows.
#[derive(Debug, serde::Serialize)]
pub struct Tokens {
    /// The generation of match tokens in use; none before a keyset and an agreement are in force.
    pub generation: Option<u32>,
    /// Each class.
    pub classes: Vec<store::token_job::Progress>,
}

/// Tells how far each class has come.
pub async fn status(State(app): State<App>) -> Result<Json<Tokens>, Failure> {
    Ok(Json(read(&app).await?))
}

/// What [`status`] tells, for pages too.
///
/// # Errors
/// [`Failure`] when the database fails.
pub async fn read(app: &App) -> Result<Tokens, Failure> {
    let generation = {
        let guard = app.coalition.read().await;
        guard
            .as_ref()
            .filter(|coalition| coalition.is_active() && coalition.state.rules().is_some())
            .and_then(|coalition| coalition.state.meta().generation)
    };
    let mut db = app.store.read("reading the tokens' progress").await?;
    let classes = store::token_job::progress(&mut db, generation).await?;
    Ok(Tokens {
        generation,
        classes,
    })
}

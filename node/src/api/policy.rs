//! `/policy/simulation`: what a draft of rules would change.

use super::shares::Share;
use crate::{
    app::App,
    http::{extract::Body, problem::Failure},
    shares::{
        setting::Draft,
        simulate::{self, Simulation},
    },
};
use axum::{Json, Router, extract::State, routing::post};
use serde::Deserialize;

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new().route("/policy/simulation", post(simulate_draft))
}

/// A draft and what to try it on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulate {
    /// Terms of an agreement; one of the two texts is given.
    terms: Option<String>,
    /// The organization's own policy.
    own: Option<String>,
    /// One list; every list without it, unless the share says `received`.
    list: Option<String>,
    /// To whom, what for, which fields: as for a share.
    share: Share,
}

/// Tells what would newly flow and newly stop; changes nothing.
pub async fn simulate_draft(
    State(app): State<App>,
    Body(ask): Body<Simulate>,
) -> Result<Json<Simulation>, Failure> {
    let draft = match (ask.terms, ask.own) {
        (Some(terms), None) => Draft::Terms(terms),
        (None, Some(own)) => Draft::Own(own),
        _ => return Err(Failure::input("give one draft: terms or own")),
    };
    let of = ask.share.simulated(ask.list.as_deref())?;
    let simulation = simulate::simulate(&app, ask.share.ask()?, of, &draft);
    Ok(Json(simulation.await?))
}

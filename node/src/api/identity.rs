//! `/identity`: this node's document and keys, the next one, and an ally's that this node carries.

use super::said;
use crate::{
    app::App,
    http::{extract::Body, problem::Failure},
    keys::{
        self, Next, Wanted,
        carry::{self, Carried},
    },
};
use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use protocol::{id::NodeId, identity::KeyUse, time::Moment};
use serde::{Deserialize, Serialize};

/// Routes about identity documents.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/identity", get(show))
        .route("/identity/rotations", post(rotate))
        .route("/identity/carried", post(carry))
}

/// This node's document.
#[derive(Debug, Serialize)]
struct Shown {
    node: NodeId,
    organization: String,
    seq: u64,
    keys: Vec<Key>,
    endpoints: Vec<String>,
    valid_until: Moment,
}

#[derive(Debug, Serialize)]
struct Key {
    #[serde(rename = "use")]
    usage: KeyUse,
    kid: String,
}

async fn show(State(app): State<App>) -> Json<Shown> {
    let document = app.identity();
    let key = |key: &protocol::identity::DocumentKey| Key {
        usage: key.usage,
        kid: key.kid.to_string(),
    };
    Json(Shown {
        node: document.node_id,
        organization: document.organization.to_string(),
        seq: document.seq,
        keys: document.keys.iter().map(key).collect(),
        endpoints: document.endpoints.iter().map(ToString::to_string).collect(),
        valid_until: document.valid_until,
    })
}

/// What is to change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    #[serde(default)]
    keys: Vec<KeyUse>,
    #[serde(default)]
    address: bool,
    #[serde(default)]
    carried: bool,
    #[serde(default)]
    dry_run: bool,
}

/// A document, and what became of the entry that carries it.
#[derive(Debug, Serialize)]
struct Answer<T> {
    #[serde(flatten)]
    what: T,
    /// `done`, or `waiting` while the keeper has not answered; `handed-out` where another member
    /// carries it, `dry-run` where nothing was said.
    state: &'static str,
}

async fn rotate(
    State(app): State<App>,
    Body(ask): Body<Rotate>,
) -> Result<Json<Answer<Next>>, Failure> {
    if ask.keys.contains(&KeyUse::Root) {
        return Err(Failure::input(
            "the root key is the node itself and does not change",
        ));
    }
    let wanted = Wanted {
        keys: ask.keys,
        address: ask.address,
        carried: ask.carried,
        dry_run: ask.dry_run,
    };
    let what = keys::rotate(&app, &wanted).await?;
    let state = match what.entry {
        Some(entry) => said(&app, entry).await?.state,
        None if ask.dry_run => "dry-run",
        None => "handed-out",
    };
    Ok(Json(Answer { what, state }))
}

/// An ally's next document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Carry {
    document: String,
    #[serde(default)]
    dry_run: bool,
}

async fn carry(
    State(app): State<App>,
    Body(ask): Body<Carry>,
) -> Result<Json<Answer<Carried>>, Failure> {
    let what = carry::carry(&app, &ask.document, ask.dry_run).await?;
    let state = match what.entry {
        Some(entry) => said(&app, entry).await?.state,
        None => "dry-run",
    };
    Ok(Json(Answer { what, state }))
}

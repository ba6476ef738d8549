//! `/tokens`: how far the organization's points have been turned into match tokens.

use crate::{app::App, http::problem::Failure, jobs, store};
use axum::{Json, Router, extract::State, routing::get};
use protocol::{
    entry::ceremony::Complaint,
    id::NodeId,
    state::{State as Folded, rows::RotationStanding},
    token::ceremony::CeremonyKind,
};

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new().route("/tokens", get(status))
}

/// What `tokens status` shows.
#[derive(Debug, serde::Serialize)]
pub struct Tokens {
    /// The generation of match tokens in use; none before a keyset and an agreement are in force.
    pub generation: Option<u32>,
    /// How many keepers answer a batch, of how many; none before there is a keyset.
    pub quorum: Option<(u8, usize)>,
    /// The key ceremony that is under way, or the last one where it failed.
    pub ceremony: Option<Ceremony>,
    /// The generation that closes, if one does.
    pub closing: Option<Closing>,
    /// The rotation of the keys after the last removal for cause.
    pub rotation: Option<Rotation>,
    /// Whether this node multiplies its own points at present.
    pub rotating: bool,
    /// Each class.
    pub classes: Vec<store::token_job::Progress>,
}

/// A key ceremony, as people see it.
#[derive(Debug, serde::Serialize)]
pub struct Ceremony {
    /// `fresh`: new keys; `refresh`: new shares; `hand_on`: a share for a new keeper.
    pub kind: &'static str,
    /// How many keepers take part.
    pub keepers: usize,
    /// How many have committed.
    pub committed: usize,
    /// How many have dealt.
    pub dealt: usize,
    /// How many have confirmed their share.
    pub confirmed: usize,
    /// When it fails unless all have confirmed, in milliseconds since 1970.
    pub deadline: i64,
    /// Why it failed, and of whom a keeper complains, where it did.
    pub failed: Option<(Complaint, Option<String>)>,
}

/// The rotation of the keys after a removal for cause, as people see it.
#[derive(Debug, serde::Serialize)]
pub struct Rotation {
    /// Who was removed.
    pub removed: Vec<String>,
    /// Whether it is open, in use, or has failed.
    pub standing: RotationStanding,
    /// How many keepers come to one keyset.
    pub confirmed: usize,
    /// When it fails unless all do, in milliseconds since 1970; none while an older generation closes.
    pub deadline: Option<i64>,
    /// Who says that the keys are not the product of those before.
    pub refused: Vec<String>,
}

/// A generation of match tokens that closes.
#[derive(Debug, serde::Serialize)]
pub struct Closing {
    /// Which.
    pub generation: u32,
    /// How many members have moved to the next one.
    pub moved: usize,
    /// When it closes at the latest, in milliseconds since 1970.
    pub until: i64,
}

fn ceremony(state: &Folded) -> Option<Ceremony> {
    let (_, row) = state.ceremonies.iter().next()?;
    let name = |id: u16| {
        let keeper = row.plan.keepers.iter().find(|keeper| keeper.id == id)?;
        Some(crate::coalition::members::name(state, keeper.node))
    };
    Some(Ceremony {
        kind: match row.plan.kind {
            CeremonyKind::Fresh => "fresh",
            CeremonyKind::Refresh => "refresh",
            CeremonyKind::HandOn => "hand_on",
        },
        keepers: row.plan.keepers.len(),
        committed: row.committed.len(),
        dealt: row.dealt.len(),
        confirmed: row.confirmed.len(),
        deadline: row.deadline.0,
        failed: row
            .failed
            .map(|failed| (failed.why, failed.about.and_then(name))),
    })
}

fn closing(state: &Folded) -> Option<Closing> {
    let row = state.closing.get(&())?;
    Some(Closing {
        generation: row.generation,
        moved: row.moved.len(),
        until: row.until.0,
    })
}

fn rotation(state: &Folded) -> Option<Rotation> {
    let row = state.rotation.get(&())?;
    let names = |nodes: &[NodeId]| {
        let nodes = nodes.iter();
        let names = nodes.map(|node| crate::coalition::members::name(state, *node));
        names.collect()
    };
    Some(Rotation {
        removed: names(&row.removed),
        standing: row.standing,
        confirmed: row.confirmed.len(),
        deadline: row.deadline.map(|deadline| deadline.0),
        refused: names(&row.refused),
    })
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
    let guard = app.coalition.read().await;
    let active = guard.as_ref().filter(|coalition| coalition.is_active());
    let state = active.map(|coalition| &coalition.state);
    let generation = state
        .filter(|state| state.rules().is_some())
        .and_then(|state| state.meta().generation);
    let keyset = state.and_then(protocol::fold::ceremony::current);
    let quorum = keyset.map(|keyset| (keyset.threshold(), keyset.keepers().len()));
    let (ceremony, closing) = (state.and_then(ceremony), state.and_then(closing));
    let rotation = state.and_then(rotation);
    drop(guard);
    let rotating = jobs::rotation::is_under_way(app).await?;
    let mut db = app.store.read("reading the tokens' progress").await?;
    let classes = store::token_job::progress(&mut db, generation).await?;
    Ok(Tokens {
        generation,
        quorum,
        ceremony,
        closing,
        rotation,
        rotating,
        classes,
    })
}

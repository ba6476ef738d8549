//! Comparing digits by telephone, at both ends of a door: nobody comes in, and nobody is let in, before
//! a person has said that they are the same. Spec: identity.md, section 8.

use crate::{
    app::App,
    http::problem::Failure,
    store::{coalition::Phase, joining},
};
use protocol::{
    codec,
    comparison::{Comparison, Digits},
    id::NodeId,
    identity::{IdentityDocument, SignedDocument},
    problem::ProblemKind,
    state::{State, rows::JoinRow},
    time::Moment,
};
use serde::Serialize;

/// Somebody who waits to be let in.
#[derive(Debug, Serialize)]
pub struct Newcomer {
    /// Its node.
    pub node: NodeId,
    /// What it calls itself.
    pub name: String,
    /// Its legal kind.
    pub kind: String,
    /// Who invited it and may approve it.
    pub inviter: String,
    /// Whether that is this organization.
    pub ours: bool,
    /// Since when it waits, in log time.
    pub since: Moment,
    /// The number of the identity document that it showed.
    pub document: u64,
    /// Until when that document counts.
    pub document_until: Option<Moment>,
    /// What to compare; only the inviter does.
    pub digits: Option<Digits>,
}

/// Who waits to be let in.
#[must_use]
pub fn newcomers(state: &State, me: NodeId) -> Vec<Newcomer> {
    let newcomer = |(node, join): (&NodeId, &JoinRow)| {
        let document = codec::decode::<SignedDocument>(&join.document).ok();
        let document = document.as_ref().and_then(read);
        let ours = join.inviter == me;
        Newcomer {
            node: *node,
            name: join.name.clone(),
            kind: join.kind.clone(),
            inviter: super::members::name(state, join.inviter),
            ours,
            since: join.at,
            document: document.as_ref().map_or(0, |document| document.seq),
            document_until: document.map(|document| document.valid_until),
            digits: ours.then(|| Comparison::of_newcomer(state, join).digits()),
        }
    };
    state.joins.iter().map(newcomer).collect()
}

fn read(signed: &SignedDocument) -> Option<IdentityDocument> {
    codec::decode(&signed.document).ok()
}

/// The door at which this node waits.
#[derive(Debug, Serialize)]
pub struct Door {
    /// Who approves.
    pub inviter: NodeId,
    /// What that organization calls itself.
    pub inviter_name: String,
    /// Since when this node waits.
    pub since: Moment,
    /// What to compare.
    pub digits: Digits,
    /// Whether a person here said that they are the same.
    pub compared: bool,
}

/// The door at which this node waits; none where it waits at none.
///
/// # Errors
/// When the database fails.
pub async fn door(app: &App) -> Result<Option<Door>, Failure> {
    let mut db = app.store.read("reading a request to join").await?;
    let row = joining::find(&mut db).await?;
    Ok(row.map(|row| {
        let document = codec::decode::<SignedDocument>(&row.inviter_document).ok();
        let document = document.as_ref().and_then(read);
        Door {
            inviter: row.inviter,
            inviter_name: document.map_or_else(
                || row.inviter.short(),
                |document| document.organization.to_string(),
            ),
            since: row.asked_at,
            digits: row.comparison.digits(),
            compared: row.compared_at.is_some(),
        }
    }))
}

/// A person of the newcomer's says which digits the inviter read out. From then on this node comes in
/// once it is approved.
///
/// # Errors
/// [`Failure`] when this node waits at no door, or they are not its digits.
pub async fn confirm(app: &App, told: &str) -> Result<Door, Failure> {
    let told: Digits = told
        .parse()
        .map_err(|error| Failure::input(format!("{error}")))?;
    // Held, so that no other request takes the place of the one that was compared.
    let guard = app.coalition.write().await;
    let joining = guard
        .as_ref()
        .is_some_and(|coalition| coalition.row.phase == Phase::Joining);
    let mut door = door(app).await?.filter(|_| joining).ok_or_else(|| {
        Failure::new(
            ProblemKind::Conflict,
            "this node waits at no door: join with `commonturf coalition join` first",
        )
    })?;
    if door.digits != told {
        return Err(differ(&door.inviter_name));
    }
    let mut tx = app.store.write("noting a comparison").await?;
    joining::set_compared(&mut tx, app.now()).await?;
    tx.commit().await?;
    drop(guard);
    door.compared = true;
    app.wake.jobs.notify_one();
    Ok(door)
}

/// Checks what the inviter's person says was compared with a newcomer, and returns what it stands for.
///
/// # Errors
/// [`Failure`] when nothing was compared, or other digits than those of this request.
pub(super) fn compared(
    state: &State,
    join: &JoinRow,
    told: Option<&str>,
) -> Result<Comparison, Failure> {
    let Some(told) = told else {
        return Err(Failure::input(format!(
            "compare first: call {} on a number that you had before, have its digits read to you, and approve it \
             with them: --compared DIGITS",
            join.name
        )));
    };
    let told: Digits = told
        .parse()
        .map_err(|error| Failure::input(format!("{error}")))?;
    let comparison = Comparison::of_newcomer(state, join);
    if comparison.digits() != told {
        return Err(differ(&join.name));
    }
    Ok(comparison)
}

fn differ(other: &str) -> Failure {
    Failure::new(
        ProblemKind::Conflict,
        format!(
            "these are not the digits of this request. Look at what you typed; if {other} has read them to you from its own screen, somebody \
             stands between you: go no further, and begin again with a new invitation over another road"
        ),
    )
}

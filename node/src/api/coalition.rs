//! `/coalition`: found, invite, join, compare, approve, read its history.

use super::{Said, said};
use crate::{
    app::App,
    coalition::{self as work, compare::Door},
    http::{extract::Body, problem::Failure},
    store,
};
use axum::{
    Json,
    extract::{Query, State},
};
use protocol::id::{CoalitionId, NodeId};
use serde::{Deserialize, Serialize};

/// A coalition to found.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create {
    name: String,
    terms: String,
}

/// A coalition that was founded.
#[derive(Debug, Serialize)]
pub struct Created {
    /// The coalition.
    pub coalition: CoalitionId,
    /// Its name.
    pub name: String,
}

/// Founds a coalition, and returns once its agreement is in force among its one member.
pub async fn create(
    State(app): State<App>,
    Body(create): Body<Create>,
) -> Result<Json<Created>, Failure> {
    let coalition = work::found::found(&app, &create.name, &create.terms).await?;
    let mut folded = app.wake.folded.subscribe();
    let in_force = async {
        while app
            .coalition
            .read()
            .await
            .as_ref()
            .is_none_or(|c| c.state.agreement().is_none())
        {
            if folded.changed().await.is_err() {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(super::PATIENCE, in_force).await;
    Ok(Json(Created {
        coalition,
        name: create.name,
    }))
}

/// Somebody to invite.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    to_name: String,
    #[serde(default = "hours")]
    hours: u32,
}

fn hours() -> u32 {
    work::invite::HOURS_DEFAULT
}

/// An invitation; the code is shown this once.
#[derive(Debug, Serialize)]
pub struct Invited {
    /// The code to tell.
    pub code: String,
    /// For whom it is meant.
    pub to_name: String,
    /// Until when it is good, in milliseconds since 1970.
    pub expires_at: i64,
    /// What became of the entry.
    #[serde(flatten)]
    pub said: Said,
}

/// Makes an invitation.
pub async fn invite(
    State(app): State<App>,
    Body(invite): Body<Invite>,
) -> Result<Json<Invited>, Failure> {
    let (code, entry) = work::invite::invite(&app, &invite.to_name, invite.hours).await?;
    let said = said(&app, entry).await?;
    let expires_at = code.expires.0;
    Ok(Json(Invited {
        code: code.to_string(),
        to_name: invite.to_name,
        expires_at,
        said,
    }))
}

/// A code that was told to this organization.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    code: String,
}

/// A coalition that was asked.
#[derive(Debug, Serialize)]
pub struct Asked {
    /// The coalition.
    pub coalition: CoalitionId,
    /// Its name.
    pub name: String,
    /// Always `waiting`: people compare digits, and the inviter approves.
    pub state: &'static str,
    /// Who approves, and what to compare with them.
    pub door: Option<Door>,
}

/// Asks to join.
pub async fn join(State(app): State<App>, Body(join): Body<Join>) -> Result<Json<Asked>, Failure> {
    let asked = work::join::ask(&app, &join.code).await?;
    Ok(Json(Asked {
        coalition: asked.coalition,
        name: asked.name,
        state: "waiting",
        door: work::compare::door(&app).await?,
    }))
}

/// Digits that somebody at the other end has read out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    digits: String,
}

/// A person here has compared the digits with the inviter; the node comes in once it is approved.
pub async fn compared(
    State(app): State<App>,
    Body(compared): Body<Compared>,
) -> Result<Json<Door>, Failure> {
    Ok(Json(work::compare::confirm(&app, &compared.digits).await?))
}

/// A newcomer to approve.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    organization: String,
    /// The digits that its people have read out on the telephone.
    compared: Option<String>,
    #[serde(default = "yes")]
    propose: bool,
}

fn yes() -> bool {
    true
}

/// A newcomer that was approved.
#[derive(Debug, Serialize)]
pub struct Approved {
    /// Its node.
    pub node: NodeId,
    /// What became of the change of the group.
    #[serde(flatten)]
    pub said: Said,
    /// Whether the agreement was proposed anew, for the members as they are now.
    pub proposed: bool,
}

/// Approves a newcomer, and proposes the agreement for the members as they are now.
pub async fn approve(
    State(app): State<App>,
    Body(approve): Body<Approve>,
) -> Result<Json<Approved>, Failure> {
    let told = approve.compared.as_deref();
    let (node, entry) = work::join::approve(&app, &approve.organization, told).await?;
    let said = said(&app, entry).await?;
    let mut proposed = false;
    if approve.propose && said.state == "done" {
        let (_, entry) = work::agreement::propose(&app, None).await?;
        super::said(&app, entry).await?;
        proposed = true;
    }
    Ok(Json(Approved {
        node,
        said,
        proposed,
    }))
}

/// How much history.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    #[serde(default = "lines")]
    limit: i64,
}

fn lines() -> i64 {
    50
}

/// What this node read in the log, newest first.
pub async fn history(
    State(app): State<App>,
    Query(window): Query<Window>,
) -> Result<Json<Vec<store::history::Line>>, Failure> {
    let mut db = app.store.read("reading the history").await?;
    Ok(Json(
        store::history::latest(&mut db, window.limit.clamp(1, 1_000)).await?,
    ))
}

/// How a keeper comes back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepAgain {
    /// As the only keeper, with what members have handed back.
    #[serde(default)]
    lone: bool,
    /// Only tell what there is.
    #[serde(default)]
    dry_run: bool,
}

/// A keeper that comes back.
#[derive(Debug, Serialize)]
pub struct KeepsAgain {
    /// `learning` from other keepers; `waiting` in a dry run; `opened`.
    pub state: &'static str,
    /// What members have handed back.
    pub repair: Option<crate::keeper::raft::repair::Report>,
}

/// Comes back as a keeper after a restore.
pub async fn keep_again(
    State(app): State<App>,
    Body(asked): Body<KeepAgain>,
) -> Result<Json<KeepsAgain>, Failure> {
    use crate::keeper::raft;
    let repair = match asked.lone {
        true => Some(raft::repair::keep_again_alone(&app, asked.dry_run).await?),
        false if asked.dry_run => {
            return Err(Failure::input("--dry-run goes with --lone"));
        }
        false => {
            raft::keep_again(&app).await?;
            None
        }
    };
    let state = match (asked.lone, asked.dry_run) {
        (false, _) => "learning",
        (true, true) => "waiting",
        (true, false) => "opened",
    };
    Ok(Json(KeepsAgain { state, repair }))
}

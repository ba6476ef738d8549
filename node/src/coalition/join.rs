//! Joining by an invitation's code, and approving who did.

use super::compare;
use crate::{
    app::App,
    federation::join::{Answer, Ask},
    http::problem::Failure,
    store::{
        self,
        coalition::{CoalitionRow, Phase},
        joining::{self, JoiningRow},
    },
    sync::{
        coalition::Coalition,
        keeper_client::Keeper,
        keepers::Seat,
        outbox::{self, Intent},
    },
};
use protocol::{
    codec,
    comparison::Comparison,
    id::{CoalitionId, EntryId, NodeId},
    invite::Invite,
    mls::{self, Overlay, Rows},
    problem::ProblemKind,
    state::State,
};

/// A coalition that was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The coalition.
    pub coalition: CoalitionId,
    /// Its name.
    pub name: String,
}

/// Asks to join. The same code again asks again, and there are other digits to compare then.
///
/// # Errors
/// [`Failure`] when the code cannot be read or has expired, the keeper refuses, or this node is in a
/// coalition already.
pub async fn ask(app: &App, code: &str) -> Result<Asked, Failure> {
    let invite: Invite = code
        .parse()
        .map_err(|error| Failure::input(format!("{error}")))?;
    if invite.expires < app.now() {
        return Err(Failure::new(ProblemKind::InviteExpired, ""));
    }
    let mut guard = app.coalition.write().await;
    if guard
        .as_ref()
        .is_some_and(|coalition| coalition.row.phase != Phase::Joining)
    {
        return Err(Failure::new(
            ProblemKind::Conflict,
            "this node is in a coalition already",
        ));
    }
    let mut overlay = Overlay::from_rows(Rows::new());
    let key_package =
        mls::key_package(&mut overlay, &app.mls_key(), app.me).map_err(Failure::internal)?;
    let ask = Ask {
        token: invite.token.clone(),
        document: app.keys().document.clone(),
        key_package,
    };
    // The private half of the key package is on disk before the public half leaves.
    let mut tx = app.store.write("asking to join").await?;
    store::coalition::forget_joining(&mut tx).await?;
    let mut coalition = Coalition::new(joining_row(&invite));
    store::coalition::insert(&mut tx, &coalition.row, app.now().0).await?;
    coalition
        .write_rows(&mut tx, &app.rest, &overlay.changes())
        .await?;
    tx.commit().await?;
    let answer = knock(app, &invite, &ask).await;
    let mut tx = app.store.write("noting the keeper's answer").await?;
    match answer {
        Ok(answer) => {
            coalition.row.keeper_document = codec::encode(&answer.keeper);
            let row = JoiningRow {
                inviter: invite.inviter,
                inviter_document: codec::encode(&answer.inviter),
                comparison: Comparison::of_request(&invite, &ask.document, &ask.key_package),
                asked_at: app.now(),
                compared_at: None,
            };
            joining::put(&mut tx, &row).await?;
        }
        Err(error) => {
            // Nothing is left behind of a try that failed.
            store::coalition::forget_joining(&mut tx).await?;
            tx.commit().await?;
            *guard = None;
            return Err(error);
        }
    }
    store::coalition::set_keeper_document(&mut tx, &coalition.row.keeper_document).await?;
    tx.commit().await?;
    coalition.settle_rows(overlay.changes());
    *guard = Some(coalition);
    drop(guard);
    app.wake.jobs.notify_one();
    Ok(Asked {
        coalition: invite.coalition,
        name: invite.coalition_name.to_string(),
    })
}

/// What is known of a coalition before its keeper has answered.
fn joining_row(invite: &Invite) -> CoalitionRow {
    CoalitionRow {
        id: invite.coalition,
        name: invite.coalition_name.to_string(),
        lineage: invite.log.lineage,
        phase: Phase::Joining,
        stopped_because: None,
        keeper: invite.keeper,
        keeper_url: invite.keeper_url.as_str().to_owned(),
        keeper_document: Vec::new(),
    }
}

/// Asks the keeper, and believes its answer only with the document of the inviter that the code names.
async fn knock(app: &App, invite: &Invite, ask: &Ask) -> Result<Answer, Failure> {
    let seat = Seat {
        node: invite.keeper,
        url: Some(invite.keeper_url.as_str().to_owned()),
        document: None,
    };
    let keeper = Keeper::at(invite.coalition, seat);
    let answer = keeper.ask_to_join(app, ask).await?;
    let inviter = answer.inviter.verify(app.now()).map_err(not_shown)?;
    if inviter.node_id != invite.inviter {
        return Err(not_shown("it is another node's"));
    }
    Ok(answer)
}

/// The keeper's answer does not show the inviter's document.
fn not_shown(why: impl std::fmt::Display) -> Failure {
    Failure::new(
        ProblemKind::Unavailable,
        format!(
            "the keeper did not show the document of the organization that invited you: {why}; ask again later, or \
             for a new invitation"
        ),
    )
}

/// Approves a newcomer that this organization invited: name, or beginning of the node id, and the
/// digits that its people have read out.
///
/// # Errors
/// [`Failure`] when nobody of this name waits, the invitation was another member's, or nothing or
/// something else was compared.
pub async fn approve(
    app: &App,
    who: &str,
    told: Option<&str>,
) -> Result<(NodeId, EntryId), Failure> {
    let (node, comparison) = {
        let coalition = super::active(app).await?;
        let node = waiting(&coalition.state, who)?;
        let join = coalition
            .state
            .joins
            .get(&node)
            .ok_or_else(|| Failure::not_found(""))?;
        if join.inviter != app.me {
            let inviter = coalition
                .state
                .members
                .get(&join.inviter)
                .map_or("another member", |m| m.name.as_str());
            return Err(Failure::new(
                ProblemKind::Forbidden,
                format!("{inviter} invited it and approves it"),
            ));
        }
        (node, compare::compared(&coalition.state, join, told)?)
    };
    let mut tx = app.store.write("approving a newcomer").await?;
    let entry = outbox::queue_commit(
        app,
        &mut tx,
        &Intent {
            node,
            removes: false,
            rekeys: false,
            compared: Some(comparison.0),
        },
    )
    .await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok((node, entry))
}

fn waiting(state: &State, who: &str) -> Result<NodeId, Failure> {
    let wanted = who.trim().to_lowercase();
    let fits: Vec<NodeId> = state
        .joins
        .iter()
        .filter(|(node, join)| {
            join.name.to_lowercase() == wanted
                || (wanted.len() >= 4 && node.to_string().starts_with(&wanted))
        })
        .map(|(node, _)| *node)
        .collect();
    match fits.as_slice() {
        [node] => Ok(*node),
        [] => {
            let names: Vec<&str> = state
                .joins
                .iter()
                .map(|(_, join)| join.name.as_str())
                .collect();
            let list = if names.is_empty() {
                "nobody".to_owned()
            } else {
                names.join(", ")
            };
            Err(Failure::not_found(format!(
                "no newcomer \"{who}\" waits; waiting: {list}"
            )))
        }
        _ => Err(Failure::input(
            "several newcomers fit; use the beginning of the node id",
        )),
    }
}

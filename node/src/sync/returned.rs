//! A member came back from outside: what others do for it, and what it makes good in its own tables.
//!
//! It was given the folded state instead of the entries in between, so what its tables would have
//! learned from them is read from that state: shares and notices to it, above all, before anybody
//! uses a list.

use super::outbox::COMMIT;
use crate::{
    app::App,
    shares::{recall, rectify},
    store::{
        self, Write,
        claim::{ClaimPoint, Phase},
        outbox::{self as out, Progress},
        share::{notice, received},
    },
};
use protocol::{
    entry::share::Revoke,
    fold::{self, At},
    id::{EntryId, NodeId},
    state::State,
};

/// So many members vouch at once for the state that a member was given.
const VOUCHERS: usize = 3;
/// Own claims that are looked at.
const CLAIMS: i64 = 10_000;

/// A keeper holds the state for who came back; for the only keeper, every member does.
///
/// # Errors
/// When the database fails.
pub(super) async fn help(app: &App, tx: &mut Write, state: &State, at: At) -> store::Result<()> {
    let keeps = state.active(app.me).is_some_and(|member| member.keeper);
    let only_keeper = fold::agreement::keepers(state) == [at.author];
    if at.author == app.me || !(keeps || only_keeper) {
        return Ok(());
    }
    if only_keeper {
        out::send_again(&mut *tx).await?;
    }
    let place = place(at.author);
    let sealed = app
        .rest
        .seal(&place, &state.snapshot(), &mut crate::ambient::rng());
    store::way_back::hold(tx, at.author, at.position, &sealed).await
}

/// To what the state for a member is sealed at rest.
#[must_use]
pub fn place(node: NodeId) -> String {
    format!("keeper_return/snapshot/{node}")
}

/// Whether a member writes a checkpoint at once, so that others than the keeper prove the state to
/// who came back.
#[must_use]
pub fn vouches(state: &State, returned: NodeId, me: NodeId) -> bool {
    let others = state
        .roster()
        .filter(|(node, member)| **node != returned && !member.keeper);
    others.take(VOUCHERS).any(|(node, _)| *node == me)
}

/// Brings this node's own tables up to the state that it was given.
///
/// # Errors
/// When the database fails.
pub async fn make_good(app: &App, tx: &mut Write, state: &State) -> anyhow::Result<()> {
    super::vouch::was_set_back(app, tx).await?;
    outbox(tx, state).await?;
    for (id, row) in state.shares.iter() {
        let at = At {
            position: row.position,
            time: row.at,
            author: row.from,
            entry: *id,
        };
        if row.announced.to == app.me {
            received::insert(&mut *tx, at, &row.announced).await?;
        }
        if row.from == app.me {
            announced(app, tx, state, *id).await?;
        }
    }
    for (id, row) in state.notices.iter().filter(|(_, row)| row.to == app.me) {
        let at = At {
            position: row.position,
            time: row.at,
            author: row.from,
            entry: *id,
        };
        let revoke = Revoke {
            share: row.share,
            kind: row.kind,
            count: row.count,
            row_refs: row.row_refs.clone(),
        };
        notice::insert_in(&mut *tx, at, &revoke).await?;
    }
    claims(app, tx, state).await
}

/// Where other keys are in use than before, what was told by the old tokens is told again as points get
/// new ones.
///
/// # Errors
/// When the database fails.
pub async fn new_keys(tx: &mut Write, state: &State, before: Option<u32>) -> store::Result<()> {
    if before.is_some() && state.meta().generation != before {
        store::suppression::untell_all(&mut *tx).await?;
        store::contact_report::untell_all(&mut *tx).await?;
    }
    Ok(())
}

/// What was said and took effect is done; all else is said again, sealed anew under its id.
async fn outbox(tx: &mut Write, state: &State) -> store::Result<()> {
    for progress in [Progress::Queued, Progress::Sealed, Progress::Ordered] {
        for row in out::in_progress(&mut *tx, progress, out::OUTBOX_ROWS).await? {
            if row.kind != COMMIT && fold::is_repeated(state, row.entry) {
                let position = row.position.unwrap_or_default();
                out::set_final(&mut *tx, row.entry, position, None).await?;
            } else {
                out::set_queued(&mut *tx, row.entry, "said again after coming back").await?;
            }
        }
    }
    Ok(())
}

/// A share of this node that it did not know to be announced.
async fn announced(app: &App, tx: &mut Write, state: &State, share: EntryId) -> anyhow::Result<()> {
    let given = store::share::find(&mut *tx, share).await?;
    if given.is_some_and(|given| given.state != "announced") {
        store::share::set_announced(&mut *tx, share).await?;
        recall::after_announcement(app, tx, state, share).await?;
        rectify::after_announcement(app, tx, state, share).await?;
    }
    Ok(())
}

/// Own claims as the state has them: what is not held there is not held.
async fn claims(app: &App, tx: &mut Write, state: &State) -> anyhow::Result<()> {
    for claim in store::claim::latest(&mut *tx, CLAIMS).await? {
        let held = state
            .claims
            .get(&claim.id)
            .filter(|row| row.author == app.me);
        match (claim.phase, held) {
            (Phase::Granted, None) => {
                let (before, after) = (Phase::Granted, Phase::Ended);
                store::claim::set_phase(&mut *tx, claim.id, before, after, None).await?;
            }
            (Phase::Asked, Some(row)) => {
                let asked = store::claim::points(&mut *tx, claim.id).await?;
                let others: Vec<ClaimPoint> = asked
                    .into_iter()
                    .filter(|point| !row.tokens.has(point.token))
                    .map(|point| ClaimPoint {
                        state: "held".to_owned(),
                        ..point
                    })
                    .collect();
                let granted = row.tokens.as_slice().len() as u64;
                store::claim::decide(&mut *tx, claim.id, granted, &others, row.position).await?;
            }
            (Phase::Asked, None) if fold::is_repeated(state, claim.id) => {
                let asked = store::claim::points(&mut *tx, claim.id).await?;
                let position = state.meta().head.position;
                store::claim::decide(&mut *tx, claim.id, 0, &asked, position).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

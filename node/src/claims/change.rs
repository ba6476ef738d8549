//! Keeping a claim alive, and giving it back.

use super::{ground, show, take::From, universe};
use crate::{
    app::App,
    http::problem::Failure,
    store::{
        self,
        claim::{Claim, Phase},
    },
    sync::outbox,
};
use protocol::{
    entry::{
        Entry,
        claim::{ClaimRelease, ClaimRenew},
        payload::write_rows,
    },
    id::EntryId,
    problem::ProblemKind,
    token::Token,
};
use std::collections::BTreeSet;

/// What is given back.
#[derive(Debug)]
pub enum Part {
    /// Everything.
    Whole,
    /// The contact points of a file or list.
    These(From),
    /// Every contact point at which no own contact is known since the window began.
    Rest,
    /// Those of these tokens that it holds.
    Tokens(BTreeSet<Token>),
}

/// An own claim that is in force.
async fn granted(app: &App, beginning: &str) -> Result<Claim, Failure> {
    let claim = show::find(app, beginning).await?;
    if claim.phase != Phase::Granted {
        return Err(Failure::new(
            ProblemKind::Conflict,
            format!(
                "this claim is {}; only a granted claim can be renewed or given back",
                claim.phase.name()
            ),
        ));
    }
    Ok(claim)
}

/// Gives a sign of life.
///
/// # Errors
/// [`Failure`] when there is no such claim or it is not in force.
pub async fn renew(app: &App, beginning: &str) -> Result<(EntryId, EntryId), Failure> {
    let claim = granted(app, beginning).await?;
    let entry = ClaimRenew { claim: claim.id };
    Ok((claim.id, say(app, entry.into()).await?))
}

async fn say(app: &App, entry: Entry) -> Result<EntryId, Failure> {
    let mut tx = app.store.write("changing a claim").await?;
    let id = outbox::queue(app, &mut tx, entry, None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok(id)
}

/// Gives a claim back, whole or in part: the claim, the entry and how many points.
///
/// # Errors
/// [`Failure`] when there is no such claim, it is not in force, or none of its points is named.
pub async fn release(
    app: &App,
    beginning: &str,
    part: Part,
) -> Result<(EntryId, EntryId, u64), Failure> {
    let claim = granted(app, beginning).await?;
    let mut db = app.store.read("reading a claim's points").await?;
    let points = store::claim::points(&mut db, claim.id).await?;
    let held: BTreeSet<Token> = points
        .iter()
        .filter(|point| point.state == "granted")
        .map(|point| point.token)
        .collect();
    let given_back: BTreeSet<Token> = match part {
        Part::Whole => held.clone(),
        Part::Tokens(tokens) => held.intersection(&tokens).copied().collect(),
        Part::Rest => {
            let visited = store::claim::visited(&mut db, claim.channel, claim.from).await?;
            let visited: BTreeSet<Token> = visited.into_iter().collect();
            held.difference(&visited).copied().collect()
        }
        Part::These(from) => {
            drop(db);
            let ground = ground(app).await?;
            let universe = universe::of(app, &ground, from, claim.channel).await?;
            let named = universe
                .targets
                .iter()
                .filter_map(|target| target.point.token);
            named.filter(|token| held.contains(token)).collect()
        }
    };
    if given_back.is_empty() {
        return Err(Failure::new(
            ProblemKind::Conflict,
            "none of the claim's contact points is among those to give back",
        ));
    }
    let count = given_back.len() as u64;
    if given_back == held {
        let entry = ClaimRelease {
            claim: claim.id,
            tokens: None,
        };
        return Ok((claim.id, say(app, entry.into()).await?, count));
    }
    let rows = write_rows(given_back);
    let packed = outbox::pack(&rows)?;
    let entry = ClaimRelease {
        claim: claim.id,
        tokens: Some(packed.payload.clone()),
    };
    let mut tx = app.store.write("giving a part of a claim back").await?;
    let id = outbox::queue(app, &mut tx, entry.into(), Some((&packed, &rows))).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok((claim.id, id, count))
}

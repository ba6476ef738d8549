//! Claims of this organization: look, take, keep alive, give back, print.
//!
//! What is held is decided by the fold alone; this side prepares what is asked for ([`universe`],
//! [`check`], [`take`]), writes down what was decided ([`react`]), and makes walk lists of it
//! ([`walk_list`]).

pub mod change;
pub mod check;
pub mod show;
pub mod standing;
pub mod take;
pub mod universe;
pub mod walk_list;
pub mod window;

use crate::{
    app::App,
    http::problem::Failure,
    store::{
        self, Write,
        claim::{ClaimPoint, Phase},
    },
    sync::react::Event,
};
use policy::terms::{Params, Terms};
use protocol::{
    entry::{Entry, payload::read_rows},
    fold::{Outcome, claim::Refusal},
    id::{EntryId, Hash},
    problem::ProblemKind,
    state::{State, rules::Rules},
    token::Token,
};

/// The agreement in force, as far as claims need it.
#[derive(Debug, Clone)]
pub struct Ground {
    /// Its hash.
    pub agreement: Hash,
    /// The numbers that the fold reads.
    pub rules: Rules,
    /// All numbers of its terms.
    pub params: Params,
    /// The generation of match tokens in use.
    pub generation: u32,
    /// Whether an older generation closes, so that claims name both tokens.
    pub closing: bool,
}

/// The agreement under which this organization claims.
///
/// # Errors
/// A `conflict` problem that says what is missing: an agreement, or this organization's part in it.
pub async fn ground(app: &App) -> Result<Ground, Failure> {
    let coalition = crate::coalition::active(app).await?;
    let state = &coalition.state;
    let missing = |why: &str| Failure::new(ProblemKind::Conflict, why);
    let (Some((agreement, text)), Some((_, rules))) = (state.agreement(), state.rules()) else {
        return Err(missing(
            "no agreement is in force yet; members sign one with `commonturf agreement sign`",
        ));
    };
    if !text.has(app.me) {
        return Err(missing(
            "this organization is no party to the agreement in force; the next version must name it and be signed by all",
        ));
    }
    let generation = state
        .meta()
        .generation
        .ok_or_else(|| missing("the coalition has no key for match tokens yet"))?;
    let terms = Terms::parse(&text.terms).map_err(Failure::internal)?;
    Ok(Ground {
        agreement,
        rules: rules.clone(),
        params: terms.params,
        generation,
        closing: !state.closing.is_empty(),
    })
}

/// Brings this node's own claims up to an entry.
///
/// # Errors
/// When the database fails.
pub async fn react(
    app: &App,
    tx: &mut Write,
    state: &State,
    event: &Event<'_>,
) -> anyhow::Result<()> {
    if event.at.author != app.me {
        return Ok(());
    }
    match (event.entry, event.outcome) {
        (Entry::Claim(_), Outcome::Claim(decision)) => {
            let refused: Vec<ClaimPoint> = decision
                .refused
                .iter()
                .map(|(token, refusal)| refused_point(*token, *refusal))
                .collect();
            let granted = decision.granted.len() as u64;
            let position = event.at.position;
            store::claim::decide(&mut *tx, event.at.entry, granted, &refused, position).await?;
        }
        (Entry::ClaimRelease(release), _) => {
            let tokens = match (&release.tokens, event.rows) {
                (Some(_), Some(rows)) => Some(read_rows::<Token>(rows)?),
                _ => None,
            };
            store::claim::release(&mut *tx, release.claim, tokens.as_deref()).await?;
            if !state.claims.has(&release.claim) {
                let (before, after) = (Phase::Granted, Phase::Released);
                store::claim::set_phase(&mut *tx, release.claim, before, after, None).await?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn refused_point(token: Token, refusal: Refusal) -> ClaimPoint {
    let (state, by, until) = match refusal {
        Refusal::Held { by, until, .. } => ("held", Some(by), Some(until)),
        Refusal::Recent { by, until, .. } => ("recent", Some(by), Some(until)),
        Refusal::Capped { until } => ("capped", None, Some(until)),
        Refusal::Suppressed { by } => ("suppressed", Some(by), None),
    };
    ClaimPoint {
        token,
        state: state.to_owned(),
        by,
        until,
    }
}

/// Claims whose time is over.
///
/// # Errors
/// When the database fails.
pub async fn ended(tx: &mut Write, ended: &[EntryId]) -> store::Result<()> {
    for claim in ended {
        store::claim::set_phase(&mut *tx, *claim, Phase::Granted, Phase::Ended, None).await?;
    }
    Ok(())
}

/// An own entry that changed nothing.
///
/// # Errors
/// When the database fails.
pub async fn own_void(tx: &mut Write, entry: EntryId, why: &str) -> store::Result<()> {
    store::claim::set_phase(tx, entry, Phase::Asked, Phase::Void, Some(why)).await
}

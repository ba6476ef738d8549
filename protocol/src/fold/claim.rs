//! Claims: the first in log order wins, at every member alike. Spec: section 5.5.

use super::{At, Outcome, Void, rows_of};
use crate::{
    channel::Channel,
    entry::claim::{Claim, ClaimRelease, ClaimRenew},
    id::{EntryId, NodeId},
    state::{
        State,
        rows::{ClaimRow, Tokens},
        rules::Rules,
    },
    time::{DAY, Moment},
    token::Token,
};

/// The most contact points of one claim.
pub const CLAIM_TOKENS: usize = 1_000_000;
/// The most claims that one member holds at a time.
pub const CLAIMS_PER_MEMBER: usize = 500;
/// How far ahead a claim's window may begin, in days: nobody takes next year's turf.
pub const CLAIM_AHEAD_DAYS: i64 = 90;

/// Why a contact point is not free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Another claim holds it.
    Held {
        /// The claim.
        claim: EntryId,
        /// Whose it is.
        by: NodeId,
        /// The end of its window; sooner when it lapses or is given back.
        until: Moment,
    },
    /// An ally was there within the recontact window.
    Recent {
        /// Who.
        by: NodeId,
        /// When.
        at: Moment,
        /// When the window ends.
        until: Moment,
    },
    /// As many contacts were made there lately as the agreement allows, by all and on all channels.
    Capped {
        /// When there is room again.
        until: Moment,
    },
    /// It must not be contacted on this channel.
    Suppressed {
        /// Who says so (one of those who do).
        by: NodeId,
    },
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The points granted, in rising order.
    pub granted: Vec<Token>,
    /// The points refused, in rising order, each with the reason.
    pub refused: Vec<(Token, Refusal)>,
}

/// Decides each contact point for one organization, as the fold would now.
///
/// `tokens` may come in any order; the answers come in the same. This is what `claim check` shows
/// and what a claim is granted by.
#[must_use]
pub fn standing(
    state: &State,
    rules: &Rules,
    who: NodeId,
    channel: Channel,
    window: (Moment, Moment),
    tokens: &[Token],
) -> Vec<Option<Refusal>> {
    let (from, to) = window;
    let holders: Vec<(&EntryId, &ClaimRow)> = state.claims_touching(channel, from, to).collect();
    tokens
        .iter()
        .map(|token| {
            held(&holders, *token)
                .or_else(|| {
                    state
                        .suppressed(*token, channel)
                        .map(|by| Refusal::Suppressed { by })
                })
                .or_else(|| recent(state, rules, who, channel, from, *token))
                .or_else(|| {
                    let until = state.capped(rules, &[*token], from)?;
                    Some(Refusal::Capped { until })
                })
        })
        .collect()
}

fn held(holders: &[(&EntryId, &ClaimRow)], token: Token) -> Option<Refusal> {
    let (claim, row) = holders.iter().find(|(_, row)| row.tokens.has(token))?;
    Some(Refusal::Held {
        claim: **claim,
        by: row.author,
        until: row.to,
    })
}

/// An organization's own contacts do not stand in its own way: a second pass is its own choice.
fn recent(
    state: &State,
    rules: &Rules,
    who: NodeId,
    channel: Channel,
    from: Moment,
    token: Token,
) -> Option<Refusal> {
    let window = rules.recontact(channel);
    state
        .contacts_at(channel, token)
        .filter(|(node, _)| *node != who)
        .filter_map(|(by, times)| {
            let at = times.latest(rules.attempts_count)?;
            let until = at.plus(window);
            (from < until).then_some(Refusal::Recent { by, at, until })
        })
        .max_by_key(|refusal| match refusal {
            Refusal::Recent { until, .. } => *until,
            _ => Moment(0),
        })
}

pub(super) fn claim(
    state: &mut State,
    at: At,
    claim: &Claim,
    rows: Option<&[u8]>,
) -> Result<Outcome, Void> {
    let rules = in_force(state, at, claim)?;
    if at.time > claim.grant_by {
        return Err(Void::TooLate);
    }
    if claim.from >= claim.to || claim.to <= at.time {
        return Err(Void::Bounds(
            "a window ends after it begins and has not passed",
        ));
    }
    if claim.from > at.time.plus(CLAIM_AHEAD_DAYS * DAY) {
        return Err(Void::Bounds("a window begins within the next 90 days"));
    }
    if claim.to.since(claim.from) > rules.claim_longest(claim.channel) {
        return Err(Void::Bounds(
            "the window is longer than the agreement allows",
        ));
    }
    if state
        .claims
        .iter()
        .filter(|(_, row)| row.author == at.author)
        .count()
        >= CLAIMS_PER_MEMBER
    {
        return Err(Void::Bounds("a member holds at most 500 claims at a time"));
    }
    let tokens: Vec<Token> = rows_of(rows)?;
    if tokens.len() > CLAIM_TOKENS {
        return Err(Void::Bounds(
            "a claim names at most a million contact points",
        ));
    }
    let answers = standing(
        state,
        &rules,
        at.author,
        claim.channel,
        (claim.from, claim.to),
        &tokens,
    );
    let mut decision = Decision {
        granted: Vec::new(),
        refused: Vec::new(),
    };
    for (token, answer) in tokens.iter().zip(answers) {
        match answer {
            None => decision.granted.push(*token),
            Some(refusal) => decision.refused.push((*token, refusal)),
        }
    }
    if !decision.granted.is_empty() {
        let row = ClaimRow {
            author: at.author,
            channel: claim.channel,
            from: claim.from,
            to: claim.to,
            ends: ends(&rules, claim.from.max(at.time), claim.to),
            tokens: Tokens::new(decision.granted.clone()),
            asked: tokens.len() as u64,
            granted: decision.granted.len() as u64,
            position: at.position,
        };
        state.claims.put(at.entry, row);
    }
    Ok(Outcome::Claim(decision))
}

fn in_force(state: &State, at: At, claim: &Claim) -> Result<Rules, Void> {
    let (hash, agreement) = state.agreement().ok_or(Void::Agreement)?;
    if hash != claim.agreement {
        return Err(Void::Agreement);
    }
    if !agreement.has(at.author) {
        return Err(Void::NotAllowed("only a party to the agreement claims"));
    }
    Ok(state.rules().ok_or(Void::Agreement)?.1.clone())
}

/// A claim lapses without a sign of life; before its window begins it needs none.
fn ends(rules: &Rules, alive_at: Moment, to: Moment) -> Moment {
    to.min(alive_at.plus(rules.claim_lapse))
}

pub(super) fn renew(state: &mut State, at: At, renew: &ClaimRenew) -> Result<Outcome, Void> {
    let rules = state.rules().ok_or(Void::Agreement)?.1.clone();
    let row = own(state, at, renew.claim)?;
    row.ends = ends(&rules, row.from.max(at.time), row.to);
    Ok(Outcome::Done)
}

pub(super) fn release(
    state: &mut State,
    at: At,
    release: &ClaimRelease,
    rows: Option<&[u8]>,
) -> Result<Outcome, Void> {
    let given_back: Option<Vec<Token>> = if release.tokens.is_some() {
        Some(rows_of(rows)?)
    } else {
        None
    };
    let row = own(state, at, release.claim)?;
    let left = given_back.map(|given_back| {
        let given_back = Tokens::new(given_back);
        row.tokens
            .as_slice()
            .iter()
            .copied()
            .filter(|token| !given_back.has(*token))
            .collect::<Vec<_>>()
    });
    match left {
        Some(left) if !left.is_empty() => row.tokens = Tokens::new(left),
        _ => {
            state.claims.remove(&release.claim);
        }
    }
    Ok(Outcome::Done)
}

fn own(state: &mut State, at: At, claim: EntryId) -> Result<&mut ClaimRow, Void> {
    let row = state
        .claims
        .get_mut(&claim)
        .ok_or(Void::Unknown("the claim"))?;
    if row.author != at.author {
        return Err(Void::NotAllowed("only the holder changes a claim"));
    }
    Ok(row)
}

/// Ends every claim whose time has come, and says which.
pub(super) fn expire(state: &mut State, now: Moment) -> Vec<EntryId> {
    let ended: Vec<EntryId> = state
        .claims
        .iter()
        .filter(|(_, claim)| claim.ends <= now)
        .map(|(id, _)| *id)
        .collect();
    for claim in &ended {
        state.claims.remove(claim);
    }
    ended
}

/// The next moment of log time at which something ends by itself.
#[must_use]
pub fn next_end(state: &State) -> Option<Moment> {
    state.claims.iter().map(|(_, claim)| claim.ends).min()
}

//! Claims: the first in log order wins, at every member alike. Spec: section 5.5.

use super::{At, Outcome, Void, rows_of};
use crate::{
    channel::Channel,
    entry::{
        claim::{Claim, ClaimRelease, ClaimRenew},
        payload::{TokenPair, write_rows},
    },
    id::{EntryId, NodeId},
    limits::CLAIM_TOKEN_DAYS,
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

/// Contact points times days, a begun day being a day: what a claim takes of its holder's quota.
#[must_use]
pub fn token_days(tokens: usize, (from, to): (Moment, Moment)) -> u64 {
    let days = to
        .since(from)
        .max(1)
        .unsigned_abs()
        .div_ceil(DAY.unsigned_abs());
    (tokens as u64).saturating_mul(days)
}

/// What is left of a member's quota ([`CLAIM_TOKEN_DAYS`]): nobody claims everything. A claim
/// counts with what it still holds, until it ends.
#[must_use]
pub fn quota_left(state: &State, member: NodeId) -> u64 {
    let own = state.claims.iter().filter(|(_, row)| row.author == member);
    let held = own.map(|(_, row)| token_days(row.tokens.as_slice().len(), (row.from, row.to)));
    CLAIM_TOKEN_DAYS.saturating_sub(held.fold(0, u64::saturating_add))
}

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

/// A contact point that is asked for: by its token, and by the one before while that closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// By the generation in use.
    pub token: Token,
    /// By the generation that closes.
    pub before: Option<Token>,
}

impl Asked {
    /// Both tokens.
    pub fn tokens(self) -> impl Iterator<Item = Token> {
        [Some(self.token), self.before].into_iter().flatten()
    }
}

impl From<Token> for Asked {
    fn from(token: Token) -> Self {
        Self {
            token,
            before: None,
        }
    }
}

impl From<TokenPair> for Asked {
    fn from(pair: TokenPair) -> Self {
        Self {
            token: pair.token,
            before: Some(pair.before),
        }
    }
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
/// `asked` may come in any order; the answers come in the same. This is what `claim check` shows
/// and what a claim is granted by.
#[must_use]
pub fn standing(
    state: &State,
    rules: &Rules,
    who: NodeId,
    channel: Channel,
    window: (Moment, Moment),
    asked: &[Asked],
) -> Vec<Option<Refusal>> {
    let (from, to) = window;
    let holders = state.claims_touching(channel, from, to);
    let holders: Vec<Holder<'_>> = holders.map(Holder::of).collect();
    asked
        .iter()
        .map(|asked| {
            let suppressed = |token| state.suppressed(token, channel);
            held(&holders, *asked)
                .or_else(|| {
                    let by = asked.tokens().find_map(suppressed);
                    by.map(|by| Refusal::Suppressed { by })
                })
                .or_else(|| {
                    asked
                        .tokens()
                        .find_map(|token| recent(state, rules, who, channel, from, token))
                })
                .or_else(|| {
                    // Each token by itself: what a member says again by the new one is no second visit.
                    let capped = |token| state.capped(rules, &[token], from);
                    let until = asked.tokens().find_map(capped)?;
                    Some(Refusal::Capped { until })
                })
        })
        .collect()
}

/// A claim that may stand in the way, with its tokens of the generation before.
struct Holder<'a> {
    claim: EntryId,
    row: &'a ClaimRow,
    before: Tokens,
}

impl<'a> Holder<'a> {
    fn of((claim, row): (&EntryId, &'a ClaimRow)) -> Self {
        let before = row.pairs().iter().map(|pair| pair.before).collect();
        Self {
            claim: *claim,
            row,
            before: Tokens::new(before),
        }
    }

    fn holds(&self, asked: Asked) -> bool {
        let mut tokens = asked.tokens();
        tokens.any(|token| self.row.tokens.has(token) || self.before.has(token))
    }
}

fn held(holders: &[Holder<'_>], asked: Asked) -> Option<Refusal> {
    let holder = holders.iter().find(|holder| holder.holds(asked))?;
    Some(Refusal::Held {
        claim: holder.claim,
        by: holder.row.author,
        until: holder.row.to,
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
    in_bounds(state, at, claim, &rules)?;
    let tokens = asked(state, claim, rows)?;
    if tokens.len() > CLAIM_TOKENS {
        return Err(Void::Bounds(
            "a claim names at most a million contact points",
        ));
    }
    if token_days(tokens.len(), (claim.from, claim.to)) > quota_left(state, at.author) {
        return Err(Void::Bounds(
            "a member's claims hold at most 20 million contact points times days",
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
    let mut pairs = Vec::new();
    for (token, answer) in tokens.iter().zip(answers) {
        match answer {
            None => {
                decision.granted.push(token.token);
                pairs.extend(token.before.map(|before| TokenPair {
                    token: token.token,
                    before,
                }));
            }
            Some(refusal) => decision.refused.push((token.token, refusal)),
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
            generation: claim.generation,
            pairs: write_rows(pairs).into(),
        };
        state.claims.put(at.entry, row);
    }
    Ok(Outcome::Claim(decision))
}

/// Refuses a claim that comes too late, a window that no claim may have, and one claim too many.
fn in_bounds(state: &State, at: At, claim: &Claim, rules: &Rules) -> Result<(), Void> {
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
    Ok(())
}

/// The points that a claim names: each by both tokens while an older generation closes.
fn asked(state: &State, claim: &Claim, rows: Option<&[u8]>) -> Result<Vec<Asked>, Void> {
    let closing = !state.closing.is_empty();
    if state.meta().generation != Some(claim.generation) || claim.paired != closing {
        return Err(Void::Generation);
    }
    if !closing {
        let rows: Vec<Token> = rows_of(rows)?;
        return Ok(rows.into_iter().map(Asked::from).collect());
    }
    let rows: Vec<TokenPair> = rows_of(rows)?;
    // Rows rise by token, so only a token that comes twice could stand beside two others.
    let distinct = rows.is_sorted_by(|a, b| a.token < b.token);
    if !distinct {
        return Err(Void::Rows("a contact point is named twice".to_owned()));
    }
    Ok(rows.into_iter().map(Asked::from).collect())
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
        Some(left) if !left.is_empty() => {
            row.tokens = Tokens::new(left);
            let mut pairs = row.pairs();
            pairs.retain(|pair| row.tokens.has(pair.token));
            row.pairs = write_rows(pairs).into();
        }
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

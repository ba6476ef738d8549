//! Looking and taking: the same question, once without and once with consequences.

use super::{
    Ground,
    check::{self, Checked, Standing},
    ground,
    universe::{self, Universe},
    window::{self, Window},
};
use crate::{
    app::App,
    disclosure,
    http::problem::Failure,
    store::{
        self,
        claim::{Claim, Phase},
    },
    sync::outbox,
};
use jiff::civil::Date;
use policy::PublicationKind;
use protocol::{
    channel::Channel,
    entry::{
        claim::Claim as ClaimEntry,
        payload::{TokenPair, write_rows},
    },
    fold::claim::{CLAIM_TOKENS, quota_left, token_days},
    id::EntryId,
    problem::ProblemKind,
    time::DAY,
    token::Token,
};
use std::collections::BTreeSet;

/// How long a claim waits to be ordered before it is void.
const GRANT_WITHIN: i64 = DAY;

/// Where the contact points come from.
#[derive(Debug)]
pub enum From {
    /// A list, by name.
    List(String),
    /// A file, with its name.
    File(String, std::fs::File),
    /// All lists.
    Everybody,
    /// What of these lies in an area of the organization's own.
    In(String, Box<From>),
}

impl From {
    /// Of a list, or of all lists without one; only what lies in an area, where one is named.
    #[must_use]
    pub fn of(list: Option<&str>, area: Option<&str>) -> Self {
        let whole = list.map_or(Self::Everybody, |list| Self::List(list.to_owned()));
        match area {
            Some(area) => Self::In(area.to_owned(), Box::new(whole)),
            None => whole,
        }
    }
}

/// What is asked.
#[derive(Debug)]
pub struct Question {
    /// The contact points.
    pub from: From,
    /// How people will be contacted.
    pub channel: Channel,
    /// The first day.
    pub first: Date,
    /// The last day, included.
    pub last: Date,
    /// Only a part of what is free, for a phone bank; all of it without one.
    pub portion: Option<Portion>,
}

/// What a phone bank takes at a time: as many as its callers need soon, so that allies' callers find the
/// rest of the same ground free.
#[derive(Debug, Clone)]
pub struct Portion {
    /// The phone bank.
    pub bank: u64,
    /// How many contact points at most.
    pub most: usize,
    /// Contact points that stood in its queue already.
    pub except: BTreeSet<String>,
}

impl Portion {
    /// Leaves out everything else.
    fn apply(&self, answer: &mut Answer) {
        let targets = answer.universe.targets.iter();
        let mut left = self.most;
        for (point, target) in answer.checked.iter_mut().zip(targets) {
            let wanted = point.standing == Standing::Free
                && left > 0
                && !self.except.contains(&target.point.point_id);
            left -= usize::from(wanted && !point.left_out);
            point.left_out |= !wanted;
        }
    }
}

/// How everything stands.
#[derive(Debug)]
pub struct Answer {
    /// The agreement.
    pub ground: Ground,
    /// The window.
    pub window: Window,
    /// What was asked about.
    pub universe: Universe,
    /// Each point, in the universe's order.
    pub checked: Vec<Checked>,
}

/// Judges every contact point as the fold would now; changes nothing.
///
/// # Errors
/// [`Failure`] when list, file or window cannot be used, or no agreement is in force.
pub async fn look(app: &App, question: Question) -> Result<Answer, Failure> {
    let ground = ground(app).await?;
    let channel = question.channel;
    let window = window::of_days(
        &ground.params.time_zone,
        question.first,
        question.last,
        ground.rules.claim_longest(channel),
        app.now(),
    )?;
    let universe = universe::of(app, &ground, question.from, channel).await?;
    let mut db = app.store.read("reading own suppressions").await?;
    let marks = store::suppression::marks(&mut db).await?;
    drop(db);
    let coalition = crate::coalition::active(app).await?;
    let checked = check::check(
        &coalition.state,
        app.me,
        &ground,
        channel,
        window,
        &universe,
        &marks,
    );
    Ok(Answer {
        ground,
        window,
        universe,
        checked,
    })
}

/// Claims what may be claimed; what others hold is asked for too, and refused with the reason.
///
/// # Errors
/// As [`look`], when a member may not read the claim, and when nothing is left to claim.
pub async fn take(app: &App, question: Question) -> Result<(Answer, EntryId), Failure> {
    crate::audit::fork::nothing_new_while_frozen(app).await?;
    crate::audit::truths::nothing_new_while_quarantined(app).await?;
    let channel = question.channel;
    let portion = question.portion.clone();
    let mut answer = look(app, question).await?;
    if let Some(portion) = &portion {
        portion.apply(&mut answer);
    }
    disclosure::allowed(app, PublicationKind::Claim, channel).await?;
    let tokens: Vec<Token> = answer
        .checked
        .iter()
        .filter(|point| !point.left_out)
        .filter_map(|point| point.token)
        .collect();
    if tokens.is_empty() {
        return Err(Failure::new(
            ProblemKind::Conflict,
            "nothing is left to claim: every contact point is suppressed, held by this organization already, reaches only \
             people who were contacted as often as the agreement allows, or has no match token yet \
             (`commonturf tokens status`)",
        ));
    }
    if tokens.len() > CLAIM_TOKENS {
        return Err(Failure::input(
            "a claim names at most a million contact points; claim smaller lists",
        ));
    }
    within_quota(app, tokens.len(), answer.window).await?;
    let rows = rows(&answer);
    let packed = outbox::pack(&rows)?;
    let now = app.now();
    let entry = ClaimEntry {
        channel,
        from: answer.window.from,
        to: answer.window.to,
        tokens: packed.payload.clone(),
        grant_by: now.plus(GRANT_WITHIN),
        agreement: answer.ground.agreement,
        generation: answer.ground.generation,
        paired: answer.ground.closing,
    };
    let mut tx = app.store.write("taking a claim").await?;
    let id = outbox::queue(app, &mut tx, entry.into(), Some((&packed, &rows))).await?;
    let claim = Claim {
        id,
        channel,
        from: answer.window.from,
        to: answer.window.to,
        list_id: answer.universe.list_id.clone(),
        label: answer.universe.label.clone(),
        phase: Phase::Asked,
        asked: tokens.len() as u64,
        granted: 0,
        refused: 0,
        position: None,
        note: None,
    };
    store::claim::insert(&mut tx, &claim, &tokens, now).await?;
    if let Some(portion) = &portion {
        store::call::claimed(&mut tx, portion.bank, &id.to_string()).await?;
    }
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok((answer, id))
}

/// Refuses what every member would find void, before anybody is told of it.
async fn within_quota(app: &App, tokens: usize, window: Window) -> Result<(), Failure> {
    let coalition = crate::coalition::active(app).await?;
    let left = quota_left(&coalition.state, app.me);
    let asked = token_days(tokens, (window.from, window.to));
    if asked <= left {
        return Ok(());
    }
    Err(Failure::input(format!(
        "this would hold {asked} contact points times days, and {left} are left of what one member may hold at a \
         time; claim fewer points or days, or give claims back"
    )))
}

/// What is asked for as rows: by both tokens while an older generation closes.
fn rows(answer: &Answer) -> Vec<u8> {
    let asked = answer.checked.iter().filter(|point| !point.left_out);
    if answer.ground.closing {
        write_rows(asked.filter_map(|point| {
            Some(TokenPair {
                token: point.token?,
                before: point.before?,
            })
        }))
    } else {
        write_rows(asked.filter_map(|point| point.token))
    }
}

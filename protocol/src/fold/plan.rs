//! Plans: shown to all, exclusive to nobody, gone when their window is over. Spec: section 5.4.

use super::{At, Outcome, Void, share::is_line};
use crate::{
    entry::plan::{Plan, PlanWithdraw},
    id::EntryId,
    state::{State, rows::PlanRow},
    time::{DAY, Moment},
};

/// The most plans of one member that stand at a time.
pub const PLANS_PER_MEMBER: usize = 200;
/// How far ahead a plan may begin and how long it may last, in days each.
pub const PLAN_DAYS: i64 = 366;
/// The most places of a plan.
pub const PLAN_PLACES: usize = 1_000;
/// The most contact points that a plan may be about.
pub const PLAN_VOLUME: u64 = 100_000_000;
/// The longest label and the longest contact, in bytes.
pub const PLAN_LINE_BYTES: usize = 200;

pub(super) fn plan(state: &mut State, at: At, plan: &Plan) -> Result<Outcome, Void> {
    let (hash, agreement) = state.agreement().ok_or(Void::Agreement)?;
    if hash != plan.agreement {
        return Err(Void::Agreement);
    }
    if !agreement.has(at.author) {
        return Err(Void::NotAllowed(
            "only a party to the agreement files plans",
        ));
    }
    check(at, plan)?;
    if let Some(old) = plan.replaces {
        own(state, at, old)?;
    }
    let standing = state
        .plans
        .iter()
        .filter(|(_, row)| row.author == at.author);
    let replaced = usize::from(plan.replaces.is_some());
    if standing.count() - replaced >= PLANS_PER_MEMBER {
        return Err(Void::Bounds("a member has at most 200 plans at a time"));
    }
    if let Some(old) = plan.replaces {
        state.plans.remove(&old);
    }
    let row = PlanRow {
        author: at.author,
        filed: plan.clone(),
        at: at.time,
        position: at.position,
    };
    state.plans.put(at.entry, row);
    Ok(Outcome::Done)
}

fn check(at: At, plan: &Plan) -> Result<(), Void> {
    if plan.from >= plan.to || plan.to <= at.time {
        return Err(Void::Bounds(
            "a window ends after it begins and has not passed",
        ));
    }
    if plan.from > at.time.plus(PLAN_DAYS * DAY) || plan.to.since(plan.from) > PLAN_DAYS * DAY {
        return Err(Void::Bounds(
            "a plan begins within a year and lasts a year at most",
        ));
    }
    if plan.purpose.parse::<policy::facts::Purpose>().is_err() {
        return Err(Void::Unknown("the purpose"));
    }
    if plan.places.is_empty()
        || plan.places.len() > PLAN_PLACES
        || !plan.places.is_sorted_by(|a, b| a < b)
        || !plan
            .places
            .iter()
            .all(crate::entry::plan::Place::is_canonical)
    {
        return Err(Void::Bounds(
            "a plan names 1 to 1,000 places in rising order, each in its one spelling",
        ));
    }
    if !(1..=PLAN_VOLUME).contains(&plan.volume) {
        return Err(Void::Bounds(
            "a plan is about 1 to 100,000,000 contact points",
        ));
    }
    if !is_line(&plan.label, PLAN_LINE_BYTES) || !is_line(&plan.contact, PLAN_LINE_BYTES) {
        return Err(Void::Bounds(
            "label and contact of a plan are one line of 1 to 200 bytes each",
        ));
    }
    Ok(())
}

pub(super) fn withdraw(
    state: &mut State,
    at: At,
    withdraw: &PlanWithdraw,
) -> Result<Outcome, Void> {
    own(state, at, withdraw.plan)?;
    state.plans.remove(&withdraw.plan);
    Ok(Outcome::Done)
}

fn own(state: &State, at: At, plan: EntryId) -> Result<(), Void> {
    let row = state.plans.get(&plan).ok_or(Void::Unknown("the plan"))?;
    if row.author == at.author {
        Ok(())
    } else {
        Err(Void::NotAllowed("only its author changes a plan"))
    }
}

/// Drops every plan whose window is over.
pub(super) fn expire(state: &mut State, now: Moment) {
    let over: Vec<EntryId> = state
        .plans
        .iter()
        .filter(|(_, row)| row.filed.to <= now)
        .map(|(id, _)| *id)
        .collect();
    for plan in over {
        state.plans.remove(&plan);
    }
}

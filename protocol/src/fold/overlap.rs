//! Counts of what lists have in common: asked, agreed, passed around, ended. Spec: section 5.14.
//!
//! The fold sees that lists are passed in order and by whom, never what is in them.

use super::{At, Outcome, Void};
use crate::{
    entry::overlap::{
        COUNTS_BYTES, End, OVERLAP_POINTS, OVERLAP_SEALING, OverlapAgree, OverlapAsk, OverlapEnd,
        OverlapPass, PassFault,
    },
    id::{EntryId, Hash, NodeId},
    state::{
        State,
        overlap::{Ended, EndedRow, OVERLAP_PERIOD, OverlapRow, PassRow},
    },
    time::{DAY, Moment},
    token::overlap::POINT_BYTES,
};

/// The most parties of one count.
pub const OVERLAP_PARTIES: usize = 4;
/// How long a count may take from the moment at which it is asked for, in days.
pub const OVERLAP_DAYS: i64 = 14;
/// The most counts of one member that wait for an answer or are under way.
pub const OVERLAPS_OPEN: usize = 10;
/// A list has at least so many times the agreement's least cell.
pub const OVERLAP_CELLS: u64 = 10;

const FULL: Void = Void::Bounds(
    "two of the parties have counted four times in 30 days; wait for the first to pass",
);

pub(super) fn ask(state: &mut State, at: At, ask: &OverlapAsk) -> Result<Outcome, Void> {
    let parties: Vec<NodeId> = std::iter::once(at.author).chain(ask.with.clone()).collect();
    if ask.with.is_empty()
        || parties.len() > OVERLAP_PARTIES
        || ask.with.contains(&at.author)
        || !ask.with.is_sorted_by(|a, b| a < b)
    {
        return Err(Void::Bounds(
            "a count has 2 to 4 parties; the others are named in rising order",
        ));
    }
    if ask
        .counter
        .is_some_and(|counter| parties.contains(&counter))
    {
        return Err(Void::NotAllowed("who counts for others is no party"));
    }
    in_force(state, ask.agreement, parties.iter().chain(&ask.counter))?;
    check(state, at, ask)?;
    let open = state.overlaps.iter();
    let open = open.filter(|(_, row)| row.asker == at.author && row.ended.is_none());
    if open.count() >= OVERLAPS_OPEN {
        return Err(Void::Bounds("a member has at most 10 counts open"));
    }
    if state.overlaps_full(&parties, at.time).is_some() {
        return Err(FULL);
    }
    let mut sizes = vec![None; parties.len()];
    if let Some(own) = sizes.first_mut() {
        *own = Some(ask.size);
    }
    let row = OverlapRow {
        asker: at.author,
        ask: ask.clone(),
        at: at.time,
        position: at.position,
        sizes,
        started: None,
        passes: Vec::new(),
        ended: None,
    };
    state.overlaps.put(at.entry, row);
    Ok(Outcome::Done)
}

fn check(state: &State, at: At, ask: &OverlapAsk) -> Result<(), Void> {
    let (_, rules) = state.rules().ok_or(Void::Agreement)?;
    if ask.purpose.parse::<policy::facts::Purpose>().is_err() {
        return Err(Void::Unknown("the purpose"));
    }
    if state.meta().generation != Some(ask.generation) {
        return Err(Void::Generation);
    }
    if ask.until <= at.time || ask.until > at.time.plus(OVERLAP_DAYS * DAY) {
        return Err(Void::Bounds("a count ends within 14 days"));
    }
    if ask.least < rules.min_cell.saturating_mul(OVERLAP_CELLS) {
        return Err(Void::Bounds(
            "every list of a count has at least ten times the agreement's least cell",
        ));
    }
    size(ask, ask.size)
}

fn size(ask: &OverlapAsk, size: u64) -> Result<(), Void> {
    if size < ask.least {
        return Err(Void::Bounds("the list is shorter than the count asks for"));
    }
    if size > OVERLAP_POINTS as u64 {
        return Err(Void::Bounds("a list has at most 1,000,000 entries"));
    }
    Ok(())
}

/// Whether an agreement is in force and binds these members, who are still there.
fn in_force<'a>(
    state: &State,
    hash: Hash,
    mut members: impl Iterator<Item = &'a NodeId>,
) -> Result<(), Void> {
    let (current, agreement) = state.agreement().ok_or(Void::Agreement)?;
    if current != hash {
        return Err(Void::Agreement);
    }
    if members.all(|node| agreement.has(*node) && state.active(*node).is_some()) {
        Ok(())
    } else {
        Err(Void::NotAllowed(
            "parties and who counts are members that have signed the agreement",
        ))
    }
}

fn found(state: &State, overlap: EntryId) -> Result<&OverlapRow, Void> {
    state
        .overlaps
        .get(&overlap)
        .ok_or(Void::Unknown("the count"))
}

/// A count that has not ended.
fn open(state: &State, overlap: EntryId) -> Result<&OverlapRow, Void> {
    let row = found(state, overlap)?;
    match &row.ended {
        None => Ok(row),
        Some(ended) if ended.how == Ended::Expired => Err(Void::TooLate),
        Some(_) => Err(Void::NotAllowed("the count has ended")),
    }
}

fn bound(state: &State, row: &OverlapRow) -> Result<(), Void> {
    let parties = row.parties();
    in_force(
        state,
        row.ask.agreement,
        parties.iter().chain(&row.ask.counter),
    )
}

pub(super) fn agree(state: &mut State, at: At, agree: &OverlapAgree) -> Result<Outcome, Void> {
    let row = open(state, agree.overlap)?;
    let place = row.place(at.author).filter(|place| *place > 0);
    let place = place.ok_or(Void::NotAllowed("only who was asked agrees to a count"))?;
    if row.sizes.get(place) != Some(&None) {
        return Err(Void::NotAllowed("a party agrees to a count once"));
    }
    bound(state, row)?;
    if state.meta().generation != Some(row.ask.generation) {
        return Err(Void::Generation);
    }
    size(&row.ask, agree.size)?;
    if state.overlaps_full(&row.parties(), at.time).is_some() {
        return Err(FULL);
    }
    let row = state
        .overlaps
        .get_mut(&agree.overlap)
        .ok_or(Void::Unknown("the count"))?;
    if let Some(size) = row.sizes.get_mut(place) {
        *size = Some(agree.size);
    }
    if row.sizes.iter().all(Option::is_some) {
        row.started = Some(at.time);
    }
    Ok(Outcome::Done)
}

pub(super) fn pass(state: &mut State, at: At, pass: &OverlapPass) -> Result<Outcome, Void> {
    let row = open(state, pass.overlap)?;
    if row.started.is_none() {
        return Err(Void::NotAllowed("no list moves before all have agreed"));
    }
    bound(state, row)?;
    let size = row
        .size(pass.list)
        .ok_or(Void::Unknown("the list of that place"))?;
    if row.step(pass.list) != pass.step {
        return Err(Void::NotAllowed(
            "a list takes its steps in order, each once",
        ));
    }
    if row.turn(pass.list, pass.step) != Some(at.author) {
        return Err(Void::NotAllowed(
            "it is another party's turn with this list",
        ));
    }
    let plain = size.saturating_mul(POINT_BYTES as u64);
    if pass.bytes <= plain || pass.bytes > plain.saturating_add(OVERLAP_SEALING) {
        return Err(Void::Bounds(
            "the sealed list has as many bytes as so many points need",
        ));
    }
    let row = state
        .overlaps
        .get_mut(&pass.overlap)
        .ok_or(Void::Unknown("the count"))?;
    row.passes.push(PassRow {
        list: pass.list,
        step: pass.step,
        blob: pass.blob,
        bytes: pass.bytes,
    });
    if row.is_passed() && row.ask.counter.is_none() {
        end_as(row, at.time, Ended::Counted(None));
    }
    Ok(Outcome::Done)
}

fn end_as(row: &mut OverlapRow, at: Moment, how: Ended) {
    row.ended = Some(EndedRow { at, how });
}

pub(super) fn end(state: &mut State, at: At, end: &OverlapEnd) -> Result<Outcome, Void> {
    let how = match &end.how {
        End::Stopped => {
            let row = open(state, end.overlap)?;
            if row.place(at.author).is_none() {
                return Err(Void::NotAllowed("only a party stops a count"));
            }
            Ended::Stopped(at.author)
        }
        End::Fault { list, step, fault } => faulty(state, at, end.overlap, (*list, *step), *fault)?,
        End::Counted(sealed) => {
            let row = open(state, end.overlap)?;
            if row.ask.counter != Some(at.author) {
                return Err(Void::NotAllowed("only who was named for it counts"));
            }
            if !row.is_passed() {
                return Err(Void::NotAllowed("not all lists have gone all the way"));
            }
            if sealed.is_empty() || sealed.len() > COUNTS_BYTES {
                return Err(Void::Bounds("sealed counts have 1 to 8,192 bytes"));
            }
            Ended::Counted(Some(sealed.clone()))
        }
    };
    let row = state
        .overlaps
        .get_mut(&end.overlap)
        .ok_or(Void::Unknown("the count"))?;
    end_as(row, at.time, how);
    Ok(Outcome::Done)
}

/// A reader says that a list cannot be used; of the last one also when all have been passed.
fn faulty(
    state: &State,
    at: At,
    overlap: EntryId,
    (list, step): (u8, u8),
    fault: PassFault,
) -> Result<Ended, Void> {
    let row = found(state, overlap)?;
    let all_count = row
        .ended
        .as_ref()
        .is_some_and(|ended| ended.how == Ended::Counted(None));
    if !all_count {
        open(state, overlap)?;
    }
    if row.pass(list, step).is_none() {
        return Err(Void::Unknown("the list that was handed on"));
    }
    if !row.readers(list, step).contains(&at.author) {
        return Err(Void::NotAllowed(
            "only who reads a list finds fault with it",
        ));
    }
    Ok(Ended::Fault {
        by: at.author,
        list,
        step,
        fault,
    })
}

/// When the next count ends by time, if one is open.
#[must_use]
pub fn next_end(state: &State) -> Option<Moment> {
    let open = state.overlaps.iter().filter(|(_, row)| row.ended.is_none());
    open.map(|(_, row)| row.ask.until).min()
}

/// Ends counts whose time is over, and forgets those that no period holds any more.
pub(super) fn expire(state: &mut State, now: Moment) {
    let due = state.overlaps.iter().filter(|(_, row)| {
        let forgotten = row.started.unwrap_or(row.at).plus(OVERLAP_PERIOD) <= now;
        forgotten || (row.ended.is_none() && row.ask.until <= now)
    });
    for overlap in due.map(|(id, _)| *id).collect::<Vec<_>>() {
        let Some(row) = state.overlaps.get_mut(&overlap) else {
            continue;
        };
        if row.started.unwrap_or(row.at).plus(OVERLAP_PERIOD) <= now {
            state.overlaps.remove(&overlap);
        } else {
            let until = row.ask.until;
            end_as(row, until, Ended::Expired);
        }
    }
}

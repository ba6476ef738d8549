//! From one generation of match tokens to the next, without a stop. Spec: section 5.13.
//!
//! Fresh keys are in use where their keyset is folded. What was said by token before goes on
//! protecting doors: until the old generation closes, a claim names each point by both tokens and is
//! held against what was said by either. It closes once all who were members have moved and no claim
//! of it is left, or when its time is over.

use super::{At, Outcome, Void};
use crate::{
    entry::ceremony::TokensMoved,
    id::EntryId,
    state::{
        State,
        rows::{ClosingRow, KeysetRow},
    },
    time::{DAY, Moment},
    token::Keeper,
};

/// How long members have to move, in log time.
pub const CLOSING_LIFE: i64 = 30 * DAY;

/// Puts a keyset of the next generation in use. A rotation that is called for is over with it: whoever
/// was removed does not know these keys either.
pub(super) fn put_in_use(state: &mut State, at: At, bytes: Vec<u8>, keepers: &[Keeper]) {
    let mut meta = state.meta();
    let before = meta.generation;
    let known = before.and_then(|before| state.keysets.get(&before));
    let last_id = known.map_or(0, |row| row.last_id);
    let highest = keepers.iter().map(|keeper| keeper.id).max();
    let generation = before.map_or(1, |before| before.saturating_add(1));
    let row = KeysetRow {
        bytes,
        position: at.position,
        at: at.time,
        last_id: last_id.max(highest.unwrap_or(0)),
        handed_on: false,
    };
    state.keysets.put(generation, row);
    meta.generation = Some(generation);
    state.meta.put((), meta);
    state.rotation.remove(&());
    let facts =
        !state.claims.is_empty() || !state.contacts.is_empty() || !state.suppressions.is_empty();
    if let Some(before) = before.filter(|_| facts) {
        let closing = ClosingRow {
            generation: before,
            position: at.position,
            until: at.time.plus(CLOSING_LIFE),
            moved: Vec::new(),
        };
        state.closing.put((), closing);
    }
}

/// Whether facts may be said by tokens of a generation: the one in use, or one that closes.
pub(super) fn may_say(state: &State, generation: u32) -> Result<(), Void> {
    let closing = state.closing.get(&()).map(|closing| closing.generation);
    if state.meta().generation == Some(generation) || closing == Some(generation) {
        Ok(())
    } else {
        Err(Void::Generation)
    }
}

pub(super) fn moved(state: &mut State, at: At, entry: &TokensMoved) -> Result<Outcome, Void> {
    if state.meta().generation != Some(entry.generation) {
        return Err(Void::Generation);
    }
    let closing = state.closing.get_mut(&());
    let closing = closing.ok_or(Void::Unknown("a generation that closes"))?;
    if closing.moved.contains(&at.author) {
        return Err(Void::Repeated);
    }
    closing.moved.push(at.author);
    closing.moved.sort_unstable();
    Ok(Outcome::Done)
}

/// Closes the old generation where nothing needs it any more; the claims that ended with it.
pub(super) fn close(state: &mut State, now: Moment) -> Vec<EntryId> {
    let Some(closing) = state.closing.get(&()) else {
        return Vec::new();
    };
    let old = closing.generation;
    let all_moved = state
        .roster()
        .all(|(node, member)| member.joined_at > closing.position || closing.moved.contains(node));
    let claims: Vec<EntryId> = state
        .claims
        .iter()
        .filter(|(_, claim)| claim.generation <= old)
        .map(|(id, _)| *id)
        .collect();
    if closing.until > now && !(all_moved && claims.is_empty()) {
        return Vec::new();
    }
    for claim in &claims {
        state.claims.remove(claim);
    }
    let contacts = state.contacts.iter();
    let contacts = contacts.filter(|(_, times)| times.generation <= old);
    for key in contacts.map(|(key, _)| *key).collect::<Vec<_>>() {
        state.contacts.remove(&key);
    }
    let assertions = state.suppressions.iter();
    let assertions = assertions.filter(|(_, assertion)| assertion.generation <= old);
    for key in assertions.map(|(key, _)| *key).collect::<Vec<_>>() {
        state.suppressions.remove(&key);
    }
    state.closing.remove(&());
    super::rotation::may_go_on(state, now);
    claims
}

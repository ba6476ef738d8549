//! Key ceremonies: what the keepers said, and the keyset that every node computes from it. Spec:
//! section 5.12.

use super::{At, Outcome, Void, agreement::keepers};
use crate::{
    codec,
    entry::ceremony::{
        CeremonyAbandon, CeremonyCommit, CeremonyConfirm, CeremonyDeal, CeremonyHandOn,
        CeremonyStart, Complaint, EvaluationFault, SEALED_BYTES,
    },
    id::{EntryId, Hash, NodeId},
    state::{
        State,
        rows::{CeremonyRow, Committed, DealtRow, Failure, FaultKey, FaultRow, Summed},
    },
    time::{DAY, HOUR, Moment},
    token::{
        Keyset,
        ceremony::{CeremonyKind, CheckedCommitments, Commitments, Plan, handed_on, keyset},
    },
};
use std::collections::BTreeMap;

/// How long the keepers of a ceremony have, in log time.
pub const CEREMONY_LIFE: i64 = DAY;
/// After a failed ceremony the next one begins no sooner: a keeper that spoils each fills no log.
pub const CEREMONY_PAUSE: i64 = HOUR;
/// Shares are not refreshed more often than this.
pub const REFRESH_EARLIEST: i64 = DAY;

/// The keyset in use.
#[must_use]
pub fn current(state: &State) -> Option<Keyset> {
    let row = state.keysets.get(&state.meta().generation?)?;
    codec::decode(&row.bytes).ok()
}

/// The ceremony in which keepers take part now. One of keepers that the agreement does not name any more is
/// none: nothing that is said in it counts, and the next one need not wait for its end.
#[must_use]
pub fn open(state: &State) -> Option<(EntryId, &CeremonyRow)> {
    unended(state).filter(|(_, row)| !is_stale(state, row))
}

/// The ceremony that has not ended, whoever keeps the log now.
fn unended(state: &State) -> Option<(EntryId, &CeremonyRow)> {
    let mut rows = state.ceremonies.iter();
    let (id, row) = rows.find(|(_, row)| row.failed.is_none())?;
    Some((*id, row))
}

/// The plan that is called for: a share handed on where one keeper took another's place, fresh keys where
/// the agreement's keepers differ otherwise from the keyset's, where a share could not be handed on, and
/// where the keys could not be rotated after a removal for cause.
#[must_use]
pub fn wanted(state: &State) -> Option<Plan> {
    state.agreement()?;
    let before = current(state);
    let nodes = keepers(state);
    let same = before
        .as_ref()
        .is_some_and(|keyset| is_kept_by(keyset, &nodes));
    let same = same && !super::rotation::has_failed(state);
    if same || !state.closing.is_empty() {
        return None;
    }
    let last_id = before.as_ref().map_or(0, |keyset| {
        let row = state.keysets.get(&keyset.generation());
        row.map_or(0, |row| row.last_id)
    });
    let hand_on = before
        .as_ref()
        .and_then(|keyset| Plan::hand_on(keyset, last_id, &nodes));
    hand_on
        .filter(|plan| may_hand_on(state, plan))
        .or_else(|| Plan::fresh(before.as_ref(), last_id, &nodes))
}

/// Not while a rotation is called for, which fresh keys make good, and not again where it has failed.
fn may_hand_on(state: &State, plan: &Plan) -> bool {
    let rotates = super::rotation::open(state).is_some() || super::rotation::has_failed(state);
    let mut rows = state.ceremonies.iter();
    !rotates && !rows.any(|(_, row)| row.failed.is_some() && row.plan == *plan)
}

/// Fresh shares of the keys in use, where their keepers are the agreement's and no rotation is called for.
#[must_use]
pub fn refreshable(state: &State) -> Option<Plan> {
    let keyset = current(state)?;
    if super::rotation::open(state).is_some() || super::rotation::has_failed(state) {
        return None;
    }
    is_kept_by(&keyset, &keepers(state)).then(|| Plan::refresh(&keyset))?
}

pub(super) fn is_kept_by(keyset: &Keyset, nodes: &[NodeId]) -> bool {
    let known = keyset.keepers();
    known.len() == nodes.len() && known.iter().all(|keeper| nodes.contains(&keeper.node))
}

/// Whether the agreement still has the keepers for whom a ceremony was begun.
fn is_stale(state: &State, row: &CeremonyRow) -> bool {
    let nodes = keepers(state);
    row.plan.keepers.len() != nodes.len()
        || !row
            .plan
            .keepers
            .iter()
            .all(|keeper| nodes.contains(&keeper.node))
}

pub(super) fn start(state: &mut State, at: At, entry: &CeremonyStart) -> Result<Outcome, Void> {
    if !keepers(state).contains(&at.author) {
        return Err(Void::NotAllowed("only a keeper begins a key ceremony"));
    }
    if open(state).is_some() {
        return Err(Void::NotAllowed("a key ceremony is under way"));
    }
    let too_soon = |failed: Failure| at.time < failed.at.plus(CEREMONY_PAUSE);
    if state
        .ceremonies
        .iter()
        .any(|(_, row)| row.failed.is_some_and(too_soon))
    {
        return Err(Void::Bounds(
            "the next key ceremony begins an hour after one that failed",
        ));
    }
    let fitting = match entry.plan.kind {
        CeremonyKind::Fresh | CeremonyKind::HandOn => wanted(state),
        CeremonyKind::Refresh => refreshable(state).filter(|plan| {
            let row = state.keysets.get(&plan.generation);
            row.is_some_and(|row| row.handed_on || at.time >= row.at.plus(REFRESH_EARLIEST))
        }),
    };
    if fitting.as_ref() != Some(&entry.plan) {
        return Err(Void::Bounds(
            "the plan is not what the agreement's keepers call for",
        ));
    }
    clear(state);
    let row = CeremonyRow {
        plan: entry.plan.clone(),
        by: at.author,
        deadline: at.time.plus(CEREMONY_LIFE),
        committed: Vec::new(),
        keyset: None,
        dealt: Vec::new(),
        confirmed: Vec::new(),
        failed: None,
        summed: Vec::new(),
    };
    state.ceremonies.put(at.entry, row);
    Ok(Outcome::Done)
}

/// Ends whatever ceremony there is.
pub(super) fn clear(state: &mut State) {
    let known: Vec<EntryId> = state.ceremonies.iter().map(|(id, _)| *id).collect();
    for id in known {
        state.ceremonies.remove(&id);
    }
}

/// The open ceremony with this id, and the id under which the author takes part.
fn taking_part<'a>(
    state: &'a State,
    at: At,
    ceremony: &EntryId,
) -> Result<(&'a CeremonyRow, u16), Void> {
    let row = state
        .ceremonies
        .get(ceremony)
        .filter(|row| row.failed.is_none() && !is_stale(state, row))
        .ok_or(Void::Unknown("the key ceremony"))?;
    let id = row.plan.id_of(&at.author);
    let id = id.ok_or(Void::NotAllowed(
        "only a keeper of a key ceremony takes part",
    ))?;
    Ok((row, id))
}

/// All commitments of a ceremony; they were checked when they were folded.
#[must_use]
pub fn commitments(row: &CeremonyRow) -> BTreeMap<u16, CheckedCommitments> {
    let read = |committed: &Committed| {
        let read: Commitments = codec::decode(&committed.commitments).ok()?;
        Some((
            committed.keeper,
            read.check(&row.plan, committed.keeper).ok()?,
        ))
    };
    row.committed.iter().filter_map(read).collect()
}

pub(super) fn commit(state: &mut State, at: At, entry: &CeremonyCommit) -> Result<Outcome, Void> {
    let (row, keeper) = taking_part(state, at, &entry.ceremony)?;
    if row.plan.kind == CeremonyKind::HandOn {
        return Err(Void::NotAllowed(
            "nobody commits where a share is handed on",
        ));
    }
    if row.committed.iter().any(|known| known.keeper == keeper) {
        return Err(Void::Repeated);
    }
    let read: Commitments =
        codec::decode(&entry.commitments).map_err(|error| Void::Entry(error.to_string()))?;
    read.check(&row.plan, keeper)
        .map_err(|error| Void::Signature(error.to_string()))?;
    let mut row = row.clone();
    row.committed.push(Committed {
        keeper,
        commitments: entry.commitments.clone(),
    });
    if row.committed.len() == row.plan.keepers.len() {
        let before = current(state);
        let made = keyset(&row.plan, &commitments(&row), before.as_ref())
            .map_err(|error| Void::Signature(error.to_string()))?;
        row.keyset = Some(codec::encode(&made).into());
    }
    state.ceremonies.put(entry.ceremony, row);
    Ok(Outcome::Done)
}

pub(super) fn deal(state: &mut State, at: At, entry: &CeremonyDeal) -> Result<Outcome, Void> {
    let (row, keeper) = taking_part(state, at, &entry.ceremony)?;
    let dealers = dealers(state, row)?;
    if !dealers.contains(&keeper) {
        return Err(Void::NotAllowed("this keeper does not help"));
    }
    if row.dealt.iter().any(|known| known.from == keeper) {
        return Err(Void::Repeated);
    }
    let others = dealers.into_iter().filter(|other| *other != keeper);
    let addressed = entry.parts.iter().map(|part| part.to);
    if !addressed.eq(others) {
        return Err(Void::Bounds(
            "a keeper deals to every other one, by rising id",
        ));
    }
    if entry
        .parts
        .iter()
        .any(|part| part.sealed.len() > SEALED_BYTES)
    {
        return Err(Void::Bounds("a sealed part has at most 1,024 bytes"));
    }
    let mut row = row.clone();
    row.dealt.push(DealtRow {
        from: keeper,
        parts: entry.parts.clone(),
    });
    state.ceremonies.put(entry.ceremony, row);
    Ok(Outcome::Done)
}

/// Who deals to whom: all keepers to all others, once they have committed; the helpers to each other, where
/// a share is handed on.
fn dealers(state: &State, row: &CeremonyRow) -> Result<Vec<u16>, Void> {
    if row.plan.kind == CeremonyKind::HandOn {
        let before = current(state).ok_or(Void::Unknown("the keyset"))?;
        return Ok(row.plan.helpers(&before));
    }
    if row.keyset.is_none() {
        return Err(Void::NotAllowed(
            "nobody deals before all keepers have committed",
        ));
    }
    Ok(row.plan.keepers.iter().map(|keeper| keeper.id).collect())
}

/// A helper hands its sum to the new keeper; with the last one the keyset is known, which the new keeper
/// confirms.
pub(super) fn hand_on(state: &mut State, at: At, entry: &CeremonyHandOn) -> Result<Outcome, Void> {
    let (row, keeper) = taking_part(state, at, &entry.ceremony)?;
    if row.plan.kind != CeremonyKind::HandOn {
        return Err(Void::NotAllowed("no share is handed on in this ceremony"));
    }
    let before = current(state).ok_or(Void::Unknown("the keyset"))?;
    let helpers = row.plan.helpers(&before);
    if !helpers.contains(&keeper) {
        return Err(Void::NotAllowed("this keeper does not help"));
    }
    if row.dealt.len() < helpers.len() {
        return Err(Void::NotAllowed(
            "nobody hands on before all helpers have dealt",
        ));
    }
    if row.summed.iter().any(|known| known.from == keeper) {
        return Err(Void::Repeated);
    }
    if entry.sealed.len() > SEALED_BYTES {
        return Err(Void::Bounds("a sealed part has at most 1,024 bytes"));
    }
    let mut row = row.clone();
    row.summed.push(Summed {
        from: keeper,
        sealed: entry.sealed.clone(),
    });
    if row.summed.len() == helpers.len() {
        let made = handed_on(&row.plan, &before);
        let made = made.map_err(|error| Void::Signature(error.to_string()))?;
        row.keyset = Some(codec::encode(&made).into());
    }
    state.ceremonies.put(entry.ceremony, row);
    Ok(Outcome::Done)
}

pub(super) fn confirm(state: &mut State, at: At, entry: &CeremonyConfirm) -> Result<Outcome, Void> {
    let (row, keeper) = taking_part(state, at, &entry.ceremony)?;
    // Who makes a share for another says nothing of it; who gets it does.
    let (mut all, mut dealt) = (row.plan.keepers.len(), row.plan.keepers.len());
    if row.plan.kind == CeremonyKind::HandOn {
        let before = current(state).ok_or(Void::Unknown("the keyset"))?;
        if row.plan.newcomer(&before) != Some(keeper) {
            return Err(Void::NotAllowed("the new keeper confirms its share"));
        }
        (all, dealt) = (1, row.plan.threshold.into());
    }
    let made = row.keyset.clone().filter(|_| row.dealt.len() == dealt);
    let made = made.map(Vec::from);
    let made = made.ok_or(Void::NotAllowed(
        "nobody confirms before all keepers have dealt",
    ))?;
    if row.confirmed.contains(&keeper) {
        return Err(Void::Repeated);
    }
    if entry.digest != Hash::of(&made) {
        return Err(Void::Signature("the digest is another keyset's".to_owned()));
    }
    let mut row = row.clone();
    row.confirmed.push(keeper);
    if row.confirmed.len() < all {
        state.ceremonies.put(entry.ceremony, row);
        return Ok(Outcome::Done);
    }
    clear(state);
    match row.plan.kind {
        CeremonyKind::Fresh => super::generation::put_in_use(state, at, made, &row.plan.keepers),
        CeremonyKind::Refresh => {
            if let Some(known) = state.keysets.get_mut(&row.plan.generation) {
                known.bytes = made;
                known.at = at.time;
                known.handed_on = false;
            }
        }
        CeremonyKind::HandOn => {
            let highest = row.plan.keepers.iter().map(|keeper| keeper.id).max();
            if let Some(known) = state.keysets.get_mut(&row.plan.generation) {
                known.bytes = made;
                known.last_id = known.last_id.max(highest.unwrap_or(0));
                known.handed_on = true;
            }
        }
    }
    Ok(Outcome::Done)
}

pub(super) fn abandon(state: &mut State, at: At, entry: &CeremonyAbandon) -> Result<Outcome, Void> {
    let (row, _) = taking_part(state, at, &entry.ceremony)?;
    if !row
        .plan
        .keepers
        .iter()
        .any(|keeper| keeper.id == entry.about)
    {
        return Err(Void::Unknown("the keeper that is complained of"));
    }
    if entry.why == Complaint::Deadline {
        return Err(Void::NotAllowed("deadlines pass by themselves"));
    }
    let failed = Failure {
        by: at.author,
        about: Some(entry.about),
        why: entry.why,
        at: at.time,
    };
    if let Some(row) = state.ceremonies.get_mut(&entry.ceremony) {
        row.failed = Some(failed);
    }
    Ok(Outcome::Done)
}

/// Ends a ceremony whose time is over.
pub(super) fn expire(state: &mut State, now: Moment) {
    let Some((id, row)) = unended(state) else {
        return;
    };
    if row.deadline > now {
        return;
    }
    let failed = Failure {
        by: row.by,
        about: None,
        why: Complaint::Deadline,
        at: row.deadline,
    };
    if let Some(row) = state.ceremonies.get_mut(&id) {
        row.failed = Some(failed);
    }
}

/// The next moment of log time at which a ceremony, a rotation or the time of the old keys ends by itself.
#[must_use]
pub fn next_end(state: &State) -> Option<Moment> {
    let ceremony = unended(state).map(|(_, row)| row.deadline);
    let closing = state.closing.get(&()).map(|closing| closing.until);
    let rotation = super::rotation::open(state).and_then(|row| row.deadline);
    [ceremony, closing, rotation].into_iter().flatten().min()
}

pub(super) fn fault(state: &mut State, at: At, entry: &EvaluationFault) -> Result<Outcome, Void> {
    let row = state.keysets.get(&entry.generation);
    let keyset: Option<Keyset> = row.and_then(|row| codec::decode(&row.bytes).ok());
    let keyset = keyset.ok_or(Void::Unknown("the keyset"))?;
    if keyset.id_of(&entry.keeper).is_none() {
        return Err(Void::Unknown("the keeper"));
    }
    if entry.keeper == at.author {
        return Err(Void::NotAllowed("nobody reports a fault of its own"));
    }
    let key = FaultKey {
        keeper: entry.keeper,
        by: at.author,
    };
    let count = state.faults.get(&key).map_or(0, |known| known.count);
    let row = FaultRow {
        count: count.saturating_add(1),
        request: entry.request,
        reply: entry.reply,
        at: at.time,
    };
    state.faults.put(key, row);
    Ok(Outcome::Done)
}

//! Rotation of the keys of match tokens by a common factor, after a member was removed for cause. Spec:
//! section 5.12.
//!
//! The factor is exported from the group's epoch that the removal opened, so every member that stayed
//! can multiply what it holds by itself. The fold does not know the factor: it sees to it that all
//! keepers come to one keyset, and each member holds that keyset against its own factor.

use super::{
    At, Outcome, Void, agreement::keepers, ceremony, ceremony::current, generation::put_in_use,
};
use crate::{
    codec,
    entry::ceremony::{KeyRotation, RotationFault, RotationStep},
    id::{Hash, NodeId},
    state::{
        State,
        rows::{CeremonyRow, RotationRow, RotationStanding},
    },
    time::{DAY, Moment},
    token::{Class, Keyset, ceremony::CeremonyKind},
};

/// How long the keepers have, in log time; then fresh keys are made.
pub const ROTATION_LIFE: i64 = DAY;

/// The rotation that is called for and not done.
#[must_use]
pub fn open(state: &State) -> Option<&RotationRow> {
    let row = state.rotation.get(&())?;
    (row.standing == RotationStanding::Open).then_some(row)
}

/// Whether the keys could not be rotated: then fresh ones are called for.
#[must_use]
pub fn has_failed(state: &State) -> bool {
    let row = state.rotation.get(&());
    row.is_some_and(|row| row.standing == RotationStanding::Failed)
}

/// The keyset that an open rotation starts from, where keepers may take a step now: it is the
/// agreement's keepers', and no older generation closes.
#[must_use]
pub fn base(state: &State) -> Option<(&RotationRow, Keyset)> {
    let row = open(state)?;
    let keyset = current(state)?;
    let ready = state.closing.is_empty() && ceremony::is_kept_by(&keyset, &keepers(state));
    ready.then_some((row, keyset))
}

/// Members were removed for cause. Where a holder of a share was among them, or the keepers have changed
/// otherwise, nothing is rotated: fresh keys are called for, and no share is handed on instead.
pub(super) fn begin(state: &mut State, at: At, mut removed: Vec<NodeId>) {
    let Some(keyset) = current(state).filter(|_| !removed.is_empty()) else {
        return;
    };
    let kept = ceremony::is_kept_by(&keyset, &keepers(state)) && !has_failed(state);
    let makes_fresh = |row: &CeremonyRow| row.plan.kind == CeremonyKind::Fresh;
    if !ceremony::open(state).is_some_and(|(_, row)| makes_fresh(row)) {
        // New shares of the old keys would be shares of no product of theirs.
        ceremony::clear(state);
    }
    // A rotation that is not done yet is done by the factor that this one does not know either.
    let before = state.rotation.get(&());
    let before = before.filter(|row| row.standing != RotationStanding::InUse);
    removed.extend(before.iter().flat_map(|row| &row.removed));
    removed.sort_unstable();
    removed.dedup();
    let deadline = at.time.plus(ROTATION_LIFE);
    let row = RotationRow {
        position: at.position,
        removed,
        generation: keyset.generation().saturating_add(1),
        deadline: (kept && state.closing.is_empty()).then_some(deadline),
        keyset: None,
        confirmed: Vec::new(),
        standing: if kept {
            RotationStanding::Open
        } else {
            RotationStanding::Failed
        },
        refused: Vec::new(),
    };
    state.rotation.put((), row);
}

/// An older generation has closed: the time of a rotation that waited for it begins.
pub(super) fn may_go_on(state: &mut State, now: Moment) {
    if open(state).is_some_and(|row| row.deadline.is_none())
        && let Some(row) = state.rotation.get_mut(&())
    {
        row.deadline = Some(now.plus(ROTATION_LIFE));
    }
}

/// Ends a rotation whose time is over.
pub(super) fn expire(state: &mut State, now: Moment) {
    let over = open(state).and_then(|row| row.deadline);
    if over.is_some_and(|deadline| deadline <= now)
        && let Some(row) = state.rotation.get_mut(&())
    {
        row.standing = RotationStanding::Failed;
    }
}

pub(super) fn step(state: &mut State, at: At, entry: &KeyRotation) -> Result<Outcome, Void> {
    let row = state
        .rotation
        .get(&())
        .filter(|row| row.position == entry.removal)
        .ok_or(Void::Unknown("the rotation of the keys"))?;
    match &entry.step {
        RotationStep::Refuse(why) => refuse(state, at, *why),
        RotationStep::Keyset(bytes) => {
            let keeper = taking_part(state, at)?;
            if row.keyset.is_some() {
                return Err(Void::Repeated);
            }
            check(state, row, bytes)?;
            let mut row = row.clone();
            row.keyset = Some(bytes.clone().into());
            agreed(state, at, row, keeper)
        }
        RotationStep::Confirm(digest) => {
            let keeper = taking_part(state, at)?;
            let said = row.keyset.as_ref();
            let said = said.ok_or(Void::NotAllowed("no keeper has said a keyset yet"))?;
            if row.confirmed.contains(&keeper) {
                return Err(Void::Repeated);
            }
            if *digest != Hash::of(said) {
                return Err(Void::Signature("the digest is another keyset's".to_owned()));
            }
            agreed(state, at, row.clone(), keeper)
        }
    }
}

/// The id under which the author takes part.
fn taking_part(state: &State, at: At) -> Result<u16, Void> {
    let (_, keyset) = base(state).ok_or(Void::NotAllowed(
        "the keys cannot be rotated now: an older generation closes, other keys are called for, or it is over",
    ))?;
    let id = keyset.id_of(&at.author);
    id.ok_or(Void::NotAllowed(
        "only a keeper of the keys takes part in their rotation",
    ))
}

/// As far as anybody can see who does not know the factor.
fn check(state: &State, row: &RotationRow, bytes: &[u8]) -> Result<(), Void> {
    let keyset: Keyset = codec::decode(bytes).map_err(|error| Void::Entry(error.to_string()))?;
    let before = current(state).ok_or(Void::Unknown("the keyset"))?;
    let alike = keyset.generation() == row.generation
        && keyset.reshare() == 0
        && keyset.threshold() == before.threshold()
        && keyset.keepers() == before.keepers();
    if !alike {
        return Err(Void::Bounds(
            "a rotated keyset is of the next generation, with the same keepers",
        ));
    }
    let same = |class| keyset.group(class) == before.group(class);
    if Class::ALL.into_iter().any(same) {
        return Err(Void::Bounds("a rotated keyset has other keys"));
    }
    Ok(())
}

/// One more keeper comes to the keyset; with the last one it is in use.
fn agreed(state: &mut State, at: At, mut row: RotationRow, keeper: u16) -> Result<Outcome, Void> {
    row.confirmed.push(keeper);
    let said = row.keyset.clone().map(Vec::from).unwrap_or_default();
    let keyset = current(state).ok_or(Void::Unknown("the keyset"))?;
    if row.confirmed.len() == keyset.keepers().len() {
        row.standing = RotationStanding::InUse;
        put_in_use(state, at, said, keyset.keepers());
    }
    state.rotation.put((), row);
    Ok(Outcome::Done)
}

fn refuse(state: &mut State, at: At, why: RotationFault) -> Result<Outcome, Void> {
    let keyset = current(state).ok_or(Void::Unknown("the keyset"))?;
    let row = state.rotation.get(&());
    let mut row = row
        .cloned()
        .ok_or(Void::Unknown("the rotation of the keys"))?;
    match row.standing {
        RotationStanding::Failed => return Err(Void::NotAllowed("the rotation has failed")),
        RotationStanding::Open if keyset.id_of(&at.author).is_none() => {
            return Err(Void::NotAllowed(
                "only a keeper of the keys ends their rotation",
            ));
        }
        RotationStanding::Open => row.standing = RotationStanding::Failed,
        RotationStanding::InUse if why == RotationFault::Lost => {
            return Err(Void::NotAllowed("the rotated keys are in use"));
        }
        RotationStanding::InUse if row.refused.contains(&at.author) => return Err(Void::Repeated),
        RotationStanding::InUse => {}
    }
    row.refused.push(at.author);
    state.rotation.put((), row);
    Ok(Outcome::Done)
}

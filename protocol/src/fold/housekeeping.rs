//! Keysets, checkpoints and ticks. Spec: section 5.10.

use super::{At, Outcome, Void};
use crate::{
    entry::housekeeping::{Checkpoint, Keyset},
    identity::PublicKey,
    note::{self, TreeHead},
    state::State,
};

/// A sole keeper makes its key alone; with more of them it takes a ceremony.
pub(super) fn keyset(state: &mut State, at: At, entry: &Keyset) -> Result<Outcome, Void> {
    if super::agreement::keepers(state) != [at.author] {
        return Err(Void::NotAllowed(
            "only a sole keeper announces a key of match tokens; several make one in a ceremony",
        ));
    }
    let keyset: crate::token::Keyset =
        crate::codec::decode(&entry.keyset).map_err(|error| Void::Entry(error.to_string()))?;
    let next = state
        .meta()
        .generation
        .map_or(1, |generation| generation.saturating_add(1));
    if keyset.generation() != next || keyset.reshare() != 0 {
        return Err(Void::Bounds(
            "generations of match tokens follow one another",
        ));
    }
    if !state.closing.is_empty() {
        return Err(Void::NotAllowed("an older generation has not closed"));
    }
    if keyset
        .keepers()
        .iter()
        .map(|keeper| keeper.node)
        .ne([at.author])
    {
        return Err(Void::NotAllowed(
            "a share of the key lies with a node that is no keeper",
        ));
    }
    super::generation::put_in_use(state, at, entry.keyset.clone(), keyset.keepers());
    Ok(Outcome::Done)
}

/// Comparing is each node's own affair; the fold notes how far its author has read.
pub(super) fn checkpoint(
    state: &mut State,
    at: At,
    checkpoint: &Checkpoint,
) -> Result<Outcome, Void> {
    if checkpoint.position >= at.position {
        return Err(Void::Bounds("a checkpoint lies behind"));
    }
    let meta = state.meta();
    let head = TreeHead {
        origin: note::origin(meta.coalition, meta.head.lineage),
        size: checkpoint.position,
        root: checkpoint.root,
    };
    let key = super::agreement::statement_key(state, at.author)
        .ok_or(Void::Unknown("the signer's key"))?;
    if !head.is_cosigned(&PublicKey(key), checkpoint.seconds, &checkpoint.cosignature) {
        return Err(Void::Signature("the cosignature does not hold".to_owned()));
    }
    let member = state
        .members
        .get_mut(&at.author)
        .ok_or(Void::Unknown("the author"))?;
    member.checkpoint = member.checkpoint.max(checkpoint.position);
    member.checkpoint_day = at.time.day();
    Ok(Outcome::Done)
}

pub(super) fn tick(state: &State, at: At) -> Result<Outcome, Void> {
    if state.active(at.author).is_some_and(|member| member.keeper) {
        Ok(Outcome::Done)
    } else {
        Err(Void::NotAllowed("only a keeper lets time pass"))
    }
}

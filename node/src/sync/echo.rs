//! What the echo of an own entry, or a member's checkpoint, means for this node.

use super::{
    fold::Stop,
    outbox::{COMMIT, Intent},
    react,
};
use crate::{
    keys::restate,
    store::{
        StoreError, Write, coalition as table,
        outbox::{self as out, Outgoing},
    },
};
use protocol::{codec, fold::Void, id::NodeId, mls::Group, state::State};

/// How often an entry is sealed anew after its epoch closed.
const REENCRYPT: i64 = 8;

/// Closes the outbox row of an own entry, or puts it back to be sealed or built anew.
pub(super) async fn finish_own(
    tx: &mut Write,
    state: &State,
    group: &mut Group,
    (me, own): (NodeId, &Outgoing),
    position: u64,
    void: Option<&Void>,
) -> Result<(), StoreError> {
    let again = match void {
        Some(void) if restate::may_be_restated(state, me, &own.kind, void) => {
            own.attempts < REENCRYPT
        }
        Some(Void::RetiredKey) if own.kind == COMMIT => {
            own.attempts < REENCRYPT && still_wanted(state, own)
        }
        Some(Void::OldEpoch | Void::RetiredKey) => own.attempts < REENCRYPT,
        Some(Void::LostRace) => own.attempts < REENCRYPT && still_wanted(state, own),
        _ => false,
    };
    if own.kind == COMMIT && void.is_some() && group.has_pending_commit() {
        group
            .discard_pending()
            .map_err(|error| StoreError::damaged("mls_state", error))?;
    }
    if again {
        let note = void.map(ToString::to_string).unwrap_or_default();
        return out::set_queued(&mut *tx, own.entry, &note).await;
    }
    let void = void.map(ToString::to_string);
    if let Some(void) = &void {
        react::own_void(tx, own.entry, void).await?;
    }
    out::set_final(&mut *tx, own.entry, position, void.as_deref()).await
}

fn still_wanted(state: &State, own: &Outgoing) -> bool {
    own.intent
        .as_deref()
        .and_then(|intent| codec::decode::<Intent>(intent).ok())
        .is_some_and(|intent| intent.is_wanted(state))
}

/// Compares a member's checkpoint with what this node had at the same position.
///
/// `same_log` says whether it found the same root of the log tree.
///
/// One member that lies or has a fault must not stop all others, so this node stops only when more
/// than half of the others contradict it; until then it alarms.
///
/// # Errors
/// [`Stop`] when most others have another state: this node is the one with the fault.
pub async fn compare(
    tx: &mut Write,
    state: &State,
    author: NodeId,
    checkpoint: &protocol::entry::housekeeping::Checkpoint,
    same_log: bool,
) -> anyhow::Result<()> {
    let position = checkpoint.position;
    match table::fold_hash(&mut *tx, position).await? {
        None if same_log => return Ok(()),
        Some((own, authenticator))
            if same_log
                && own == checkpoint.state.0
                && authenticator == checkpoint.authenticator.0 =>
        {
            return Ok(table::forget_contradiction(tx, author).await?);
        }
        _ => {}
    }
    table::note_contradiction(&mut *tx, author, position).await?;
    let against = table::contradictions(tx).await?;
    let others = state.roster().count().saturating_sub(1) as u64;
    if against * 2 > others {
        let why = format!(
            "{against} of {others} other members had another state than this node, the last one at position \
             {position}; compare versions and restore this node"
        );
        return Err(Stop(why).into());
    }
    tracing::error!(member = %author.short(), position, "a member's state differs from this node's and most others'");
    Ok(())
}

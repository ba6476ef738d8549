//! Who goes. Spec: section 5.11.
//!
//! Nobody goes by an entry alone: entries say who wants to go and who agrees that another must, and
//! the commit that removes its leaf is valid where one of the two is settled.

use super::{At, Change, Outcome, Void, agreement, membership, rotation, share::is_line};
use crate::{
    entry::parting::{REASON_BYTES, Remove, RemoveApprove},
    id::{EntryId, Hash, NodeId},
    state::{State, rows::RemovalRow},
    time::DAY,
};

/// Percent of the members that stay that must agree where no agreement says it: more than two thirds.
pub const REMOVAL_PERCENT: u32 = 67;
/// A proposal that is older than this may be made anew, in days of log time.
pub const PROPOSAL_DAYS: i64 = 30;

pub(super) fn leave(state: &mut State, at: At) -> Result<Outcome, Void> {
    must_be_spared(state, at.author)?;
    let member = state
        .members
        .get_mut(&at.author)
        .ok_or(Void::Unknown("the author"))?;
    if member.leaving.is_some() {
        return Err(Void::Repeated);
    }
    member.leaving = Some(at.position);
    Ok(Outcome::Done)
}

pub(super) fn propose(state: &mut State, at: At, remove: &Remove) -> Result<Outcome, Void> {
    if state.active(remove.node).is_none() {
        return Err(Void::Unknown("the member"));
    }
    if remove.node == at.author {
        return Err(Void::NotAllowed("who wants to go says that it leaves"));
    }
    must_be_spared(state, remove.node)?;
    if !is_line(&remove.reason, REASON_BYTES) {
        return Err(Void::Bounds("a reason is one line of 1 to 500 bytes"));
    }
    let open = state.removals.get(&remove.node);
    if open.is_some_and(|row| at.time < row.at.plus(PROPOSAL_DAYS * DAY)) {
        return Err(Void::NotAllowed("a proposal about this member is open"));
    }
    let row = RemovalRow {
        proposal: at.entry,
        reason: remove.reason.clone(),
        at: at.time,
        approvals: vec![at.author],
    };
    state.removals.put(remove.node, row);
    Ok(Outcome::Done)
}

pub(super) fn approve(state: &mut State, at: At, approve: &RemoveApprove) -> Result<Outcome, Void> {
    let row = state
        .removals
        .get(&approve.node)
        .filter(|row| row.proposal == approve.proposal)
        .ok_or(Void::Unknown("the proposal"))?;
    if approve.node == at.author {
        return Err(Void::NotAllowed("nobody votes on its own removal"));
    }
    if row.approvals.contains(&at.author) {
        return Err(Void::Repeated);
    }
    if let Some(row) = state.removals.get_mut(&approve.node) {
        row.approvals.push(at.author);
    }
    Ok(Outcome::Done)
}

/// A log without a keeper ends, so the only keeper stays until there is another one.
fn must_be_spared(state: &State, node: NodeId) -> Result<(), Void> {
    if agreement::keepers(state) == [node] {
        return Err(Void::NotAllowed("the only keeper of the log stays"));
    }
    Ok(())
}

/// How many agree that a member goes, and how many must.
#[must_use]
pub fn votes(state: &State, node: NodeId) -> (usize, usize) {
    let stay = |voter: &NodeId| *voter != node && state.active(*voter).is_some();
    let row = state.removals.get(&node);
    let agree = row.map_or(0, |row| {
        row.approvals.iter().filter(|voter| stay(voter)).count()
    });
    let others = state.roster().filter(|(voter, _)| stay(voter)).count();
    (agree, needed(state, others))
}

/// How many of so many members must agree to what the agreement's quorum decides.
pub(super) fn needed(state: &State, others: usize) -> usize {
    let percent = state
        .rules()
        .map_or(REMOVAL_PERCENT, |(_, rules)| rules.removal_percent);
    others.saturating_mul(percent as usize).div_ceil(100).max(1)
}

/// Whether a member's leaf may be removed now: it wants to go, or enough others agree that it must.
#[must_use]
pub fn is_settled(state: &State, node: NodeId) -> bool {
    let Some(member) = state.active(node) else {
        return false;
    };
    let (agree, needed) = votes(state, node);
    member.leaving.is_some() || agree >= needed
}

/// Removes members by the commit that takes their leaves.
pub(super) fn commit(state: &mut State, at: At, change: &Change<'_>) -> Result<Outcome, Void> {
    if !change.added.is_empty() {
        return Err(Void::NotAllowed("a commit adds or removes, never both"));
    }
    for node in change.removed {
        if *node == at.author {
            return Err(Void::NotAllowed("another member removes who leaves"));
        }
        must_be_spared(state, *node)?;
        if !is_settled(state, *node) {
            return Err(Void::NotAllowed(
                "it has not said that it leaves, and too few agree that it must",
            ));
        }
    }
    let keeps = agreement::keepers(state)
        .iter()
        .any(|keeper| !change.removed.contains(keeper));
    if !keeps {
        return Err(Void::NotAllowed("the only keeper of the log stays"));
    }
    let (mut ended, mut for_cause) = (Vec::new(), Vec::new());
    for node in change.removed {
        if is_for_cause(state, at, *node) {
            for_cause.push(*node);
        }
        ended.extend(let_go(state, at.position, *node));
    }
    agreement::drop_outdated(state);
    membership::find_versions(state);
    membership::close_epochs(state, change.opens);
    rotation::begin(state, at, for_cause);
    Ok(Outcome::Parted(ended))
}

/// Whether others wanted a member to go. One that says that it leaves once it reads of a proposal
/// about it is removed for cause all the same.
fn is_for_cause(state: &State, at: At, node: NodeId) -> bool {
    let left = state
        .active(node)
        .is_some_and(|member| member.leaving.is_some());
    let proposed = state.removals.get(&node);
    !left || proposed.is_some_and(|row| at.time < row.at.plus(PROPOSAL_DAYS * DAY))
}

/// Ends what only a member holds: claims, open invitations, newcomers that nobody else may approve.
/// What it said of people stays: suppressions, contacts, shares, and notices that are still owed.
fn let_go(state: &mut State, position: u64, node: NodeId) -> Vec<EntryId> {
    if let Some(member) = state.members.get_mut(&node) {
        member.left_at = Some(position);
    }
    state.removals.remove(&node);
    let claims: Vec<EntryId> = state
        .claims
        .iter()
        .filter(|(_, claim)| claim.author == node)
        .map(|(id, _)| *id)
        .collect();
    for claim in &claims {
        state.claims.remove(claim);
    }
    let waiting: Vec<NodeId> = state
        .joins
        .iter()
        .filter(|(_, join)| join.inviter == node)
        .map(|(newcomer, _)| *newcomer)
        .collect();
    for newcomer in waiting {
        state.joins.remove(&newcomer);
    }
    let invites: Vec<Hash> = state
        .invites
        .iter()
        .filter(|(_, invite)| invite.inviter == node)
        .map(|(token, _)| *token)
        .collect();
    for token in invites {
        state.invites.remove(&token);
    }
    claims
}

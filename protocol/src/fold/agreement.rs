//! Versions of the agreement: proposed, signed by all, in force. Spec: section 5.2.

use super::{At, Outcome, Void};
use crate::{
    agreement::{Agreement, Party, facts::Facts, is_signed_by},
    codec,
    entry::agreement::{AgreementPropose, AgreementSign},
    id::{Hash, NodeId},
    identity::KeyUse,
    limits::KEEPERS,
    state::{
        State,
        rows::{AgreementRow, Member, Signed},
        rules::Rules,
    },
};

/// The most drafts of one member that wait for signatures; beyond it, that member's oldest goes.
pub const DRAFTS_PER_MEMBER: usize = 5;

pub(super) fn propose(
    state: &mut State,
    at: At,
    propose: &AgreementPropose,
) -> Result<Outcome, Void> {
    let agreement: Agreement =
        codec::decode(&propose.agreement).map_err(|error| Void::Entry(error.to_string()))?;
    let meta = state.meta();
    let version = state
        .agreement()
        .map_or(1, |(_, current)| current.version.saturating_add(1));
    if agreement.coalition != meta.coalition {
        return Err(Void::NotAllowed("an agreement of another coalition"));
    }
    if agreement.version != version || agreement.before != meta.agreement.unwrap_or(Hash::ZERO) {
        return Err(Void::Agreement);
    }
    if !names_members(state, &agreement) {
        return Err(Void::Bounds(
            "an agreement names exactly the present members",
        ));
    }
    check_keepers(state, &agreement.keepers)?;
    let terms = policy::terms::Terms::parse(&agreement.terms)
        .map_err(|error| Void::Entry(format!("the terms cannot be read: {error}")))?;
    if let Err(error) = agreement.policy_parties() {
        return Err(if error.is_conflict() {
            Void::Firewall(error.to_string())
        } else {
            Void::Entry(error.to_string())
        });
    }
    let hash = agreement.hash();
    if state.agreements.has(&hash) {
        return Err(Void::Repeated);
    }
    drop_oldest_draft(state, at.author);
    let row = AgreementRow {
        bytes: propose.agreement.clone(),
        proposer: at.author,
        position: at.position,
        signatures: Vec::new(),
        active_from: None,
        rules: Rules::of(&terms),
    };
    state.agreements.put(hash, row);
    Ok(Outcome::Done)
}

pub(super) fn sign(state: &mut State, at: At, sign: &AgreementSign) -> Result<Outcome, Void> {
    let row = state
        .agreements
        .get(&sign.agreement)
        .ok_or(Void::Unknown("the draft"))?;
    let agreement: Agreement =
        codec::decode(&row.bytes).map_err(|error| Void::Entry(error.to_string()))?;
    if row.active_from.is_some() || agreement.before != state.meta().agreement.unwrap_or(Hash::ZERO)
    {
        return Err(Void::Agreement);
    }
    if !agreement.has(at.author) {
        return Err(Void::NotAllowed("only a party signs"));
    }
    if row.signatures.iter().any(|signed| signed.node == at.author) {
        return Err(Void::Repeated);
    }
    let key = statement_key(state, at.author).ok_or(Void::Unknown("the signer's key"))?;
    if !is_signed_by(&row.bytes, &sign.signature, &key) {
        return Err(Void::Signature(
            "the signature is not over this draft".to_owned(),
        ));
    }
    let signed =
        |node: NodeId| node == at.author || row.signatures.iter().any(|signed| signed.node == node);
    let complete = is_complete(state, &agreement, signed);
    if let Some(row) = state.agreements.get_mut(&sign.agreement) {
        row.signatures.push(Signed {
            node: at.author,
            signature: sign.signature,
            at: at.time,
        });
        if complete {
            row.active_from = Some(at.position);
        }
    }
    if complete {
        Ok(put_in_force(state, sign.agreement))
    } else {
        Ok(Outcome::Done)
    }
}

/// Who may keep the log: 1, 3 or 5 present members in order of node id, each with an address and a
/// key for heads in its document.
fn check_keepers(state: &State, keepers: &[NodeId]) -> Result<(), Void> {
    let rising = keepers.is_sorted_by(|a, b| a < b);
    if !rising || !KEEPERS.contains(&keepers.len()) {
        return Err(Void::Bounds(
            "an agreement names 1, 3 or 5 keepers in order of node id",
        ));
    }
    let reachable = |node: &NodeId| {
        state.active(*node).is_some()
            && state
                .document(*node)
                .is_some_and(|document| document.is_keeper())
    };
    if keepers.iter().all(reachable) {
        Ok(())
    } else {
        Err(Void::Bounds(
            "a keeper is a present member whose document names an address",
        ))
    }
}

/// Whether a draft has the signatures that put it in force.
///
/// All parties sign, with one exception: what changes nothing but the keepers needs more than half
/// of the parties, each new keeper among them. Else one dead keeper could never be replaced.
fn is_complete(state: &State, draft: &Agreement, signed: impl Fn(NodeId) -> bool) -> bool {
    if !names_members(state, draft) {
        return false;
    }
    let count = draft
        .parties
        .iter()
        .filter(|party| signed(party.node))
        .count();
    if count == draft.parties.len() {
        return true;
    }
    let Some((_, current)) = state.agreement() else {
        return false;
    };
    let alone = draft.parties == current.parties
        && draft.terms == current.terms
        && draft.keepers != current.keepers;
    let mut added = draft
        .keepers
        .iter()
        .filter(|node| !current.keepers.contains(node));
    alone && count * 2 > draft.parties.len() && added.all(|node| signed(*node))
}

/// Marks the members that the version in force entrusts with the log.
fn entrust(state: &mut State) {
    let Some((_, agreement)) = state.agreement() else {
        return;
    };
    let changed: Vec<NodeId> = state
        .roster()
        .filter(|(node, member)| member.keeper != agreement.keepers.contains(node))
        .map(|(node, _)| *node)
        .collect();
    for node in changed {
        if let Some(member) = state.members.get_mut(&node) {
            member.keeper = !member.keeper;
        }
    }
}

/// Drafts that followed the version before can no longer win: they go.
fn put_in_force(state: &mut State, hash: Hash) -> Outcome {
    let mut meta = state.meta();
    meta.agreement = Some(hash);
    state.meta.put((), meta);
    entrust(state);
    let lost: Vec<Hash> = drafts(state).collect();
    for draft in lost {
        state.agreements.remove(&draft);
    }
    Outcome::AgreementInForce(hash)
}

/// Makes room for one more draft of a member. Drafts of others stay: nobody can push them out.
fn drop_oldest_draft(state: &mut State, proposer: NodeId) {
    let mut own: Vec<(u64, Hash)> = drafts(state)
        .filter_map(|hash| Some((state.agreements.get(&hash)?, hash)))
        .filter(|(row, _)| row.proposer == proposer)
        .map(|(row, hash)| (row.position, hash))
        .collect();
    own.sort_unstable();
    if own.len() >= DRAFTS_PER_MEMBER
        && let Some((_, oldest)) = own.first()
    {
        state.agreements.remove(oldest);
    }
}

/// Drops drafts that name others than the present members: nobody can put them in force any more.
pub(super) fn drop_outdated(state: &mut State) {
    let outdated: Vec<Hash> = drafts(state)
        .filter(|hash| {
            let row = state.agreements.get(hash);
            let agreement = row.and_then(|row| codec::decode::<Agreement>(&row.bytes).ok());
            agreement.is_none_or(|agreement| !names_members(state, &agreement))
        })
        .collect();
    for draft in outdated {
        state.agreements.remove(&draft);
    }
}

fn drafts(state: &State) -> impl Iterator<Item = Hash> {
    state
        .agreements
        .iter()
        .filter(|(_, row)| row.active_from.is_none())
        .map(|(hash, _)| *hash)
}

/// The present members as the next version names them, in order of node id: with the facts that the
/// version in force states of them, and with what goes unstated in this place of who came since.
#[must_use]
pub fn parties(state: &State, place: policy::Jurisdiction) -> Vec<Party> {
    let known = state.agreement().map(|(_, agreement)| agreement.parties);
    let stated = |node: NodeId| {
        let party = known.iter().flatten().find(|party| party.node == node)?;
        Some(party.facts.clone())
    };
    let party = |(node, member): (&NodeId, &Member)| Party {
        node: *node,
        name: member.name.clone(),
        kind: member.kind.clone(),
        facts: stated(*node).unwrap_or_else(|| Facts::unstated(&member.kind, place)),
    };
    state.roster().map(party).collect()
}

/// Whether an agreement names exactly the present members, in order of node id.
#[must_use]
pub fn names_members(state: &State, agreement: &Agreement) -> bool {
    let named = agreement.parties.iter();
    let named = named.map(|party| (party.node, &party.name, &party.kind));
    let present = state.roster();
    named.eq(present.map(|(node, member)| (*node, &member.name, &member.kind)))
}

/// Whether a node keeps the log, or kept it under the version before the one in force: until the
/// keepers have changed over, both belong to the circle.
#[must_use]
pub fn kept_lately(state: &State, node: NodeId) -> bool {
    let before = state.agreement().and_then(|(_, current)| {
        let row = state.agreements.get(&current.before)?;
        codec::decode::<Agreement>(&row.bytes).ok()
    });
    state.active(node).is_some_and(|member| {
        member.keeper || before.is_some_and(|before| before.keepers.contains(&node))
    })
}

/// The present keepers, in order of node id.
#[must_use]
pub fn keepers(state: &State) -> Vec<NodeId> {
    state
        .roster()
        .filter(|(_, member)| member.keeper)
        .map(|(node, _)| *node)
        .collect()
}

/// The key by which a member's statements outside MLS verify.
pub(super) fn statement_key(state: &State, node: NodeId) -> Option<[u8; 32]> {
    Some(state.document(node)?.key(KeyUse::Statement)?.public.0)
}

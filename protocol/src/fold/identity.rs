//! Identity documents that follow one another, and members whose document ran out. Spec: section 5.15.

use super::{At, Outcome, Void, membership};
use crate::{
    codec,
    entry::{Entry, membership::Identity},
    id::NodeId,
    identity::{IdentityDocument, KeyUse, SignedDocument},
    state::{State, rows::PastDocument},
    time::DAY,
};

/// For how long after its document ran out a member may do everything still, in milliseconds of log
/// time.
pub const GRACE: i64 = DAY;
/// The most documents of one node that take effect on one day of log time.
pub const DOCUMENTS_PER_DAY: usize = 8;

/// Puts a document in the place of the one before: all members switch keys at this position.
pub(super) fn follow(state: &mut State, at: At, entry: &Identity) -> Result<Outcome, Void> {
    let refused = |error: String| Void::Signature(error);
    let signed: SignedDocument =
        codec::decode(&entry.document).map_err(|error| refused(error.to_string()))?;
    let claimed: IdentityDocument =
        codec::decode(&signed.document).map_err(|error| refused(error.to_string()))?;
    let node = claimed.node_id;
    let member = state
        .active(node)
        .ok_or(Void::Unknown("the member whose document this is"))?;
    let known: SignedDocument =
        codec::decode(&member.document).map_err(|error| refused(error.to_string()))?;
    let document = signed
        .verify_after(&known, at.time)
        .map_err(|error| refused(error.to_string()))?;
    let before = state
        .document(node)
        .ok_or(Void::Unknown("the document before"))?;
    if document.organization != before.organization || document.kind != before.kind {
        return Err(Void::NotAllowed(
            "a document changes neither the name nor the kind of its organization",
        ));
    }
    if before.is_keeper() && !document.is_keeper() {
        return Err(Void::NotAllowed(
            "an address may change and does not go: who keeps the log depends on it",
        ));
    }
    keys_are_fresh(state, &document)?;
    let today = state
        .past_documents
        .range((node, 0)..=(node, u64::MAX))
        .filter(|(_, past)| past.at.day() == at.time.day())
        .count();
    if today >= DOCUMENTS_PER_DAY {
        return Err(Void::Bounds("a node has at most 8 new documents a day"));
    }
    membership::still_speaks(state, node, &document)?;
    let stale = document.key(KeyUse::Mls) != before.key(KeyUse::Mls);
    retire(state, at, node, &entry.document);
    if let Some(member) = state.members.get_mut(&node) {
        member.document.clone_from(&entry.document);
        member.stale_leaf |= stale;
    }
    membership::find_versions(state);
    Ok(Outcome::Done)
}

/// Keeps the document that another one follows, so that its keys are never used again.
pub(super) fn retire(state: &mut State, at: At, node: NodeId, next: &[u8]) {
    let Some(known) = state.members.get(&node).filter(|old| old.document != next) else {
        return;
    };
    let past = PastDocument {
        document: known.document.clone(),
        until: at.position,
        at: at.time,
    };
    if let Some(before) = state.document(node) {
        state.past_documents.put((node, before.seq), past);
    }
}

/// Whether a newcomer may enter with a document. One that was a member before shows the document of
/// then or a later one: an earlier one would bring its retired keys back.
pub(super) fn may_enter(
    state: &State,
    document: &IdentityDocument,
    bytes: &[u8],
) -> Result<(), Void> {
    if let Some(known) = state.members.get(&document.node_id) {
        let last = state
            .document(document.node_id)
            .map_or(0, |known| known.seq);
        if known.document != bytes && document.seq <= last {
            return Err(Void::Signature(
                "the coalition knows a newer document of this node".to_owned(),
            ));
        }
    }
    keys_are_fresh(state, document)
}

/// No key of a document was retired by anybody, or serves another member.
fn keys_are_fresh(state: &State, document: &IdentityDocument) -> Result<(), Void> {
    let own = state.document(document.node_id);
    let is_kept = |public| {
        own.as_ref()
            .is_some_and(|own| own.keys.iter().any(|key| key.public == public))
    };
    let lists = |other: &IdentityDocument| {
        document.keys.iter().any(|key| {
            !is_kept(key.public) && other.keys.iter().any(|old| old.public == key.public)
        })
    };
    let taken = state
        .roster()
        .filter(|(node, _)| **node != document.node_id)
        .filter_map(|(node, _)| state.document(*node))
        .any(|other| lists(&other));
    let retired = || {
        state
            .past_documents
            .iter()
            .filter_map(|(_, past)| read(&past.document))
            .any(|past| lists(&past))
    };
    if taken || retired() {
        return Err(Void::NotAllowed(
            "the document lists a key that was retired, or that serves another member",
        ));
    }
    Ok(())
}

/// The document in signed bytes that were checked before.
fn read(signed: &[u8]) -> Option<IdentityDocument> {
    let signed: SignedDocument = codec::decode(signed).ok()?;
    codec::decode(&signed.document).ok()
}

/// The documents of a node that others have followed, the oldest first, each with the position where
/// its keys were retired.
pub fn past(state: &State, node: NodeId) -> impl Iterator<Item = (u64, IdentityDocument)> + '_ {
    state
        .past_documents
        .range((node, 0)..=(node, u64::MAX))
        .filter_map(|(_, past)| Some((past.until, read(&past.document)?)))
}

/// Whether a member's leaf in the group bears a key that it has retired. Until it has renewed the
/// leaf, nothing that it seals counts.
#[must_use]
pub fn has_stale_leaf(state: &State, node: NodeId) -> bool {
    state.active(node).is_some_and(|member| member.stale_leaf)
}

/// What a member may say although its document ran out: what protects people, what renews the
/// document, and what lets log time pass.
pub(super) fn is_allowed_when_expired(entry: &Entry) -> bool {
    matches!(
        entry,
        Entry::Identity(_)
            | Entry::Suppress(_)
            | Entry::Revoke(_)
            | Entry::NoticeAck(_)
            | Entry::ErasureReceipt(_)
            | Entry::Tick(_)
    )
}

/// Refuses what the author may do only with a document that counts.
pub(super) fn must_be_current(state: &State, at: At) -> Result<(), Void> {
    let until = state
        .document(at.author)
        .map(|document| document.valid_until);
    if until.is_some_and(|until| at.time > until.plus(GRACE)) {
        return Err(Void::Expired);
    }
    Ok(())
}

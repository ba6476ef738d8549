//! Who is in. Spec: section 5.1.

use super::{At, Change, Outcome, Void, identity, parting, two_truths};
use crate::{
    entry::membership::{Genesis, Invite, JoinRequest},
    envelope::Header,
    id::NodeId,
    identity::{IdentityDocument, KeyUse, Name, SignedDocument},
    state::{
        State,
        rows::{InviteRow, JoinRow, Member, Returned, Updates},
    },
    time::{DAY, HOUR, Moment},
    version::Versions,
};

/// The most members of a coalition.
pub const MEMBERS_MAX: usize = 200;
/// The most invitations of one member that wait for an answer.
pub const INVITES_OPEN: usize = 20;
/// The most changes of the group by one member and day of log time that add nobody.
pub const UPDATES_PER_DAY: u32 = 24;
/// A member comes back from outside at most once in this time, in milliseconds of log time.
pub const RETURN_EVERY: i64 = HOUR;
/// The longest life of an invitation, in days.
pub const INVITE_DAYS: i64 = 30;

pub(super) fn genesis(
    state: &mut State,
    at: At,
    header: &Header,
    genesis: &Genesis,
) -> Result<Outcome, Void> {
    if at.position != 1 {
        return Err(Void::NotAllowed("a log has one first entry"));
    }
    let document = read_document(&genesis.document, at.author, at.time)?;
    name(&genesis.name)?;
    let mut meta = state.meta();
    meta.name.clone_from(&genesis.name);
    meta.coalition = header.coalition;
    let versions = Versions::of(&document);
    if !versions.has(header.version.into()) {
        return Err(Void::NotAllowed("the founder does not speak this version"));
    }
    meta.versions = Some(versions);
    state.meta.put((), meta);
    state.members.put(
        at.author,
        member(&document, &genesis.document, at.position, true),
    );
    Ok(Outcome::Done)
}

pub(super) fn invite(state: &mut State, at: At, invite: &Invite) -> Result<Outcome, Void> {
    name(&invite.to_name)?;
    if invite.expires <= at.time || invite.expires > at.time.plus(INVITE_DAYS * DAY) {
        return Err(Void::Bounds("an invitation is good for at most 30 days"));
    }
    let open = state
        .invites
        .iter()
        .filter(|(_, row)| {
            row.inviter == at.author && row.used_by.is_none() && row.expires > at.time
        })
        .count();
    if open >= INVITES_OPEN {
        return Err(Void::Bounds("a member has at most 20 open invitations"));
    }
    if state.invites.has(&invite.token_hash) {
        return Err(Void::NotAllowed("an invitation with this token exists"));
    }
    let row = InviteRow {
        inviter: at.author,
        to_name: invite.to_name.clone(),
        expires: invite.expires,
        used_by: None,
    };
    state.invites.put(invite.token_hash, row);
    Ok(Outcome::Done)
}

pub(super) fn join_request(
    state: &mut State,
    at: At,
    request: &JoinRequest,
) -> Result<Outcome, Void> {
    if !state.active(at.author).is_some_and(|member| member.keeper) {
        return Err(Void::NotAllowed("only a keeper announces newcomers"));
    }
    let invite = state
        .invites
        .get(&request.token_hash)
        .ok_or(Void::Unknown("the invitation"))?;
    if invite.expires < at.time {
        return Err(Void::TooLate);
    }
    // The same newcomer may ask again: it may have lost the keys of its first request.
    if invite.used_by.is_some_and(|node| node != request.node) {
        return Err(Void::NotAllowed("the invitation is spent"));
    }
    if state.active(request.node).is_some() {
        return Err(Void::NotAllowed("the newcomer is a member"));
    }
    let document = read_document(&request.document, request.node, at.time)?;
    identity::may_enter(state, &document, &request.document)?;
    with_newcomer(state.meta().versions, &document)?;
    free_name(state, document.organization.as_str())?;
    let (node, key) = crate::mls::inspect_key_package(&request.key_package)
        .map_err(|error| Void::Signature(error.to_string()))?;
    if node != request.node || !holds(&document, key) {
        return Err(Void::Signature(
            "the key package is not the newcomer's".to_owned(),
        ));
    }
    let join = JoinRow {
        inviter: invite.inviter,
        document: request.document.clone(),
        key_package: request.key_package.clone(),
        position: at.position,
        name: document.organization.to_string(),
        kind: document.kind.to_string(),
        token_hash: request.token_hash,
        at: at.time,
    };
    if let Some(invite) = state.invites.get_mut(&request.token_hash) {
        invite.used_by = Some(request.node);
    }
    state.joins.put(request.node, join);
    Ok(Outcome::Done)
}

pub(super) fn commit(state: &mut State, at: At, change: &Change<'_>) -> Result<Outcome, Void> {
    // Whoever lost its state comes back first and renews its document then.
    if !change.rejoin {
        identity::must_be_current(state, at)?;
    }
    let outcome = follow(state, at, change)?;
    // The author's leaf has the key that its document lists, or the commit would be void.
    if let Some(member) = state.members.get_mut(&at.author) {
        member.stale_leaf = false;
    }
    Ok(outcome)
}

fn follow(state: &mut State, at: At, change: &Change<'_>) -> Result<Outcome, Void> {
    let Change {
        added,
        removed,
        author_key,
        opens,
        rejoin,
    } = *change;
    if state.active(at.author).is_none() {
        return Err(Void::NotAllowed("the author is not a member"));
    }
    let listed = state
        .document(at.author)
        .ok_or(Void::Unknown("the author's document"))?;
    if author_key.is_some_and(|key| !holds(&listed, key)) {
        if identity::has_stale_leaf(state, at.author) {
            return Err(Void::RetiredKey);
        }
        return Err(Void::Signature(
            "the author's key in the group is not the one in its document".to_owned(),
        ));
    }
    if rejoin {
        return come_back(state, at, change);
    }
    if !removed.is_empty() {
        return parting::commit(state, at, change);
    }
    if !added.is_empty() && two_truths::standing(state, at.author).is_some() {
        return Err(Void::Quarantined("its author"));
    }
    if state.roster().count() + added.len() > MEMBERS_MAX {
        return Err(Void::Bounds("a coalition has at most 200 members"));
    }
    if added.is_empty() {
        count_update(state, at)?;
    }
    let (members, versions) = newcomers(state, at, added)?;
    if !members.is_empty() {
        // A joiner cannot open what was sealed before it came, so for nobody may it count.
        close_epochs(state, opens);
    }
    for (node, member) in members {
        state.joins.remove(&node);
        identity::retire(state, at, node, &member.document);
        state.members.put(node, member);
    }
    spoken_from_here(state, versions);
    Ok(Outcome::Done)
}

/// Who comes in, and its line in the roster.
type Newcomer = (NodeId, Member);

/// Those whom a commit lets in, as they will stand in the roster, and what all speak once they are in.
fn newcomers(
    state: &State,
    at: At,
    added: &[(NodeId, [u8; 32])],
) -> Result<(Vec<Newcomer>, Option<Versions>), Void> {
    let mut members: Vec<Newcomer> = Vec::with_capacity(added.len());
    let mut versions = state.meta().versions;
    for (node, key) in added {
        let join = state
            .joins
            .get(node)
            .ok_or(Void::Unknown("the newcomer's request"))?;
        if join.inviter != at.author {
            return Err(Void::NotAllowed("the inviter approves"));
        }
        let document = read_document(&join.document, *node, at.time)?;
        identity::may_enter(state, &document, &join.document)?;
        if !holds(&document, *key) {
            return Err(Void::Signature(
                "the added key is not the newcomer's".to_owned(),
            ));
        }
        versions = Some(with_newcomer(versions, &document)?);
        free_name(state, document.organization.as_str())?;
        if members
            .iter()
            .any(|(_, member)| is_same_name(&member.name, document.organization.as_str()))
        {
            return Err(NAME_TAKEN);
        }
        members.push((*node, member(&document, &join.document, at.position, false)));
    }
    Ok((members, versions))
}

/// What all speak once a newcomer is in.
fn with_newcomer(all: Option<Versions>, newcomer: &IdentityDocument) -> Result<Versions, Void> {
    let theirs = Versions::of(newcomer);
    let common = all.map_or(Some(theirs), |all| all.common(theirs));
    common.ok_or(Void::NotAllowed(
        "the newcomer speaks no version of the protocol that all members speak",
    ))
}

fn spoken_from_here(state: &mut State, versions: Option<Versions>) {
    let mut meta = state.meta();
    if meta.versions != versions {
        meta.versions = versions;
        state.meta.put((), meta);
    }
}

/// Refuses a document whose node could speak with somebody among the other members no longer.
pub(super) fn still_speaks(
    state: &State,
    node: NodeId,
    document: &IdentityDocument,
) -> Result<(), Void> {
    let others = state.roster().filter(|(other, _)| **other != node);
    let others = others.filter_map(|(other, _)| state.document(*other));
    let all = others
        .map(|document| Versions::of(&document))
        .reduce(|one, other| one.common(other).unwrap_or(one));
    let theirs = Versions::of(document);
    match all.map_or(Some(theirs), |all| all.common(theirs)) {
        Some(_) => Ok(()),
        None => Err(Void::NotAllowed(
            "the document names no version of the protocol that all other members speak",
        )),
    }
}

/// Finds anew what all members speak: one of them has gone, or speaks under another document.
pub(super) fn find_versions(state: &mut State) {
    let documents = state.roster().filter_map(|(node, _)| state.document(*node));
    let all = documents
        .map(|document| Versions::of(&document))
        .reduce(|one, other| one.common(other).unwrap_or(one));
    spoken_from_here(state, all);
}

/// A member that lost its state takes its own leaf again; who is in does not change.
fn come_back(state: &mut State, at: At, change: &Change<'_>) -> Result<Outcome, Void> {
    if !change.added.is_empty() || !change.removed.is_empty() {
        return Err(Void::NotAllowed("who comes back changes nothing else"));
    }
    let member = state
        .members
        .get(&at.author)
        .ok_or(Void::Unknown("the author"))?;
    if member
        .returned
        .is_some_and(|last| at.time < last.at.plus(RETURN_EVERY))
    {
        return Err(Void::Bounds("a member comes back at most once an hour"));
    }
    if let Some(member) = state.members.get_mut(&at.author) {
        member.returned = Some(Returned {
            position: at.position,
            at: at.time,
        });
    }
    close_epochs(state, change.opens);
    Ok(Outcome::Done)
}

/// What was sealed before an epoch does not count any more, for anybody.
pub(super) fn close_epochs(state: &mut State, opens: u64) {
    let mut meta = state.meta();
    meta.epoch_floor = opens;
    state.meta.put((), meta);
}

fn member(document: &IdentityDocument, bytes: &[u8], position: u64, keeper: bool) -> Member {
    Member {
        document: bytes.to_vec(),
        name: document.organization.to_string(),
        kind: document.kind.to_string(),
        joined_at: position,
        left_at: None,
        keeper,
        checkpoint: 0,
        updates: Updates::default(),
        checkpoint_day: 0,
        leaving: None,
        returned: None,
        stale_leaf: false,
    }
}

const NAME_TAKEN: Void = Void::NotAllowed("another member has this name");

fn is_same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn free_name(state: &State, name: &str) -> Result<(), Void> {
    if state
        .roster()
        .any(|(_, member)| is_same_name(&member.name, name))
    {
        return Err(NAME_TAKEN);
    }
    Ok(())
}

/// Every change of the group makes the messages that wait older, so nobody makes too many.
fn count_update(state: &mut State, at: At) -> Result<(), Void> {
    let member = state
        .members
        .get_mut(&at.author)
        .ok_or(Void::Unknown("the author"))?;
    let day = at.time.0.div_euclid(DAY);
    let count = if member.updates.day == day {
        member.updates.count.saturating_add(1)
    } else {
        1
    };
    if count > UPDATES_PER_DAY {
        return Err(Void::Bounds(
            "a member renews its keys at most 24 times a day",
        ));
    }
    member.updates = Updates { day, count };
    Ok(())
}

/// Whether a document lists this as the node's key inside the group.
fn holds(document: &IdentityDocument, key: [u8; 32]) -> bool {
    document
        .key(KeyUse::Mls)
        .is_some_and(|listed| listed.public.0 == key)
}

/// Reads a signed identity document that must be a certain node's, at a moment of log time.
fn read_document(bytes: &[u8], node: NodeId, at: Moment) -> Result<IdentityDocument, Void> {
    let refused = |error: String| Void::Signature(error);
    let signed: SignedDocument =
        crate::codec::decode(bytes).map_err(|error| refused(error.to_string()))?;
    let document = signed
        .verify(at)
        .map_err(|error| refused(error.to_string()))?;
    if document.node_id != node {
        return Err(refused("the document is another node's".to_owned()));
    }
    Ok(document)
}

fn name(name: &str) -> Result<(), Void> {
    let readable = name
        .parse::<Name>()
        .is_ok_and(|parsed| parsed.as_str() == name);
    if readable {
        Ok(())
    } else {
        Err(Void::Bounds(
            "a name has 1 to 120 characters, none of them hidden, in one spelling",
        ))
    }
}

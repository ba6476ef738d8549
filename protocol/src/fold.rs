//! The one function that leads from a state and an entry to the next state. Spec: section 7.
//!
//! Every member calls it with the same entries in the same order and so reaches the same state.
//! It reads no clock but log time, draws no randomness, and what it refuses is refused at every
//! member alike: such an entry is *void* and changes nothing but the head.

pub mod agreement;
pub mod ceremony;
pub mod claim;
pub mod contact_report;
pub mod generation;
pub mod housekeeping;
pub mod identity;
pub mod membership;
pub mod overlap;
pub mod parting;
pub mod plan;
pub mod recall;
pub mod rotation;
pub mod share;
pub mod suppression;
pub mod two_truths;
pub mod use_notice;

use crate::{
    chain::{ChainError, LogItem},
    entry::{Class, Entry},
    envelope::Header,
    id::{EntryId, Hash, NodeId},
    state::State,
    time::Moment,
};

/// A member's turn to write a checkpoint comes after this many entries that took effect.
pub const CHECKPOINT_EVERY: u64 = 64;
/// Ids of this many latest entries are kept to recognize a repetition.
pub const SEEN_KEPT: usize = 4_096;

/// Where and when an entry was ordered, and by whom it was sealed.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// Its position.
    pub position: u64,
    /// Its log time.
    pub time: Moment,
    /// Its author, as MLS proved it.
    pub author: NodeId,
    /// Its id, as MLS authenticated it.
    pub entry: EntryId,
}

/// What MLS found inside an envelope.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// An entry, with its rows where it brings some.
    Entry(&'a Entry, Option<&'a [u8]>),
    /// A change of the group that is valid as far as MLS can tell.
    Commit {
        /// Newcomers: node and MLS signature key.
        added: &'a [(NodeId, [u8; 32])],
        /// Members that go.
        removed: &'a [NodeId],
        /// The author's MLS signature key from the next epoch on.
        author_key: Option<[u8; 32]>,
        /// The epoch that it opens.
        opens: u64,
        /// Whether its author came back from outside, onto its own old leaf.
        rejoin: bool,
    },
}

/// A change of the group, as MLS found it.
struct Change<'a> {
    added: &'a [(NodeId, [u8; 32])],
    removed: &'a [NodeId],
    author_key: Option<[u8; 32]>,
    opens: u64,
    rejoin: bool,
}

/// Why an entry changes nothing, for all members alike.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Void {
    /// The envelope cannot be read, or belongs elsewhere.
    #[error("not an entry of this log: {0}")]
    Envelope(String),
    /// MLS refused it: forged, cut, or not for this group.
    #[error("the group's seal does not hold: {0}")]
    Seal(String),
    /// Sealed for an epoch that is closed; its author seals it anew.
    #[error("sealed for an epoch of the group that has passed")]
    OldEpoch,
    /// A commit for an epoch that another commit has won.
    #[error("another change of the group came first")]
    LostRace,
    /// The plaintext is no entry.
    #[error("not an entry: {0}")]
    Entry(String),
    /// The id has been seen: the same entry twice is one entry.
    #[error("an entry with this id has taken effect before")]
    Repeated,
    /// Class, blobs or evidence of the header differ from the entry's.
    #[error("the header does not fit the entry")]
    Header,
    /// The rows are missing or malformed.
    #[error("the rows cannot be read: {0}")]
    Rows(String),
    /// A suppression that is no list of tokens and channels, or carries more than that.
    #[error("E_SUPPRESSION_PAYLOAD: a suppression holds tokens and channels and nothing else: {0}")]
    Suppression(String),
    /// The author may not do this.
    #[error("not allowed: {0}")]
    NotAllowed(&'static str),
    /// What it refers to does not exist.
    #[error("it refers to something that is not there: {0}")]
    Unknown(&'static str),
    /// A value is out of its bounds.
    #[error("out of bounds: {0}")]
    Bounds(&'static str),
    /// An agreement between both sides of a race.
    #[error("E_FIREWALL_CONFLICT: {0}")]
    Firewall(String),
    /// Made under an agreement that is not in force.
    #[error("made under an agreement that is not in force")]
    Agreement,
    /// By tokens of keys that are not in use.
    #[error("said by match tokens of keys that are not in use any more")]
    Generation,
    /// Ordered too late.
    #[error("ordered after the moment until which it was good")]
    TooLate,
    /// Sealed with a key that its author's document does not list any more; it is sealed anew.
    #[error("sealed with a key that its author has retired")]
    RetiredKey,
    /// The author's document ran out, and so did the grace.
    #[error(
        "the author's identity document ran out more than 24 hours before: until it is renewed, the \
         author only renews it, suppresses, takes back and confirms erasure"
    )]
    Expired,
    /// Of or for a member that signed two truths.
    #[error(
        "E_QUARANTINED: {0} signed two things that cannot both be true: until the members have decided about it, \
         nothing new is granted to it and nothing flows to it, while what it takes back, suppresses or answers \
         still counts"
    )]
    Quarantined(&'static str),
    /// A document or signature does not hold.
    #[error("a signature or document does not hold: {0}")]
    Signature(String),
    /// A receipt that answers no notice, or not as it must.
    #[error("E_RECEIPT_INVALID: {0}")]
    Receipt(&'static str),
}

/// What an entry did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect.
    Done,
    /// A claim was decided, point by point.
    Claim(claim::Decision),
    /// A signature was the last one: this agreement is in force from here on.
    AgreementInForce(Hash),
    /// Members went, and these claims of theirs ended.
    Parted(Vec<EntryId>),
}

/// Moves the head to an item and ends what log time ends.
///
/// Returns the claims that ended.
///
/// # Errors
/// [`ChainError`] when the item does not continue the log: the keeper is at fault, and the node
/// that sees it stops.
pub fn advance(state: &mut State, item: &LogItem) -> Result<Vec<EntryId>, ChainError> {
    let mut meta = state.meta();
    meta.head = meta.head.after(item)?;
    meta.tree.push(item.leaf(meta.head.lineage));
    state.meta.put((), meta);
    plan::expire(state, item.log_time);
    overlap::expire(state, item.log_time);
    ceremony::expire(state, item.log_time);
    rotation::expire(state, item.log_time);
    let mut ended = claim::expire(state, item.log_time);
    ended.extend(generation::close(state, item.log_time));
    Ok(ended)
}

/// Applies what an envelope held.
///
/// # Errors
/// [`Void`]: nothing has changed, at any member.
pub fn apply(
    state: &mut State,
    at: At,
    header: &Header,
    content: Content<'_>,
) -> Result<Outcome, Void> {
    if is_repeated(state, at.entry) {
        return Err(Void::Repeated);
    }
    let (outcome, counts) = match content {
        Content::Commit {
            added,
            removed,
            author_key,
            opens,
            rejoin,
        } => {
            if header.class != Class::Control
                || !header.blobs.is_empty()
                || header.evidence.is_some()
            {
                return Err(Void::Header);
            }
            (
                membership::commit(
                    state,
                    at,
                    &Change {
                        added,
                        removed,
                        author_key,
                        opens,
                        rejoin,
                    },
                )?,
                true,
            )
        }
        Content::Entry(entry, rows) => {
            if header.class != entry.class()
                || header.blobs != entry.blobs()
                || header.evidence != entry.evidence()
            {
                return Err(Void::Header);
            }
            let counts = !matches!(entry, Entry::Checkpoint(_) | Entry::Tick(_));
            (dispatch(state, at, header, entry, rows)?, counts)
        }
    };
    remember(state, at, counts);
    Ok(outcome)
}

/// Whether an entry with this id has taken effect: lately, or with a claim, plan, share or notice that
/// still stands. Otherwise a member could put its own row in the place of another's.
#[must_use]
pub fn is_repeated(state: &State, entry: EntryId) -> bool {
    state.claims.has(&entry)
        || state.plans.has(&entry)
        || state.ceremonies.has(&entry)
        || state.overlaps.has(&entry)
        || state.shares.has(&entry)
        || state.notices.has(&entry)
        || state.seen.iter().any(|(_, id)| *id == entry)
}

fn dispatch(
    state: &mut State,
    at: At,
    header: &Header,
    entry: &Entry,
    rows: Option<&[u8]>,
) -> Result<Outcome, Void> {
    if let Entry::Genesis(genesis) = entry {
        return membership::genesis(state, at, header, genesis);
    }
    if state.active(at.author).is_none() {
        return Err(Void::NotAllowed("the author is not a member"));
    }
    if identity::has_stale_leaf(state, at.author) {
        return Err(Void::RetiredKey);
    }
    if !identity::is_allowed_when_expired(entry) {
        identity::must_be_current(state, at)?;
    }
    two_truths::must_be_trusted(state, at.author, entry)?;
    match entry {
        Entry::Identity(identity) => identity::follow(state, at, identity),
        Entry::Genesis(_) => Err(Void::NotAllowed("a log has one first entry")),
        Entry::Invite(invite) => membership::invite(state, at, invite),
        Entry::JoinRequest(request) => membership::join_request(state, at, request),
        Entry::AgreementPropose(propose) => agreement::propose(state, at, propose),
        Entry::AgreementSign(sign) => agreement::sign(state, at, sign),
        Entry::Keyset(keyset) => housekeeping::keyset(state, at, keyset),
        Entry::Claim(claim) => claim::claim(state, at, claim, rows),
        Entry::ClaimRenew(renew) => claim::renew(state, at, renew),
        Entry::ClaimRelease(release) => claim::release(state, at, release, rows),
        Entry::Plan(plan) => plan::plan(state, at, plan),
        Entry::PlanWithdraw(withdraw) => plan::withdraw(state, at, withdraw),
        Entry::ContactReport(report) => contact_report::report(state, at, report, rows),
        Entry::Suppress(suppress) => suppression::suppress(state, at, suppress, rows),
        Entry::SuppressWithdraw(withdraw) => suppression::withdraw(state, at, withdraw, rows),
        Entry::Share(share) => share::announce(state, at, share),
        Entry::ShareReceived(received) => share::received(state, at, received),
        Entry::Revoke(revoke) => recall::revoke(state, at, revoke),
        Entry::NoticeAck(ack) => recall::acknowledge(state, at, ack),
        Entry::ErasureReceipt(receipt) => recall::receipt(state, at, receipt),
        Entry::NoticeException(exception) => recall::except(state, at, exception),
        Entry::Dispute(dispute) => recall::dispute(state, at, dispute),
        Entry::UseNotice(notice) => use_notice::announce(state, at, notice),
        Entry::CeremonyStart(start) => ceremony::start(state, at, start),
        Entry::CeremonyCommit(commit) => ceremony::commit(state, at, commit),
        Entry::CeremonyDeal(deal) => ceremony::deal(state, at, deal),
        Entry::CeremonyHandOn(sum) => ceremony::hand_on(state, at, sum),
        Entry::CeremonyConfirm(confirm) => ceremony::confirm(state, at, confirm),
        Entry::CeremonyAbandon(abandon) => ceremony::abandon(state, at, abandon),
        Entry::KeyRotation(step) => rotation::step(state, at, step),
        Entry::TokensMoved(moved) => generation::moved(state, at, moved),
        Entry::EvaluationFault(fault) => ceremony::fault(state, at, fault),
        Entry::OverlapAsk(ask) => overlap::ask(state, at, ask),
        Entry::OverlapAgree(agree) => overlap::agree(state, at, agree),
        Entry::OverlapPass(pass) => overlap::pass(state, at, pass),
        Entry::OverlapEnd(end) => overlap::end(state, at, end),
        Entry::Checkpoint(checkpoint) => housekeeping::checkpoint(state, at, checkpoint),
        Entry::Tick(_) => housekeeping::tick(state, at),
        Entry::Leave(_) => parting::leave(state, at),
        Entry::Remove(remove) => parting::propose(state, at, remove),
        Entry::RemoveApprove(approve) => parting::approve(state, at, approve),
        Entry::TwoTruths(said) => two_truths::accuse(state, at, said),
        Entry::QuarantineLift(lift) => two_truths::lift(state, at, lift),
    }
}

fn remember(state: &mut State, at: At, counts: bool) {
    state.seen.put(at.position, at.entry);
    let oldest = state.seen.iter().next().map(|(position, _)| *position);
    if let Some(oldest) = oldest.filter(|_| state.seen.len() > SEEN_KEPT) {
        state.seen.remove(&oldest);
    }
    if counts {
        let mut meta = state.meta();
        meta.counted += 1;
        state.meta.put((), meta);
    }
}

/// Whether a member owes the first checkpoint of a day of log time, so that every member has
/// vouched for the log lately, however little is said.
#[must_use]
pub fn owes_daily_checkpoint(state: &State, node: NodeId) -> bool {
    let today = state.meta().head.log_time.day();
    state
        .active(node)
        .is_some_and(|member| member.checkpoint_day < today)
}

/// Whose turn it is to write a checkpoint of the state as it is now, if anybody's.
#[must_use]
pub fn checkpoint_turn(state: &State) -> Option<NodeId> {
    let counted = state.meta().counted;
    if counted == 0 || !counted.is_multiple_of(CHECKPOINT_EVERY) {
        return None;
    }
    let members: Vec<NodeId> = state.roster().map(|(node, _)| *node).collect();
    let turn = (counted / CHECKPOINT_EVERY) % (members.len() as u64).max(1);
    members.get(usize::try_from(turn).ok()?).copied()
}

/// Rows that an entry of this kind must bring.
fn rows_of<R: crate::entry::payload::Row>(rows: Option<&[u8]>) -> Result<Vec<R>, Void> {
    let bytes = rows.ok_or_else(|| Void::Rows("there are none".to_owned()))?;
    crate::entry::payload::read_rows(bytes).map_err(|error| Void::Rows(error.to_string()))
}

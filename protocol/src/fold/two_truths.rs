//! Who signed two truths, what it may still do, and how that ends. Spec: section 5.16.
//!
//! The proof is in the entry, so no word of anybody is taken: the signatures are checked here, by the
//! keys that count at this position.

use super::{At, Outcome, Void, agreement};
use crate::{
    codec,
    entry::{
        Entry,
        overlap::{End, OverlapAsk},
        two_truths::{Cosigned, QuarantineLift, Truths, TwoTruths},
    },
    id::{CoalitionId, EntryId, Lineage, NodeId},
    identity::{PublicKey, SignedDocument},
    limits::VOUCHED_APART,
    note::{self, TreeHead},
    state::{
        State,
        quarantine::{QuarantineRow, Settled, Twice},
    },
};

/// What keeps two things that somebody signed from being evidence against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoProof {
    /// Somebody else signed it, or nobody did.
    #[error("the accused did not sign both by the key that counts")]
    Unsigned,
    /// Both say the same.
    #[error("both say the same")]
    Same,
    /// Documents of another node, or of two numbers.
    #[error("the documents are not of one number of the accused")]
    Elsewhere,
    /// A node that was set back may have vouched again for a length that it no longer knew of.
    #[error("the heads were cosigned an hour or more apart")]
    Apart,
}

/// Whether a node signed two truths, by its key for statements: what was signed twice, and at which
/// length or number.
///
/// # Errors
/// [`NoProof`] when this is no evidence.
pub fn prove(
    (coalition, lineage): (CoalitionId, Lineage),
    node: NodeId,
    statement_key: Option<PublicKey>,
    truths: &Truths,
) -> Result<(Twice, u64), NoProof> {
    match truths {
        Truths::Heads {
            size,
            first,
            second,
        } => {
            let key = statement_key.ok_or(NoProof::Unsigned)?;
            let signed = |one: &Cosigned| {
                let head = TreeHead {
                    origin: note::origin(coalition, lineage),
                    size: *size,
                    root: one.root,
                };
                head.is_cosigned(&key, one.seconds, &one.signature)
            };
            if first.root == second.root {
                return Err(NoProof::Same);
            }
            if !signed(first) || !signed(second) {
                return Err(NoProof::Unsigned);
            }
            if first.seconds.abs_diff(second.seconds) >= VOUCHED_APART {
                return Err(NoProof::Apart);
            }
            Ok((Twice::Heads, *size))
        }
        Truths::Documents { first, second } => {
            let read = |bytes: &[u8]| {
                let signed: SignedDocument = codec::decode(bytes).ok()?;
                Some((signed.verify_undated().ok()?, signed.document))
            };
            let (one, bytes) = read(first).ok_or(NoProof::Unsigned)?;
            let (other, others) = read(second).ok_or(NoProof::Unsigned)?;
            if one.node_id != node || other.node_id != node || one.seq != other.seq {
                return Err(NoProof::Elsewhere);
            }
            if bytes == others {
                return Err(NoProof::Same);
            }
            Ok((Twice::Documents, one.seq))
        }
    }
}

/// Whether this would quarantine a member at the present position, and why not.
///
/// # Errors
/// [`Void`], as an entry that says it would be.
pub fn judge(state: &State, said: &TwoTruths) -> Result<(Twice, u64), Void> {
    if state.active(said.node).is_none() {
        return Err(Void::Unknown("the member"));
    }
    let known = state.quarantines.get(&said.node);
    if known.is_some_and(|row| row.stands) {
        return Err(Void::Repeated);
    }
    let meta = state.meta();
    let key = agreement::statement_key(state, said.node).map(PublicKey);
    let log = (meta.coalition, meta.head.lineage);
    let (what, number) =
        prove(log, said.node, key, &said.truths).map_err(|why| Void::Signature(why.to_string()))?;
    let settled = known.and_then(|row| row.settled);
    let is_settled = settled.is_some_and(|settled| match what {
        Twice::Heads => number <= settled.size,
        Twice::Documents => number <= settled.serial,
    });
    if is_settled {
        return Err(Void::NotAllowed("the members have decided about this"));
    }
    Ok((what, number))
}

pub(super) fn accuse(state: &mut State, at: At, said: &TwoTruths) -> Result<Outcome, Void> {
    let (what, number) = judge(state, said)?;
    let settled = state
        .quarantines
        .get(&said.node)
        .and_then(|row| row.settled);
    let row = QuarantineRow {
        proof: at.entry,
        position: at.position,
        at: at.time,
        by: at.author,
        what,
        number,
        approvals: Vec::new(),
        settled,
        stands: true,
    };
    state.quarantines.put(said.node, row);
    Ok(Outcome::Done)
}

pub(super) fn lift(state: &mut State, at: At, lift: &QuarantineLift) -> Result<Outcome, Void> {
    let row = standing(state, lift.node)
        .filter(|row| row.proof == lift.proof)
        .ok_or(Void::Unknown("the quarantine"))?;
    if !may_decide(state, lift.node, at.author) {
        return Err(Void::NotAllowed(
            "who signed two truths does not decide about a quarantine",
        ));
    }
    if row.approvals.contains(&at.author) {
        return Err(Void::Repeated);
    }
    if let Some(row) = state.quarantines.get_mut(&lift.node) {
        row.approvals.push(at.author);
    }
    let (agree, needed) = votes(state, lift.node);
    if agree < needed {
        return Ok(Outcome::Done);
    }
    let serial = state.document(lift.node).map_or(0, |document| document.seq);
    if let Some(row) = state.quarantines.get_mut(&lift.node) {
        let known = match row.what {
            Twice::Documents => row.number,
            Twice::Heads => 0,
        };
        let before = row.settled.map_or(0, |settled| settled.serial);
        row.stands = false;
        row.settled = Some(Settled {
            size: at.position,
            serial: serial.max(known).max(before),
        });
    }
    Ok(Outcome::Done)
}

/// The quarantine of a member, while it stands.
#[must_use]
pub fn standing(state: &State, node: NodeId) -> Option<&QuarantineRow> {
    state.quarantines.get(&node).filter(|row| row.stands)
}

/// Whether a member decides about the quarantine of another: not the accused, and nobody of whom the
/// same was proved.
fn may_decide(state: &State, node: NodeId, voter: NodeId) -> bool {
    voter != node && state.active(voter).is_some() && standing(state, voter).is_none()
}

/// How many agree that a member may go on, and how many must: as many as must for a removal.
#[must_use]
pub fn votes(state: &State, node: NodeId) -> (usize, usize) {
    let counts = |voter: &NodeId| may_decide(state, node, *voter);
    let agree = standing(state, node).map_or(0, |row| {
        row.approvals.iter().filter(|voter| counts(voter)).count()
    });
    let others = state.roster().filter(|(voter, _)| counts(voter)).count();
    (agree, super::parting::needed(state, others))
}

/// Who would learn something by a count, who asks for it apart.
fn readers(ask: &OverlapAsk) -> Vec<NodeId> {
    ask.with.iter().chain(&ask.counter).copied().collect()
}

/// Who would learn something by a count that was asked for.
fn of_count(state: &State, overlap: EntryId) -> Vec<NodeId> {
    let row = state.overlaps.get(&overlap);
    row.map_or_else(Vec::new, |row| {
        let mut all = readers(&row.ask);
        all.push(row.asker);
        all
    })
}

/// Refuses what a member may not do, or others not for it, while its quarantine stands. What takes
/// back, suppresses, answers or corrects is never refused.
pub(super) fn must_be_trusted(state: &State, author: NodeId, entry: &Entry) -> Result<(), Void> {
    let asks = matches!(
        entry,
        Entry::Claim(_)
            | Entry::ClaimRenew(_)
            | Entry::Plan(_)
            | Entry::Share(_)
            | Entry::UseNotice(_)
            | Entry::Invite(_)
            | Entry::OverlapAsk(_)
            | Entry::OverlapAgree(_)
            | Entry::OverlapPass(_)
    );
    if asks && standing(state, author).is_some() {
        return Err(Void::Quarantined("its author"));
    }
    let given: Vec<NodeId> = match entry {
        Entry::Share(share) => vec![share.to],
        Entry::OverlapAsk(ask) => readers(ask),
        Entry::OverlapAgree(agree) => of_count(state, agree.overlap),
        Entry::OverlapPass(pass) => of_count(state, pass.overlap),
        Entry::OverlapEnd(end) if matches!(end.how, End::Counted(_)) => {
            of_count(state, end.overlap)
        }
        _ => Vec::new(),
    };
    if given.iter().any(|node| standing(state, *node).is_some()) {
        return Err(Void::Quarantined("who would be given something by it"));
    }
    Ok(())
}

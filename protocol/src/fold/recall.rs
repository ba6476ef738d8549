//! Recall: notices, acknowledgements, receipts, exceptions, disputes. Spec: section 5.9.
//!
//! No agreement stands in the way of recall: nothing but membership, signature and shape.

use super::{At, Outcome, Void, agreement::statement_key, share::is_line};
use crate::{
    codec,
    entry::{
        Entry,
        recall::{APPROVER_BYTES, Dispute, NoticeException, REASON_BYTES},
        share::{
            ERASURE_PREFIX, ErasureReceipt, ErasureResult, ErasureStatement, GROUND_BYTES,
            NoticeAck, ONWARD_NOTICES, Revoke, RevokeKind,
        },
    },
    id::Hash,
    state::{
        State,
        rows::{DisputeKey, DisputeRow, ExceptionRow, NoticeRow, ReceiptRow},
        rules::{Rules, plus_business_days},
    },
    time::{DAY, HOUR, Moment},
};
use ring::signature::{ED25519, UnparsedPublicKey};

pub(super) fn revoke(state: &mut State, at: At, revoke: &Revoke) -> Result<Outcome, Void> {
    let share = state
        .shares
        .get(&revoke.share)
        .ok_or(Void::Unknown("the share"))?;
    if share.from != at.author {
        return Err(Void::NotAllowed("only the sender takes a share back"));
    }
    if revoke.count == 0 || revoke.count > share.announced.count {
        return Err(Void::Bounds("more rows than were shared"));
    }
    let (ack_due, due) = deadlines(state.rules().map(|(_, rules)| rules), at.time, revoke.kind);
    let row = NoticeRow {
        share: revoke.share,
        from: at.author,
        to: share.announced.to,
        kind: revoke.kind,
        count: revoke.count,
        position: at.position,
        at: at.time,
        ack_due,
        due,
        acknowledged: None,
        receipt: None,
        exception: None,
        hash: Entry::from(revoke.clone()).hash(),
        row_refs: revoke.row_refs.clone(),
    };
    state.notices.put(at.entry, row);
    Ok(Outcome::Done)
}

fn deadlines(rules: Option<&Rules>, at: Moment, kind: RevokeKind) -> (Moment, Moment) {
    let acknowledge = rules.map_or(24 * HOUR, |rules| rules.acknowledge_within);
    let due = match kind {
        RevokeKind::Withdrawal | RevokeKind::Objection => {
            plus_business_days(at, rules.map_or(10, |rules| rules.due_business_days))
        }
        RevokeKind::Erasure
        | RevokeKind::Recall
        | RevokeKind::Restriction
        | RevokeKind::Rectification
        | RevokeKind::Lift => at.plus(rules.map_or(30, |rules| i64::from(rules.due_days)) * DAY),
    };
    (at.plus(acknowledge), due)
}

pub(super) fn acknowledge(state: &mut State, at: At, ack: &NoticeAck) -> Result<Outcome, Void> {
    let notice = state
        .notices
        .get_mut(&ack.notice)
        .ok_or(Void::Unknown("the notice"))?;
    if notice.to != at.author {
        return Err(Void::NotAllowed("only the recipient answers a notice"));
    }
    if notice.acknowledged.is_some() {
        return Err(Void::Repeated);
    }
    notice.acknowledged = Some(at.time);
    Ok(Outcome::Done)
}

pub(super) fn receipt(
    state: &mut State,
    at: At,
    receipt: &ErasureReceipt,
) -> Result<Outcome, Void> {
    let statement: ErasureStatement =
        codec::decode(&receipt.statement).map_err(|error| Void::Entry(error.to_string()))?;
    let key = statement_key(state, at.author).ok_or(Void::Unknown("the signer's key"))?;
    let backups = state.longest_backup();
    // What is ordered before its notice finds no notice either.
    let notice = state
        .notices
        .get(&statement.notice)
        .ok_or(Void::Receipt("no notice before it has this id"))?;
    if notice.to != at.author || statement.node != at.author || statement.share != notice.share {
        return Err(Void::Receipt(
            "a receipt is the recipient's, for its own notice",
        ));
    }
    if notice.receipt.is_some() {
        return Err(Void::Repeated);
    }
    check(&statement, notice)?;
    check_onward(state, &statement)?;
    let kept_for = statement.backups_expire_by.since(statement.completed_at);
    // Signed under one agreement and ordered under the next: the longest that ever held.
    if backups.is_some_and(|longest| kept_for > longest) {
        return Err(Void::Receipt("backups hold the rows for too long"));
    }
    if !is_receipt_signed_by(receipt, &key) {
        return Err(Void::Signature(
            "the receipt's signature does not hold".to_owned(),
        ));
    }
    let notice = state
        .notices
        .get_mut(&statement.notice)
        .ok_or(Void::Unknown("the notice"))?;
    notice.acknowledged = notice.acknowledged.or(Some(at.time));
    notice.receipt = Some(ReceiptRow {
        result: statement.result,
        erased: statement.erased,
        at: at.time,
        statement: Hash::of(&receipt.statement),
        retained: statement.retained,
        suppression_kept: statement.suppression_kept,
        onward: statement.onward,
    });
    Ok(Outcome::Done)
}

/// Whether a statement answers its notice and says all that it must say.
fn check(statement: &ErasureStatement, notice: &NoticeRow) -> Result<(), Void> {
    if (statement.notice_position, statement.notice_hash) != (notice.position, notice.hash) {
        return Err(Void::Receipt("it names another notice by place or hash"));
    }
    if statement.erased > notice.count {
        return Err(Void::Bounds("more rows than the notice has"));
    }
    let fits = match statement.result {
        // To erase is an answer to everything that a notice can ask for.
        ErasureResult::Erased => notice.kind != RevokeKind::Lift,
        ErasureResult::NotFound | ErasureResult::Refused => true,
        ErasureResult::PartlyRetained => notice.kind.erases(),
        ErasureResult::Restricted => notice.kind == RevokeKind::Restriction,
        ErasureResult::Rectified => notice.kind == RevokeKind::Rectification,
        ErasureResult::Lifted => notice.kind == RevokeKind::Lift,
    };
    if !fits {
        return Err(Void::Receipt("its result is no answer to this notice"));
    }
    let nothing = matches!(
        statement.result,
        ErasureResult::NotFound | ErasureResult::Refused
    );
    if nothing != (statement.erased == 0) {
        return Err(Void::Receipt("its result does not fit its count of rows"));
    }
    let retained = &statement.retained;
    if (statement.result == ErasureResult::PartlyRetained) == retained.is_empty() {
        return Err(Void::Receipt("what is kept is named, and only then"));
    }
    if !retained.is_sorted_by(|a, b| a.class < b.class) {
        return Err(Void::Receipt("the classes that are kept do not rise"));
    }
    for kept in retained {
        if kept.class.parse::<policy::FieldClass>().is_err() {
            return Err(Void::Receipt("a class that is kept is unknown"));
        }
        if !is_line(&kept.ground, GROUND_BYTES) {
            return Err(Void::Receipt("a class is kept without a ground"));
        }
        if kept.until <= statement.completed_at {
            return Err(Void::Receipt("a class is kept until a day that is past"));
        }
    }
    Ok(())
}

/// Whether the notices that a statement lists as given onward are its author's, to whom it says. One
/// that is not in the log yet stands as pending.
fn check_onward(state: &State, statement: &ErasureStatement) -> Result<(), Void> {
    let onward = &statement.onward;
    let rises = onward.is_sorted_by(|a, b| (a.to, a.notice) < (b.to, b.notice));
    if onward.len() > ONWARD_NOTICES || !rises {
        return Err(Void::Receipt(
            "it lists at most 400 onward notices, by rising recipient and id",
        ));
    }
    for listed in onward {
        let Some(notice) = listed.notice.and_then(|id| state.notices.get(&id)) else {
            if listed.receipt.is_some() {
                return Err(Void::Receipt("an onward receipt answers no notice"));
            }
            continue;
        };
        if (notice.from, notice.to) != (statement.node, listed.to) {
            return Err(Void::Receipt(
                "an onward notice is another's, or to another",
            ));
        }
        let answer = notice.receipt.as_ref().map(|receipt| receipt.statement);
        if listed.receipt.is_some() && listed.receipt != answer {
            return Err(Void::Receipt("an onward receipt is not the one in the log"));
        }
    }
    Ok(())
}

/// Whether a receipt is signed by this statement key.
#[must_use]
pub fn is_receipt_signed_by(receipt: &ErasureReceipt, statement_key: &[u8; 32]) -> bool {
    let signed = [ERASURE_PREFIX, &receipt.statement].concat();
    UnparsedPublicKey::new(&ED25519, statement_key)
        .verify(&signed, &receipt.signature)
        .is_ok()
}

pub(super) fn except(
    state: &mut State,
    at: At,
    exception: &NoticeException,
) -> Result<Outcome, Void> {
    let notice = state
        .notices
        .get_mut(&exception.notice)
        .ok_or(Void::Unknown("the notice"))?;
    if notice.from != at.author {
        return Err(Void::NotAllowed("only the sender of a notice excepts it"));
    }
    if notice.receipt.is_some() || notice.exception.is_some() {
        return Err(Void::Repeated);
    }
    if !is_line(&exception.reason, REASON_BYTES) {
        return Err(Void::Bounds(
            "the reason is one line of plain text of 1 to 500 bytes",
        ));
    }
    if !is_line(&exception.approver, APPROVER_BYTES) {
        return Err(Void::Bounds("the approver is a name of 1 to 120 bytes"));
    }
    notice.exception = Some(ExceptionRow {
        kind: exception.kind,
        reason: exception.reason.clone(),
        approver: exception.approver.clone(),
        at: at.time,
    });
    Ok(Outcome::Done)
}

pub(super) fn dispute(state: &mut State, at: At, dispute: &Dispute) -> Result<Outcome, Void> {
    let share = state
        .shares
        .get(&dispute.share)
        .ok_or(Void::Unknown("the share"))?;
    if share.announced.to != at.author {
        return Err(Void::NotAllowed("only the recipient disputes a share"));
    }
    if dispute.count > share.announced.count {
        return Err(Void::Bounds("more rows than were shared"));
    }
    let from = share.from;
    let key = DisputeKey {
        share: dispute.share,
        code: dispute.code,
    };
    if dispute.count > 0 {
        if state.disputes.has(&key) {
            return Err(Void::Repeated);
        }
        let row = DisputeRow {
            from,
            by: at.author,
            count: dispute.count,
            at: at.time,
            settled: None,
        };
        state.disputes.put(key, row);
        return Ok(Outcome::Done);
    }
    let open = state.disputes.get(&key).copied();
    let open = open.ok_or(Void::Unknown("the dispute"))?;
    if open.settled.is_some() {
        return Err(Void::Repeated);
    }
    let settled = DisputeRow {
        settled: Some(at.time),
        ..open
    };
    state.disputes.put(key, settled);
    Ok(Outcome::Done)
}

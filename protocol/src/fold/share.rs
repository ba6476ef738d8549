//! Shares, their recall and the receipts. Spec: sections 5.8 and 5.9.
//!
//! Announcing is bound to the agreement in force. Recall is not: nothing but membership, signature
//! and shape stands in its way.

use super::{At, Outcome, Void, agreement::statement_key};
use crate::{
    codec,
    entry::share::{
        Consideration, ERASURE_PREFIX, EVIDENCE_BYTES, ErasureReceipt, ErasureStatement, NoticeAck,
        Revoke, RevokeKind, Share, ShareReceived,
    },
    id::Hash,
    state::{
        State,
        rows::{NoticeRow, ReceiptRow, Received, ShareRow},
        rules::{Rules, plus_business_days},
    },
    time::{DAY, HOUR, Moment},
};
use ring::signature::{ED25519, UnparsedPublicKey};

/// The most persons of one share.
pub const SHARE_ROWS: u64 = 1_000_000;

pub(super) fn announce(state: &mut State, at: At, share: &Share) -> Result<Outcome, Void> {
    let (hash, agreement) = state.agreement().ok_or(Void::Agreement)?;
    if hash != share.agreement {
        return Err(Void::Agreement);
    }
    if !agreement.has(at.author) || !agreement.has(share.to) || share.to == at.author {
        return Err(Void::NotAllowed("a share goes from one party to another"));
    }
    if share.count == 0 || share.count > SHARE_ROWS {
        return Err(Void::Bounds("a share has 1 to 1,000,000 persons"));
    }
    if share.purpose.parse::<policy::facts::Purpose>().is_err() {
        return Err(Void::Unknown("the purpose"));
    }
    let fields: Result<Vec<policy::facts::FieldClass>, _> =
        share.fields.iter().map(|field| field.parse()).collect();
    if !fields.is_ok_and(|fields| !fields.is_empty()) || !share.fields.is_sorted_by(|a, b| a < b) {
        return Err(Void::Unknown("the field classes"));
    }
    check(&share.consideration)?;
    let row = ShareRow {
        from: at.author,
        announced: share.clone(),
        position: at.position,
        at: at.time,
        received: None,
    };
    state.shares.put(at.entry, row);
    Ok(Outcome::Done)
}

fn check(consideration: &Consideration) -> Result<(), Void> {
    let kind: Result<policy::Consideration, _> = consideration.kind.parse();
    let kind = kind.map_err(|_| Void::Unknown("the consideration"))?;
    let evidence = consideration.evidence.as_deref();
    let fits = |text: &str| {
        (1..=EVIDENCE_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
    };
    if evidence.is_some_and(|text| !fits(text)) {
        return Err(Void::Bounds("the evidence is an id of 1 to 100 bytes"));
    }
    if evidence.is_none() && kind != policy::Consideration::None {
        return Err(Void::NotAllowed(
            "what is given for a share is proved by an id",
        ));
    }
    Ok(())
}

pub(super) fn received(
    state: &mut State,
    at: At,
    received: &ShareReceived,
) -> Result<Outcome, Void> {
    let share = state
        .shares
        .get_mut(&received.share)
        .ok_or(Void::Unknown("the share"))?;
    if share.announced.to != at.author {
        return Err(Void::NotAllowed("only the recipient answers a share"));
    }
    if share.received.is_some() {
        return Err(Void::Repeated);
    }
    if received.accepted.saturating_add(received.dropped) > share.announced.count {
        return Err(Void::Bounds("more persons than were sent"));
    }
    share.received = Some(Received {
        accepted: received.accepted,
        dropped: received.dropped,
        at: at.time,
    });
    Ok(Outcome::Done)
}

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
        RevokeKind::Erasure | RevokeKind::Recall => {
            at.plus(rules.map_or(30, |rules| i64::from(rules.due_days)) * DAY)
        }
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
    let notice = state
        .notices
        .get_mut(&statement.notice)
        .ok_or(Void::Unknown("the notice"))?;
    if notice.to != at.author || statement.node != at.author || statement.share != notice.share {
        return Err(Void::NotAllowed(
            "a receipt is the recipient's, for its own notice",
        ));
    }
    if notice.receipt.is_some() {
        return Err(Void::Repeated);
    }
    if statement.erased > notice.count {
        return Err(Void::Bounds("more rows than were taken back"));
    }
    if !is_receipt_signed_by(receipt, &key) {
        return Err(Void::Signature(
            "the receipt's signature does not hold".to_owned(),
        ));
    }
    notice.acknowledged = notice.acknowledged.or(Some(at.time));
    notice.receipt = Some(ReceiptRow {
        result: statement.result,
        erased: statement.erased,
        at: at.time,
        statement: Hash::of(&receipt.statement),
    });
    Ok(Outcome::Done)
}

/// Whether a receipt is signed by this statement key.
#[must_use]
pub fn is_receipt_signed_by(receipt: &ErasureReceipt, statement_key: &[u8; 32]) -> bool {
    let signed = [ERASURE_PREFIX, &receipt.statement].concat();
    UnparsedPublicKey::new(&ED25519, statement_key)
        .verify(&signed, &receipt.signature)
        .is_ok()
}

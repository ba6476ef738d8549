//! Shares and the answers to them, bound to the agreement in force. Spec: section 5.8.

use super::{At, Outcome, Void};
use crate::{
    entry::share::{Consideration, EVIDENCE_BYTES, Share, ShareReceived},
    state::{
        State,
        rows::{Received, ShareRow},
    },
};

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
    if state.active(share.to).is_none() {
        return Err(Void::NotAllowed("the recipient is not a member any more"));
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

/// Whether a text is one line of plain text: not empty, no longer than so many bytes, without
/// characters that are hidden or turn the text around.
#[must_use]
pub fn is_line(text: &str, bytes: usize) -> bool {
    (1..=bytes).contains(&text.len()) && !text.chars().any(crate::identity::is_hidden)
}

fn check(consideration: &Consideration) -> Result<(), Void> {
    let kind: Result<policy::Consideration, _> = consideration.kind.parse();
    let kind = kind.map_err(|_| Void::Unknown("the consideration"))?;
    let evidence = consideration.evidence.as_deref();
    if evidence.is_some_and(|text| !is_line(text, EVIDENCE_BYTES)) {
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

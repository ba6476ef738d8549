//! Contact reports of any age: the latest moments of each kind are kept. Spec: section 5.6.

use super::{At, Outcome, Void, rows_of};
use crate::{
    entry::{
        contact_report::ContactReport,
        payload::{ContactEffect, ContactRow},
    },
    state::{State, rows::ContactKey},
    time::DAY,
};

pub(super) fn report(
    state: &mut State,
    at: At,
    report: &ContactReport,
    rows: Option<&[u8]>,
) -> Result<Outcome, Void> {
    let (_, agreement) = state.agreement().ok_or(Void::Agreement)?;
    if !agreement.has(at.author) {
        return Err(Void::NotAllowed("only a party to the agreement reports"));
    }
    super::generation::may_say(state, report.generation)?;
    let rows: Vec<ContactRow> = rows_of(rows)?;
    // A day's report may be stamped with the day's end, in any time zone.
    if rows.iter().any(|row| row.at > at.time.plus(2 * DAY)) {
        return Err(Void::Bounds("a contact lies in the future"));
    }
    for row in rows {
        let key = ContactKey {
            token: row.token,
            channel: report.channel,
            node: at.author,
        };
        let reached = row.effect == ContactEffect::Contact;
        let mut times = state.contacts.get(&key).cloned().unwrap_or_default();
        times.add(row.at, reached, at.time);
        times.generation = report.generation;
        state.contacts.put(key, times);
    }
    Ok(Outcome::Done)
}

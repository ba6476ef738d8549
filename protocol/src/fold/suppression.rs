//! Suppressions: each organization's own assertions, added and taken back. Spec: section 5.7.
//!
//! No policy and no agreement stands in their way: membership, signature and shape are all that
//! counts.

use super::{At, Outcome, Void, rows_of};
use crate::{
    entry::{
        payload::SuppressionRow,
        suppression::{Suppress, SuppressWithdraw},
    },
    state::State,
};

/// The rows of an assertion: tokens, channels and whether somebody died have a fixed width, so a name,
/// an opinion or any free text is no row.
fn assertions(rows: Option<&[u8]>) -> Result<Vec<SuppressionRow>, Void> {
    rows_of(rows).map_err(|error| match error {
        Void::Rows(why) => Void::Suppression(why),
        other => other,
    })
}

pub(super) fn suppress(
    state: &mut State,
    at: At,
    entry: &Suppress,
    rows: Option<&[u8]>,
) -> Result<Outcome, Void> {
    super::generation::may_say(state, entry.generation)?;
    let rows = assertions(rows)?;
    for row in rows {
        let key = (row.token, at.author);
        let mut assertion = state.suppressions.get(&key).copied().unwrap_or_default();
        if assertion.channels.is_empty() && !assertion.deceased {
            assertion.since = at.time;
        }
        assertion.generation = entry.generation;
        assertion.channels = assertion.channels.with(row.channels);
        assertion.deceased |= row.deceased;
        state.suppressions.put(key, assertion);
    }
    Ok(Outcome::Done)
}

pub(super) fn withdraw(
    state: &mut State,
    at: At,
    entry: &SuppressWithdraw,
    rows: Option<&[u8]>,
) -> Result<Outcome, Void> {
    super::generation::may_say(state, entry.generation)?;
    let rows = assertions(rows)?;
    for row in rows {
        let key = (row.token, at.author);
        let Some(assertion) = state.suppressions.get_mut(&key) else {
            continue;
        };
        assertion.channels = assertion.channels.without(row.channels);
        assertion.deceased &= !row.deceased;
        if assertion.channels.is_empty() && !assertion.deceased {
            state.suppressions.remove(&key);
        }
    }
    Ok(Outcome::Done)
}

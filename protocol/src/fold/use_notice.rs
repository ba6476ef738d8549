//! Uses of shared rows: announced, and no more than the agreement allows. Spec: section 5.8.

use super::{At, Outcome, Void};
use crate::{
    entry::use_notice::UseNotice,
    id::EntryId,
    state::{
        State,
        rows::UseRow,
        uses::{USE_PERIOD, USES_AHEAD},
    },
};

pub(super) fn announce(state: &mut State, at: At, notice: &UseNotice) -> Result<Outcome, Void> {
    let rules = state.rules().ok_or(Void::Agreement)?.1.clone();
    let share = state
        .shares
        .get(&notice.share)
        .ok_or(Void::Unknown("the share"))?;
    if share.announced.to != at.author {
        return Err(Void::NotAllowed("only the recipient uses a share"));
    }
    let from = notice.from.max(at.time.plus(rules.notice));
    if from > at.time.plus(USES_AHEAD) {
        return Err(Void::Bounds("a use begins within the next 90 days"));
    }
    if share.announced.expires.is_some_and(|end| end <= from) {
        return Err(Void::TooLate);
    }
    if state
        .room_for_use(&rules, notice.share)
        .is_some_and(|room| from < room)
    {
        return Err(Void::Bounds(
            "the rows of the share were used as often as the agreement allows",
        ));
    }
    // What no period holds any more is not counted again.
    let past: Vec<(EntryId, EntryId)> = state
        .uses_of(notice.share)
        .filter(|(_, row)| row.from.plus(USE_PERIOD) <= at.time)
        .map(|(id, _)| (notice.share, id))
        .collect();
    for key in past {
        state.uses.remove(&key);
    }
    let row = UseRow { from, at: at.time };
    state.uses.put((notice.share, at.entry), row);
    Ok(Outcome::Done)
}

//! Uses of shared rows that were announced, and how many more there may be. Spec: section 5.8.

use super::{State, rows::UseRow, rules::Rules};
use crate::{
    id::EntryId,
    time::{DAY, Moment},
};

/// The agreement limits the uses of one share in so long.
pub const USE_PERIOD: i64 = 365 * DAY;
/// A use lasts so long from its beginning: what is taken out of the node in it is one use.
pub const USE_LASTS: i64 = 7 * DAY;
/// A use begins at most so long after it is announced.
pub const USES_AHEAD: i64 = 90 * DAY;

impl State {
    /// The announced uses of a share, with the entries that announced them.
    pub fn uses_of(&self, share: EntryId) -> impl Iterator<Item = (EntryId, &UseRow)> {
        let range = (share, EntryId([0; 16]))..=(share, EntryId([0xff; 16]));
        self.uses.range(range).map(|((_, id), row)| (*id, row))
    }

    /// The use of a share that goes on at a moment.
    #[must_use]
    pub fn use_at(&self, share: EntryId, now: Moment) -> Option<&UseRow> {
        let mut uses = self.uses_of(share);
        uses.find_map(|(_, row)| (row.from <= now && now < row.from.plus(USE_LASTS)).then_some(row))
    }

    /// How many more uses of a share may begin at a moment.
    #[must_use]
    pub fn uses_left(&self, rules: &Rules, share: EntryId, from: Moment) -> u64 {
        let uses = self.uses_of(share);
        let counted = uses.filter(|(_, row)| row.from.plus(USE_PERIOD) > from);
        u64::from(rules.use_limit).saturating_sub(counted.count() as u64)
    }

    /// When a share may be used once more, where uses fill its period; those announced ahead count.
    #[must_use]
    pub fn room_for_use(&self, rules: &Rules, share: EntryId) -> Option<Moment> {
        let limit = usize::try_from(rules.use_limit).ok()?;
        let mut begins: Vec<Moment> = self.uses_of(share).map(|(_, row)| row.from).collect();
        begins.sort_unstable_by(|a, b| b.cmp(a));
        let leaves = begins.get(limit.saturating_sub(1))?;
        Some(leaves.plus(USE_PERIOD))
    }
}

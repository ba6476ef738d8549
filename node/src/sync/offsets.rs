//! How far the keepers' clocks differ from this node's.

use protocol::id::NodeId;
use std::{collections::BTreeMap, sync::Mutex};

/// The most that an own clock is corrected by for one keeper: a day.
const OFFSET_LIMIT: i64 = 24 * protocol::time::HOUR;

/// How far each keeper's clock differs from this node's, in milliseconds.
#[derive(Debug, Default)]
pub struct Offsets {
    used: Mutex<BTreeMap<NodeId, i64>>,
    last: Mutex<Option<i64>>,
}

impl Offsets {
    pub(super) fn of(&self, keeper: NodeId) -> i64 {
        self.used
            .lock()
            .map_or(0, |offsets| offsets.get(&keeper).copied().unwrap_or(0))
    }

    /// How far the keeper that answered last was ahead of this node's clock, in milliseconds; nothing
    /// before any did.
    pub fn at_last_contact(&self) -> Option<i64> {
        self.last.lock().ok().and_then(|last| *last)
    }

    /// Notes how far a keeper's clock was ahead in an answer that it signed.
    pub(super) fn heard(&self, ahead: i64) {
        if let Ok(mut last) = self.last.lock() {
            *last = Some(ahead);
        }
    }

    pub(super) fn set(&self, keeper: NodeId, offset: i64) {
        if let Ok(mut offsets) = self.used.lock() {
            offsets.insert(keeper, offset.clamp(-OFFSET_LIMIT, OFFSET_LIMIT));
        }
    }
}

//! How long this node's document still counts, for those who look after the node.

use crate::app::App;
use protocol::time::{DAY, Moment};
use serde::Serialize;

/// A document that still was not renewed so long before its end is a matter for a person.
const WARN_BEFORE: i64 = 14 * DAY;

/// How this node's document stands.
#[derive(Debug, Serialize)]
pub struct Standing {
    /// Its number.
    pub seq: u64,
    /// Until when it counts, by log time.
    pub valid_until: Moment,
    /// It should have been renewed already, and runs out within 14 days.
    pub ends_soon: bool,
    /// It has run out.
    pub ended: bool,
    /// The next one was handed out for another member to carry, and the log has not shown it yet.
    pub handed_out: bool,
}

/// How this node's document stands at a log time, or by its own clock if that is later.
#[must_use]
pub fn of(app: &App, log_time: Moment) -> Standing {
    let (document, now) = (app.identity(), log_time.max(app.now()));
    let left = document.valid_until.since(now);
    Standing {
        seq: document.seq,
        valid_until: document.valid_until,
        ends_soon: (0..WARN_BEFORE).contains(&left),
        ended: left < 0,
        handed_out: matches!(app.keys().next, Some((None, _))),
    }
}

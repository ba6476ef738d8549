//! Who was passed rows on by a recipient of this organization, as its receipts say, and how it stands
//! there: the notices and answers are in the log, so that nobody has to tell it twice.

use super::view::progress;
use crate::coalition::members;
use protocol::{
    id::{EntryId, NodeId},
    state::{State, rows::NoticeRow},
    time::Moment,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// The most that one notice lists.
const LISTED: usize = 1_000;

/// An organization that was passed rows on, and whether it has confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Onward {
    /// Its node.
    pub to: NodeId,
    /// Its name.
    pub name: String,
    /// The name of whoever passed the rows on, and gave it the notice.
    pub by: String,
    /// The notice; absent while the share itself had not been announced.
    pub notice: Option<EntryId>,
    /// Rows of the notice.
    pub rows: Option<u64>,
    /// `queued`, `told`, `acknowledged`, `excepted`, or what its receipt says.
    pub state: &'static str,
    /// Whether an answer is late, in log time.
    pub overdue: bool,
    /// When its receipt was ordered, in log time.
    pub receipt_at: Option<Moment>,
}

/// Everybody whom the receipt of a notice names, and whom theirs name in turn.
#[must_use]
pub fn of(state: &State, notice: &NoticeRow) -> Vec<Onward> {
    let now = state.meta().head.log_time;
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = vec![notice];
    while let Some(notice) = next.pop() {
        let by = members::name(state, notice.to);
        let listed = notice.receipt.iter().flat_map(|receipt| &receipt.onward);
        for listed in listed {
            let known = listed.notice.and_then(|id| state.notices.get(&id));
            if found.len() >= LISTED || !seen.insert((listed.to, listed.notice)) {
                continue;
            }
            next.extend(known);
            let receipt = known.and_then(|row| row.receipt.as_ref());
            found.push(Onward {
                to: listed.to,
                name: members::name(state, listed.to),
                by: by.clone(),
                notice: listed.notice,
                rows: known.map(|row| row.count),
                state: known.map_or("queued", progress),
                overdue: known.is_some_and(|row| row.is_overdue(now)),
                receipt_at: receipt.map(|receipt| receipt.at),
            });
        }
    }
    found
}

impl Onward {
    /// How it stands, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let state = if self.overdue {
            "late with its confirmation"
        } else {
            match self.state {
                "queued" | "told" | "acknowledged" => "not confirmed yet",
                "excepted" => "nobody waits for its confirmation any more",
                other => other,
            }
        };
        format!(
            "{} passed it on to {}: {}",
            self.by,
            self.name,
            state.replace('_', " ")
        )
    }
}

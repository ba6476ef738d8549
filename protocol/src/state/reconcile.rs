//! Double entry: what senders announced against what recipients answered, and what comes of shares
//! that keep holding too much. Spec: sections 5.8 and 5.9.

use super::{State, rows::Received};
use crate::{
    entry::recall::DisputeCode,
    id::{EntryId, NodeId},
    time::{HOUR, Moment},
};
use std::collections::{BTreeMap, BTreeSet};

/// A share whose two ends do not agree.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OneSided {
    /// The share.
    pub share: EntryId,
    /// The sender.
    pub from: NodeId,
    /// The recipient.
    pub to: NodeId,
    /// Where it was announced.
    pub position: u64,
    /// When, in log time.
    pub at: Moment,
    /// Persons announced.
    pub announced: u64,
    /// Persons that the recipient says it took; absent without an answer.
    pub accepted: Option<u64>,
    /// Persons that the recipient says it dropped.
    pub dropped: Option<u64>,
    /// What is wrong.
    pub why: Difference,
}

/// In what two ends of a share differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// The recipient has not answered in time.
    Unanswered,
    /// Taken and dropped do not add up to what was announced.
    Numbers,
}

/// Open disputes over too much in shares of one sender, at one recipient, that suspend the flow between them.
pub const SUSPENDING_DISPUTES: usize = 2;

/// Within what time a share is answered where no agreement says it.
const ANSWER_WITHIN: i64 = 24 * HOUR;

impl State {
    /// Senders and recipients between whom nothing new flows at a moment of log time: as many disputes
    /// as suspend are open about shares that held too much.
    #[must_use]
    pub fn suspended_flows(&self, now: Moment) -> BTreeSet<(NodeId, NodeId)> {
        let mut open: BTreeMap<(NodeId, NodeId), usize> = BTreeMap::new();
        for (key, row) in self.disputes.iter() {
            let is_open = row.at <= now && row.settled.is_none_or(|settled| settled > now);
            if key.code == DisputeCode::Overshare && is_open {
                *open.entry((row.from, row.by)).or_default() += 1;
            }
        }
        let suspends = |(_, count): &(_, usize)| *count >= SUSPENDING_DISPUTES;
        open.into_iter()
            .filter(suspends)
            .map(|(pair, _)| pair)
            .collect()
    }

    /// Every share whose two ends do not agree at a moment of log time, in log order.
    #[must_use]
    pub fn one_sided(&self, now: Moment) -> Vec<OneSided> {
        let within = self
            .rules()
            .map_or(ANSWER_WITHIN, |(_, rules)| rules.acknowledge_within);
        let mut found: Vec<OneSided> = self
            .shares
            .iter()
            .filter_map(|(share, row)| {
                let announced = row.announced.count;
                let why = match row.received {
                    None if now > row.at.plus(within) => Difference::Unanswered,
                    Some(Received {
                        accepted, dropped, ..
                    }) if accepted.saturating_add(dropped) != announced => Difference::Numbers,
                    _ => return None,
                };
                Some(OneSided {
                    share: *share,
                    from: row.from,
                    to: row.announced.to,
                    position: row.position,
                    at: row.at,
                    announced,
                    accepted: row.received.map(|received| received.accepted),
                    dropped: row.received.map(|received| received.dropped),
                    why,
                })
            })
            .collect();
        found.sort_by_key(|share| share.position);
        found
    }
}

//! How often one person was contacted, by everybody and on every channel together. Spec: section 5.6.
//!
//! The agreement caps it. Tokens do not say whose they are, so the fold counts per contact point;
//! an organization, which knows which points are one person's, asks about all of them together.

use super::{State, rows::ContactTimes, rules::Rules};
use crate::{
    id::NodeId,
    time::{DAY, HOUR, Moment},
    token::Token,
};
use std::ops::RangeInclusive;

/// So many moments of one organization at one point and channel are kept: no cap is greater.
pub const MOMENTS_KEPT: usize = 100;
/// What one organization did at one point on one channel within so long is one contact: several
/// people met at one door.
pub const VISIT: i64 = HOUR;
/// Moments older than this are dropped, but for the latest: no window and no cap reaches further.
pub const KEPT_DAYS: i64 = 365;

impl ContactTimes {
    /// Notes an attempt, and whether somebody was reached. `now` is log time.
    pub fn add(&mut self, at: Moment, reached: bool, now: Moment) {
        note(&mut self.attempts, at, now);
        if reached {
            note(&mut self.contacts, at, now);
        }
    }

    /// The moments that count: of attempts, or of contacts alone.
    #[must_use]
    pub fn counted(&self, attempts_count: bool) -> &[Moment] {
        if attempts_count {
            &self.attempts
        } else {
            &self.contacts
        }
    }

    /// The latest moment that counts.
    #[must_use]
    pub fn latest(&self, attempts_count: bool) -> Option<Moment> {
        self.counted(attempts_count).last().copied()
    }
}

/// The beginnings of visits among moments in rising order.
fn visits(moments: &[Moment]) -> impl Iterator<Item = Moment> {
    let mut began: Option<Moment> = None;
    moments.iter().copied().filter(move |moment| {
        let same = began.is_some_and(|began| *moment < began.plus(VISIT));
        if !same {
            began = Some(*moment);
        }
        !same
    })
}

/// Notes a moment once, however often it is reported.
fn note(moments: &mut Vec<Moment>, at: Moment, now: Moment) {
    if let Err(place) = moments.binary_search(&at) {
        moments.insert(place, at);
    }
    let oldest = now.plus(-KEPT_DAYS * DAY);
    let last = moments.len().saturating_sub(1);
    let old = moments.partition_point(|moment| *moment < oldest).min(last);
    let many = moments.len().saturating_sub(MOMENTS_KEPT);
    moments.drain(..old.max(many));
}

impl State {
    /// When contact points of one person have room under the agreement's cap again, where they had
    /// none at a moment: so many contacts there, by anybody on any channel, lie in the cap's days
    /// before it.
    ///
    /// Contacts of the asking organization count like all others.
    #[must_use]
    pub fn capped(&self, rules: &Rules, points: &[Token], at: Moment) -> Option<Moment> {
        let cap = usize::try_from(rules.cap_contacts).ok()?;
        let since = at.plus(-rules.cap_window);
        let mut lately: Vec<Moment> = Vec::new();
        for (place, token) in points.iter().enumerate() {
            if points.iter().take(place).any(|known| known == token) {
                continue;
            }
            for (_, times) in self.contacts.range(everybody_at(*token)) {
                let visits = visits(times.counted(rules.attempts_count));
                lately.extend(visits.filter(|visit| *visit > since));
            }
        }
        if lately.len() < cap {
            return None;
        }
        // There is room once the latest contacts but one fewer than the cap are all that is left.
        lately.sort_unstable_by(|a, b| b.cmp(a));
        let leaves = lately.get(cap.saturating_sub(1))?;
        Some(leaves.plus(rules.cap_window))
    }
}

fn everybody_at(token: Token) -> RangeInclusive<super::rows::ContactKey> {
    let key = |channel, node| super::rows::ContactKey {
        token,
        channel,
        node: NodeId(node),
    };
    let [first, .., last] = crate::channel::Channel::ALL;
    key(first, [0; 32])..=key(last, [0xff; 32])
}

//! The numbers of an agreement that the fold reads, kept beside its signed text.

use crate::{
    channel::Channel,
    time::{DAY, HOUR, Moment},
};
use minicbor::{Decode, Encode};

/// The agreement's numbers, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Rules {
    /// For how long after an ally's contact others stay away, per channel in the order of
    /// [`Channel::ALL`].
    #[n(0)]
    pub recontact: [i64; 4],
    /// Whether an attempt that reached nobody counts as a contact.
    #[n(1)]
    pub attempts_count: bool,
    /// The longest window of a claim, per channel.
    #[n(2)]
    pub claim_longest: [i64; 4],
    /// A claim lapses this long after its last sign of life.
    #[n(3)]
    pub claim_lapse: i64,
    /// How soon a recipient must stop using rows that are taken back.
    #[n(4)]
    pub acknowledge_within: i64,
    /// Business days for a withdrawal or objection.
    #[n(5)]
    pub due_business_days: u16,
    /// Days for an erasure or recall.
    #[n(6)]
    pub due_days: u16,
    /// Points of each class (door, phone, email, person) that a member may have evaluated.
    #[n(7)]
    pub token_budget: [u64; 4],
    /// Percent of the members that stay that must agree before another one is removed.
    #[n(8)]
    pub removal_percent: u32,
    /// The most contacts with one person, by all members and on all channels, ...
    #[n(9)]
    pub cap_contacts: u32,
    /// ... within so long.
    #[n(10)]
    pub cap_window: i64,
    /// How often a recipient may use the rows of one share in a year.
    #[n(11)]
    pub use_limit: u32,
    /// How long before a use its recipient announces it.
    #[n(12)]
    pub notice: i64,
    /// How long after an erasure a backup may still hold the row.
    #[n(13)]
    pub backup: i64,
    /// How long keepers store a blob.
    #[n(14)]
    pub blob_ttl: i64,
    /// The least count about people that is told.
    #[n(15)]
    pub min_cell: u64,
}

fn of(channel: Channel, values: [i64; 4]) -> i64 {
    let [door, phone, text, email] = values;
    match channel {
        Channel::Door => door,
        Channel::Phone => phone,
        Channel::Text => text,
        Channel::Email => email,
    }
}

impl Rules {
    /// The numbers of some terms.
    #[must_use]
    pub fn of(terms: &policy::terms::Terms) -> Self {
        let params = &terms.params;
        let days = |per: &policy::terms::PerChannel| {
            [per.door, per.phone, per.text, per.email].map(|days| i64::from(days) * DAY)
        };
        Self {
            recontact: days(&params.recontact_days),
            attempts_count: params.attempts_open_window,
            claim_longest: days(&params.claim_days_max),
            claim_lapse: i64::from(params.renewal_hours + params.grace_hours) * HOUR,
            acknowledge_within: i64::from(params.ack_hours) * HOUR,
            due_business_days: u16::try_from(params.due_business_days_channels).unwrap_or(u16::MAX),
            due_days: u16::try_from(params.due_days_erasure).unwrap_or(u16::MAX),
            token_budget: {
                let budget = &params.token_budget;
                [budget.door, budget.phone, budget.email, budget.person]
            },
            removal_percent: params.quorum.removal_percent,
            cap_contacts: params.contact_cap.contacts,
            cap_window: i64::from(params.contact_cap.days) * DAY,
            use_limit: params.use_limit,
            notice: i64::from(params.notice_hours) * HOUR,
            backup: i64::from(params.backup_days) * DAY,
            blob_ttl: i64::from(params.blob_ttl_days) * DAY,
            min_cell: u64::from(params.min_cell),
        }
    }

    /// The recontact window of a channel, in milliseconds.
    #[must_use]
    pub fn recontact(&self, channel: Channel) -> i64 {
        of(channel, self.recontact)
    }

    /// The longest claim on a channel, in milliseconds.
    #[must_use]
    pub fn claim_longest(&self, channel: Channel) -> i64 {
        of(channel, self.claim_longest)
    }
}

/// A moment some business days (Monday to Friday, UTC) later.
#[must_use]
pub fn plus_business_days(from: Moment, days: u16) -> Moment {
    let mut moment = from;
    for _ in 0..days {
        moment = moment.plus(DAY);
        // 1970-01-01 was a Thursday: day 2 of the epoch is a Saturday, day 3 a Sunday.
        while matches!(moment.0.div_euclid(DAY).rem_euclid(7), 2 | 3) {
            moment = moment.plus(DAY);
        }
    }
    moment
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-25 was a Wednesday.
    const WEDNESDAY: Moment = Moment(1_795_564_800_000);

    #[test]
    fn ten_business_days_from_a_wednesday_are_two_weeks() {
        assert_eq!(plus_business_days(WEDNESDAY, 10), WEDNESDAY.plus(14 * DAY));
    }

    #[test]
    fn a_weekend_does_not_count() {
        let friday = WEDNESDAY.plus(2 * DAY);
        assert_eq!(plus_business_days(friday, 1), friday.plus(3 * DAY));
        let saturday = WEDNESDAY.plus(3 * DAY);
        assert_eq!(plus_business_days(saturday, 1), saturday.plus(2 * DAY));
    }
}

//! From a record to the one clause that a cell rests on.
//!
//! Clauses never borrow from each other: a person who agreed to phone for one purpose and to an
//! ally for another agreed to neither for both.

use super::{Days, Event, EventState, PurposeClause, Record};
use crate::{
    facts::{Basis, ConsentState, FieldClass},
    flow::{Flow, Party},
};
use std::borrow::Cow;

/// What one clause says about one cell: the facts that rules read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clause {
    /// What the consent amounts to now.
    pub state: ConsentState,
    /// Whether it is given and its time is not over.
    pub in_force: bool,
    /// Whether it names the purpose.
    pub purpose: bool,
    /// Whether it names the recipient.
    pub recipient: bool,
    /// Whether it names the channel.
    pub channel: bool,
    /// Whether it names the class of fields.
    pub field: bool,
    /// Whether the agreement to the channel is in writing.
    pub written: bool,
    /// Whether the person agreed explicitly to the use of special categories.
    pub explicit_special: bool,
    /// Whether a recipient may pass the row on.
    pub onward: bool,
}

impl Clause {
    /// Nothing is known: what a row without a record has.
    pub const UNKNOWN: Self = Self {
        state: ConsentState::Unknown,
        in_force: false,
        purpose: false,
        recipient: false,
        channel: false,
        field: false,
        written: false,
        explicit_special: false,
        onward: false,
    };

    /// Everything was agreed to; only for asking what would be if.
    pub(crate) const FULL: Self = Self {
        state: ConsentState::Given,
        in_force: true,
        purpose: true,
        recipient: true,
        channel: true,
        field: true,
        written: true,
        explicit_special: true,
        onward: true,
    };

    /// A number in which the parts that are asked for, by bit from the state on, are told apart.
    pub(crate) fn code(self, parts: u32) -> u32 {
        let bits = [
            self.in_force,
            self.purpose,
            self.recipient,
            self.channel,
            self.field,
            self.written,
            self.explicit_special,
            self.onward,
        ];
        let flags = bits
            .into_iter()
            .rev()
            .fold(0, |code, bit| (code | u32::from(bit)) << 1);
        let state = (self.state as u32) << (bits.len() + 1);
        (flags & parts) | if parts & 1 == 1 { state } else { 0 }
    }

    fn score(self) -> (bool, u8) {
        let parts = [
            self.recipient,
            self.channel,
            self.field,
            self.in_force,
            self.written,
        ];
        (self.purpose, parts.into_iter().map(u8::from).sum())
    }
}

/// What the events amount to at one moment, before any clause is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Given, withdrawn, and so on.
    pub state: ConsentState,
    /// When it was given or last confirmed.
    since: i64,
}

impl Record {
    /// Folds the events: the last valid one decides.
    ///
    /// A giving event in the future does not count; a withdrawal dated in the future counts at
    /// once. Of two events at one moment the stricter one wins.
    #[must_use]
    pub fn standing(&self, now_ms: i64) -> Standing {
        let mut standing = Standing {
            state: ConsentState::Unknown,
            since: 0,
        };
        if !matches!(self.lawful_basis, Basis::Consent | Basis::ExplicitConsent) {
            return standing;
        }
        let gives =
            |event: &Event| matches!(event.event_state, EventState::Given | EventState::Confirmed);
        let mut events: Vec<&Event> = self.events.iter().collect();
        events.retain(|event| !gives(event) || event.event_time <= now_ms);
        events.sort_by_key(|event| (event.event_time, !gives(event)));
        for event in events {
            let state = match event.event_state {
                EventState::Given => state_of(event, now_ms),
                EventState::Confirmed if standing.state == ConsentState::Unknown => continue,
                EventState::Confirmed if is_over(standing.state) => continue,
                EventState::Confirmed => state_of(event, now_ms),
                EventState::Refused => ConsentState::Refused,
                EventState::Withdrawn => ConsentState::Withdrawn,
                EventState::Expired => ConsentState::Expired,
                EventState::Invalidated => ConsentState::Unknown,
            };
            standing = Standing {
                state,
                since: event.event_time,
            };
        }
        standing
    }

    /// When the first of its purposes ends, in milliseconds since 1970, if nobody renews it before.
    ///
    /// None for a record that gives nothing at the moment, and for one that lasts until it is taken back.
    #[must_use]
    pub fn first_end(&self, now_ms: i64) -> Option<i64> {
        let standing = self.standing(now_ms);
        if standing.state != ConsentState::Given {
            return None;
        }
        let event = self.events.iter().find(|event| {
            event.event_time == standing.since
                && matches!(event.event_state, EventState::Given | EventState::Confirmed)
        });
        let validity = event.and_then(|event| event.validity_duration.as_deref());
        let retention = self
            .purposes
            .iter()
            .map(|agreed| agreed.retention_period.as_deref());
        retention
            .chain([validity])
            .flatten()
            .filter_map(|text| text.parse::<Days>().ok())
            .map(|days| days.after(standing.since))
            .min()
    }

    /// The clause that a cell rests on: one that fits, or else the nearest, which explains.
    #[must_use]
    pub fn clause_for(&self, flow: &Flow, to: &Party, field: FieldClass, now_ms: i64) -> Clause {
        self.assent(now_ms).clause(flow, to, field)
    }

    /// What the record amounts to at one moment.
    pub(crate) fn assent(&self, now_ms: i64) -> Assent<'_> {
        let standing = self.standing(now_ms);
        let lasts = |agreed: &PurposeClause| match &agreed.retention_period {
            None => true,
            Some(text) => text
                .parse()
                .is_ok_and(|days: Days| now_ms < days.after(standing.since)),
        };
        Assent {
            state: standing.state,
            explicit_special: self.x_explicit_special
                && self.lawful_basis == Basis::ExplicitConsent,
            lasts: self.purposes.iter().map(lasts).collect(),
            purposes: Cow::Borrowed(&self.purposes),
        }
    }
}

/// What a record amounts to at one moment: all that a clause depends on, apart from the cell.
///
/// Records of one form that stand alike are equal here, which is why a million of them are few.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Assent<'r> {
    state: ConsentState,
    explicit_special: bool,
    purposes: Cow<'r, [PurposeClause]>,
    /// Per purpose, whether its time is not over.
    lasts: Vec<bool>,
}

impl Assent<'_> {
    /// The same, kept longer than the record that it was read from.
    pub(crate) fn into_owned(self) -> Assent<'static> {
        Assent {
            state: self.state,
            explicit_special: self.explicit_special,
            purposes: Cow::Owned(self.purposes.into_owned()),
            lasts: self.lasts,
        }
    }

    /// The clause that a cell rests on: one that fits, or else the nearest, which explains.
    pub(crate) fn clause(&self, flow: &Flow, to: &Party, field: FieldClass) -> Clause {
        let mut best = Clause {
            state: self.state,
            ..Clause::UNKNOWN
        };
        for (agreed, lasts) in self.purposes.iter().zip(&self.lasts) {
            let clause = self.measure(agreed, *lasts, flow, to, field);
            if clause.score() > best.score() {
                best = clause;
            }
        }
        best
    }

    fn measure(
        &self,
        agreed: &PurposeClause,
        lasts: bool,
        flow: &Flow,
        to: &Party,
        field: FieldClass,
    ) -> Clause {
        let given = self.state == ConsentState::Given;
        Clause {
            state: if given && !lasts {
                ConsentState::Expired
            } else {
                self.state
            },
            in_force: given && lasts,
            purpose: agreed.purpose == flow.purpose,
            recipient: names_recipient(agreed, to),
            channel: agreed.x_channels.contains(&flow.channel),
            field: agreed.pii_information.contains(&field),
            written: agreed.x_written.contains(&flow.channel),
            explicit_special: self.explicit_special,
            onward: agreed.x_onward_allowed,
        }
    }
}

/// What a giving event amounts to now: given, expired, or unknown when its duration is unreadable.
fn state_of(event: &Event, now_ms: i64) -> ConsentState {
    match event.validity_duration.as_deref().map(str::parse::<Days>) {
        None => ConsentState::Given,
        Some(Ok(days)) if now_ms < days.after(event.event_time) => ConsentState::Given,
        Some(Ok(_)) => ConsentState::Expired,
        Some(Err(_)) => ConsentState::Unknown,
    }
}

fn is_over(state: ConsentState) -> bool {
    matches!(state, ConsentState::Withdrawn | ConsentState::Refused)
}

fn names_recipient(agreed: &PurposeClause, to: &Party) -> bool {
    let named = &agreed.recipient_third_parties;
    let by_name = named
        .party_ids
        .iter()
        .any(|id| *id == to.id || (!id.is_empty() && id.eq_ignore_ascii_case(&to.name)));
    let by_class = named
        .x_classes
        .iter()
        .any(|class| class == "coalition" || class == to.kind.name());
    let places = &agreed.geographic_restrictions;
    let in_place = places.is_empty() || places.iter().any(|place| to.jurisdiction.is_in(*place));
    (by_name || by_class) && in_place
}

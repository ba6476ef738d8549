//! Where plans meet: the same channel and days, and ground that both name.
//!
//! Places of two kinds cannot be compared by themselves. With a list they can: this node knows in
//! which postal code each of its own people lives.

use crate::{claims::universe::Universe, coalition::members, store::person::Address};
use protocol::{
    entry::plan::{Place, Plan},
    id::{EntryId, NodeId},
    state::State,
};
use std::collections::BTreeMap;

/// A plan of another member that a plan meets.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Meeting {
    /// The other plan.
    pub plan: EntryId,
    /// Whose it is.
    pub organization: String,
    /// Its name.
    pub label: String,
    /// Its first moment.
    pub from: i64,
    /// The moment after its last.
    pub to: i64,
    /// Whom to call about it.
    pub contact: String,
    /// Places of the other plan that both name.
    pub places: Vec<Place>,
    /// Contact points of the own list that lie there; none without a list.
    pub own_points: Option<u64>,
}

/// How many contact points of a list lie in each place.
#[derive(Debug, Clone, Default)]
pub struct Spread {
    counts: BTreeMap<Place, u64>,
    total: u64,
}

impl Spread {
    /// Counts each contact point once, in the place of the first of its people who has one.
    #[must_use]
    pub fn of(
        universe: &Universe,
        addresses: &BTreeMap<String, Address>,
        default_country: &str,
    ) -> Self {
        let mut spread = Self {
            total: universe.targets.len() as u64,
            ..Self::default()
        };
        for target in &universe.targets {
            let of_people = target.people.iter().filter_map(|id| addresses.get(id));
            let place = of_people
                .filter_map(|address| postal(address, default_country))
                .next();
            if let Some(place) = place {
                *spread.counts.entry(place).or_default() += 1;
            }
        }
        spread
    }

    /// Contact points of the list, wherever they lie.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Each place with its number of contact points.
    pub fn places(&self) -> impl Iterator<Item = (&Place, u64)> {
        self.counts.iter().map(|(place, count)| (place, *count))
    }

    fn within(&self, places: &[Place]) -> u64 {
        let counts = self.counts.iter();
        counts
            .filter(|(place, _)| places.iter().any(|other| place.meets(other)))
            .map(|(_, count)| count)
            .sum()
    }
}

fn postal(address: &Address, default_country: &str) -> Option<Place> {
    let country = match address.country.trim() {
        "" => default_country,
        country => country,
    };
    Place::postal(country, &address.postal_code).ok()
}

/// The plans of others that a plan meets, the soonest first.
#[must_use]
pub fn others(state: &State, me: NodeId, plan: &Plan, spread: Option<&Spread>) -> Vec<Meeting> {
    let mut meetings: Vec<Meeting> = state
        .plans
        .iter()
        .filter(|(_, row)| row.author != me && same_days(&row.filed, plan))
        .filter_map(|(id, row)| {
            let other = &row.filed;
            let own_points = spread.map(|spread| spread.within(&other.places));
            let places = shared(&other.places, &plan.places);
            let meets = !places.is_empty() || own_points.is_some_and(|count| count > 0);
            meets.then(|| Meeting {
                plan: *id,
                organization: members::name(state, row.author),
                label: other.label.clone(),
                from: other.from.0,
                to: other.to.0,
                contact: other.contact.clone(),
                places,
                own_points,
            })
        })
        .collect();
    meetings.sort_by_key(|meeting| (meeting.from, meeting.to));
    meetings
}

/// Whether two plans have a channel and a moment in common.
#[must_use]
pub fn same_days(a: &Plan, b: &Plan) -> bool {
    a.channel == b.channel && a.from < b.to && b.from < a.to
}

/// Of `theirs`, those that share ground with one of `ours`.
#[must_use]
pub fn shared(theirs: &[Place], ours: &[Place]) -> Vec<Place> {
    let meets = |place: &&Place| ours.iter().any(|own| own.meets(place));
    theirs.iter().filter(meets).cloned().collect()
}

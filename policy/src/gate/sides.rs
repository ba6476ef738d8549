//! Opposite sides of a race share no coalition: its plans are open to every member.

use super::fault;
use crate::{
    flow::Party,
    lint::{Code, Fault},
};
use std::collections::BTreeMap;

/// Who works on which side of one race.
#[derive(Default)]
struct Sides<'p> {
    coordinated: Vec<&'p str>,
    independent: Vec<&'p str>,
}

/// Why these organizations cannot make one agreement: one coordinates with a candidate in a race
/// in which another spends independently. Empty when they can. After 11 CFR 109.21(d); a template.
#[must_use]
pub fn opposite_sides(parties: &[Party]) -> Vec<Fault> {
    let mut races: BTreeMap<&str, Sides<'_>> = BTreeMap::new();
    for party in parties {
        for race in &party.coordinated_races {
            races.entry(race).or_default().coordinated.push(&party.id);
        }
        for race in &party.ie_races {
            races.entry(race).or_default().independent.push(&party.id);
        }
    }
    let mut faults = Vec::new();
    for (race, sides) in &races {
        for one in &sides.coordinated {
            // An organization on both sides is a fault of its own.
            let other = sides.independent.iter().find(|other| *other != one);
            if let Some(other) = other {
                let message = format!(
                    "{one} coordinates with a candidate in the race {race} and {other} spends \
                     independently in it; a coalition shows the plans of each member to all, so \
                     they belong in separate coalitions"
                );
                faults.push(fault(Code::FirewallConflict, Some(one), &message));
            }
        }
    }
    faults
}

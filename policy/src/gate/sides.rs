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
    coordinated: Vec<&'p Party>,
    independent: Vec<&'p Party>,
}

/// Why these organizations cannot make one agreement: one coordinates with a candidate in a race
/// in which another spends independently. Empty when they can. After 11 CFR 109.21(d); a template.
#[must_use]
pub fn opposite_sides(parties: &[Party]) -> Vec<Fault> {
    let mut races: BTreeMap<&str, Sides<'_>> = BTreeMap::new();
    for party in parties {
        for race in &party.coordinated_races {
            races.entry(race).or_default().coordinated.push(party);
        }
        for race in &party.ie_races {
            races.entry(race).or_default().independent.push(party);
        }
    }
    let mut faults = Vec::new();
    for (race, sides) in &races {
        for one in &sides.coordinated {
            // An organization on both sides is a fault of its own.
            let mut others = sides.independent.iter();
            if let Some(other) = others.find(|other| other.id != one.id) {
                let message = format!(
                    "{} coordinates with a candidate in the race {race} and {} spends \
                     independently in it; a coalition shows the plans of each member to all, so \
                     they belong in separate coalitions",
                    one.name, other.name
                );
                faults.push(fault(Code::FirewallConflict, Some(&one.id), &message));
            }
        }
    }
    faults
}

//! Doors: granted once, not too early, and without people who opted out.

use super::super::known::Known;
use super::super::observed::{ClaimSeen, Observed};
use super::{Finding, several};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// A door on the walk lists of two organizations at one time.
pub(super) fn double_contacts(observed: &Observed) -> Vec<Finding> {
    let mut found = Vec::new();
    for (place, one) in observed.claims.iter().enumerate() {
        for other in observed.claims.iter().skip(place + 1) {
            if one.by == other.by || !overlap(one, other) {
                continue;
            }
            let (doors, theirs) = (one.doors(), other.doors());
            let both = doors
                .intersection(&theirs)
                .map(|door| (*door).to_owned())
                .collect();
            let what = format!("doors granted to {} and to {}", one.by, other.by);
            found.extend(several("double contact", &what, &both));
        }
    }
    found
}

fn overlap(one: &ClaimSeen, other: &ClaimSeen) -> bool {
    one.window.0 <= other.window.1 && other.window.0 <= one.window.1
}

/// A walk list with doors that were not granted, or with none although some were.
pub(super) fn short_walk_lists(observed: &Observed) -> Vec<Finding> {
    let wrong = observed.claims.iter().filter(|claim| {
        let doors = claim.doors().len();
        doors > claim.granted || (doors == 0 && claim.granted > 0)
    });
    wrong
        .map(|claim| {
            let detail = format!(
                "{} was granted {} doors, its walk list has {}",
                claim.by,
                claim.granted,
                claim.doors().len()
            );
            Finding::new("walk list", detail)
        })
        .collect()
}

/// A door granted though another organization spoke to somebody there within the window.
pub(super) fn early_visits(observed: &Observed, known: &Known, days: i64) -> Vec<Finding> {
    let mut found = Vec::new();
    for claim in &observed.claims {
        let Ok(from) = claim.window.0.parse::<Date>() else {
            found.push(Finding::new(
                "walk list",
                format!("{} begins on no day", claim.window.0),
            ));
            continue;
        };
        for (slug, list) in known.lists.iter().filter(|(slug, _)| **slug != claim.by) {
            let early = |door: &&str| {
                let last = list
                    .spoken_to
                    .get(*door)
                    .and_then(|day| day.parse::<Date>().ok());
                last.is_some_and(|last| last.saturating_add(days.days()) >= from)
            };
            let doors = claim
                .doors()
                .into_iter()
                .filter(early)
                .map(str::to_owned)
                .collect();
            let what = format!(
                "doors granted to {} within {days} days of a talk with {slug}",
                claim.by
            );
            found.extend(several("double contact", &what, &doors));
        }
    }
    found
}

/// A person on a walk list who opted out of visits, by the same organization's list or history.
pub(super) fn suppressed_on_walk_lists(observed: &Observed, known: &Known) -> Vec<Finding> {
    let mut found = Vec::new();
    for claim in &observed.claims {
        let Some(list) = known.lists.get(&claim.by) else {
            continue;
        };
        let mut cases = BTreeSet::new();
        for row in &claim.walk_list {
            let who = list.who(row);
            if !who.is_empty() && who.iter().all(|person| list.no_visit.contains(person)) {
                cases.extend(who.iter().map(|person| format!("person {}", person.0)));
            }
        }
        let what = format!("people on the walk list of {} who opted out", claim.by);
        found.extend(several("suppressed person", &what, &cases));
    }
    found
}

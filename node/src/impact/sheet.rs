//! The report as CSV: a line for each organization, then one for each list and channel.

use super::report::Impact;
use crate::claims::walk_list::{BEGIN, line};

/// Writes the report; UTF-8 with a byte order mark, as walk lists.
#[must_use]
pub fn csv(impact: &Impact) -> String {
    let mut text = String::from(BEGIN);
    let days = format!("{} to {}", impact.from, impact.to);
    let words = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    line(
        &mut text,
        &words(&[
            "Days",
            "Organization",
            "Asked for",
            "Granted",
            "Doubled contacts spared",
            "Doubled contacts spared others",
            "Left alone: contacted often enough",
            "Left alone: asked not to be contacted",
            "Shared rows given",
            "Shared rows taken",
        ]),
    );
    for part in &impact.organizations {
        let counts = [
            part.asked,
            part.granted,
            part.spared,
            part.spared_others,
            part.capped,
            part.suppressed,
            part.rows_given,
            part.rows_taken,
        ];
        let mut cells = vec![days.clone(), part.name.clone()];
        cells.extend(counts.map(|count| count.to_string()));
        line(&mut text, &cells);
    }
    line(&mut text, &[]);
    line(
        &mut text,
        &words(&[
            "Days",
            "List",
            "Channel",
            "Contact points",
            "Tried by us alone",
            "Tried by allies alone",
            "Tried by both",
            "Tried by nobody",
        ]),
    );
    for coverage in &impact.coverage {
        let counts = [
            coverage.points,
            coverage.own,
            coverage.allies,
            coverage.both,
            coverage.never,
        ];
        let mut cells = vec![
            days.clone(),
            coverage.list.clone(),
            coverage.channel.to_string(),
        ];
        cells.extend(counts.map(|count| count.to_string()));
        line(&mut text, &cells);
    }
    line(&mut text, &[]);
    line(&mut text, &words(&["Days", "Hours spared", "Money spared"]));
    line(
        &mut text,
        &[days, impact.hours.to_string(), impact.money.to_string()],
    );
    text
}

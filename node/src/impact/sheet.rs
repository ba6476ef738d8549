//! The report as CSV: a line for each organization, then one for each list and channel.

use super::report::Impact;
use crate::claims::walk_list::{BEGIN, line};

/// Writes the report; UTF-8 with a byte order mark, as walk lists.
#[must_use]
pub fn csv(impact: &Impact) -> String {
    let mut text = String::from(BEGIN);
    let days = format!("{} to {}", impact.from, impact.to);
    organizations(&mut text, &days, impact);
    line(&mut text, &[]);
    lists(&mut text, &days, impact);
    line(&mut text, &[]);
    heading(&mut text, &["Days", "Hours spared", "Money spared"]);
    let [hours, money] = [impact.hours, impact.money].map(|number| number.to_string());
    line(&mut text, &[days, hours, money]);
    text
}

fn heading(text: &mut String, words: &[&str]) {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    line(text, &words);
}

fn organizations(text: &mut String, days: &str, impact: &Impact) {
    heading(
        text,
        &[
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
        ],
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
        let mut cells = vec![days.to_owned(), part.name.clone()];
        cells.extend(counts.map(|count| count.to_string()));
        line(text, &cells);
    }
}

fn lists(text: &mut String, days: &str, impact: &Impact) {
    heading(
        text,
        &[
            "Days",
            "List",
            "Channel",
            "Contact points",
            "Tried by us alone",
            "Tried by allies alone",
            "Tried by both",
            "Tried by nobody",
        ],
    );
    for coverage in &impact.coverage {
        let counts = [
            coverage.points,
            coverage.own,
            coverage.allies,
            coverage.both,
            coverage.never,
        ];
        let channel = coverage.channel.to_string();
        let mut cells = vec![days.to_owned(), coverage.list.clone(), channel];
        cells.extend(counts.map(|count| count.to_string()));
        line(text, &cells);
    }
}

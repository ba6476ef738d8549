//! One packet on a canvasser's phone: stop by stop, one tap for what came of each try.

use super::{
    Page, PageError,
    frame::{Frame, Section},
    render, words,
};
use crate::{
    app::App,
    http::problem::Failure,
    store,
    turf::{packet, result},
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::Uri,
    response::Redirect,
};
use jiff::civil::Date;
use protocol::time::DAY;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "packet.html")]
pub struct Packet {
    frame: Frame,
    code: String,
    label: String,
    assignee: String,
    last_day: String,
    /// The day that results are noted for; empty for today.
    day: String,
    /// Stops with a result, and all.
    done: usize,
    all: usize,
    codes: &'static [(&'static str, &'static str)],
    stops: Vec<Stop>,
}

/// A stop.
#[derive(Debug)]
struct Stop {
    number: usize,
    place: String,
    people: Vec<Somebody>,
}

/// Somebody to meet there.
#[derive(Debug)]
struct Somebody {
    id: String,
    name: String,
    /// What was noted last.
    result: Option<String>,
}

/// For which day results are noted.
#[derive(Debug, Default, Deserialize)]
pub struct Ask {
    #[serde(default)]
    day: String,
}

/// Shows a packet's stops with what was noted.
pub async fn show(
    State(app): State<App>,
    uri: Uri,
    Path(code): Path<String>,
    Query(ask): Query<Ask>,
) -> Page {
    let opened = packet::open(&app, &code).await?;
    let claim = &opened.holding.claim;
    let mut db = app.store.read("reading results of a packet").await?;
    // Who set out early was at these doors all the same.
    let since = claim.from.plus(-DAY).0;
    let results = store::packet::results(&mut db, &opened.packet.packet_id, since).await?;
    drop(db);
    let done: BTreeSet<i64> = results.iter().map(|(_, stop, _)| *stop).collect();
    let latest: BTreeMap<String, String> = results
        .into_iter()
        .map(|(person, _, result)| (person, result))
        .collect();
    let coalition = crate::coalition::active(&app).await?;
    let stops = opened.calls.iter().map(|call| {
        let people = call.stop.contactable(&coalition.state, claim.channel);
        Stop {
            number: call.number,
            place: call.stop.point.display.clone(),
            people: people
                .iter()
                .map(|guest| Somebody {
                    id: guest.person.person_id.clone(),
                    name: guest.person.name(),
                    result: latest.get(&guest.person.person_id).cloned(),
                })
                .collect(),
        }
    });
    let stops = stops.collect();
    drop(coalition);
    let day = day(&ask.day)?;
    render(&Packet {
        frame: Frame::read(&app, Section::Claims, &uri).await,
        code: packet::code(&opened.packet),
        label: claim.label.clone(),
        assignee: opened.packet.assignee.clone(),
        last_day: opened.holding.last_day.clone(),
        day: day.map(|day| day.to_string()).unwrap_or_default(),
        done: done.len(),
        all: usize::try_from(opened.packet.stops).unwrap_or(usize::MAX),
        codes: result::codes(claim.channel),
        stops,
    })
}

fn day(text: &str) -> Result<Option<Date>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    super::form::day("day", text).map(Some)
}

/// What a tap says.
#[derive(Debug, Deserialize)]
pub struct Tap {
    person: String,
    result: String,
    #[serde(default)]
    day: String,
}

/// Notes a result, and goes on at the same stop.
pub async fn record(
    State(app): State<App>,
    Path(code): Path<String>,
    Form(tap): Form<Tap>,
) -> Result<Redirect, PageError> {
    let day = day(&tap.day)?;
    let entry = result::Entry {
        person: tap.person,
        result: tap.result,
        day,
    };
    let recorded = result::record(&app, &code, &entry).await?;
    let packet = packet::find(&app, &code).await?;
    let day = day.map(|day| format!("?day={day}")).unwrap_or_default();
    let at = format!(
        "/packets/{}{day}#stop-{}",
        packet::code(&packet),
        recorded.stop
    );
    Ok(Redirect::to(&at))
}

impl Packet {
    fn per_hundred(&self) -> usize {
        (self.done * 100)
            .checked_div(self.all)
            .unwrap_or(0)
            .min(100)
    }

    fn counted(&self) -> String {
        let number = |count: usize| words::natural(count as u64);
        format!("{} of {}", number(self.done), number(self.all))
    }
}

#[cfg(test)]
impl Packet {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let text = || text.to_owned();
        Self {
            frame: Frame::sample(Section::Claims, &text()),
            code: text(),
            label: text(),
            assignee: text(),
            last_day: text(),
            day: text(),
            done: 1,
            all: 3,
            codes: result::codes(protocol::channel::Channel::Door),
            stops: vec![Stop {
                number: 1,
                place: text(),
                people: vec![Somebody {
                    id: text(),
                    name: text(),
                    result: Some(text()),
                }],
            }],
        }
    }
}

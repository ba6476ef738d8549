//! What a canvasser takes along: a packet as a table for other tools, and as a page to print.

use super::{
    packet::{self, Call, Opened},
    position::Position,
    result,
};
use crate::{
    app::App,
    claims::walk_list::{self, BEGIN, Guest, HEADINGS, line},
    http::problem::Failure,
};
use askama::Template;
use protocol::channel::Channel;
use std::collections::BTreeMap;

/// Columns as VAN's own walk lists have them, so that VAN and our own import read them back.
const VAN_HEADINGS: [&str; 11] = [
    "Voter File VANID",
    "FirstName",
    "LastName",
    "Fullname",
    "Phone1",
    "Phone2",
    "vAddress",
    "Adress2",
    "City",
    "State",
    "Zip",
];

/// Columns of a walk list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Our own, with stop and packet.
    #[default]
    Own,
    /// VAN's; people without an id of VAN are left out, since it reads no row without one.
    Van,
}

/// A packet's walk list as CSV.
///
/// # Errors
/// [`Failure`] when there is no such packet, it is done, or its claim is not in force.
pub async fn csv(app: &App, code: &str, layout: Layout) -> Result<String, Failure> {
    let opened = packet::open(app, code).await?;
    let coalition = crate::coalition::active(app).await?;
    let channel = opened.holding.claim.channel;
    let code = packet::code(&opened.packet);
    let mut text = String::from(BEGIN);
    let own = HEADINGS.into_iter().chain(["Packet"]);
    let headings: Vec<String> = match layout {
        Layout::Own => own.map(str::to_owned).collect(),
        Layout::Van => VAN_HEADINGS.map(str::to_owned).to_vec(),
    };
    line(&mut text, &headings);
    for call in &opened.calls {
        for guest in call.stop.contactable(&coalition.state, channel) {
            match layout {
                Layout::Own => {
                    let row = walk_list::row(call.number, &call.stop, guest, &opened.holding);
                    let cells: Vec<String> = row.into_iter().chain([code.clone()]).collect();
                    line(&mut text, &cells);
                }
                Layout::Van if guest.van_id.is_empty() => {}
                Layout::Van => line(&mut text, &van_row(call, guest, channel)),
            }
        }
    }
    Ok(text)
}

fn van_row(call: &Call, guest: &Guest, channel: Channel) -> [String; 11] {
    let address = &guest.person.address;
    let phone = matches!(channel, Channel::Phone | Channel::Text);
    [
        guest.van_id.clone(),
        guest.person.given.clone(),
        guest.person.surname.clone(),
        guest.person.name(),
        if phone {
            call.stop.point.display.clone()
        } else {
            String::new()
        },
        String::new(),
        address.line1.clone(),
        address.line2.clone(),
        address.city.clone(),
        address.state.clone(),
        address.postal_code.clone(),
    ]
}

/// A page to print: a sketch, and the stops with room for results.
#[derive(Debug, Template)]
#[template(path = "sheet.html")]
pub(crate) struct Sheet {
    code: String,
    title: &'static str,
    label: String,
    assignee: String,
    last_day: String,
    codes: &'static [(&'static str, &'static str)],
    sketch: Option<Sketch>,
    stops: Vec<Printed>,
}

/// One stop on paper.
#[derive(Debug)]
struct Printed {
    number: usize,
    place: String,
    people: Vec<String>,
}

/// The stops on the ground, drawn without a map below.
#[derive(Debug)]
struct Sketch {
    width: i64,
    height: i64,
    /// The way from stop to stop.
    way: String,
    dots: Vec<(i64, i64, String)>,
    streets: Vec<(i64, i64, String)>,
    /// How long a hundred metres are.
    scale: i64,
}

/// A packet as a page to print, a call list where it is made of phone numbers.
///
/// # Errors
/// As [`csv()`].
pub async fn html(app: &App, code: &str) -> Result<String, Failure> {
    let opened = packet::open(app, code).await?;
    let coalition = crate::coalition::active(app).await?;
    let channel = opened.holding.claim.channel;
    let door = channel == Channel::Door;
    let stops = opened.calls.iter().map(|call| {
        let people = call.stop.contactable(&coalition.state, channel);
        Printed {
            number: call.number,
            place: call.stop.point.display.clone(),
            people: people.iter().map(|guest| guest.person.name()).collect(),
        }
    });
    let sheet = Sheet {
        code: packet::code(&opened.packet),
        title: if door { "Walk list" } else { "Call list" },
        label: opened.holding.claim.label.clone(),
        assignee: opened.packet.assignee.clone(),
        last_day: opened.holding.last_day.clone(),
        codes: result::codes(channel),
        sketch: door.then(|| sketch(&opened)).flatten(),
        stops: stops.collect(),
    };
    sheet.render().map_err(Failure::internal)
}

/// Stops whose point is known, in a drawing; none where fewer than two places are.
fn sketch(opened: &Opened) -> Option<Sketch> {
    let exact = opened.calls.iter().filter(|call| !call.placed.rough);
    let stops: Vec<(usize, &str, Position)> = exact
        .filter_map(|call| {
            Some((
                call.number,
                call.stop.point.street.as_str(),
                call.placed.position?,
            ))
        })
        .collect();
    draw(&stops)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "units of a drawing, a few hundred"
)]
fn draw(stops: &[(usize, &str, Position)]) -> Option<Sketch> {
    const WIDTH: f64 = 700.0;
    const TALLEST: f64 = 420.0;
    const MARGIN: f64 = 24.0;
    let points: Vec<Position> = stops.iter().map(|(_, _, at)| *at).collect();
    let town = Position::middle(&points)?.degrees().0;
    let metres: Vec<(f64, f64)> = points.iter().map(|at| at.metres(town)).collect();
    let reach = |of: fn(&(f64, f64)) -> f64| {
        metres
            .iter()
            .map(of)
            .fold((f64::MAX, f64::MIN), |(low, high), at| {
                (low.min(at), high.max(at))
            })
    };
    let ((west, east), (south, north)) = (reach(|at| at.0), reach(|at| at.1));
    if east - west < 1.0 && north - south < 1.0 {
        return None;
    }
    let inner = |whole: f64, length: f64| (whole - 2.0 * MARGIN) / length.max(1.0);
    let unit = inner(WIDTH, east - west).min(inner(TALLEST, north - south));
    let drawn = |(x, y): (f64, f64)| {
        let across = MARGIN + (x - west) * unit;
        let down = MARGIN + (north - y) * unit;
        (across as i64, down as i64)
    };
    let mut dots: BTreeMap<(i64, i64), Vec<usize>> = BTreeMap::new();
    let mut streets: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    let mut way = Vec::new();
    for ((number, street, _), at) in stops.iter().zip(&metres) {
        let (x, y) = drawn(*at);
        dots.entry((x, y)).or_default().push(*number);
        streets.entry(street).or_insert((x, y));
        way.push(format!("{x},{y}"));
    }
    let dot = |((x, y), numbers): ((i64, i64), Vec<usize>)| {
        let more = numbers.len() - 1;
        let first = numbers.first().copied().unwrap_or_default();
        let more = if more > 0 {
            format!("+{more}")
        } else {
            String::new()
        };
        (x, y, format!("{first}{more}"))
    };
    Some(Sketch {
        width: WIDTH as i64,
        height: (2.0 * MARGIN + (north - south) * unit) as i64 + 24,
        way: way.join(" "),
        dots: dots.into_iter().map(dot).collect(),
        streets: streets
            .into_iter()
            .map(|(street, (x, y))| (x, y, road(street)))
            .collect(),
        scale: (100.0 * unit) as i64,
    })
}

/// A street without the postal code behind it.
fn road(street: &str) -> String {
    match street.rsplit_once(' ') {
        Some((road, code)) if code.bytes().any(|byte| byte.is_ascii_digit()) => road.to_owned(),
        _ => street.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Position {
        Position::of_degrees(latitude, longitude).unwrap()
    }

    #[test]
    fn a_sketch_keeps_directions_and_gathers_flats_of_one_house() {
        let stops = [
            (1, "elm st 43215", at(40.0, -75.0)),
            (2, "elm st 43215", at(40.0, -75.0)),
            (3, "oak st 43215", at(40.001, -74.999)),
        ];
        let sketch = draw(&stops).unwrap();
        let labels: Vec<&str> = sketch.dots.iter().map(|dot| dot.2.as_str()).collect();
        assert_eq!(labels, ["1+1", "3"]);
        let (south_west, north_east) = (&sketch.dots[0], &sketch.dots[1]);
        assert!(south_west.0 < north_east.0 && south_west.1 > north_east.1);
        assert_eq!(sketch.streets[0].2, "elm st");
    }

    #[test]
    fn one_place_alone_is_no_sketch() {
        assert!(draw(&[(1, "elm st", at(40.0, -75.0))]).is_none());
        assert!(draw(&[]).is_none());
    }

    #[test]
    fn names_stay_text_on_paper() {
        let hostile = "<script>alert(1)</script>".to_owned();
        let sheet = Sheet {
            code: "17-3".to_owned(),
            title: "Walk list",
            label: hostile.clone(),
            assignee: hostile.clone(),
            last_day: "2026-11-28".to_owned(),
            codes: result::codes(Channel::Door),
            sketch: None,
            stops: vec![Printed {
                number: 1,
                place: hostile.clone(),
                people: vec![hostile],
            }],
        };
        let page = sheet.render().unwrap();
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("17-3"));
    }
}

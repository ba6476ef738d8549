//! Normalization: the vectors of `spec/vectors/tokens`, and that doing it twice changes nothing.

use crate::vectors::read;
use proptest::prelude::*;
use protocol::token::{
    Normalized,
    normalize::{Door, DoorParts, door, email, name_door, ns_dob_postal, phone, voter_id},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector<T> {
    cases: Vec<T>,
}

/// Runs every case of a file and reports all that differ at once. A case with a value must give it;
/// one with a reason must give nothing.
fn check<T: serde::de::DeserializeOwned>(
    file: &str,
    normalize: impl Fn(&T) -> (String, Option<Normalized>, Option<String>),
) {
    let vector: Vector<T> = read(file);
    assert!(vector.cases.len() >= 7, "{file} has too few cases");
    let wrong: Vec<String> = vector
        .cases
        .iter()
        .map(&normalize)
        .filter(|(_, found, expected)| found.as_ref().map(Normalized::value) != expected.as_deref())
        .map(|(input, found, expected)| {
            format!(
                "{input}\n   found {:?}\nexpected {expected:?}",
                found.as_ref().map(Normalized::value)
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{file}:\n{}", wrong.join("\n"));
    assert_eq!(
        file.starts_with("accept"),
        vector.cases.iter().all(|case| normalize(case).2.is_some())
    );
}

#[derive(Deserialize)]
struct Raw {
    raw: String,
    #[serde(default)]
    region: String,
    value: Option<String>,
}

#[test]
fn phone_vectors_hold() {
    for file in ["accept_phone", "refuse_phone"] {
        check(file, |case: &Raw| {
            (
                case.raw.clone(),
                phone(&case.raw, &case.region),
                case.value.clone(),
            )
        });
    }
}

#[test]
fn email_vectors_hold() {
    for file in ["accept_email", "refuse_email"] {
        check(file, |case: &Raw| {
            (case.raw.clone(), email(&case.raw), case.value.clone())
        });
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Address {
    country: String,
    postal_code: String,
    line1: String,
    line2: String,
    number: String,
    fraction: String,
    prefix: String,
    street: String,
    kind: String,
    suffix: String,
    unit: String,
    value: Option<String>,
    why: String,
}

impl Address {
    fn parts(&self) -> DoorParts<'_> {
        DoorParts {
            country: &self.country,
            postal_code: &self.postal_code,
            line1: &self.line1,
            line2: &self.line2,
            number: &self.number,
            fraction: &self.fraction,
            prefix: &self.prefix,
            street: &self.street,
            kind: &self.kind,
            suffix: &self.suffix,
            unit: &self.unit,
        }
    }
}

#[test]
fn door_vectors_hold() {
    for file in ["accept_door", "refuse_door"] {
        check(file, |case: &Address| {
            (format!("{case:?}"), door(&case.parts()), case.value.clone())
        });
    }
}

#[derive(Deserialize)]
struct Fields {
    kind: String,
    fields: Vec<String>,
    value: Option<String>,
}

fn person(case: &Fields) -> Option<Normalized> {
    let fields: Vec<&str> = case.fields.iter().map(String::as_str).collect();
    match (case.kind.as_str(), fields.as_slice()) {
        ("voter_id", [state, id]) => voter_id(state, id),
        ("ns_dob_postal", [given, surname, date, country, postal]) => {
            ns_dob_postal(given, surname, date, country, postal)
        }
        ("name_door", [given, surname, line1, postal_code]) => name_door(
            given,
            surname,
            &door(&DoorParts {
                country: "US",
                postal_code,
                line1,
                ..DoorParts::default()
            })?,
        ),
        (kind, _) => panic!("a case of kind {kind} has other fields"),
    }
}

#[test]
fn person_vectors_hold() {
    for file in ["accept_person", "refuse_person"] {
        check(file, |case: &Fields| {
            (case.fields.join(", "), person(case), case.value.clone())
        });
    }
}

#[test]
fn a_person_at_a_phone_number_is_no_person_at_a_door() {
    assert_eq!(
        name_door("Ada", "Lovelace", &phone("+12065550100", "").unwrap()),
        None
    );
}

#[test]
fn walking_order_sorts_by_street_then_number() {
    let street = |line1| {
        let parts = DoorParts {
            country: "US",
            postal_code: "98101",
            line1,
            ..DoorParts::default()
        };
        Door::parse(&parts).unwrap().street
    };
    let mut streets = [
        street("100 Oak St"),
        street("9 Oak Street"),
        street("9 1/2 Oak St"),
        street("12 Elm St"),
    ];
    streets.sort_by_key(|street| (street.road(), street.ordinal, street.fraction.clone()));
    let lines: Vec<String> = streets
        .iter()
        .map(protocol::token::normalize::Street::line)
        .collect();
    assert_eq!(
        lines,
        ["12 elm st", "9 oak st", "9 1/2 oak st", "100 oak st"]
    );
    assert!(streets[0].is_even() && !streets[1].is_even());
}

#[test]
fn a_normalized_value_does_not_print_itself() {
    let shown = format!("{:?}", email("ada@example.org").unwrap());
    assert!(!shown.contains("ada"));
}

/// Words that address lines are made of, the ambiguous ones above all.
const WORDS: [&str; 56] = [
    "123",
    "45-12",
    "12a",
    "1/2",
    "½",
    "1",
    "1st",
    "first",
    "400",
    "5",
    "A",
    "B",
    "N",
    "North",
    "no",
    "S",
    "e",
    "West",
    "NE",
    "St",
    "Street",
    "St.",
    "Saint",
    "Ave",
    "Avenue",
    "Rd",
    "Road",
    "Hwy",
    "Route",
    "US",
    "County",
    "CR",
    "Main",
    "Oak",
    "Park",
    "Lake",
    "Front",
    "Mount",
    "Fort",
    "Apt",
    "#",
    "Unit",
    "#4B",
    "4-B",
    "Fl",
    "2nd",
    "Floor",
    "Bldg",
    "Rear",
    "Upper",
    "Lot",
    "N65W24915",
    "W180",
    "Villa",
    "-",
    ",",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_door_read_again_from_its_own_spelling_is_the_same_door(
        number in "[1-9][0-9]{0,3}[a-f]?",
        words in prop::collection::vec(prop::sample::select(&WORDS[..]), 1..7),
        unit in prop::sample::select(&["", "", "Apt 4", "#12-B", "rear", "b 7"][..]),
    ) {
        let line = format!("{number} {}", words.join(" "));
        let parts = DoorParts { country: "US", postal_code: "98101", line1: &line, unit, ..DoorParts::default() };
        if let Some(door) = Door::parse(&parts) {
            let line = door.street.line();
            prop_assert_eq!(Door::parse(&door.parts(&line)), Some(door.clone()));
            let street = &door.street;
            let split = DoorParts {
                number: &street.number,
                fraction: &street.fraction,
                prefix: &street.prefix,
                street: &street.name,
                kind: &street.kind,
                suffix: &street.suffix,
                ..door.parts("")
            };
            prop_assert_eq!(Door::parse(&split), Some(door.clone()));
        }
    }

    #[test]
    fn phones_and_emails_are_idempotent(
        digits in "[+]?[0-9() -]{7,16}",
        address in "[A-Za-zéß.+']{1,8}@[A-Za-zéß.-]{1,12}\\.(org|Example|ÉDU)",
    ) {
        if let Some(once) = phone(&digits, "US") {
            prop_assert_eq!(phone(once.value(), "GB"), Some(once));
        }
        if let Some(once) = email(&address) {
            prop_assert_eq!(email(once.value()), Some(once));
        }
    }

    #[test]
    fn nothing_that_people_type_makes_normalization_panic(raw in "\\PC{0,40}", other in "\\PC{0,20}") {
        let parts = DoorParts { country: "US", postal_code: "98101", line1: &raw, line2: &other, ..DoorParts::default() };
        let _ = (door(&parts), email(&raw), phone(&raw, &other), voter_id("WA", &raw));
        let _ = ns_dob_postal(&raw, &other, "1980-02-29", "US", &raw);
    }
}

#[test]
fn random_lines_do_give_doors() {
    // Guards the property above against holding because nothing is ever read.
    let lines = [
        "1 N Main St Apt 4",
        "12a Oak Ave West",
        "5 CR 5",
        "123 1/2 Lake Front Rd",
    ];
    for line1 in lines {
        let parts = DoorParts {
            country: "US",
            postal_code: "98101",
            line1,
            ..DoorParts::default()
        };
        assert!(door(&parts).is_some(), "{line1}");
    }
}

//! Keys that stand for a person: each strong enough alone, or exact at a door. Section 6.6.

use super::{
    Normalized, SEPARATOR,
    name::{name, soundex},
    place::{country, postal_code, state},
    text::text,
};
use crate::token::Kind;

/// The longest voter id of any state is far shorter.
const MAX_VOTER_ID: usize = 32;

/// Dates that lists hold where none is known. Part of norm version 1.
const PLACEHOLDERS: [&str; 6] = [
    "1900-01-01",
    "1900-01-02",
    "1901-01-01",
    "1899-12-30",
    "1899-12-31",
    "1970-01-01",
];

/// The years in which people who are contacted were born.
const BIRTH_YEARS: std::ops::RangeInclusive<u16> = 1880..=2099;

/// A voter id as a state issued it, leading zeros kept.
#[must_use]
pub fn voter_id(issuing_state: &str, id: &str) -> Option<Normalized> {
    let issuing_state = state(issuing_state)?;
    let id = text(id);
    let known = id.bytes().all(|b| b.is_ascii_alphanumeric())
        && id.bytes().any(|b| matches!(b, b'1'..=b'9'));
    if !known || id.len() > MAX_VOTER_ID {
        return None;
    }
    Normalized::new(Kind::VoterId, format!("{issuing_state}{SEPARATOR}{id}"))
}

/// Both names by sound in any order, the full birth date and the postal code.
///
/// `birth_date` is ISO 8601 (`1980-02-29`); a placeholder date, or a name that Soundex cannot
/// spell, gives none.
#[must_use]
pub fn ns_dob_postal(
    given: &str,
    surname: &str,
    birth_date: &str,
    in_country: &str,
    postal: &str,
) -> Option<Normalized> {
    let mut sounds = [soundex(&name(given)?)?, soundex(&name(surname)?)?];
    sounds.sort_unstable();
    let [first, second] = sounds;
    let date = birth_date_of(birth_date)?;
    let in_country = country(in_country)?;
    let postal = postal_code(&in_country, postal)?;
    let parts = [first.as_str(), &second, date, &in_country, &postal];
    Normalized::new(Kind::NsDobPostal, parts.join(&SEPARATOR.to_string()))
}

/// Both names, exactly, at a normalized door: for suppressions from lists without birth dates.
#[must_use]
pub fn name_door(given: &str, surname: &str, door: &Normalized) -> Option<Normalized> {
    if door.kind() != Kind::Door {
        return None;
    }
    let (given, surname) = (name(given)?, name(surname)?);
    let parts = [given.as_str(), &surname, door.value()];
    Normalized::new(Kind::NameDoor, parts.join(&SEPARATOR.to_string()))
}

/// A full date of the calendar that can be somebody's birthday.
fn birth_date_of(raw: &str) -> Option<&str> {
    let date = raw.trim();
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let lengths = [year.len(), month.len(), day.len()] == [4, 2, 2];
    let digits = [year, month, day]
        .iter()
        .all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if parts.next().is_some() || !lengths || !digits || PLACEHOLDERS.contains(&date) {
        return None;
    }
    let (year, month, day): (u16, u8, u8) =
        (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let in_month = (1..=days_of(year, month)?).contains(&day);
    (BIRTH_YEARS.contains(&year) && in_month).then_some(date)
}

/// How many days a month of the Gregorian calendar has.
fn days_of(year: u16, month: u8) -> Option<u8> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    })
}

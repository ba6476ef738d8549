//! Doors: one address, down to the unit, without city and ZIP+4. Section 6.5.
//!
//! An address comes as one line or split into columns; columns are put together and read as a line,
//! so that both give the same door. What was read must read back as itself: an address that its own
//! canonical spelling would change is ambiguous and no door.

mod line;
mod number;
mod street;
mod unit;
mod words;

pub use street::Street;

use super::{Normalized, SEPARATOR, country, postal_code};
use crate::token::Kind;

/// Countries that write the number before the street, in the words of our table.
const NUMBER_FIRST: [&str; 6] = ["us", "ca", "gb", "ie", "au", "nz"];

/// An address as a list holds it. Fields that the list does not have stay empty; with both `number`
/// and `street` filled the split columns count, otherwise `line1`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DoorParts<'a> {
    /// Country: two letters, or the United States in words.
    pub country: &'a str,
    /// Postal code.
    pub postal_code: &'a str,
    /// The street line, whole: `123 1/2 N Main St Apt 4B`.
    pub line1: &'a str,
    /// The second line: a unit or nothing.
    pub line2: &'a str,
    /// House number.
    pub number: &'a str,
    /// Fraction or letter of the house number.
    pub fraction: &'a str,
    /// Direction before the street's name.
    pub prefix: &'a str,
    /// The street's name.
    pub street: &'a str,
    /// Street type: `Ave`.
    pub kind: &'a str,
    /// Direction after the street's type.
    pub suffix: &'a str,
    /// Unit, with or without its label.
    pub unit: &'a str,
}

/// A normalized address in its parts. Not personal by itself, but it is where somebody lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Door {
    /// Two letters, lower case.
    pub country: String,
    /// Five digits in the US.
    pub postal_code: String,
    /// Street and number.
    pub street: Street,
    /// The unit without its label; empty when there is none.
    pub unit: String,
}

/// The normalized value of an address; none when it is no door or not clear which.
#[must_use]
pub fn door(parts: &DoorParts<'_>) -> Option<Normalized> {
    Door::parse(parts)?.normalized()
}

impl Door {
    /// Reads an address; none when it is no door or not clear which.
    #[must_use]
    pub fn parse(parts: &DoorParts<'_>) -> Option<Self> {
        let door = Self::read(parts)?;
        let again = Self::read(&door.parts(&door.street.line()))?;
        (again == door).then_some(door)
    }

    /// The value that is hashed.
    #[must_use]
    pub fn normalized(&self) -> Option<Normalized> {
        let street = &self.street;
        let parts = [
            &self.country,
            &self.postal_code,
            &street.number,
            &street.fraction,
            &street.prefix,
            &street.name,
            &street.kind,
            &street.suffix,
            &self.unit,
        ];
        let value = parts.map(String::as_str).join(&SEPARATOR.to_string());
        Normalized::new(Kind::Door, value)
    }

    /// This door as input to [`Door::parse`], with its street's [`Street::line`].
    #[must_use]
    pub fn parts<'a>(&'a self, line: &'a str) -> DoorParts<'a> {
        DoorParts {
            country: &self.country,
            postal_code: &self.postal_code,
            line1: line,
            unit: &self.unit,
            ..DoorParts::default()
        }
    }

    fn read(parts: &DoorParts<'_>) -> Option<Self> {
        let country = country(parts.country)?;
        if !NUMBER_FIRST.contains(&country.as_str()) {
            return None;
        }
        let postal_code = postal_code(&country, parts.postal_code)?;
        let tokens = line::tokens(&street_line(parts))?;
        let (number, rest) = number::take(&tokens)?;
        let (rest, unit_on_line) = unit::split(rest)?;
        let street = Street::read(number, rest)?;
        let unit = one_unit([
            unit_on_line,
            unit_field(parts.line2)?,
            unit_field(parts.unit)?,
        ])?;
        Some(Self {
            country,
            postal_code,
            street,
            unit,
        })
    }
}

/// The street line: as it was given, or put together from its columns.
fn street_line(parts: &DoorParts<'_>) -> String {
    if parts.number.trim().is_empty() || parts.street.trim().is_empty() {
        return parts.line1.to_owned();
    }
    let fraction = parts.fraction.trim();
    // A letter is written at the number, or it could be read as the street's name.
    let gap = if fraction.chars().all(char::is_alphabetic) {
        ""
    } else {
        " "
    };
    let number = [parts.number.trim(), gap, fraction].concat();
    [
        &number,
        parts.prefix,
        parts.street,
        parts.kind,
        parts.suffix,
    ]
    .join(" ")
}

/// The unit of a field that holds nothing else; empty for an empty field.
fn unit_field(field: &str) -> Option<String> {
    if field.trim().is_empty() {
        return Some(String::new());
    }
    unit::identifier(&line::tokens(field)?)
}

/// The unit on which all fields agree that name one.
fn one_unit(units: [String; 3]) -> Option<String> {
    let mut named = units.into_iter().filter(|unit| !unit.is_empty());
    let Some(unit) = named.next() else {
        return Some(String::new());
    };
    named.all(|other| other == unit).then_some(unit)
}

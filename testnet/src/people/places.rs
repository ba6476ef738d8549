//! The streets and doors of Marlow County, which exists on no map.
//!
//! The postal codes have a Michigan prefix (499) but lie, as far as known, above the last one that is in use,
//! and the towns are invented: no door here is anyone's.

use super::draw::Draw;

/// The state of the county.
pub const STATE: &str = "MI";
/// The county's name.
pub const COUNTY: &str = "Marlow";

/// A word of an address with the forms in which files write it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word {
    /// The postal abbreviation.
    pub short: &'static str,
    /// Spelled out.
    pub long: &'static str,
}

const fn word(short: &'static str, long: &'static str) -> Word {
    Word { short, long }
}

const DIRECTIONS: &[Word] = &[
    word("N", "North"),
    word("S", "South"),
    word("E", "East"),
    word("W", "West"),
];

const SUFFIXES: &[Word] = &[
    word("St", "Street"),
    word("Ave", "Avenue"),
    word("Rd", "Road"),
    word("Dr", "Drive"),
    word("Ln", "Lane"),
    word("Ct", "Court"),
    word("Blvd", "Boulevard"),
    word("Pl", "Place"),
    word("Ter", "Terrace"),
    word("Cir", "Circle"),
];

/// Street names: none is itself a direction or a suffix, so an address reads in one way only.
const STREET_NAMES: &[&str] = &[
    "Alder",
    "Anchor",
    "Ash",
    "Aspen",
    "Baldwin",
    "Barley",
    "Beech",
    "Birch",
    "Bluestem",
    "Boxwood",
    "Brewster",
    "Burdock",
    "Calhoun",
    "Canary",
    "Cardinal",
    "Caspian",
    "Cedar",
    "Chestnut",
    "Clover",
    "Columbia",
    "Copper",
    "Cottonwood",
    "Cypress",
    "Dahlia",
    "Dogwood",
    "Dover",
    "Eagle",
    "Elder",
    "Elm",
    "Emerson",
    "Fairfax",
    "Falcon",
    "Fern",
    "Finch",
    "Foundry",
    "Franklin",
    "Gentian",
    "Ginger",
    "Granite",
    "Hawthorn",
    "Hazel",
    "Heron",
    "Hickory",
    "Holly",
    "Huron",
    "Indigo",
    "Ironwood",
    "Jasper",
    "Jefferson",
    "Juniper",
    "Kestrel",
    "Kimball",
    "Larch",
    "Laurel",
    "Lilac",
    "Linden",
    "Locust",
    "Madison",
    "Magnolia",
    "Maple",
    "Marigold",
    "Mason",
    "Mulberry",
    "Myrtle",
    "Newbury",
    "Oakwood",
    "Olive",
    "Orchard",
    "Osprey",
    "Pearl",
    "Pecan",
    "Pershing",
    "Pine",
    "Plover",
    "Poplar",
    "Quarry",
    "Raven",
    "Redbud",
    "Rosewood",
    "Sable",
    "Sassafras",
    "Sequoia",
    "Sheridan",
    "Spruce",
    "Sumac",
    "Sycamore",
    "Tamarack",
    "Thistle",
    "Tulip",
    "Vernon",
    "Walnut",
    "Warbler",
    "Willow",
    "Winslow",
    "Yarrow",
    "Zinnia",
];

/// Postal code and town.
const TOWNS: &[(&str, &str)] = &[
    ("49981", "Port Marlow"),
    ("49982", "Port Marlow"),
    ("49983", "Port Marlow"),
    ("49984", "East Quill"),
    ("49985", "East Quill"),
    ("49986", "Tanner Falls"),
    ("49987", "Tanner Falls"),
    ("49988", "Ludlow Bend"),
    ("49989", "Ludlow Bend"),
    ("49991", "Osier"),
    ("49992", "Harrow Point"),
    ("49993", "Saltbox"),
];

const HOUSES_PER_STREET: u32 = 48;

/// A door at which a household lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Door {
    /// House number.
    pub number: u32,
    /// What follows the number: `B` in "214B", `1/2` in "214 1/2".
    pub fraction: Option<&'static str>,
    /// Direction before the street's name.
    pub direction: Option<&'static Word>,
    /// The street's name.
    pub street: &'static str,
    /// Kind of street.
    pub suffix: &'static Word,
    /// Flat, without its label.
    pub unit: Option<String>,
    /// Town.
    pub city: &'static str,
    /// Postal code, five digits.
    pub zip: &'static str,
}

impl Door {
    /// House number as written.
    #[must_use]
    pub fn number_text(&self) -> String {
        match self.fraction {
            None => self.number.to_string(),
            Some(letter) if letter.len() == 1 => format!("{}{letter}", self.number),
            Some(fraction) => format!("{} {fraction}", self.number),
        }
    }

    /// The door under exact normalization: `postal|number|street|unit`, lower case, abbreviated.
    #[must_use]
    pub fn key(&self) -> String {
        self.key_with_street(self.street)
    }

    /// The key if the street's name is written like this.
    pub(crate) fn key_with_street(&self, street: &str) -> String {
        let direction = self
            .direction
            .map(|word| format!("{} ", word.short))
            .unwrap_or_default();
        let unit = self.unit.as_deref().unwrap_or_default();
        let number = self.number_text();
        format!(
            "{}|{number}|{direction}{street} {}|{unit}",
            self.zip, self.suffix.short
        )
        .to_lowercase()
    }
}

/// The doors of the county one after the other, along each street and never twice.
pub(crate) struct Doors {
    street: u32,
    house: u32,
    number: u32,
    units_left: u32,
}

impl Doors {
    pub(crate) fn new() -> Self {
        Self {
            street: 0,
            house: 0,
            number: 100,
            units_left: 0,
        }
    }

    /// The next door; about one house in eight has several.
    pub(crate) fn next(&mut self, draw: &mut Draw) -> Door {
        if self.units_left > 0 {
            let unit = self.units_left;
            self.units_left -= 1;
            return self.here(None, Some(unit_name(unit)));
        }
        self.advance(draw);
        if draw.per_mille(125) {
            self.units_left = draw.between(3, 11);
            return self.here(None, Some(unit_name(self.units_left + 1)));
        }
        let fraction = match draw.below(100) {
            0 => Some("B"),
            1 => Some("1/2"),
            _ => None,
        };
        self.here(fraction, None)
    }

    fn advance(&mut self, draw: &mut Draw) {
        self.house += 1;
        self.number += draw.between(2, 9);
        if self.house > HOUSES_PER_STREET {
            self.house = 1;
            self.street += 1;
            self.number = 100 * draw.between(1, 12) + 1;
        }
    }

    fn here(&self, fraction: Option<&'static str>, unit: Option<String>) -> Door {
        let (zip, city) = TOWNS[self.street as usize % TOWNS.len()];
        let in_town = self.street as usize / TOWNS.len();
        let name = (in_town * 7 + self.street as usize % TOWNS.len() * 13) % STREET_NAMES.len();
        // One name returns in the same town only with the next pair of direction and suffix.
        let pair =
            (name * 3 + in_town / STREET_NAMES.len()) % ((DIRECTIONS.len() + 1) * SUFFIXES.len());
        Door {
            number: self.number,
            fraction,
            direction: DIRECTIONS.get(pair / SUFFIXES.len()),
            street: STREET_NAMES[name],
            suffix: &SUFFIXES[pair % SUFFIXES.len()],
            unit,
            city,
            zip,
        }
    }
}

fn unit_name(unit: u32) -> String {
    if unit.is_multiple_of(4) {
        format!("{}B", unit / 4)
    } else {
        (100 + unit).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::draw::Stream;

    #[test]
    fn no_door_is_built_twice() {
        let mut draw = Draw::new(1, Stream::County);
        let mut doors = Doors::new();
        let keys: std::collections::BTreeSet<_> =
            (0..200_000).map(|_| doors.next(&mut draw).key()).collect();
        assert_eq!(keys.len(), 200_000);
    }

    #[test]
    fn no_street_is_named_like_a_direction_or_a_suffix() {
        for word in DIRECTIONS.iter().chain(SUFFIXES) {
            assert!(!STREET_NAMES.contains(&word.long) && !STREET_NAMES.contains(&word.short));
        }
    }
}

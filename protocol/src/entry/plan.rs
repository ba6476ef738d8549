//! Plans: what a member intends to do, where and when. Spec: section 5.4.
//!
//! A plan holds nothing back from anybody. It tells allies of the intention early enough to talk,
//! and it names places, never people.

use crate::{
    channel::Channel,
    id::{EntryId, Hash},
    time::Moment,
    token::normalize,
};
use minicbor::{Decode, Encode};
use std::{fmt, str::FromStr};

/// A filed intention to contact people.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Plan {
    /// How they will be contacted.
    #[n(0)]
    pub channel: Channel,
    /// The window's first moment.
    #[n(1)]
    pub from: Moment,
    /// The moment after the window's last.
    #[n(2)]
    pub to: Moment,
    /// The purpose, a word of the policy vocabulary.
    #[n(3)]
    pub purpose: String,
    /// What the author calls the area or list: one line.
    #[n(4)]
    pub label: String,
    /// Where, in rising order.
    #[n(5)]
    pub places: Vec<Place>,
    /// About how many contact points.
    #[n(6)]
    pub volume: u64,
    /// Whom allies call about it, and how: one line that the author chose to show.
    #[n(7)]
    pub contact: String,
    /// The plan in whose place this one stands.
    #[n(8)]
    pub replaces: Option<EntryId>,
    /// The agreement under which it is filed.
    #[n(9)]
    pub agreement: Hash,
}

/// The end of a plan before its time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PlanWithdraw {
    /// The plan: the id of the entry that filed it.
    #[n(0)]
    pub plan: EntryId,
}

/// Where a plan is to be carried out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Place {
    /// A cell of the H3 grid, resolution [`CELL_FINEST`] at the finest.
    #[n(0)]
    Cell(#[n(0)] u64),
    /// A postal code: country and code, as match tokens spell them, with a space between.
    #[n(1)]
    Postal(#[n(0)] String),
    /// A precinct or another area that the members name alike: one line, letter case apart.
    #[n(2)]
    Area(#[n(0)] String),
}

/// The finest resolution of a cell: about 0.1 km², some dozens of doors. A finer one could point at
/// a person.
pub const CELL_FINEST: u8 = 9;

/// The longest name of an area, in bytes.
pub const AREA_BYTES: usize = 80;

/// Why a text names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// No kind of place in front.
    #[error("a place is written postal:us 19104, cell:882a134d49fffff or area:NAME")]
    Kind,
    /// Not a cell, or too fine a one.
    #[error("not a cell of the H3 grid of resolution 0 to {CELL_FINEST}")]
    Cell,
    /// Not a country with a postal code.
    #[error("not a country and postal code, like \"us 19104\"")]
    Postal,
    /// Not a line.
    #[error("the name of an area is one line of 1 to {AREA_BYTES} bytes")]
    Area,
}

impl Place {
    /// A postal code as people write it.
    ///
    /// # Errors
    /// [`PlaceError::Postal`].
    pub fn postal(country: &str, code: &str) -> Result<Self, PlaceError> {
        let country = normalize::country(country).ok_or(PlaceError::Postal)?;
        let code = normalize::postal_code(&country, code).ok_or(PlaceError::Postal)?;
        Ok(Self::Postal(format!("{country} {code}")))
    }

    /// A named area: letter case and spaces at the ends do not matter.
    ///
    /// # Errors
    /// [`PlaceError::Area`].
    pub fn area(name: &str) -> Result<Self, PlaceError> {
        let name = name.trim().to_lowercase();
        if crate::fold::share::is_line(&name, AREA_BYTES) {
            Ok(Self::Area(name))
        } else {
            Err(PlaceError::Area)
        }
    }

    /// A cell of the H3 grid.
    ///
    /// # Errors
    /// [`PlaceError::Cell`].
    pub fn cell(index: u64) -> Result<Self, PlaceError> {
        let cell = h3o::CellIndex::try_from(index).map_err(|_| PlaceError::Cell)?;
        if u8::from(cell.resolution()) > CELL_FINEST {
            return Err(PlaceError::Cell);
        }
        Ok(Self::Cell(index))
    }

    /// Whether the place is spelled in its one way.
    #[must_use]
    pub fn is_canonical(&self) -> bool {
        let again = match self {
            Self::Cell(index) => Self::cell(*index),
            Self::Postal(text) => match text.split_once(' ') {
                Some((country, code)) => Self::postal(country, code),
                None => Err(PlaceError::Postal),
            },
            Self::Area(name) => Self::area(name),
        };
        again.as_ref() == Ok(self)
    }

    /// Whether two places share ground for certain: the same one, or a cell within another.
    ///
    /// Places of two kinds cannot be compared here; a member that knows people in both can.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cell(a), Self::Cell(b)) => cells_meet(*a, *b),
            _ => self == other,
        }
    }
}

fn cells_meet(a: u64, b: u64) -> bool {
    let (Ok(a), Ok(b)) = (h3o::CellIndex::try_from(a), h3o::CellIndex::try_from(b)) else {
        return false;
    };
    let coarse = a.resolution().min(b.resolution());
    a.parent(coarse) == b.parent(coarse)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cell(index) => write!(f, "cell:{index:x}"),
            Self::Postal(text) => write!(f, "postal:{text}"),
            Self::Area(name) => write!(f, "area:{name}"),
        }
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let (kind, rest) = text.split_once(':').ok_or(PlaceError::Kind)?;
        match kind.trim() {
            "cell" => {
                let index = u64::from_str_radix(rest.trim(), 16).map_err(|_| PlaceError::Cell)?;
                Self::cell(index)
            }
            "postal" => {
                let (country, code) = rest.trim().split_once(' ').ok_or(PlaceError::Postal)?;
                Self::postal(country, code)
            }
            "area" => Self::area(rest),
            _ => Err(PlaceError::Kind),
        }
    }
}

impl serde::Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Place {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|error| serde::de::Error::custom(format!("{text}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        text.parse().expect(text)
    }

    #[test]
    fn a_place_reads_back_from_its_own_spelling() {
        for text in [
            "postal:us 19104",
            "cell:882a134d49fffff",
            "area:ward 27, division 5",
        ] {
            assert_eq!(place(text).to_string(), text);
            assert!(place(text).is_canonical());
        }
    }

    #[test]
    fn spellings_of_one_place_are_one_place() {
        assert_eq!(place("postal:USA 19104-2230"), place("postal:us 19104"));
        assert_eq!(place("area: Ward 27 "), place("area:ward 27"));
        assert!(!Place::Postal("US 19104".to_owned()).is_canonical());
        assert!(!Place::Area("Ward 27".to_owned()).is_canonical());
    }

    #[test]
    fn a_cell_meets_the_cells_within_it_and_no_other() {
        let cell = place("cell:882a134d49fffff");
        let Place::Cell(index) = cell else {
            unreachable!()
        };
        let index = h3o::CellIndex::try_from(index).unwrap();
        let parent = index.parent(h3o::Resolution::Six).unwrap();
        assert!(cell.meets(&Place::Cell(parent.into())));
        let neighbour = index.grid_disk::<Vec<_>>(1)[1];
        assert!(!cell.meets(&Place::Cell(neighbour.into())));
        assert!(!cell.meets(&place("postal:us 19104")));
    }

    #[test]
    fn what_is_no_place_or_too_fine_a_one_is_refused() {
        for (text, error) in [
            ("19104", PlaceError::Kind),
            ("city:philadelphia", PlaceError::Kind),
            ("postal:19104", PlaceError::Postal),
            ("postal:us 00000", PlaceError::Postal),
            ("cell:zz", PlaceError::Cell),
            ("cell:0", PlaceError::Cell),
            ("cell:8a2a1072b59ffff", PlaceError::Cell), // resolution 10
            ("area: ", PlaceError::Area),
            ("area:a\u{202e}b", PlaceError::Area),
        ] {
            assert_eq!(text.parse::<Place>(), Err(error), "{text}");
        }
    }
}

//! One spelling for each value, so that equal things give equal tokens. Section 6.
//!
//! Every function here answers none for a value that is missing, invalid or ambiguous: a wrong
//! token would tie strangers together, no token only misses a match. Every function is idempotent:
//! normalizing what it made changes nothing.

pub mod door;
pub mod email;
pub mod name;
pub mod person;
pub mod phone;
pub mod place;
pub mod text;

pub use door::{Door, DoorParts, Street, door};
pub use email::email;
pub use person::{name_door, ns_dob_postal, voter_id};
pub use phone::phone;
pub use place::{country, postal_code};

use super::{Kind, MAX_VALUE_BYTES};
use std::fmt;

/// Between the parts of a value that has several; no part can contain it.
pub(crate) const SEPARATOR: char = '|';

/// A normalized value and its kind: what is hashed. Personal data, so it does not print itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Normalized {
    kind: Kind,
    value: String,
}

impl Normalized {
    /// A value that a function of this module made; none when it is empty or too long.
    pub(crate) fn new(kind: Kind, value: String) -> Option<Self> {
        (1..=MAX_VALUE_BYTES)
            .contains(&value.len())
            .then_some(Self { kind, value })
    }

    /// A value that a node stored after normalizing it; none when it is empty or too long.
    #[must_use]
    pub fn stored(kind: Kind, value: String) -> Option<Self> {
        Self::new(kind, value)
    }

    /// How the value was made.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The value. Personal data: neither log nor show it.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Normalized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Normalized({}, ..)", self.kind)
    }
}

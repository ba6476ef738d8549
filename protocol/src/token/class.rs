//! What is tokenized: four classes with a key each, and the kinds of value within a class. Section 2.

use minicbor::{Decode, Encode};
use std::{fmt, str::FromStr};

/// The version of the normalization rules and tables; a part of every hashed value.
pub const NORM_VERSION: u8 = 1;

/// A class of values. Each has its own key, so that a budget for doors cannot buy phone numbers.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Doors.
    #[n(0)]
    Door,
    /// Phone numbers.
    #[n(1)]
    Phone,
    /// E-mail addresses.
    #[n(2)]
    Email,
    /// Keys that stand for a person.
    #[n(3)]
    Person,
}

impl Class {
    /// Every class, in the order of a keyset's keys.
    pub const ALL: [Self; 4] = [Self::Door, Self::Phone, Self::Email, Self::Person];

    /// The word that is hashed, typed and read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Door => "door",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Person => "person",
        }
    }

    /// The place of this class in [`Class::ALL`].
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Door => 0,
            Self::Phone => 1,
            Self::Email => 2,
            Self::Person => 3,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Class {
    type Err = UnknownClass;
    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        Self::ALL
            .into_iter()
            .find(|class| class.name() == text)
            .ok_or(UnknownClass)
    }
}

/// A word that names no class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token class is one of: door, phone, email, person")]
pub struct UnknownClass;

/// A kind of value: how it was made, within its class. Values of two kinds never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// A normalized door.
    #[n(0)]
    Door,
    /// A phone number in E.164.
    #[n(1)]
    Phone,
    /// An e-mail address.
    #[n(2)]
    Email,
    /// A state and the voter id that it issued. Strong.
    #[n(3)]
    VoterId,
    /// Both names by sound, birth date and postal code. Strong.
    #[n(4)]
    NsDobPostal,
    /// Both names, exactly, at a door: for suppressions from lists without birth dates.
    #[n(5)]
    NameDoor,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Door,
        Self::Phone,
        Self::Email,
        Self::VoterId,
        Self::NsDobPostal,
        Self::NameDoor,
    ];

    /// The word that is hashed, typed and read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Door => "door",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::VoterId => "voter_id",
            Self::NsDobPostal => "ns_dob_postal",
            Self::NameDoor => "name_door",
        }
    }

    /// The class whose key applies.
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            Self::Door => Class::Door,
            Self::Phone => Class::Phone,
            Self::Email => Class::Email,
            Self::VoterId | Self::NsDobPostal | Self::NameDoor => Class::Person,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or(UnknownKind)
    }
}

/// A word that names no kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token kind is one of: door, phone, email, voter_id, ns_dob_postal, name_door")]
pub struct UnknownKind;

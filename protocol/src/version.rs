//! Which versions of the protocol a node speaks, and what two nodes or a coalition have in common.
//! Spec: section 12.
//!
//! A node says it in its signed document, so nobody can talk two others down. Two nodes speak the
//! newest version that both know; a coalition seals its entries in the newest that all members know.

use crate::identity::{Capability, IdentityDocument, Word};
use minicbor::{Decode, Encode};
use std::fmt;

/// What the capability is called that says it.
pub const PROTOCOL: &str = "protocol";

/// Versions in a row, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Versions {
    #[n(0)]
    min: u32,
    #[n(1)]
    max: u32,
}

/// Two sides without a version that both speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoCommonVersion {
    /// What this side speaks.
    pub own: Versions,
    /// What the other one does.
    pub other: Versions,
}

impl Versions {
    /// What this program speaks. A program speaks the version before its newest, too, so that members
    /// can be updated one after the other.
    pub const SPOKEN: Self = Self { min: 1, max: 1 };
    /// What a node speaks whose document does not say it.
    const UNSAID: Self = Self { min: 1, max: 1 };

    /// From the oldest to the newest; none when that is no range, or begins before the first version.
    #[must_use]
    pub fn new(min: u32, max: u32) -> Option<Self> {
        (1 <= min && min <= max).then_some(Self { min, max })
    }

    /// What a node speaks, as it says itself. One that speaks nothing that could be meant speaks what
    /// nobody else does.
    #[must_use]
    pub fn of(document: &IdentityDocument) -> Self {
        let mut said = document.capabilities.iter();
        match said.find(|one| one.name.as_str() == PROTOCOL) {
            Some(one) => Self {
                min: one.min,
                max: one.max,
            },
            None => Self::UNSAID,
        }
    }

    /// As a node says it in its document.
    ///
    /// # Panics
    /// Never: the name is a word.
    #[must_use]
    pub fn capability(self) -> Capability {
        let name: Word = PROTOCOL.parse().expect("the name is a word");
        Capability {
            name,
            min: self.min,
            max: self.max,
        }
    }

    /// The newest.
    #[must_use]
    pub fn newest(self) -> u32 {
        self.max
    }

    /// Whether a version is one of them.
    #[must_use]
    pub fn has(self, version: u32) -> bool {
        (self.min..=self.max).contains(&version)
    }

    /// Each of them, rising. A range that somebody else said can be long: take what is spoken here.
    #[must_use]
    pub fn each(self) -> std::ops::RangeInclusive<u32> {
        self.min..=self.max
    }

    /// Those that both sides speak.
    #[must_use]
    pub fn common(self, other: Self) -> Option<Self> {
        let (min, max) = (self.min.max(other.min), self.max.min(other.max));
        (min <= max).then_some(Self { min, max })
    }

    /// The version in which two nodes speak: the newest that both know.
    ///
    /// # Errors
    /// [`NoCommonVersion`], in words for the people of this side.
    pub fn agree(self, other: Self) -> Result<u32, NoCommonVersion> {
        let common = self.common(other);
        let none = NoCommonVersion { own: self, other };
        common.map(Self::newest).ok_or(none)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { min, max } if min == max => write!(f, "version {min}"),
            Self { min, max } => write!(f, "versions {min} to {max}"),
        }
    }
}

impl fmt::Display for NoCommonVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { own, other } = self;
        let whose = if own.max < other.max {
            "this node"
        } else {
            "the other one"
        };
        write!(
            f,
            "this node speaks {own} of the protocol and the other one {other}: {whose} has to be updated"
        )
    }
}

impl std::error::Error for NoCommonVersion {}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(min: u32, max: u32) -> Versions {
        Versions::new(min, max).unwrap()
    }

    #[test]
    fn two_nodes_speak_the_newest_version_that_both_know() {
        for (own, other, spoken) in [
            ((1, 1), (1, 1), 1),
            ((1, 2), (1, 1), 1),
            ((1, 2), (2, 3), 2),
            ((2, 3), (1, 3), 3),
        ] {
            let (own, other) = (versions(own.0, own.1), versions(other.0, other.1));
            assert_eq!(own.agree(other), Ok(spoken));
            assert_eq!(other.agree(own), Ok(spoken));
        }
    }

    #[test]
    fn without_a_common_version_both_sides_say_who_has_to_be_updated() {
        let (old, new) = (versions(1, 1), versions(2, 3));
        assert_eq!(
            old.agree(new).unwrap_err().to_string(),
            "this node speaks version 1 of the protocol and the other one versions 2 to 3: this node has to be updated"
        );
        let told = new.agree(old).unwrap_err().to_string();
        assert!(told.ends_with("the other one has to be updated"), "{told}");
    }

    #[test]
    fn a_range_that_holds_nothing_or_begins_before_the_first_version_is_none() {
        for (min, max) in [(0, 1), (0, 0), (2, 1)] {
            assert_eq!(Versions::new(min, max), None, "{min} to {max}");
        }
    }

    #[test]
    fn this_program_speaks_the_version_before_its_newest_too() {
        let newest = Versions::SPOKEN.newest();
        assert!(newest == 1 || Versions::SPOKEN.has(newest - 1));
    }
}

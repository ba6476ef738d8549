//! The places whose law may protect a person, and which of them lie in which.

use std::{fmt, str::FromStr};

/// A place of the table: `us`, `us-oh`, `eea`, `de`, or `unknown`.
///
/// Being in the table is what makes it safe: a place without its parent would slip past every rule
/// that is written for the parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jurisdiction(&'static str);

/// A text that names no place of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this place is not in the table; use a state like US-OH, a country like DE, or `unknown`")]
pub struct UnknownJurisdiction;

impl Jurisdiction {
    /// Nobody knows; nothing flows.
    pub const UNKNOWN: Self = Self("unknown");
    /// The United States, state not told.
    pub const US: Self = Self("us");

    /// The code in lower case.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0
    }

    /// The place that this one lies in.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        let (_, parent) = TABLE.iter().find(|(code, _)| *code == self.0)?;
        TABLE.iter().find(|(code, _)| code == parent).map(|(code, _)| Self(code))
    }

    /// Whether this place is the other or lies in it.
    #[must_use]
    pub fn is_in(self, other: Self) -> bool {
        self == other || self.parent().is_some_and(|parent| parent.is_in(other))
    }

    /// Every place of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(code, _)| Self(code))
    }
}

impl fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for Jurisdiction {
    type Err = UnknownJurisdiction;
    fn from_str(text: &str) -> Result<Self, UnknownJurisdiction> {
        Self::all().find(|place| place.0.eq_ignore_ascii_case(text)).ok_or(UnknownJurisdiction)
    }
}

impl serde::Serialize for Jurisdiction {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Jurisdiction {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Code and parent; the parent is empty at the top.
const TABLE: &[(&str, &str)] = &[
    ("unknown", ""),
    ("us", ""),
    ("us-al", "us"),
    ("us-ak", "us"),
    ("us-az", "us"),
    ("us-ar", "us"),
    ("us-ca", "us"),
    ("us-co", "us"),
    ("us-ct", "us"),
    ("us-de", "us"),
    ("us-fl", "us"),
    ("us-ga", "us"),
    ("us-hi", "us"),
    ("us-id", "us"),
    ("us-il", "us"),
    ("us-in", "us"),
    ("us-ia", "us"),
    ("us-ks", "us"),
    ("us-ky", "us"),
    ("us-la", "us"),
    ("us-me", "us"),
    ("us-md", "us"),
    ("us-ma", "us"),
    ("us-mi", "us"),
    ("us-mn", "us"),
    ("us-ms", "us"),
    ("us-mo", "us"),
    ("us-mt", "us"),
    ("us-ne", "us"),
    ("us-nv", "us"),
    ("us-nh", "us"),
    ("us-nj", "us"),
    ("us-nm", "us"),
    ("us-ny", "us"),
    ("us-nc", "us"),
    ("us-nd", "us"),
    ("us-oh", "us"),
    ("us-ok", "us"),
    ("us-or", "us"),
    ("us-pa", "us"),
    ("us-ri", "us"),
    ("us-sc", "us"),
    ("us-sd", "us"),
    ("us-tn", "us"),
    ("us-tx", "us"),
    ("us-ut", "us"),
    ("us-vt", "us"),
    ("us-va", "us"),
    ("us-wa", "us"),
    ("us-wv", "us"),
    ("us-wi", "us"),
    ("us-wy", "us"),
    ("us-dc", "us"),
    ("us-pr", "us"),
    ("eea", ""),
    ("at", "eea"),
    ("be", "eea"),
    ("bg", "eea"),
    ("hr", "eea"),
    ("cy", "eea"),
    ("cz", "eea"),
    ("dk", "eea"),
    ("ee", "eea"),
    ("fi", "eea"),
    ("fr", "eea"),
    ("de", "eea"),
    ("gr", "eea"),
    ("hu", "eea"),
    ("ie", "eea"),
    ("it", "eea"),
    ("lv", "eea"),
    ("lt", "eea"),
    ("lu", "eea"),
    ("mt", "eea"),
    ("nl", "eea"),
    ("pl", "eea"),
    ("pt", "eea"),
    ("ro", "eea"),
    ("sk", "eea"),
    ("si", "eea"),
    ("es", "eea"),
    ("se", "eea"),
    ("is", "eea"),
    ("li", "eea"),
    ("no", "eea"),
    ("gb", ""),
    ("ca", ""),
    ("au", ""),
    ("ch", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parent_is_a_place_of_the_table() {
        for (code, parent) in TABLE {
            let place: Jurisdiction = code.parse().unwrap();
            assert_eq!(place.parent().map_or("", Jurisdiction::code), *parent);
        }
    }

    #[test]
    fn a_state_lies_in_its_country_and_germany_is_not_delaware() {
        let ohio: Jurisdiction = "US-OH".parse().unwrap();
        let germany: Jurisdiction = "de".parse().unwrap();
        assert!(ohio.is_in(Jurisdiction::US) && !ohio.is_in("eea".parse().unwrap()));
        assert!(germany.is_in("eea".parse().unwrap()) && !germany.is_in(Jurisdiction::US));
        assert_eq!("oh".parse::<Jurisdiction>(), Err(UnknownJurisdiction));
        assert_eq!("".parse::<Jurisdiction>(), Err(UnknownJurisdiction));
    }
}

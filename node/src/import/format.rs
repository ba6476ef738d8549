//! The formats that are read: a name, a sign to know each by, and a table of its columns.

use super::{
    action_network, civicrm, field::Field, generic, nationbuilder, van_contact_history,
    van_saved_list,
};
use std::{fmt, str::FromStr};

/// An export of a known system, or a file whose columns are named by common words or by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// VAN's saved lists and walk lists: people with doors and phones.
    VanSavedList,
    /// VAN's contact history: attempts with their results.
    VanContactHistory,
    /// NationBuilder's people export.
    NationBuilder,
    /// Action Network's activist export.
    ActionNetwork,
    /// CiviCRM's contact export.
    CiviCrm,
    /// Any other table.
    Csv,
}

/// Every format, in the order in which a header is tried. To add one: its file and a line here.
pub(super) const SPECS: &[&Spec] = &[
    &nationbuilder::SPEC,
    &action_network::SPEC,
    &civicrm::SPEC,
    &van_contact_history::SPEC,
    &van_saved_list::SPEC,
    &generic::SPEC,
];

/// How to know and read one format.
pub(super) struct Spec {
    /// Which format this is.
    pub(super) format: Format,
    /// The word that people type.
    pub(super) name: &'static str,
    /// What its rows are.
    pub(super) makes: Makes,
    /// Whether a header is this format's; asked for names and given them all in plain spelling.
    pub(super) fits: fn(&Has, &[String]) -> bool,
    /// Columns that a file must have.
    pub(super) keys: &'static [Key],
    /// Columns by name, in any spelling.
    pub(super) columns: &'static [(&'static str, Field)],
    /// Names of places that may stand before a column's name, plain.
    pub(super) places: &'static [&'static str],
}

/// Whether a header has a name, in any spelling.
pub(super) type Has<'a> = dyn Fn(&str) -> bool + 'a;

/// What rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Makes {
    /// People.
    People,
    /// Attempts to reach people.
    Attempts,
}

/// Columns of which a file needs one.
pub(super) struct Key {
    /// Any of these.
    pub(super) fields: &'static [Field],
    /// What to call it in an error.
    pub(super) called: &'static str,
    /// Whether each row needs a value there.
    pub(super) every_row: bool,
}

impl Key {
    /// Whether this field will do.
    pub(super) fn holds(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }
}

impl Format {
    /// Every format, in the order in which a header is tried.
    pub fn all() -> impl Iterator<Item = Self> {
        SPECS.iter().map(|spec| spec.format)
    }

    pub(super) fn spec(self) -> &'static Spec {
        match self {
            Self::VanSavedList => &van_saved_list::SPEC,
            Self::VanContactHistory => &van_contact_history::SPEC,
            Self::NationBuilder => &nationbuilder::SPEC,
            Self::ActionNetwork => &action_network::SPEC,
            Self::CiviCrm => &civicrm::SPEC,
            Self::Csv => &generic::SPEC,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().name)
    }
}

/// What `--format` was given; none is `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice(pub Option<Format>);

impl FromStr for Choice {
    type Err = UnknownFormat;
    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        if text == "auto" {
            return Ok(Self(None));
        }
        let named = SPECS.iter().find(|spec| spec.name == text);
        named
            .map(|spec| Self(Some(spec.format)))
            .ok_or(UnknownFormat)
    }
}

/// A word that names no format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a format is one of: auto, van-saved-list, van-contact-history, nationbuilder, action-network, civicrm, csv"
)]
pub struct UnknownFormat;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::header::plain;
    use std::collections::BTreeSet;

    #[test]
    fn every_format_parses_from_what_it_prints_and_is_named_in_the_error() {
        for format in Format::all() {
            let name = format.to_string();
            assert_eq!(name.parse(), Ok(Choice(Some(format))));
            assert!(UnknownFormat.to_string().contains(&name));
        }
        assert_eq!("auto".parse(), Ok(Choice(None)));
        assert_eq!("xlsx".parse::<Choice>(), Err(UnknownFormat));
    }

    #[test]
    fn no_format_lists_a_column_twice_or_lacks_its_own_keys() {
        for spec in SPECS {
            let names: BTreeSet<_> = spec.columns.iter().map(|(name, _)| plain(name)).collect();
            assert_eq!(names.len(), spec.columns.len(), "{}", spec.name);
            for key in spec.keys {
                assert!(
                    spec.columns.iter().any(|(_, field)| key.holds(*field)),
                    "{}",
                    spec.name
                );
            }
        }
    }
}

//! What a row changes about a known person. Nothing is lost: where two values differ, the person has
//! one and the other is kept beside it.

use super::incoming::{Incoming, TEXT_BYTES};
use crate::{
    store::person::{Address, Person},
    turf::position::Position,
};
use protocol::token::normalize::text::text;
use std::collections::BTreeMap;

/// The most other values of one field that are kept.
const ALSO: usize = 10;
/// Between them.
const SEPARATOR: &str = "; ";

/// Which of two differing values the person has afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The row's: it comes from a later file.
    Newest,
    /// The one it has: an earlier row of the same file, or the same file before, gave it.
    Keep,
}

/// Brings a person up to a row; whether that changed anything.
pub(super) fn merge(person: &mut Person, row: &Incoming, mode: Mode) -> bool {
    let mut changed = false;
    let extra = &mut person.extra;
    for (label, old, new) in [
        ("given name", &mut person.given, &row.given),
        ("middle name", &mut person.middle, &row.middle),
        ("surname", &mut person.surname, &row.surname),
        ("name suffix", &mut person.suffix, &row.suffix),
    ] {
        changed |= text_field(label, old, new, mode, Some(extra));
    }
    changed |= option_field(
        "birth date",
        &mut person.birth_date,
        &row.birth_date,
        mode,
        extra,
    );
    changed |= year_field(&mut person.birth_year, row.birth_year, mode, extra);
    changed |= voter_field(
        &mut person.voter_state,
        &mut person.voter_id,
        row,
        mode,
        extra,
    );
    changed |= address_field(&mut person.address, &row.address, mode, extra);
    changed |= map_field(&mut person.answers, &row.answers, mode, &mut person.extra);
    changed |= extra_fields(&mut person.extra, &row.extra, mode);
    for tag in &row.tags {
        if !person.tags.contains(tag) && person.tags.len() < crate::import::limits::TAGS_MAX {
            person.tags.push(tag.clone());
            changed = true;
        }
    }
    if row.partisan && !person.partisan {
        person.partisan = true;
        changed = true;
    }
    changed
}

type Extra = BTreeMap<String, String>;

/// A text that may be missing; spellings that differ only in case, accents and punctuation are one.
fn text_field(
    label: &str,
    old: &mut String,
    new: &str,
    mode: Mode,
    extra: Option<&mut Extra>,
) -> bool {
    if new.is_empty() || *old == new {
        return false;
    }
    if old.is_empty() {
        new.clone_into(old);
        return true;
    }
    let same = text(old) == text(new);
    match mode {
        // Text that is no word at all (`=`, a star) is compared as it stands.
        _ if same && !text(new).is_empty() => false,
        Mode::Newest => {
            if let Some(extra) = extra {
                keep_also(extra, label, old);
            }
            new.clone_into(old);
            true
        }
        Mode::Keep => extra.is_some_and(|extra| keep_also(extra, label, new)),
    }
}

fn option_field(
    label: &str,
    old: &mut Option<String>,
    new: &Option<String>,
    mode: Mode,
    extra: &mut Extra,
) -> bool {
    let mut value = old.clone().unwrap_or_default();
    let new = new.as_deref().unwrap_or_default();
    let changed = text_field(label, &mut value, new, mode, Some(extra));
    *old = Some(value).filter(|value| !value.is_empty());
    changed
}

fn year_field(old: &mut Option<i64>, new: Option<i64>, mode: Mode, extra: &mut Extra) -> bool {
    let mut value = old.map(|year| year.to_string());
    let new = new.map(|year| year.to_string());
    let changed = option_field("birth year", &mut value, &new, mode, extra);
    *old = value.and_then(|year| year.parse().ok());
    changed
}

/// State and id go together.
fn voter_field(
    state: &mut Option<String>,
    id: &mut Option<String>,
    row: &Incoming,
    mode: Mode,
    extra: &mut Extra,
) -> bool {
    let Some((new_state, new_id)) = &row.voter else {
        return false;
    };
    let changed = option_field("voter id", id, &Some(new_id.clone()), mode, extra);
    if changed && id.as_ref() == Some(new_id) {
        *state = Some(new_state.clone());
    }
    changed
}

fn address_field(old: &mut Address, new: &Address, mode: Mode, extra: &mut Extra) -> bool {
    let same_door = text(&old.line1) == text(&new.line1) && text(&old.line2) == text(&new.line2);
    let (before, after) = (line(old), line(new));
    if new.line1.is_empty() || old.line1.is_empty() || same_door {
        // Nothing contradicts: what is missing is filled in.
        let fields = [
            (&mut old.line1, &new.line1),
            (&mut old.line2, &new.line2),
            (&mut old.city, &new.city),
            (&mut old.county, &new.county),
            (&mut old.state, &new.state),
            (&mut old.postal_code, &new.postal_code),
            (&mut old.country, &new.country),
        ];
        let mut changed = lies(&mut old.position, new.position, mode);
        changed |= text_field(
            "precinct",
            &mut old.precinct,
            &new.precinct,
            mode,
            Some(extra),
        );
        for (old, new) in fields {
            if old.is_empty() && !new.is_empty() {
                new.clone_into(old);
                changed = true;
            }
        }
        return changed;
    }
    match mode {
        Mode::Newest => {
            keep_also(extra, "address", &before);
            *old = new.clone();
            true
        }
        Mode::Keep => keep_also(extra, "address", &after),
    }
}

/// Where the same door lies: measured anew, an older measurement tells nothing more.
fn lies(old: &mut Option<Position>, new: Option<Position>, mode: Mode) -> bool {
    let takes = match mode {
        Mode::Newest => new.is_some() && *old != new,
        Mode::Keep => new.is_some() && old.is_none(),
    };
    if takes {
        *old = new;
    }
    takes
}

fn line(address: &Address) -> String {
    let parts = [
        &address.line1,
        &address.line2,
        &address.city,
        &address.state,
        &address.postal_code,
    ];
    let parts: Vec<&str> = parts
        .into_iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(", ")
}

fn map_field(old: &mut Extra, new: &Extra, mode: Mode, extra: &mut Extra) -> bool {
    let mut changed = false;
    for (key, value) in new {
        let known = old.entry(key.clone()).or_default();
        changed |= text_field(key, known, value, mode, Some(extra));
    }
    changed
}

/// Columns that nobody mapped: the latest file's count, and a second row of a file is kept beside.
fn extra_fields(old: &mut Extra, new: &Extra, mode: Mode) -> bool {
    let mut changed = false;
    for (column, value) in new {
        let known = old.get(column).cloned().unwrap_or_default();
        if known == *value || value.is_empty() {
            continue;
        }
        if known.is_empty() || mode == Mode::Newest {
            old.insert(column.clone(), value.clone());
            changed = true;
        } else {
            changed |= keep_also(old, column, value);
        }
    }
    changed
}

/// Keeps another value of a field; false when it is there or there are enough of them.
fn keep_also(extra: &mut Extra, label: &str, value: &str) -> bool {
    let value = value.replace(SEPARATOR, ", ");
    let label = format!("{label} (also)");
    let also = extra.get(&label).map_or("", String::as_str);
    let known: Vec<&str> = also
        .split(SEPARATOR)
        .filter(|known| !known.is_empty())
        .collect();
    let fits = known.len() < ALSO && value.len() <= TEXT_BYTES && !value.is_empty();
    if known.contains(&value.as_str()) || !fits {
        return false;
    }
    let all = [known, vec![&value]].concat().join(SEPARATOR);
    extra.insert(label, all);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(given: &str, surname: &str) -> Incoming {
        Incoming {
            given: given.to_owned(),
            surname: surname.to_owned(),
            ..Incoming::default()
        }
    }

    #[test]
    fn a_later_file_wins_and_the_earlier_value_is_kept() {
        let mut person = Person::default();
        assert!(merge(&mut person, &row("Bob", "Okafor"), Mode::Newest));
        assert!(merge(&mut person, &row("Robert", "Okafor"), Mode::Newest));
        assert_eq!(person.given, "Robert");
        assert_eq!(person.extra["given name (also)"], "Bob");
        assert!(!merge(&mut person, &row("Robert", "Okafor"), Mode::Newest));
    }

    #[test]
    fn a_second_row_of_one_file_changes_nothing_the_second_time() {
        let mut person = Person::default();
        merge(&mut person, &row("Bob", "Okafor"), Mode::Newest);
        assert!(merge(&mut person, &row("Robert", ""), Mode::Keep));
        assert_eq!(person.given, "Bob");
        for row in [row("Bob", "Okafor"), row("Robert", "")] {
            assert!(!merge(&mut person, &row, Mode::Keep));
        }
    }

    #[test]
    fn other_capitals_and_accents_are_no_change() {
        let mut person = Person::default();
        merge(&mut person, &row("Zoë", "O'Neil"), Mode::Newest);
        assert!(!merge(
            &mut person,
            &row("ZOE", "O\u{2019}NEIL"),
            Mode::Newest
        ));
        assert_eq!(person.given, "Zoë");
    }

    #[test]
    fn an_empty_cell_takes_nothing_away() {
        let mut person = Person::default();
        merge(&mut person, &row("Ada", "Okafor"), Mode::Newest);
        assert!(!merge(&mut person, &row("", ""), Mode::Newest));
        assert_eq!(person.surname, "Okafor");
    }

    #[test]
    fn a_new_address_replaces_the_old_one_whole() {
        let mut person = Person::default();
        let mut at = |line1: &str, city: &str| {
            let mut row = row("Ada", "Okafor");
            row.address.line1 = line1.to_owned();
            row.address.city = city.to_owned();
            merge(&mut person, &row, Mode::Newest);
            person.address.clone()
        };
        at("12 Elm St", "Dover");
        let moved = at("9 Oak Ave", "");
        assert_eq!(
            (moved.line1.as_str(), moved.city.as_str()),
            ("9 Oak Ave", "")
        );
        assert_eq!(person.extra["address (also)"], "12 Elm St, Dover");
    }
}

//! Units: what stands behind the label. Section 6.5.4.

use super::words;

/// Pieces of a unit at most: `Bldg 3 Fl 2 Apt 4 B`.
const MAX_PIECES: usize = 4;

/// Parts the words after the house number into street and unit; the unit is empty when there is none.
///
/// None when a label is there and what follows is no unit.
pub(super) fn split(words: &[String]) -> Option<(&[String], String)> {
    let start = (1..words.len()).find(|&at| begins_unit(words, at));
    match start {
        Some(at) => {
            let (street, unit) = words.split_at(at);
            Some((street, identifier(unit)?))
        }
        None => Some((words, String::new())),
    }
}

/// The unit that some words name, labels dropped; none when they name anything else besides.
pub(super) fn identifier(words: &[String]) -> Option<String> {
    let pieces: Vec<&String> = words
        .iter()
        .filter(|word| !words::is_unit_label(word))
        .collect();
    if pieces.is_empty() || pieces.len() > MAX_PIECES {
        return None;
    }
    let mut unit = String::new();
    for piece in pieces {
        let piece = clean(piece)?;
        let boundary = [unit.chars().next_back(), piece.chars().next()];
        // `4 B` and `4-B` are `4b`, but `4 12` and `41 2` are two units.
        if let [Some(last), Some(first)] = boundary
            && last.is_ascii_digit() == first.is_ascii_digit()
        {
            unit.push('-');
        }
        unit.push_str(&piece);
    }
    Some(unit)
}

/// Whether a unit begins at a word: at a label, at a word that is a unit, or at a number that
/// follows the whole street.
fn begins_unit(words: &[String], at: usize) -> bool {
    let (before, from) = words.split_at(at);
    let Some((word, after)) = from.split_first() else {
        return false;
    };
    if word == "#" {
        return true;
    }
    let named = before.iter().any(|word| words::direction(word).is_none());
    let labelled =
        words::is_unit_label(word) && after.first().is_some_and(|next| is_unit_word(next));
    if named && labelled {
        return true;
    }
    if !is_whole_street(before) {
        return false;
    }
    let bare = words::bare_unit(word).is_some() && after.is_empty();
    let floor = after.len() == 1
        && after
            .first()
            .is_some_and(|next| matches!(next.as_str(), "fl" | "flr" | "floor"));
    bare || (has_digit(word) && (after.is_empty() || floor))
}

/// Whether words end as a street does: a name, a type, perhaps a direction. A road that is named
/// by a number does not: the number that follows is its name.
fn is_whole_street(words: &[String]) -> bool {
    let words = match words.split_last() {
        Some((last, rest)) if words::direction(last).is_some() => rest,
        _ => words,
    };
    let Some((last, name)) = words.split_last() else {
        return false;
    };
    let Some(kind) = words::street_type(last) else {
        return false;
    };
    let numbered =
        words::is_numbered_road(kind) || name.iter().any(|word| words::is_numbered_road(word));
    !numbered && name.iter().any(|word| words::direction(word).is_none())
}

/// A word that can follow a label.
fn is_unit_word(word: &str) -> bool {
    let letters = word.chars().count() <= 2 && words::street_type(word).is_none();
    has_digit(word) || letters || words::bare_unit(word).is_some() || words::is_unit_label(word)
}

/// One piece of a unit in its canonical spelling.
fn clean(piece: &str) -> Option<String> {
    if let Some(unit) = words::bare_unit(piece) {
        return Some(unit.to_owned());
    }
    if !piece.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return None;
    }
    if !has_digit(piece) {
        return (piece.len() <= 2).then(|| piece.to_owned());
    }
    let mut clean = String::new();
    for part in piece.split('-').map(without_ending) {
        let part = if has_digit(part) {
            part.trim_start_matches('0')
        } else {
            part
        };
        // Nothing but zeros is a placeholder.
        let first = part.chars().next()?;
        if let Some(last) = clean.chars().next_back()
            && last.is_ascii_digit() == first.is_ascii_digit()
        {
            clean.push('-');
        }
        clean.push_str(part);
    }
    Some(clean)
}

/// `2` of `2nd`.
fn without_ending(part: &str) -> &str {
    let digits = part.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ending = part.get(digits.len()..).unwrap_or_default();
    let ordinal = !digits.is_empty() && matches!(ending, "st" | "nd" | "rd" | "th");
    if ordinal { digits } else { part }
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit())
}

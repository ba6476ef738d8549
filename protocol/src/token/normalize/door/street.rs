//! Streets: direction, name, type, direction. Section 6.5.3.

use super::{number::HouseNumber, words};

/// A street and the number of a house on it, normalized. Walking order sorts by [`Street::road`],
/// then by `ordinal`, then by `fraction`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Street {
    /// House number: `123`, `45-12`, `n65w24915`.
    pub number: String,
    /// The value of the number's first digits.
    pub ordinal: u32,
    /// `1/2`, a letter, or empty.
    pub fraction: String,
    /// Direction before the name, or empty.
    pub prefix: String,
    /// Name in lower case, words parted by one space.
    pub name: String,
    /// Recommended abbreviation of the street type, or empty.
    pub kind: String,
    /// Direction after the type, or empty.
    pub suffix: String,
}

impl Street {
    /// The canonical line, which reads back as this street.
    #[must_use]
    pub fn line(&self) -> String {
        let letter = self.fraction.chars().all(char::is_alphabetic);
        let gap = if letter { "" } else { " " };
        join(&[&[&self.number, gap, &self.fraction].concat(), &self.road()])
    }

    /// The street without the number: `n main st`.
    #[must_use]
    pub fn road(&self) -> String {
        join(&[&self.prefix, &self.name, &self.kind, &self.suffix])
    }

    /// Whether the house stands on the even side.
    #[must_use]
    pub fn is_even(&self) -> bool {
        self.ordinal.is_multiple_of(2)
    }

    /// Reads the words of a street, which come after a number and before a unit.
    pub(super) fn read(number: HouseNumber, words: &[String]) -> Option<Self> {
        if words.is_empty() || words.iter().any(|word| word.contains(['/', '#'])) {
            return None;
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (rest, suffix) = take_suffix(&words);
        let (rest, kind) = take_kind(rest, suffix);
        let (name, prefix) = take_prefix(rest);
        Some(Self {
            number: number.text,
            ordinal: number.ordinal,
            fraction: number.fraction,
            prefix: prefix.to_owned(),
            name: name_of(name, kind),
            kind: kind.to_owned(),
            suffix: suffix.to_owned(),
        })
    }
}

/// A direction at the end, unless it is the name: `Avenue W` is not the west of an avenue.
fn take_suffix<'a, 'b>(words: &'a [&'b str]) -> (&'a [&'b str], &'static str) {
    if let Some((last, rest)) = words.split_last()
        && let Some(direction) = words::direction(last)
        && match rest {
            [] => false,
            [only] => words::street_type(only).is_none(),
            _ => true,
        }
    {
        return (rest, direction);
    }
    (words, "")
}

/// A street type at the end, with a name before it.
fn take_kind<'a, 'b>(words: &'a [&'b str], suffix: &str) -> (&'a [&'b str], &'static str) {
    let Some((last, rest)) = words.split_last() else {
        return (words, "");
    };
    // Without a suffix, a direction after a lone type was left as the name.
    if rest.is_empty() || (suffix.is_empty() && words::direction(last).is_some()) {
        return (words, "");
    }
    match words::street_type(last) {
        Some(kind) => (rest, kind),
        None => (words, ""),
    }
}

/// A direction at the beginning, with a name after it.
fn take_prefix<'a, 'b>(words: &'a [&'b str]) -> (&'a [&'b str], &'static str) {
    match words.split_first() {
        Some((first, rest)) if !rest.is_empty() => match words::direction(first) {
            Some(direction) => (rest, direction),
            None => (words, ""),
        },
        _ => (words, ""),
    }
}

fn name_of(words: &[&str], kind: &str) -> String {
    if let [only] = words {
        return single_name(only, kind);
    }
    if let Some(road) = numbered_road(words) {
        return road;
    }
    let mut words = words.to_vec();
    if let Some(first) = words.first_mut()
        && let Some(short) = words::leading_word(first)
    {
        *first = short;
    }
    words.join(" ")
}

/// `first` and `1` (of `1 Ave`) are `1st`.
fn single_name(word: &str, kind: &str) -> String {
    if let Some(ordinal) = words::ordinal(word) {
        return ordinal.to_owned();
    }
    let plain_number = word.bytes().all(|b| b.is_ascii_digit());
    if !plain_number || kind.is_empty() || words::is_numbered_road(kind) {
        return word.to_owned();
    }
    let ending = match word.as_bytes() {
        [.., b'1', _] => "th",
        [.., b'1'] => "st",
        [.., b'2'] => "nd",
        [.., b'3'] => "rd",
        _ => "th",
    };
    format!("{word}{ending}")
}

/// A road whose name is its number: `Co Rd 5` and `CR 5` are `county rd 5`, `US 12` is `us hwy 12`.
fn numbered_road(words: &[&str]) -> Option<String> {
    let (number, class) = words.split_last()?;
    let short =
        |word: &&str| words::street_type(word).filter(|kind| ["hwy", "rte", "rd"].contains(kind));
    let class: Vec<&str> = class
        .iter()
        .map(|word| short(word).unwrap_or(word))
        .collect();
    let numbered = number.starts_with(|c: char| c.is_ascii_digit());
    if !numbered || !class.iter().any(|word| words::is_numbered_road(word)) {
        return None;
    }
    let class = match class.as_slice() {
        ["us"] | ["us", "hwy" | "rte"] => "us hwy".to_owned(),
        ["cr"] | ["co" | "county", "rd"] => "county rd".to_owned(),
        _ => class.join(" "),
    };
    Some(format!("{class} {number}"))
}

fn join(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .copied()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}

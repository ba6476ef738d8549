//! An address line as words. Section 6.5.1.

use crate::token::normalize::text::fold;
use unicode_normalization::UnicodeNormalization;

/// Characters of an address line at most.
const MAX_CHARACTERS: usize = 160;

/// Words of an address line at most.
const MAX_WORDS: usize = 16;

/// The slash of fractions that Unicode writes as one character.
const FRACTION_SLASH: char = '\u{2044}';

/// The words of a line: lower case, numbers with their hyphens and fractions, `#` by itself.
///
/// None for a post office box, for signs that no address has, and for a line that is too long.
pub(super) fn tokens(line: &str) -> Option<Vec<String>> {
    if line.chars().count() > MAX_CHARACTERS {
        return None;
    }
    let spread = spread(&fold(&space_fractions(line)))?;
    let mut tokens = Vec::new();
    for word in spread.split_whitespace() {
        let word = word.trim_matches('-');
        let number = word.chars().any(|c| c.is_ascii_digit());
        // Hyphens matter in numbers (`45-12`) and not in names (`Winston-Salem`).
        let pieces: Vec<&str> = if number {
            vec![word]
        } else {
            word.split('-').collect()
        };
        tokens.extend(
            pieces
                .into_iter()
                .filter(|piece| !piece.is_empty())
                .map(str::to_owned),
        );
    }
    if tokens.len() > MAX_WORDS || is_post_box(&tokens) {
        return None;
    }
    Some(tokens)
}

/// Sets a space before each fraction that is one character, so that `12½` becomes `12 1/2`.
fn space_fractions(line: &str) -> String {
    let mut spaced = String::with_capacity(line.len());
    for c in line.chars() {
        if std::iter::once(c).nfkd().any(|part| part == FRACTION_SLASH) {
            spaced.push(' ');
        }
        spaced.push(c);
    }
    spaced
}

/// Punctuation as spaces, or as what it means.
fn spread(line: &str) -> Option<String> {
    let mut out = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            '/' | FRACTION_SLASH => out.push('/'),
            '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
            '#' => out.push_str(" # "),
            '&' => out.push_str(" and "),
            ',' | ';' | '(' | ')' => out.push(' '),
            '\'' | '`' | '\u{2018}' | '\u{2019}' | '\u{2bc}' => {}
            '.' => match dot(&out, rest.as_str())? {
                Dot::Joins => {}
                Dot::Parts => out.push(' '),
            },
            c if c.is_whitespace() => out.push(' '),
            c if c.is_alphanumeric() => out.push(c),
            _ => return None,
        }
    }
    Some(out)
}

/// What a full stop does.
enum Dot {
    /// Between initials: `N.E.`
    Joins,
    /// After an abbreviation: `St.Paul`
    Parts,
}

/// None for a full stop between digits, which no house number has.
fn dot(before: &str, after: &str) -> Option<Dot> {
    let previous = before.chars().next_back();
    let mut after = after.chars();
    let (next, second) = (after.next(), after.next());
    if previous.is_some_and(|c| c.is_numeric()) && next.is_some_and(char::is_numeric) {
        return None;
    }
    let initial = previous.is_some_and(char::is_alphabetic)
        && next.is_some_and(char::is_alphabetic)
        && !second.is_some_and(char::is_alphanumeric);
    Some(if initial { Dot::Joins } else { Dot::Parts })
}

/// Whether some words are where mail waits, and nobody lives.
fn is_post_box(tokens: &[String]) -> bool {
    let line = format!(" {} ", tokens.join(" "));
    const BOXES: [&str; 9] = [
        " po box ",
        " p o box ",
        " pobox ",
        " pob ",
        " po b ",
        " post office ",
        " postoffice box ",
        " pmb ",
        " general delivery ",
    ];
    BOXES.iter().any(|words| line.contains(words))
        || tokens.first().is_some_and(|first| first == "box")
}

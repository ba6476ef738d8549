//! House numbers: `123`, `123 1/2`, `123A`, `45-12`, `N65W24915`. Section 6.5.2.

use super::words;

/// Digits of a house number at most, so that it fits 32 bits.
const MAX_DIGITS: usize = 7;

/// A house number.
pub(super) struct HouseNumber {
    /// Digits without leading zeros, `45-12`, or a grid number.
    pub(super) text: String,
    /// What walking order sorts by.
    pub(super) ordinal: u32,
    /// `1/2`, a letter, or nothing.
    pub(super) fraction: String,
}

/// The house number at the head of a line, and the words after it.
pub(super) fn take(tokens: &[String]) -> Option<(HouseNumber, &[String])> {
    let (first, mut rest) = tokens.split_first()?;
    if let Some(mut grid) = grid(first) {
        if let Some((next, after)) = rest.split_first()
            && self::grid(next).is_some()
        {
            grid.text.push_str(next);
            rest = after;
        }
        return Some((grid, rest));
    }
    let mut number = plain(first)?;
    if number.fraction.is_empty()
        && let Some((next, after)) = rest.split_first()
        && (is_fraction(next) || is_own_letter(next, after))
    {
        number.fraction.clone_from(next);
        rest = after;
    }
    Some((number, rest))
}

/// `123`, `123a`, `123-a`, `123-1/2`, `45-12`, `45-12a`.
fn plain(token: &str) -> Option<HouseNumber> {
    let (digits, tail) = split_digits(token);
    let (text, ordinal) = whole(digits)?;
    let tail = tail.strip_prefix('-').unwrap_or(tail);
    if tail.is_empty() || is_fraction(tail) || is_letter(tail) {
        let glued_fraction = is_fraction(tail) && !token.contains('-');
        return (!glued_fraction).then(|| HouseNumber {
            text,
            ordinal,
            fraction: tail.to_owned(),
        });
    }
    let (second, letter) = split_digits(tail);
    let (second, _) = whole(second)?;
    let fits = token.contains('-') && (letter.is_empty() || is_letter(letter));
    fits.then(|| HouseNumber {
        text: format!("{text}-{second}"),
        ordinal,
        fraction: letter.to_owned(),
    })
}

/// A grid number of the Midwest: a direction and digits, once or twice.
fn grid(token: &str) -> Option<HouseNumber> {
    let (_, ordinal, rest) = half_grid(token)?;
    if !rest.is_empty() && half_grid(rest).is_none_or(|(_, _, rest)| !rest.is_empty()) {
        return None;
    }
    Some(HouseNumber {
        text: token.to_owned(),
        ordinal,
        fraction: String::new(),
    })
}

fn half_grid(token: &str) -> Option<(char, u32, &str)> {
    let direction = token
        .chars()
        .next()
        .filter(|c| matches!(c, 'n' | 's' | 'e' | 'w'))?;
    let (digits, rest) = split_digits(token.get(1..)?);
    Some((direction, whole(digits)?.1, rest))
}

/// Digits without leading zeros, and their value; none for zero and for too many.
fn whole(digits: &str) -> Option<(String, u32)> {
    let text = digits.trim_start_matches('0');
    if text.is_empty() || text.len() > MAX_DIGITS {
        return None;
    }
    Some((text.to_owned(), text.parse().ok()?))
}

fn split_digits(token: &str) -> (&str, &str) {
    token.split_at(token.bytes().take_while(u8::is_ascii_digit).count())
}

/// One digit over a larger one: `1/2`.
fn is_fraction(token: &str) -> bool {
    matches!(token.as_bytes(), [above, b'/', below] if above.is_ascii_digit() && below.is_ascii_digit() && *above > b'0' && above < below)
}

fn is_letter(token: &str) -> bool {
    matches!(token.as_bytes(), [letter] if letter.is_ascii_lowercase())
}

/// A letter that belongs to the number and not to the street: `12 B Oak St`, but not `12 B St` and
/// not `12 N Oak St`.
fn is_own_letter(token: &str, after: &[String]) -> bool {
    let names_a_street = after.first().is_none_or(|next| {
        words::street_type(next).is_some()
            || words::is_unit_label(next)
            || words::direction(next).is_some()
    });
    is_letter(token) && words::direction(token).is_none() && !names_a_street
}

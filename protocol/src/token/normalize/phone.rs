//! Phone numbers as E.164. Section 6.3.

use super::Normalized;
use crate::token::Kind;
use phonenumber::{Mode, country};
use unicode_normalization::UnicodeNormalization;

/// A number with all its punctuation is not longer than this.
const MAX_CHARACTERS: usize = 40;

/// Characters besides digits in a written number. A letter means an extension, a remark or a
/// vanity number: none of them is one number for sure.
const PUNCTUATION: [char; 11] = [
    '+', '(', ')', '-', '.', '/', ' ', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}',
];

/// A phone number as E.164, from its international form or from the form of a default region (ISO
/// 3166, such as `US`). None for extensions, letters and numbers that cannot be in service.
#[must_use]
pub fn phone(raw: &str, default_region: &str) -> Option<Normalized> {
    let written: String = raw.trim().nfkc().collect();
    let plain = written
        .chars()
        .all(|c| c.is_ascii_digit() || PUNCTUATION.contains(&c));
    if written.is_empty() || written.chars().count() > MAX_CHARACTERS || !plain {
        return None;
    }
    if written.chars().skip(1).any(|c| c == '+') {
        return None;
    }
    let region = default_region
        .trim()
        .to_ascii_uppercase()
        .parse::<country::Id>()
        .ok();
    if region.is_none() && !written.starts_with('+') {
        return None;
    }
    let number = phonenumber::parse(region, &written).ok()?;
    if number.extension().is_some() || !number.is_valid() {
        return None;
    }
    Normalized::new(Kind::Phone, number.format().mode(Mode::E164).to_string())
}

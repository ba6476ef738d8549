//! Countries and postal codes. Section 6.2.

use super::text::text;

/// Spellings of the one country that lists name in words; all others come as two letters.
const UNITED_STATES: [&str; 4] = ["us", "usa", "unitedstates", "unitedstatesofamerica"];

/// A country as its two ISO 3166 letters, lower case; none when empty or another spelling.
#[must_use]
pub fn country(raw: &str) -> Option<String> {
    let word = text(raw);
    if UNITED_STATES.contains(&word.as_str()) {
        return Some("us".to_owned());
    }
    let two_letters = word.len() == 2 && word.bytes().all(|b| b.is_ascii_lowercase());
    two_letters.then_some(word)
}

/// A postal code of a normalized country: five digits in the US, letters and digits elsewhere.
///
/// Of a US ZIP+4 the first five digits stay. A ZIP that lost its leading zero is none: four digits
/// could also have lost another one.
#[must_use]
pub fn postal_code(country: &str, raw: &str) -> Option<String> {
    let code = text(raw);
    if !code.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let shape: String = code
        .bytes()
        .map(|b| if b.is_ascii_digit() { '9' } else { 'a' })
        .collect();
    let code = match (country, shape.as_str()) {
        ("us", "99999" | "999999999") => code.get(..5)?.to_owned(),
        ("ca", "a9a9a9") | ("au" | "nz", "9999") => code,
        ("us" | "ca" | "au" | "nz", _) => return None,
        _ if (2..=10).contains(&code.len()) => code,
        _ => return None,
    };
    (!code.bytes().all(|b| b == b'0')).then_some(code)
}

/// The postal codes of US states and territories, and of the armed forces abroad.
const STATES: [&str; 59] = [
    "ak", "al", "ar", "as", "az", "ca", "co", "ct", "dc", "de", "fl", "ga", "gu", "hi", "ia", "id",
    "il", "in", "ks", "ky", "la", "ma", "md", "me", "mi", "mn", "mo", "mp", "ms", "mt", "nc", "nd",
    "ne", "nh", "nj", "nm", "nv", "ny", "oh", "ok", "or", "pa", "pr", "ri", "sc", "sd", "tn", "tx",
    "ut", "va", "vi", "vt", "wa", "wi", "wv", "wy", "aa", "ae", "ap",
];

/// A US state as its two letters, lower case.
pub(crate) fn state(raw: &str) -> Option<String> {
    Some(text(raw)).filter(|state| STATES.contains(&state.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zip_with_four_more_digits_is_its_first_five() {
        assert_eq!(postal_code("us", "02138-1234").as_deref(), Some("02138"));
    }

    #[test]
    fn a_zip_that_lost_its_leading_zero_is_not_guessed() {
        assert_eq!(postal_code("us", "2138"), None);
    }

    #[test]
    fn a_zip_of_zeros_or_letters_is_none() {
        assert_eq!(postal_code("us", "00000"), None);
        assert_eq!(postal_code("us", "ABCDE"), None);
    }

    #[test]
    fn a_canadian_code_ignores_its_space() {
        assert_eq!(postal_code("ca", "k1a 0b1"), postal_code("ca", "K1A0B1"));
    }

    #[test]
    fn an_unknown_state_is_none() {
        assert_eq!(state("ZZ"), None);
    }
}

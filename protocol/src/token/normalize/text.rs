//! Text without what people spell differently: case, accents, punctuation, spaces. Section 6.1.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Latin letters that Unicode does not decompose, and how people without them write them.
/// Part of norm version 1.
const LATIN: [(char, &str); 10] = [
    ('ł', "l"),
    ('ø', "o"),
    ('đ', "d"),
    ('ð', "d"),
    ('ħ', "h"),
    ('ŧ', "t"),
    ('æ', "ae"),
    ('œ', "oe"),
    ('þ', "th"),
    ('ŋ', "ng"),
];

/// Letters and digits of a text: compatibility forms unified, case folded, no combining marks.
#[must_use]
pub fn text(raw: &str) -> String {
    fold(raw).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The first half of [`text`]: characters folded, but spaces and punctuation still there.
pub(crate) fn fold(raw: &str) -> String {
    let mut folded = String::with_capacity(raw.len());
    for c in raw.nfkd().filter(|c| !is_combining_mark(*c)) {
        // Upper and then lower case is full case folding for all that names contain: it unites
        // both sigmas and spells the sharp s with two letters.
        for c in c.to_uppercase().flat_map(char::to_lowercase) {
            match LATIN.iter().find(|(letter, _)| *letter == c) {
                Some((_, spelled)) => folded.push_str(spelled),
                None => folded.push(c),
            }
        }
    }
    // Folding can compose and decompose anew.
    folded
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .nfc()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{fold, text};
    use proptest::prelude::*;

    #[test]
    fn case_accents_and_punctuation_do_not_matter() {
        for spelling in [
            "Jose\u{301} O'Neil-Straße",
            "JOSÉ ONEIL STRASSE",
            "ｊｏｓｅ o’neil straße",
        ] {
            assert_eq!(text(spelling), "joseoneilstrasse");
        }
    }

    #[test]
    fn letters_without_a_decomposition_are_spelled_out() {
        assert_eq!(text("Łukasz Sørensen Đặng"), "lukaszsorensendang");
    }

    #[test]
    fn both_greek_sigmas_are_one_letter() {
        assert_eq!(text("ΝΙΚΟΣ"), text("νικος"));
    }

    proptest! {
        #[test]
        fn text_is_idempotent(raw in "\\PC{0,24}") {
            prop_assert_eq!(text(&text(&raw)), text(&raw));
            prop_assert_eq!(fold(&fold(&raw)), fold(&raw));
        }
    }
}

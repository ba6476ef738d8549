//! Names that people read and words that programs compare, each with one spelling.
//!
//! Names of organizations and coalitions stand on pages next to each other, so they may not hide
//! characters, turn the writing direction around, or look the same and differ in bytes.

use crate::limits::{NAME_CHARACTERS, WORD_CHARACTERS};
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization;

/// The name of an organization or a coalition: 1 to 120 characters on one line, in Unicode
/// normalization form C, without white space at the ends and without invisible characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left after trimming.
    #[error("a name has at least one character")]
    Empty,
    /// More characters than fit on a page.
    #[error("a name has at most {limit} characters, this has {found}; shorten it")]
    TooLong {
        /// The named limit.
        limit: usize,
        /// What was given.
        found: usize,
    },
    /// A line break, a control character, or one that changes the writing direction.
    #[error(
        "character {position} of this name is invisible or turns the text around; type the name anew"
    )]
    Hidden {
        /// Counted from one.
        position: usize,
    },
    /// Acceptable from a person, but not the one spelling that documents carry.
    #[error("this name is not trimmed or not in normalization form C")]
    NotNormal,
}

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn strict(text: &str) -> Result<Self, NameError> {
        let name: Self = text.parse()?;
        if name.0 == text {
            Ok(name)
        } else {
            Err(NameError::NotNormal)
        }
    }
}

impl FromStr for Name {
    type Err = NameError;

    /// Trims and normalizes what a person typed.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let normal: String = text.trim().nfc().take(NAME_CHARACTERS + 1).collect();
        let found = normal.chars().count();
        if found > NAME_CHARACTERS {
            let found = text.trim().nfc().count();
            return Err(NameError::TooLong {
                limit: NAME_CHARACTERS,
                found,
            });
        }
        if found == 0 {
            return Err(NameError::Empty);
        }
        match normal.chars().position(is_hidden) {
            Some(at) => Err(NameError::Hidden { position: at + 1 }),
            None => Ok(Self(normal)),
        }
    }
}

super::checked_text!(Name, Name::strict);

/// Control characters, line and paragraph separators, direction marks, embeddings, overrides and
/// isolates, zero-width space, word joiner, byte order mark and tags. The two zero-width joiners
/// stay: Persian and Indic names need them.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            u32::from(character),
            0x061c | 0x180e | 0x200b | 0x200e | 0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff
                | 0xfff9..=0xfffb | 0xe0000..=0xe007f
        )
}

/// A word that programs compare: 1 to 32 of `a` to `z`, `0` to `9`, `_` and `-`, a letter first.
/// Kinds of organizations and names of capabilities are words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(String);

/// A text that is no word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a word has 1 to {WORD_CHARACTERS} characters, a to z, 0 to 9, _ and -, and begins with a letter"
)]
pub struct WordError;

impl Word {
    /// The word as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn strict(text: &str) -> Result<Self, WordError> {
        let allowed = |letter: u8| matches!(letter, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        let begins_well = text.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
        if begins_well && text.len() <= WORD_CHARACTERS && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(WordError)
        }
    }
}

impl FromStr for Word {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Self, WordError> {
        Self::strict(text.trim())
    }
}

super::checked_text!(Word, Word::strict);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_name_is_trimmed_and_composed() {
        let name: Name = "  Cafe\u{301} Workers \n".parse().unwrap();
        assert_eq!(name.as_str(), "Caf\u{e9} Workers");
    }

    #[test]
    fn a_name_in_a_document_is_not_repaired() {
        for text in [" Tenants", "Tenants ", "Cafe\u{301}"] {
            assert_eq!(Name::strict(text), Err(NameError::NotNormal), "{text:?}");
        }
    }

    #[test]
    fn a_name_that_hides_or_turns_text_is_refused() {
        for hidden in [
            '\u{202e}', '\u{2066}', '\u{200b}', '\u{200f}', '\u{feff}', '\n', '\0', '\u{2028}',
        ] {
            let text = format!("Ten{hidden}ants");
            assert_eq!(
                text.parse::<Name>(),
                Err(NameError::Hidden { position: 4 }),
                "{text:?}"
            );
        }
    }

    #[test]
    fn the_longest_name_is_counted_in_characters() {
        assert!("\u{e9}".repeat(120).parse::<Name>().is_ok());
        let error = "\u{e9}".repeat(121).parse::<Name>();
        assert_eq!(
            error,
            Err(NameError::TooLong {
                limit: 120,
                found: 121
            })
        );
        assert_eq!(" \t ".parse::<Name>(), Err(NameError::Empty));
    }

    #[test]
    fn a_word_with_capitals_spaces_or_a_leading_digit_is_refused() {
        for text in ["", "C3", "a b", "3c", "-a", "\u{e9}", &"a".repeat(33)] {
            assert_eq!(text.parse::<Word>(), Err(WordError), "{text:?}");
        }
        assert!("state_party".parse::<Word>().is_ok());
    }
}

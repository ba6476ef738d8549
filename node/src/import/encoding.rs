//! Which encoding a file has, and its text as bytes that a CSV parser can split.
//!
//! The end of a stream is not known when its first row is wanted, so the encoding is told from a byte
//! order mark, else from the first [`PREFIX_BYTES`]: many zero bytes on one side mean UTF-16 without a
//! mark, UTF-8 with more good characters than bad bytes means UTF-8, anything else Windows-1252. A prefix
//! of ASCII alone decides nothing: then the first other value does, for the rest of the file.
//! UTF-16 is turned into UTF-8 on the way; UTF-8 and Windows-1252 split at the same bytes and are
//! decoded value by value, so that one bad byte costs one row and names its line and column.

use super::{error::Reason, limits::PREFIX_BYTES};
use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::{
    borrow::Cow,
    fmt,
    io::{self, Read},
};

/// How a file's text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// ASCII so far; the first other value decides between the next two.
    Ascii,
    /// UTF-8, with or without a mark.
    Utf8,
    /// Windows-1252, which also reads Latin-1.
    Windows1252,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ascii => "ASCII",
            Self::Utf8 => "UTF-8",
            Self::Windows1252 => "Windows-1252",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
        })
    }
}

/// The encoding of a file that begins so, and the length of its byte order mark.
pub(super) fn detect(prefix: &[u8]) -> (Encoding, usize) {
    match prefix {
        [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8, 3),
        [0xFF, 0xFE, ..] => (Encoding::Utf16Le, 2),
        [0xFE, 0xFF, ..] => (Encoding::Utf16Be, 2),
        _ => (without_mark(prefix), 0),
    }
}

fn without_mark(prefix: &[u8]) -> Encoding {
    let zeros = |side: usize| {
        prefix
            .iter()
            .skip(side)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (high, low) = (zeros(0), zeros(1));
    // Latin text has a zero in nearly every pair, always on the same side.
    let most = prefix.len() / 4;
    if low > most && high == 0 {
        return Encoding::Utf16Le;
    }
    if high > most && low == 0 {
        return Encoding::Utf16Be;
    }
    let (mut letters, mut wrong) = (0_usize, 0_usize);
    let mut chunks = prefix.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        letters += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        // The end of the prefix may cut a character in two.
        let cut = prefix.len() == PREFIX_BYTES && chunks.peek().is_none();
        wrong += usize::from(!chunk.invalid().is_empty() && !cut);
    }
    match (letters, wrong) {
        (0, 0) => Encoding::Ascii,
        // Windows-1252 hardly ever looks like UTF-8 by chance: then the wrong bytes are damage.
        (letters, wrong) if letters > wrong => Encoding::Utf8,
        _ => Encoding::Windows1252,
    }
}

impl Encoding {
    /// The text of one value; decides an undecided encoding.
    pub(super) fn decode<'a>(&mut self, value: &'a [u8]) -> Result<Cow<'a, str>, Reason> {
        if value.contains(&0) {
            return Err(Reason::Nul);
        }
        match (std::str::from_utf8(value), *self) {
            (Ok(text), Self::Windows1252) if text.is_ascii() => Ok(Cow::Borrowed(text)),
            (Ok(text), Self::Ascii) => {
                if !text.is_ascii() {
                    *self = Self::Utf8;
                }
                Ok(Cow::Borrowed(text))
            }
            (Err(_), Self::Ascii) => {
                *self = Self::Windows1252;
                Ok(windows_1252(value))
            }
            (_, Self::Windows1252) => Ok(windows_1252(value)),
            (Ok(text), _) => Ok(Cow::Borrowed(text)),
            (Err(_), _) => Err(Reason::NotUtf8),
        }
    }
}

fn windows_1252(value: &[u8]) -> Cow<'_, str> {
    WINDOWS_1252.decode_without_bom_handling(value).0
}

/// UTF-16 as UTF-8, in bounded memory. Halves of pairs become U+FFFD.
pub(super) struct FromUtf16<R> {
    input: R,
    decoder: Decoder,
    raw: Box<[u8]>,
    /// What of `raw` is not yet decoded.
    waiting: std::ops::Range<usize>,
    ended: bool,
    finished: bool,
    text: Box<[u8]>,
    /// What of `text` is not yet read.
    ready: std::ops::Range<usize>,
}

/// Bytes decoded at a time.
const CHUNK: usize = 16 << 10;

impl<R: Read> FromUtf16<R> {
    /// Reads UTF-16 that has no mark any more.
    pub(super) fn new(input: R, little_endian: bool) -> Self {
        let encoding = if little_endian { UTF_16LE } else { UTF_16BE };
        Self {
            input,
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: vec![0; CHUNK].into(),
            waiting: 0..0,
            ended: false,
            finished: false,
            text: vec![0; CHUNK * 2].into(),
            ready: 0..0,
        }
    }

    fn decode_more(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() && !self.ended {
            let read = self.input.read(&mut self.raw)?;
            self.waiting = 0..read;
            self.ended = read == 0;
        }
        let source = self.raw.get(self.waiting.clone()).unwrap_or_default();
        let (result, read, written, _) =
            self.decoder
                .decode_to_utf8(source, &mut self.text, self.ended);
        self.waiting.start += read;
        self.ready = 0..written;
        self.finished = self.ended && result == CoderResult::InputEmpty;
        Ok(())
    }
}

impl<R: Read> Read for FromUtf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() {
            if self.finished {
                return Ok(0);
            }
            self.decode_more()?;
        }
        let mut ready = self.text.get(self.ready.clone()).unwrap_or_default();
        let read = ready.read(into)?;
        self.ready.start += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        let units = text.encode_utf16();
        units
            .flat_map(|unit| {
                if little {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                }
            })
            .collect()
    }

    #[test]
    fn marks_decide_before_anything_else() {
        assert_eq!(detect(b"\xEF\xBB\xBFabc"), (Encoding::Utf8, 3));
        assert_eq!(detect(b"\xFF\xFEa\0"), (Encoding::Utf16Le, 2));
        assert_eq!(detect(b"\xFE\xFF\0a"), (Encoding::Utf16Be, 2));
    }

    #[test]
    fn utf_16_without_a_mark_is_told_by_its_zeros() {
        assert_eq!(detect(&utf16("VANID\tName\n", true)).0, Encoding::Utf16Le);
        assert_eq!(detect(&utf16("VANID\tName\n", false)).0, Encoding::Utf16Be);
    }

    #[test]
    fn a_character_cut_by_the_prefix_does_not_make_it_windows_1252() {
        let mut prefix = vec![b'a'; PREFIX_BYTES - 1];
        prefix.push(0xC3);
        assert_eq!(detect(&prefix).0, Encoding::Ascii);
        assert_eq!(detect(b"caf\xC3").0, Encoding::Windows1252);
    }

    #[test]
    fn one_wrong_byte_does_not_make_a_text_in_utf_8_windows_1252() {
        assert_eq!(
            detect(b"Zo\xC3\xAB, Ren\xC3\xA9, Jos\xE9").0,
            Encoding::Utf8
        );
        assert_eq!(detect(b"Zo\xEB, Ren\xE9, Jos\xE9").0, Encoding::Windows1252);
    }

    #[test]
    fn ascii_is_decided_by_the_first_other_value() {
        let mut encoding = Encoding::Ascii;
        assert_eq!(encoding.decode(b"Zo"), Ok("Zo".into()));
        assert_eq!(encoding.decode(b"Zo\xEB"), Ok("Zoë".into()));
        assert_eq!(encoding, Encoding::Windows1252);
        assert_eq!(
            encoding.decode("ë".as_bytes()),
            Ok("Ã«".into()),
            "decided once"
        );
        let mut encoding = Encoding::Ascii;
        assert_eq!(encoding.decode("Zoë".as_bytes()), Ok("Zoë".into()));
        assert_eq!(encoding.decode(b"Zo\xEB"), Err(Reason::NotUtf8));
    }

    #[test]
    fn a_nul_is_refused_in_every_encoding() {
        for mut encoding in [Encoding::Ascii, Encoding::Utf8, Encoding::Windows1252] {
            assert_eq!(encoding.decode(b"a\0b"), Err(Reason::Nul));
        }
    }

    #[test]
    fn utf_16_survives_any_chunking_and_a_cut_end() {
        let text = "Zoë 🦉\r\n".repeat(5_000);
        let mut bytes = utf16(&text, true);
        let mut out = String::new();
        FromUtf16::new(bytes.as_slice(), true)
            .read_to_string(&mut out)
            .expect("text");
        assert_eq!(out, text);
        bytes.pop();
        out.clear();
        FromUtf16::new(bytes.as_slice(), true)
            .read_to_string(&mut out)
            .expect("text");
        assert!(out.ends_with('\u{FFFD}'));
    }
}

//! Opens a file of any kind as one stream of text: plain, zipped or a workbook.
//!
//! The name and the declared type of an upload decide nothing; its first bytes do. Plain text streams.
//! Archives and workbooks need seeking, so they go through nameless temporary files with a cap.

use super::{
    archive,
    encoding::{self, Encoding, FromUtf16},
    error::ImportError,
    limits::{FILE_BYTES, PREFIX_BYTES},
    sheet,
};
use std::{
    fs::File,
    io::{self, Cursor, Read, Seek, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// A file as a stream of text that a CSV parser can split.
pub(super) struct Opened {
    /// The text: UTF-8, or Windows-1252 if `encoding` says so, without a byte order mark.
    pub(super) text: Box<dyn Read + Send>,
    /// Its encoding as far as known.
    pub(super) encoding: Encoding,
    /// Comes from a workbook: commas, and rows end with their last value.
    pub(super) sheet: bool,
    /// Bytes read so far, of the unpacked text.
    pub(super) bytes: Arc<AtomicU64>,
}

/// Opens a stream. `spool` is the directory for temporary files; without one, the system's.
pub(super) fn open(
    input: impl Read + Send + 'static,
    spool: Option<&Path>,
) -> Result<Opened, ImportError> {
    let spool = Spool(spool.map(Path::to_owned));
    let mut input = Capped::new(input);
    let prefix = read_prefix(&mut input)?;
    if prefix.starts_with(b"PK\x03\x04") || prefix.starts_with(b"PK\x05\x06") {
        let mut file = spool.file()?;
        io::copy(&mut Cursor::new(prefix).chain(input), &mut file)?;
        return unpack(file, &spool);
    }
    plain(prefix, input)
}

/// A zip archive is a workbook or holds one text.
fn unpack(mut file: File, spool: &Spool) -> Result<Opened, ImportError> {
    file.rewind()?;
    if archive::is_workbook(&mut file)? {
        file.rewind()?;
        let mut text = Capped::new(sheet::to_text(file, spool)?);
        let prefix = read_prefix(&mut text)?;
        let mut opened = plain(prefix, text)?;
        opened.sheet = true;
        return Ok(opened);
    }
    file.rewind()?;
    let mut text = Capped::new(archive::only_entry(file, spool)?);
    let prefix = read_prefix(&mut text)?;
    plain(prefix, text)
}

/// Text that is neither packed nor a workbook.
fn plain(prefix: Vec<u8>, rest: Capped<impl Read + Send + 'static>) -> Result<Opened, ImportError> {
    if prefix.is_empty() {
        return Err(ImportError::Empty);
    }
    refuse_other_kinds(&prefix)?;
    let (encoding, mark) = encoding::detect(&prefix);
    let zeros = prefix.iter().filter(|byte| **byte == 0).count();
    let utf16 = matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be);
    if !utf16 && zeros > prefix.len() / 16 && zeros > 16 {
        return Err(ImportError::NotText);
    }
    let bytes = Arc::clone(&rest.bytes);
    let mut start = Cursor::new(prefix);
    start.set_position(mark as u64);
    let whole = start.chain(rest);
    let text: Box<dyn Read + Send> = match encoding {
        Encoding::Utf16Le => Box::new(FromUtf16::new(whole, true)),
        Encoding::Utf16Be => Box::new(FromUtf16::new(whole, false)),
        _ => Box::new(whole),
    };
    Ok(Opened {
        text,
        encoding,
        sheet: false,
        bytes,
    })
}

/// First bytes of files that people mistake for lists, with what to do about each.
const OTHER_KINDS: &[(&[u8], &str, &str)] = &[
    (
        b"\xD0\xCF\x11\xE0",
        "a spreadsheet saved as an old Excel workbook (.xls)",
        "Open it, save it as CSV (UTF-8) or as .xlsx, and import that.",
    ),
    (b"%PDF", "a PDF document", "Export the list as CSV."),
    (
        b"\x1F\x8B",
        "a gzip archive",
        "Unpack it and import the file inside.",
    ),
    (
        b"7z\xBC\xAF\x27\x1C",
        "a 7-Zip archive",
        "Unpack it and import the file inside.",
    ),
    (
        b"Rar!",
        "a RAR archive",
        "Unpack it and import the file inside.",
    ),
    (
        b"PK\x03\x04",
        "an archive inside an archive",
        "Unpack it and import the file inside.",
    ),
    (
        b"SQLite format 3\0",
        "a database",
        "Export the list as CSV.",
    ),
    (
        b"{\\rtf",
        "a word processor's document",
        "Export the list as CSV.",
    ),
];

/// First words of files in a markup language, without case.
const MARKUP: &[&str] = &[
    "<html",
    "<!doctype",
    "<?xml",
    "<table",
    "<workbook",
    "<head",
    "<body",
    "<!--",
];

fn refuse_other_kinds(prefix: &[u8]) -> Result<(), ImportError> {
    if let Some((_, what, todo)) = OTHER_KINDS
        .iter()
        .find(|(magic, ..)| prefix.starts_with(magic))
    {
        return Err(ImportError::WrongKind { what, todo });
    }
    let head: String = prefix
        .iter()
        .take(256)
        .map(|byte| char::from(*byte).to_ascii_lowercase())
        .collect();
    let head = head
        .trim_start_matches(['\u{EF}', '\u{BB}', '\u{BF}'])
        .trim_start();
    if MARKUP.iter().any(|word| head.starts_with(word)) {
        return Err(ImportError::WrongKind {
            what: "a spreadsheet saved as a web page or XML",
            todo: "Open it in a spreadsheet program, save it as CSV (UTF-8) and import that.",
        });
    }
    if head.starts_with('{') || head.starts_with("[{") {
        return Err(ImportError::WrongKind {
            what: "JSON",
            todo: "Export the list as CSV.",
        });
    }
    Ok(())
}

/// Reads up to [`PREFIX_BYTES`], however small the pieces are in which they come.
fn read_prefix(input: &mut impl Read) -> Result<Vec<u8>, ImportError> {
    let mut prefix = Vec::new();
    input.take(PREFIX_BYTES as u64).read_to_end(&mut prefix)?;
    Ok(prefix)
}

/// Counts what passes, and fails beyond [`FILE_BYTES`].
struct Capped<R> {
    input: R,
    bytes: Arc<AtomicU64>,
}

impl<R> Capped<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            bytes: Arc::default(),
        }
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(into)?;
        let before = self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        if before + read as u64 > FILE_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(read)
    }
}

/// Where temporary files are made. They have no name, so nothing is left of them after a crash.
pub(super) struct Spool(Option<PathBuf>);

impl Spool {
    /// A new, empty, nameless file.
    pub(super) fn file(&self) -> io::Result<File> {
        match &self.0 {
            Some(directory) => tempfile::tempfile_in(directory),
            None => tempfile::tempfile(),
        }
    }
}

/// Copies at most `most` bytes; true if that was all there was.
pub(super) fn copy_at_most(
    from: &mut impl Read,
    to: &mut impl Write,
    most: u64,
) -> io::Result<bool> {
    io::copy(&mut from.take(most), to)?;
    Ok(from.read(&mut [0])? == 0)
}

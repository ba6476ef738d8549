//! Reads the files that organizations export from other systems, and knows neither database nor network.
//!
//! [`read`] takes a stream of bytes and hands out what is in it, item by item: first the header and
//! what will be done with each column, then people or attempts, and every row that was left out with
//! its line and a reason. A whole file is refused only when its rows could not be told from each other;
//! then nothing of it should be kept. Memory is bounded whatever the file holds: see [`limits`].
//!
//! In reading order: `source` opens any kind of file as text, `record` splits it into rows, `header`
//! finds what the columns mean, `row` makes a person or an attempt of a row. `format` lists the formats;
//! each has a file with the table of its columns. What a value means is in `field`, once for all.

mod action_network;
mod archive;
mod attempt;
mod civicrm;
mod date;
mod effect;
mod encoding;
mod error;
mod field;
mod format;
mod generic;
mod header;
pub mod limits;
mod nationbuilder;
mod parsed;
mod person;
mod record;
mod row;
mod sheet;
mod source;
mod value;
mod van_contact_history;
mod van_saved_list;

pub use date::When;
pub use effect::{Defect, EffectClass, UnknownClass};
pub use encoding::Encoding;
pub use error::{ImportError, Reason, Rejected, Warning, Warnings};
pub use field::{BadMapping, FIELDS, Field, Mapping, Part, UnknownField};
pub use format::{Choice, Format, UnknownFormat};
pub use header::{Column, Header};
pub use parsed::{
    Answer, Extra, Flag, Identifier, ParsedAddress, ParsedAttempt, ParsedEmail, ParsedName,
    ParsedPerson, ParsedPhone, ParsedResult, PhoneKind, StreetParts, System, VoterId,
};

use header::Layout;
use limits::{PROGRESS_BYTES, ROWS_MAX};
use record::Records;
use row::Row;
use std::{io::Read, ops::ControlFlow, path::PathBuf};

/// How to read a file.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Its format; none to tell it from the header.
    pub format: Option<Format>,
    /// Columns whose meaning the admin names; they win over the format's.
    pub map: Vec<Mapping>,
    /// Results whose class the admin names, compared without case, spaces, underscores and hyphens;
    /// they win over the tables.
    pub results: Vec<(String, EffectClass)>,
    /// Directory for temporary files of archives and workbooks; none for the system's.
    pub spool: Option<PathBuf>,
}

/// What comes out of a file, in the file's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Once, before all else.
    Header(Header),
    /// A row that is a person.
    Person {
        /// Line on which the row begins.
        line: u64,
        /// The person.
        person: Box<ParsedPerson>,
    },
    /// A row that is an attempt.
    Attempt {
        /// Line on which the row begins.
        line: u64,
        /// The attempt.
        attempt: Box<ParsedAttempt>,
    },
    /// A row that was left out.
    Rejected(Rejected),
    /// From time to time.
    Progress {
        /// Bytes read so far, as unpacked.
        bytes: u64,
    },
}

/// What was read in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The format that was asked for or recognized.
    pub format: Format,
    /// The encoding as far as the file decided it.
    pub encoding: Encoding,
    /// What separates values.
    pub separator: char,
    /// Rows below the header, blank ones and repeated headers not counted.
    pub rows: u64,
    /// Rows that are people.
    pub people: u64,
    /// Rows that are attempts.
    pub attempts: u64,
    /// Rows that were left out.
    pub rejected: u64,
    /// Doubts and dropped values, counted by kind.
    pub warnings: Warnings,
    /// Bytes read, as unpacked.
    pub bytes: u64,
    /// The sink wanted no more.
    pub stopped: bool,
}

/// Reads a whole file and hands every item to the sink, which may stop it. Blocks.
///
/// # Errors
/// When the file is none that can be read, or stops being one on the way: the caller must then drop
/// what the sink has taken, so that nothing is half imported.
pub fn read(
    input: impl Read + Send + 'static,
    options: &Options,
    sink: &mut impl FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, ImportError> {
    let opened = source::open(input, options.spool.as_deref())?;
    let mut records = Records::new(opened)?;
    let mut warnings = Warnings::new();
    let layout = header::read(&mut records, options, &mut warnings)?;
    let mut summary = Summary {
        format: layout.header.format,
        encoding: records.encoding(),
        separator: records.separator(),
        rows: 0,
        people: 0,
        attempts: 0,
        rejected: 0,
        warnings,
        bytes: 0,
        stopped: false,
    };
    let flow = match sink(Item::Header(layout.header.clone())) {
        ControlFlow::Continue(()) => read_rows(&mut records, &layout, options, &mut summary, sink)?,
        stop => stop,
    };
    summary.stopped = flow.is_break();
    summary.encoding = records.encoding();
    summary.bytes = records.bytes();
    Ok(summary)
}

fn read_rows(
    records: &mut Records,
    layout: &Layout,
    options: &Options,
    summary: &mut Summary,
    sink: &mut impl FnMut(Item) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, ImportError> {
    let mut next_progress = PROGRESS_BYTES;
    while let Some(split) = records.advance()? {
        let line = records.line();
        let read = match split {
            Ok(()) => row::read(records, layout, options, &mut summary.warnings),
            Err(reason) => Err(Rejected {
                line,
                column: None,
                reason,
            }),
        };
        let item = match read {
            Ok(Row::Blank) => continue,
            Ok(Row::RepeatedHeader) => {
                error::warn(&mut summary.warnings, Warning::RepeatedHeader);
                continue;
            }
            Ok(Row::Person(person)) => {
                summary.people += 1;
                Item::Person { line, person }
            }
            Ok(Row::Attempt(attempt)) => {
                summary.attempts += 1;
                Item::Attempt { line, attempt }
            }
            Err(rejected) => {
                summary.rejected += 1;
                Item::Rejected(rejected)
            }
        };
        summary.rows += 1;
        if summary.rows > ROWS_MAX {
            return Err(ImportError::TooManyRows);
        }
        if sink(item).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let bytes = records.bytes();
        if bytes >= next_progress {
            next_progress = bytes + PROGRESS_BYTES;
            if sink(Item::Progress { bytes }).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Reads arbitrary bytes as every format and must never panic, whatever they are.
pub fn fuzz(bytes: &[u8]) {
    let formats = Format::all().map(Some).chain([None]);
    for format in formats {
        let options = Options {
            format,
            ..Options::default()
        };
        let input = std::io::Cursor::new(bytes.to_vec());
        // Refusing the bytes is as good as reading them.
        drop(read(input, &options, &mut |item| {
            drop(item);
            ControlFlow::Continue(())
        }));
    }
}

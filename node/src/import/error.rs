//! Why a file, a row or a value was not taken, in sentences that quote nothing from the file but a
//! column's name.

use super::{format::Format, limits};
use std::{collections::BTreeMap, fmt, io, sync::Arc};

/// Why a whole file was refused, or why reading it stopped. Nothing of it should be kept.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Not one byte, or nothing but blank lines.
    #[error("The file is empty. Export the list again and choose the new file.")]
    Empty,
    /// Beyond [`limits::FILE_BYTES`].
    #[error("The file is larger than {} GiB. Split it and import the parts.", limits::FILE_BYTES >> 30)]
    TooLarge,
    /// Beyond [`limits::ROWS_MAX`].
    #[error(
        "The file has more than {} rows. Split it and import the parts.",
        limits::ROWS_MAX
    )]
    TooManyRows,
    /// Beyond [`limits::COLUMNS_MAX`] in the header.
    #[error(
        "The header on line {line} has more than {} columns. Export fewer columns.",
        limits::COLUMNS_MAX
    )]
    TooManyColumns {
        /// Line of the header.
        line: u64,
    },
    /// A header that is too long or holds bytes that are no text.
    #[error(
        "The header on line {line} cannot be read: {reason} Export the list again as CSV (UTF-8)."
    )]
    BadHeader {
        /// Line of the header.
        line: u64,
        /// What is wrong with it.
        reason: Reason,
    },
    /// A kind of file that holds no list which can be read.
    #[error("This looks like {what}. {todo}")]
    WrongKind {
        /// What the file seems to be.
        what: &'static str,
        /// What to do instead.
        todo: &'static str,
    },
    /// Bytes that are no text in any encoding that exports use.
    #[error("The file holds no readable text. Export the list again as CSV (UTF-8).")]
    NotText,
    /// A quote that opens and does not close within [`limits::RECORD_BYTES`] or at all.
    #[error(
        "The row that begins on line {line} opens a quote and does not close it. The file may be cut off: \
         close the quote on that line or export the list again."
    )]
    OpenQuote {
        /// Where the row begins.
        line: u64,
    },
    /// An archive with more than one list, paths, a password, a bomb.
    #[error("The zip archive was refused: {0} Unpack it and import the file inside.")]
    Archive(&'static str),
    /// A workbook that is too large or damaged.
    #[error(
        "The workbook was refused: {0} Open it, save the sheet as CSV (UTF-8) and import that."
    )]
    Workbook(&'static str),
    /// No format fits the header.
    #[error(
        "No known export has this header. If the first line holds the column names, name the columns with \
         --format csv and --map COLUMN=FIELD; if it does not, add a line with them."
    )]
    UnknownLayout,
    /// The first line holds values instead of names.
    #[error(
        "The first line seems to be a row, not the column names. Add a line with the column names."
    )]
    NoHeader,
    /// Columns without which rows of this format mean nothing.
    #[error(
        "A {format} file needs the column {missing}. Export it with that column, or name the column that holds it with --map."
    )]
    MissingColumn {
        /// The format that was asked for or recognized.
        format: Format,
        /// Names of the column, any of which would do.
        missing: &'static str,
    },
    /// As [`ImportError::MissingColumn`], when there is only one column: then the separator is wrong.
    #[error(
        "The file seems to have one column only. Export it with commas or tabs between the columns; \
         a {format} file needs the column {missing}."
    )]
    OneColumn {
        /// The format that was asked for or recognized.
        format: Format,
        /// Names of the column, any of which would do.
        missing: &'static str,
    },
    /// `--map` names a column that the file does not have.
    #[error(
        "--map names the column \"{0}\", which this file does not have. Compare the spelling with the first line of the file."
    )]
    MapColumn(String),
    /// The file or the temporary copy could not be read or written.
    #[error("The file could not be read to its end: {0}. Try again.")]
    Io(#[source] io::Error),
}

impl ImportError {
    /// A code that stays the same when the sentence changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "import/empty",
            Self::TooLarge => "import/too-large",
            Self::TooManyRows => "import/too-many-rows",
            Self::TooManyColumns { .. } => "import/too-many-columns",
            Self::BadHeader { .. } => "import/bad-header",
            Self::WrongKind { .. } => "import/wrong-kind",
            Self::NotText => "import/not-text",
            Self::OpenQuote { .. } => "import/open-quote",
            Self::Archive(_) => "import/archive",
            Self::Workbook(_) => "import/workbook",
            Self::UnknownLayout => "import/unknown-layout",
            Self::NoHeader => "import/no-header",
            Self::MissingColumn { .. } => "import/missing-column",
            Self::OneColumn { .. } => "import/one-column",
            Self::MapColumn(_) => "import/map-column",
            Self::Io(_) => "import/io",
        }
    }
}

impl From<io::Error> for ImportError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::FileTooLarge => Self::TooLarge,
            _ => Self::Io(error),
        }
    }
}

/// A row that was left out, and why; the rows after it go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Line on which the row begins; the first line of the file is 1. In a workbook: the row's number.
    pub line: u64,
    /// Name of the column at fault, where one is.
    pub column: Option<Arc<str>>,
    /// What is wrong.
    pub reason: Reason,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(
                f,
                "Line {}, column \"{column}\": {}",
                self.line, self.reason
            ),
            None => write!(f, "Line {}: {}", self.line, self.reason),
        }
    }
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Reason {
    /// A row with more or fewer values than the header has names.
    #[error(
        "the row has {found} values and the header has {expected}. Look for a quote or separator too many up to line {last_line}."
    )]
    Ragged {
        /// Values of the row.
        found: usize,
        /// Names of the header.
        expected: usize,
        /// Line on which the row ends.
        last_line: u64,
    },
    /// Beyond [`limits::RECORD_BYTES`].
    #[error("the row is longer than {} KiB.", limits::RECORD_BYTES >> 10)]
    RowTooLong,
    /// Beyond [`limits::FIELD_BYTES`].
    #[error("the value is longer than {} KiB.", limits::FIELD_BYTES >> 10)]
    ValueTooLong,
    /// Beyond [`limits::COLUMNS_MAX`].
    #[error("the row has more than {} values.", limits::COLUMNS_MAX)]
    TooManyValues,
    /// A zero byte: a damaged or binary file.
    #[error("the value holds a NUL byte; the file may be damaged.")]
    Nul,
    /// Bytes that are not UTF-8 in a file that is.
    #[error("the value is not valid UTF-8, as the rest of the file is.")]
    NotUtf8,
    /// A key column without a value.
    #[error("the value is missing, and without it the row cannot be told from others.")]
    KeyMissing,
    /// A date of contact in no known notation.
    #[error("the date is in no known notation; write YYYY-MM-DD or MM/DD/YYYY.")]
    DateShape,
    /// A date of contact that is on no calendar.
    #[error(
        "there is no such day; dates are read as month, day, year unless the year comes first."
    )]
    DateImpossible,
    /// A row without any name, id or contact point.
    #[error("the row has no name, id, address, phone number or e-mail address.")]
    NobodyNamed,
    /// An organization or household of a CRM.
    #[error("the row is an organization or a household, not a person.")]
    NotAPerson,
    /// A row of the table that `commonturf received export` writes.
    #[error(
        "the row was received from an ally and is here already, with its consent and its terms, which this file does not \
         hold. Use it from `commonturf received export`, pass it on with `commonturf share send --received`."
    )]
    Received,
    /// A contact that its own system has deleted.
    #[error("the contact is in the trash of the system that it comes from.")]
    InTrash,
}

/// A value that was dropped or doubted while its row was taken; counted, never quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// A door without a postal code.
    ZipMissing,
    /// A phone number with too few or too many digits; dropped.
    PhoneUnreadable,
    /// An e-mail address without an @; dropped.
    EmailUnreadable,
    /// A date, not that of a contact, that could not be read; dropped.
    DateUnreadable,
    /// A birth date that stands for "unknown" (1 January 1800 or 1900); dropped.
    BirthPlaceholder,
    /// A state voter id without a state; kept as another column, it identifies nobody.
    VoterStateMissing,
    /// A yes-or-no column with another word; protective marks are then set, all others not.
    YesNoUnclear,
    /// A result that is in no table; an attempt, flagged.
    ResultUnknown,
    /// A contact type that is in no table; the channel is unknown.
    ContactTypeUnknown,
    /// A column whose name was already there; kept under a numbered name.
    RepeatedColumn,
    /// The header once more among the rows, as in files that were joined; skipped.
    RepeatedHeader,
    /// A character was lost before this file was written, or is half of a UTF-16 pair.
    CharacterLost,
    /// More tags than [`limits::TAGS_MAX`]; the rest was dropped.
    TooManyTags,
    /// A latitude and longitude that name no point, or one of them alone; dropped.
    PositionUnreadable,
}

impl Warning {
    /// What happened, as a sentence without a subject: "3 rows: ...".
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::ZipMissing => "have an address without a ZIP code",
            Self::PhoneUnreadable => "have a phone number that is none; it was left out",
            Self::EmailUnreadable => "have an e-mail address that is none; it was left out",
            Self::DateUnreadable => "have a date that could not be read; it was left out",
            Self::BirthPlaceholder => {
                "have a birth date that stands for \"unknown\"; it was left out"
            }
            Self::VoterStateMissing => {
                "have a voter id but no state, so the id was kept as a plain column"
            }
            Self::YesNoUnclear => {
                "have a yes-or-no column with another word; protection was assumed, consent was not"
            }
            Self::ResultUnknown => {
                "have a result that is not known; they count as attempts and wait for your look"
            }
            Self::ContactTypeUnknown => {
                "have a contact type that is not known; their channel is open"
            }
            Self::RepeatedColumn => {
                "columns repeat a name; the later ones were kept under a numbered name"
            }
            Self::RepeatedHeader => "repeat the header; they were skipped",
            Self::CharacterLost => "have a character that was lost before this file was written",
            Self::TooManyTags => "have more tags than are kept",
            Self::PositionUnreadable => {
                "have a latitude and longitude that name no point; they were left out"
            }
        }
    }
}

/// Warnings, counted by kind.
pub type Warnings = BTreeMap<Warning, u64>;

/// Counts one more.
pub(super) fn warn(warnings: &mut Warnings, warning: Warning) {
    *warnings.entry(warning).or_default() += 1;
}

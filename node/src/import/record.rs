//! Rows of separated text, in bounded memory whatever the file holds.
//!
//! A thin loop around `csv-core`, which parses as the `csv` crate does but lets the caller own the
//! buffers: a row beyond its limit is passed over instead of filling the memory. Line ends of every
//! kind become LF on the way in, so that lines are counted right, also within quotes.

use super::{
    encoding::Encoding,
    error::{ImportError, Reason},
    limits::{COLUMNS_MAX, FIELD_BYTES, PREFIX_BYTES, RECORD_BYTES},
    sheet,
    source::Opened,
};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};
use std::{
    borrow::Cow,
    cell::Cell,
    io::{self, Read},
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Separators in the order in which they are tried.
const SEPARATORS: [u8; 4] = *b"\t,;|";

/// The rows of one file, one at a time.
pub(super) struct Records {
    input: Box<dyn Read + Send>,
    bytes: Arc<AtomicU64>,
    encoding: Cell<Encoding>,
    separator: u8,
    sheet: bool,
    parser: Reader,
    buffer: Vec<u8>,
    /// What of `buffer` is not yet parsed.
    waiting: Range<usize>,
    /// The last byte read was a carriage return, already passed on as a line feed.
    after_return: bool,
    ended: bool,
    /// Values of the present row, one after the other.
    values: Vec<u8>,
    /// Where each value ends.
    ends: Vec<usize>,
    len: usize,
    line: u64,
    next_line: u64,
}

impl Records {
    /// Reads enough to tell the separator.
    pub(super) fn new(opened: Opened) -> Result<Self, ImportError> {
        let mut records = Self {
            input: opened.text,
            bytes: opened.bytes,
            encoding: Cell::new(opened.encoding),
            separator: sheet::SEPARATOR,
            sheet: opened.sheet,
            parser: Reader::new(),
            buffer: vec![0; PREFIX_BYTES],
            waiting: 0..0,
            after_return: false,
            ended: false,
            values: vec![0; 8 << 10],
            ends: vec![0; 256],
            len: 0,
            line: 1,
            next_line: 1,
        };
        while !records.ended && records.waiting.end < PREFIX_BYTES {
            records.fill()?;
        }
        if !records.sheet {
            records.separator = records.find_separator();
        }
        records.parser = parser(records.separator);
        Ok(records)
    }

    /// Goes to the next row; none at the end. A row that cannot be taken has a reason.
    pub(super) fn advance(&mut self) -> Result<Option<Result<(), Reason>>, ImportError> {
        if !self.skip_blank_lines()? {
            return Ok(None);
        }
        self.line = self.next_line;
        self.len = 0;
        let mut written = 0;
        let mut refused = None;
        loop {
            if self.waiting.is_empty() && !self.ended {
                self.fill()?;
            }
            // A last line without an end gets one, which also shows whether a quote is still open.
            let last = self.waiting.is_empty();
            let waiting = self.buffer.get(self.waiting.clone()).unwrap_or_default();
            let source = if last { b"\n".as_slice() } else { waiting };
            let into = self.values.get_mut(written..).unwrap_or_default();
            let ends = self.ends.get_mut(self.len..).unwrap_or_default();
            let (result, read, wrote, ended) = self.parser.read_record(source, into, ends);
            written += wrote;
            self.len += ended;
            if !last {
                let read = self.waiting.start..self.waiting.start + read;
                self.waiting.start = read.end;
                self.next_line += count_lines(self.buffer.get(read).unwrap_or_default());
            }
            let full = match result {
                ReadRecordResult::Record | ReadRecordResult::End => break,
                ReadRecordResult::InputEmpty if last => {
                    return Err(ImportError::OpenQuote { line: self.line });
                }
                ReadRecordResult::InputEmpty => continue,
                ReadRecordResult::OutputFull => {
                    grow(&mut self.values, RECORD_BYTES).then_some(Reason::RowTooLong)
                }
                ReadRecordResult::OutputEndsFull => {
                    grow(&mut self.ends, COLUMNS_MAX).then_some(Reason::TooManyValues)
                }
            };
            if let Some(reason) = full {
                if self.in_quotes() {
                    return Err(ImportError::OpenQuote { line: self.line });
                }
                refused.get_or_insert(reason);
                (written, self.len) = (0, 0);
            }
        }
        Ok(Some(refused.map_or(Ok(()), Err)))
    }

    /// Whether a quote is open after what the parser has seen: then a line end does not end the row.
    fn in_quotes(&self) -> bool {
        let mut parser = self.parser.clone();
        let (result, ..) = parser.read_record(b"\n", &mut [0; 8], &mut [0; 8]);
        result != ReadRecordResult::Record
    }

    /// False at the end of the file.
    fn skip_blank_lines(&mut self) -> Result<bool, ImportError> {
        loop {
            match self
                .buffer
                .get(self.waiting.clone())
                .and_then(<[u8]>::first)
            {
                Some(b'\n') => {
                    self.waiting.start += 1;
                    self.next_line += 1;
                }
                Some(_) => return Ok(true),
                None if self.ended => return Ok(false),
                None => self.fill()?,
            }
        }
    }

    /// Reads more behind what waits, and turns CR LF and CR into LF.
    fn fill(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            self.waiting = 0..0;
        }
        let from = self.waiting.end;
        let space = self.buffer.get_mut(from..).unwrap_or_default();
        let read = loop {
            match self.input.read(space) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.ended = read == 0;
        let mut kept = 0;
        for at in 0..read {
            let Some(byte) = space.get(at).copied() else {
                break;
            };
            let second = byte == b'\n' && self.after_return;
            self.after_return = byte == b'\r';
            if !second && let Some(slot) = space.get_mut(kept) {
                *slot = if byte == b'\r' { b'\n' } else { byte };
                kept += 1;
            }
        }
        self.waiting.end = from + kept;
        Ok(())
    }

    /// Tab, if it gives two columns; else what gives most, commas before others. A line that names the
    /// separator, as Excel writes it, decides and is passed over.
    fn find_separator(&mut self) -> u8 {
        let start = self.buffer.get(self.waiting.clone()).unwrap_or_default();
        if let [
            b's' | b'S',
            b'e' | b'E',
            b'p' | b'P',
            b'=',
            separator,
            b'\n',
            ..,
        ] = start
        {
            let separator = *separator;
            self.waiting.start += 6;
            self.next_line += 1;
            return separator;
        }
        let mut best = (b',', 1);
        for separator in SEPARATORS {
            // The first row may be an export's own remark, so the second is asked too.
            let columns = columns_of_two_rows(start, separator);
            if columns > best.1 {
                best = (separator, columns);
            }
            if separator == b'\t' && columns > 1 {
                break;
            }
        }
        best.0
    }

    /// How many values the present row has.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Line on which the present row begins, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Line on which the present row ends.
    pub(super) fn last_line(&self) -> u64 {
        self.next_line.saturating_sub(1).max(self.line)
    }

    /// A value of the present row, trimmed; empty beyond its end.
    pub(super) fn text(&self, index: usize) -> Result<Cow<'_, str>, Reason> {
        let value = self.raw(index);
        if value.len() > FIELD_BYTES {
            return Err(Reason::ValueTooLong);
        }
        let mut encoding = self.encoding.get();
        let text = encoding.decode(value)?;
        self.encoding.set(encoding);
        Ok(match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        })
    }

    /// A value of the present row as bytes; empty beyond its end.
    pub(super) fn raw(&self, index: usize) -> &[u8] {
        let start = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        match self.ends.get(index) {
            Some(end) if index < self.len => self.values.get(start..*end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Whether a row of so many values may be shorter than the header: in a workbook it may.
    pub(super) fn may_be_short(&self) -> bool {
        self.sheet
    }

    /// The encoding as far as decided.
    pub(super) fn encoding(&self) -> Encoding {
        self.encoding.get()
    }

    /// What separates values.
    pub(super) fn separator(&self) -> char {
        char::from(self.separator)
    }

    /// Bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

fn parser(separator: u8) -> Reader {
    ReaderBuilder::new()
        .delimiter(separator)
        .terminator(Terminator::Any(b'\n'))
        .build()
}

/// Doubles a buffer up to its limit; true if it is there already.
fn grow<T: Clone + Default>(buffer: &mut Vec<T>, most: usize) -> bool {
    let full = buffer.len() >= most;
    buffer.resize((buffer.len() * 2).min(most).max(buffer.len()), T::default());
    full
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// The most columns that one of the first two rows has with this separator.
fn columns_of_two_rows(text: &[u8], separator: u8) -> usize {
    let mut parser = parser(separator);
    let (mut rest, mut most) = (text, 0);
    let (mut values, mut ends) = (vec![0; PREFIX_BYTES], vec![0; COLUMNS_MAX]);
    for _ in 0..2 {
        let (result, read, _, columns) = parser.read_record(rest, &mut values, &mut ends);
        let columns = match result {
            ReadRecordResult::Record => columns,
            ReadRecordResult::OutputEndsFull => return COLUMNS_MAX,
            // The row goes on beyond the prefix or ends with the file: its last value is not counted.
            ReadRecordResult::InputEmpty => columns + 1,
            ReadRecordResult::OutputFull | ReadRecordResult::End => break,
        };
        most = most.max(columns);
        rest = rest.get(read..).unwrap_or_default();
        if result != ReadRecordResult::Record || rest.is_empty() {
            break;
        }
    }
    most
}

#[cfg(test)]
mod tests;

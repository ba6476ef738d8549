//! Excel workbooks (.xlsx): the first sheet as comma-separated text, one line per row of the sheet, so
//! that a line number names the row that people see.

use super::{
    archive::check_workbook,
    error::ImportError,
    limits::{COLUMNS_MAX, FILE_BYTES, SHEET_ROWS_MAX},
    source::Spool,
};
use calamine::{DataRef, Reader, Xlsx};
use std::{
    fs::File,
    io::{BufReader, BufWriter, Seek, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What separates values in the text made here.
pub(super) const SEPARATOR: u8 = b',';

const DAMAGED: ImportError = ImportError::Workbook("it is damaged or not whole.");

/// The first sheet as text in a temporary file, which is returned at its start.
pub(super) fn to_text(mut file: File, spool: &Spool) -> Result<File, ImportError> {
    check_workbook(&mut file)?;
    file.rewind()?;
    // The workbook is a stranger's and its parser is large: a fault in it must cost this file alone.
    catch_unwind(AssertUnwindSafe(|| convert(file, spool))).unwrap_or(Err(DAMAGED))
}

fn convert(file: File, spool: &Spool) -> Result<File, ImportError> {
    let mut workbook = Xlsx::new(BufReader::new(file)).map_err(|_| DAMAGED)?;
    let names = workbook.sheet_names();
    let name = names
        .first()
        .ok_or(ImportError::Workbook("it has no sheet."))?;
    let mut cells = workbook.worksheet_cells_reader(name).map_err(|_| DAMAGED)?;
    let mut sheet = SheetText {
        out: BufWriter::new(spool.file()?),
        row: 0,
        column: 0,
        bytes: 0,
    };
    while let Some(cell) = cells.next_cell().map_err(|_| DAMAGED)? {
        let value = text_of(cell.get_value());
        if !value.is_empty() {
            sheet.put(cell.get_position(), &value)?;
        }
    }
    let mut text = sheet
        .out
        .into_inner()
        .map_err(|error| ImportError::Io(error.into_error()))?;
    text.rewind()?;
    Ok(text)
}

/// A value as it would stand in a CSV: whole numbers without a fraction, dates with the year first.
fn text_of(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty | DataRef::Error(_) => String::new(),
        DataRef::Bool(true) => "TRUE".to_owned(),
        DataRef::Bool(false) => "FALSE".to_owned(),
        DataRef::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            match (hour, minute, second) {
                (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            }
        }
        DataRef::DateTime(time) => time.as_f64().to_string(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
    }
}

struct SheetText {
    out: BufWriter<File>,
    row: u32,
    column: u32,
    bytes: u64,
}

impl SheetText {
    /// Writes one value; positions count from 0 and must not go back.
    fn put(&mut self, (row, column): (u32, u32), value: &str) -> Result<(), ImportError> {
        if row >= SHEET_ROWS_MAX || row < self.row {
            return Err(DAMAGED);
        }
        if column as usize >= COLUMNS_MAX {
            return Err(ImportError::TooManyColumns {
                line: u64::from(row) + 1,
            });
        }
        while self.row < row {
            self.write(b"\n")?;
            self.row += 1;
            self.column = 0;
        }
        if column < self.column {
            return Err(DAMAGED);
        }
        while self.column < column {
            self.write(&[SEPARATOR])?;
            self.column += 1;
        }
        // A line break inside a value would shift every later line number.
        let value = value.replace(['\r', '\n'], " ").replace('"', "\"\"");
        self.write(b"\"")?;
        self.write(value.as_bytes())?;
        self.write(b"\"")
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ImportError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > FILE_BYTES {
            return Err(ImportError::TooLarge);
        }
        Ok(self.out.write_all(bytes)?)
    }
}

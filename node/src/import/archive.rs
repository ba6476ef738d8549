//! Zip archives: the one list inside, unpacked to a temporary file within limits.

use super::{
    error::ImportError,
    limits::{
        ARCHIVE_ENTRIES_MAX, FILE_BYTES, RATIO_FREE_BYTES, RATIO_MAX, WORKBOOK_BYTES,
        WORKBOOK_ENTRIES_MAX,
    },
    source::{Spool, copy_at_most},
};
use std::{
    fs::File,
    io::{self, Seek},
};
use zip::{ZipArchive, result::ZipError};

/// Endings of the names that lists have.
const LISTS: [&str; 5] = [".csv", ".txt", ".xls", ".tsv", ".tab"];

const DAMAGED: ImportError = ImportError::Archive("it is damaged or not whole.");

/// Whether the archive is an Excel workbook; refuses other office documents by name.
pub(super) fn is_workbook(file: &mut File) -> Result<bool, ImportError> {
    let archive = ZipArchive::new(file).map_err(|error| refusal(&error))?;
    let has = |name: &str| archive.index_for_name(name).is_some();
    if has("mimetype") && has("content.xml") {
        return Err(ImportError::WrongKind {
            what: "an OpenDocument spreadsheet",
            todo: "Open it, save it as CSV (UTF-8) and import that.",
        });
    }
    if has("xl/workbook.bin") || has("word/document.xml") {
        return Err(ImportError::WrongKind {
            what: "an office document other than .xlsx",
            todo: "Open it, save the sheet as CSV (UTF-8) and import that.",
        });
    }
    Ok(has("xl/workbook.xml"))
}

/// Unpacks the one list of an archive into a temporary file, which is returned at its start.
pub(super) fn only_entry(file: File, spool: &Spool) -> Result<File, ImportError> {
    let mut archive = ZipArchive::new(file).map_err(|error| refusal(&error))?;
    let index = find_list(&mut archive)?;
    let mut entry = archive.by_index(index).map_err(|error| refusal(&error))?;
    let most = entry
        .compressed_size()
        .saturating_mul(RATIO_MAX)
        .clamp(RATIO_FREE_BYTES, FILE_BYTES);
    let mut unpacked = spool.file()?;
    let whole = copy_at_most(&mut entry, &mut unpacked, most).map_err(damaged)?;
    if !whole {
        return Err(ImportError::Archive(
            "what is inside is far larger than the archive.",
        ));
    }
    unpacked.rewind()?;
    Ok(unpacked)
}

/// The index of the one list; what macOS adds is passed over.
fn find_list(archive: &mut ZipArchive<File>) -> Result<usize, ImportError> {
    if archive.len() > ARCHIVE_ENTRIES_MAX {
        return Err(ImportError::Archive("it holds too many files."));
    }
    let mut lists = Vec::new();
    for index in 0..archive.len() {
        let entry = archive
            .by_index_raw(index)
            .map_err(|error| refusal(&error))?;
        let name = entry.name().map_err(|error| refusal(&error))?;
        if name.starts_with("__MACOSX/") || name == ".DS_Store" {
            continue;
        }
        if entry.is_dir()
            || !entry.is_file()
            || name.contains(['/', '\\', ':', '\0'])
            || name.contains("..")
        {
            return Err(ImportError::Archive(
                "a file inside it has a path or is a folder or a link.",
            ));
        }
        if entry.encrypted() {
            return Err(ImportError::Archive("it is protected by a password."));
        }
        let name = name.to_ascii_lowercase();
        if LISTS.iter().any(|ending| name.ends_with(ending)) {
            lists.push(index);
        }
    }
    match lists.as_slice() {
        [index] => Ok(*index),
        [] => Err(ImportError::Archive(
            "it holds no .csv, .txt, .xls or .tsv file.",
        )),
        _ => Err(ImportError::Archive("it holds more than one list.")),
    }
}

/// Unpacks every part of a workbook into nothing, because the sizes that it declares may be lies.
pub(super) fn check_workbook(file: &mut File) -> Result<(), ImportError> {
    let mut archive = ZipArchive::new(file).map_err(|error| refusal(&error))?;
    if archive.len() > WORKBOOK_ENTRIES_MAX {
        return Err(ImportError::Workbook("it has too many parts."));
    }
    let mut left = WORKBOOK_BYTES;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| refusal(&error))?;
        let mut counted = Counted(0);
        let whole = copy_at_most(&mut entry, &mut counted, left).map_err(damaged)?;
        if !whole {
            return Err(ImportError::Workbook("it is too large to be read whole."));
        }
        left = left.saturating_sub(counted.0);
    }
    Ok(())
}

/// Counts what is written and keeps nothing.
struct Counted(u64);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An error while unpacking is the archive's fault unless the disk is full.
fn damaged(error: io::Error) -> ImportError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ImportError::Io(error),
        _ => DAMAGED,
    }
}

fn refusal(error: &ZipError) -> ImportError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            ImportError::Archive("it is protected by a password.")
        }
        ZipError::UnsupportedArchive(_) => ImportError::Archive("it is packed in an unusual way."),
        _ => DAMAGED,
    }
}

//! A file that names many people: one reference on each line, or a column of a table.

use super::client::CliError;
use clap::Args;
use std::path::{Path, PathBuf};

/// The largest file, in bytes.
const FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Words that head a column of references.
const HEADS: [&str; 4] = ["person", "person_id", "id", "reference"];

/// A file of people.
#[derive(Debug, Args)]
pub(super) struct PeopleFile {
    /// A file of people: one id or system:value on each line, or a table (CSV) with --column.
    #[arg(id = "list", long = "list", value_name = "FILE")]
    path: Option<PathBuf>,
    /// The column of the table that holds the ids; without it, one called person_id, person, id or reference.
    #[arg(long, value_name = "NAME", requires = "list")]
    column: Option<String>,
    /// Whose ids the column holds, such as van; without it, this node's.
    #[arg(long, value_name = "SYSTEM", requires = "list")]
    system: Option<String>,
}

/// A person that a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// The line.
    pub(super) line: u64,
    /// Whom it means.
    pub(super) reference: String,
}

impl PeopleFile {
    /// The file, where one is named.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Reads everybody whom a file names; empty cells are left out.
    pub(super) fn read(&self, path: &Path) -> Result<Vec<Named>, CliError> {
        let failed = |error: std::io::Error| CliError::file(path, &error);
        if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES {
            return Err(CliError::Usage(format!(
                "{}: a file of people has at most 64 MiB",
                path.display()
            )));
        }
        let file = std::fs::read(path).map_err(failed)?;
        self.parse(&file)
            .map_err(|why| CliError::Usage(format!("{}: {why}", path.display())))
    }

    fn parse(&self, file: &[u8]) -> Result<Vec<Named>, String> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(file);
        let mut rows = reader.records();
        let mut named = Vec::new();
        let Some(first) = rows.next() else {
            return Err("it is empty".to_owned());
        };
        let first = first.map_err(|error| unreadable(&error))?;
        let column = self.column_of(&first)?;
        if column.is_none() {
            self.take(file, &first, 0, &mut named);
        }
        for row in rows {
            let row = row.map_err(|error| unreadable(&error))?;
            self.take(file, &row, column.unwrap_or(0), &mut named);
        }
        if named.is_empty() {
            return Err("it names nobody".to_owned());
        }
        Ok(named)
    }

    /// The place of the column by the first line; none when that line names a person already.
    fn column_of(&self, first: &csv::StringRecord) -> Result<Option<usize>, String> {
        let at = |name: &str| {
            let is_it = |cell: &str| bare(cell).eq_ignore_ascii_case(name);
            first.iter().position(is_it)
        };
        if let Some(name) = &self.column {
            let found = at(name.trim());
            return found.map(Some).ok_or_else(|| {
                let cells: Vec<&str> = first.iter().map(bare).take(40).collect();
                format!(
                    "no column \"{name}\" in its first line; columns: {}",
                    cells.join(", ")
                )
            });
        }
        let head = HEADS.into_iter().find_map(at);
        if head.is_none() && first.len() > 1 {
            return Err(
                "it has several columns; name the one that holds the ids with --column".to_owned(),
            );
        }
        Ok(head)
    }

    fn take(&self, file: &[u8], row: &csv::StringRecord, column: usize, named: &mut Vec<Named>) {
        let cell = row.get(column).map(bare).unwrap_or_default();
        if cell.is_empty() {
            return;
        }
        let reference = match &self.system {
            Some(system) => format!("{}:{cell}", system.trim()),
            None => cell.to_owned(),
        };
        let line = row.position().map_or(0, |place| line_of(file, place));
        named.push(Named { line, reference });
    }
}

/// The line on which a row begins; a row's place is before the empty lines that it follows.
fn line_of(file: &[u8], place: &csv::Position) -> u64 {
    let start = usize::try_from(place.byte()).unwrap_or(usize::MAX);
    let before = file.get(start..).unwrap_or_default().iter();
    let empty = before.take_while(|byte| matches!(byte, b'\r' | b'\n'));
    place.line() + empty.filter(|byte| **byte == b'\n').count() as u64
}

/// A cell without the mark that some programs put before a file's first one.
fn bare(cell: &str) -> &str {
    cell.trim_start_matches('\u{feff}').trim()
}

fn unreadable(error: &csv::Error) -> String {
    match error.position() {
        Some(place) => format!("line {} cannot be read as text", place.line()),
        None => "it cannot be read as text".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(column: Option<&str>, system: Option<&str>, text: &str) -> Result<Vec<String>, String> {
        let file = PeopleFile {
            path: None,
            column: column.map(str::to_owned),
            system: system.map(str::to_owned),
        };
        let named = file.parse(text.as_bytes())?;
        let words = named
            .into_iter()
            .map(|n| format!("{} {}", n.line, n.reference));
        Ok(words.collect())
    }

    #[test]
    fn one_person_on_each_line_with_or_without_a_heading() {
        let plain = read(None, None, "abcdef\n\n van:7 \n").unwrap();
        assert_eq!(plain, ["1 abcdef", "3 van:7"]);
        let headed = read(None, None, "\u{feff}person_id\r\nabcdef\r\n").unwrap();
        assert_eq!(headed, ["2 abcdef"]);
    }

    #[test]
    fn a_column_of_a_table_with_the_ids_of_another_system() {
        let table = "Name,VanID\n\"Quill, Ada\",12\nNobody,\nLee,13\n";
        let read = read(Some("vanid"), Some("van"), table).unwrap();
        assert_eq!(read, ["2 van:12", "4 van:13"]);
    }

    #[test]
    fn a_file_that_leaves_it_open_who_is_meant_is_refused() {
        for (column, text, said) in [
            (None, "", "empty"),
            (None, "person_id\n", "nobody"),
            (None, "Ada,12\nLee,13\n", "--column"),
            (Some("VanID"), "Name,Id\nAda,12\n", "columns: Name, Id"),
        ] {
            let refused = read(column, None, text).unwrap_err();
            assert!(refused.contains(said), "{refused}");
        }
        let binary = PeopleFile {
            path: None,
            column: None,
            system: None,
        };
        let refused = binary
            .parse([b'a', b'\n', 0xff, 0xfe].as_slice())
            .unwrap_err();
        assert!(refused.contains("line 2"), "{refused}");
    }
}

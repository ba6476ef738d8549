//! What the tests share: the samples as tables that can be changed, and one way to read bytes.

use commonturf::import::{
    Format, ImportError, Item, Options, ParsedAttempt, ParsedPerson, Rejected, Summary, read,
};
use std::{io::Cursor, ops::ControlFlow};

/// Everything that came out of a file.
pub(crate) struct Outcome {
    pub(crate) items: Vec<Item>,
    pub(crate) summary: Summary,
}

impl Outcome {
    pub(crate) fn people(&self) -> Vec<&ParsedPerson> {
        self.items
            .iter()
            .filter_map(|item| {
                if let Item::Person { person, .. } = item {
                    Some(person.as_ref())
                } else {
                    None
                }
            })
            .collect()
    }

    pub(crate) fn attempts(&self) -> Vec<&ParsedAttempt> {
        self.items
            .iter()
            .filter_map(|item| {
                if let Item::Attempt { attempt, .. } = item {
                    Some(attempt.as_ref())
                } else {
                    None
                }
            })
            .collect()
    }

    pub(crate) fn rejected(&self) -> Vec<&Rejected> {
        self.items
            .iter()
            .filter_map(|item| {
                if let Item::Rejected(rejected) = item {
                    Some(rejected)
                } else {
                    None
                }
            })
            .collect()
    }

    /// The extra columns of every row.
    pub(crate) fn extras(&self) -> Vec<&commonturf::import::Extra> {
        let people = self.people().into_iter().flat_map(|person| &person.extra);
        people
            .chain(
                self.attempts()
                    .into_iter()
                    .flat_map(|attempt| &attempt.extra),
            )
            .collect()
    }

    /// The items without the header, whose line and order some tests change.
    pub(crate) fn rows(&self) -> Vec<&Item> {
        self.items
            .iter()
            .filter(|item| !matches!(item, Item::Header(_) | Item::Progress { .. }))
            .collect()
    }
}

/// Reads bytes and keeps every item.
pub(crate) fn import(bytes: impl Into<Vec<u8>>, options: &Options) -> Result<Outcome, ImportError> {
    let mut items = Vec::new();
    let summary = read(Cursor::new(bytes.into()), options, &mut |item| {
        items.push(item);
        ControlFlow::Continue(())
    })?;
    Ok(Outcome { items, summary })
}

/// Options that tell everything from the file, or that name the format.
pub(crate) fn auto() -> Options {
    Options::default()
}

pub(crate) fn of(format: Format) -> Options {
    Options {
        format: Some(format),
        ..Options::default()
    }
}

/// A sample file with what the contract needs to know about its format.
pub(crate) struct Sample {
    pub(crate) format: Format,
    pub(crate) bytes: &'static [u8],
    pub(crate) separator: u8,
    /// A column without which the format is none, and all others that would do instead.
    pub(crate) keys: &'static [&'static str],
    /// The format's own never-share column and the value that sets it.
    pub(crate) never_share: Option<(&'static str, &'static str)>,
    pub(crate) attempts: bool,
}

macro_rules! sample {
    ($format:ident, $file:literal, $separator:literal, $keys:expr, $never_share:expr, $attempts:literal) => {
        Sample {
            format: Format::$format,
            bytes: include_bytes!(concat!("../samples/", $file)),
            separator: $separator,
            keys: &$keys,
            never_share: $never_share,
            attempts: $attempts,
        }
    };
}

/// One sample of each format.
pub(crate) const SAMPLES: &[Sample] = &[
    sample!(
        VanSavedList,
        "van-saved-list.csv",
        b',',
        ["VanID"],
        None,
        false
    ),
    sample!(
        VanContactHistory,
        "van-contact-history.xls",
        b'\t',
        ["VANID", "DWID"],
        None,
        true
    ),
    sample!(
        NationBuilder,
        "nationbuilder.csv",
        b',',
        ["nationbuilder_id"],
        Some(("do_not_contact", "true")),
        false
    ),
    sample!(
        ActionNetwork,
        "action-network.csv",
        b',',
        ["uuid", "email"],
        None,
        false
    ),
    sample!(
        CiviCrm,
        "civicrm.csv",
        b',',
        ["Contact ID", "External Identifier", "Email"],
        Some(("Do Not Trade", "Yes")),
        false
    ),
    sample!(
        Csv,
        "csv.csv",
        b';',
        ["Last Name", "Street Address", "Mobile", "Email"],
        Some(("Never Share", "yes")),
        false
    ),
];

/// A table that a test changes before it is written in any encoding.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) separator: u8,
    pub(crate) end: &'static str,
}

impl Sample {
    /// The sample's text without its byte order mark.
    pub(crate) fn text(&self) -> String {
        let text = match self.bytes {
            [0xFF, 0xFE, units @ ..] => {
                let units: Vec<u16> = units
                    .chunks_exact(2)
                    .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                    .collect();
                String::from_utf16(&units).expect("the sample is UTF-16")
            }
            bytes => String::from_utf8(bytes.to_vec()).expect("the sample is UTF-8"),
        };
        text.trim_start_matches('\u{FEFF}').to_owned()
    }

    /// The sample as a table.
    pub(crate) fn table(&self) -> Table {
        let text = self.text();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(self.separator)
            .from_reader(text.as_bytes());
        let rows = reader
            .records()
            .map(|row| {
                row.expect("a whole row")
                    .iter()
                    .map(str::to_owned)
                    .collect()
            })
            .collect();
        Table {
            rows,
            separator: self.separator,
            end: "\n",
        }
    }
}

impl Table {
    pub(crate) fn text(&self) -> String {
        let separator = char::from(self.separator).to_string();
        let quote = |value: &String| format!("\"{}\"", value.replace('"', "\"\""));
        let line = |row: &Vec<String>| {
            row.iter().map(quote).collect::<Vec<_>>().join(&separator) + self.end
        };
        self.rows.iter().map(line).collect()
    }

    /// Adds a column with the same value in every row.
    pub(crate) fn with_column(mut self, name: &str, value: &str) -> Self {
        for (index, row) in self.rows.iter_mut().enumerate() {
            row.push(if index == 0 { name } else { value }.to_owned());
        }
        self
    }

    /// The position of a column.
    pub(crate) fn at(&self, name: &str) -> usize {
        self.rows[0]
            .iter()
            .position(|known| known == name)
            .expect("the sample has this column")
    }

    /// Sets one column in every row.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        let at = self.at(name);
        self.rows
            .iter_mut()
            .skip(1)
            .for_each(|row| value.clone_into(&mut row[at]));
        self
    }
}

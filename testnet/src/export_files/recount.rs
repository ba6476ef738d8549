//! Reads the written files back with a small reader of its own, to check the truth against the bytes.
//!
//! It shares no code with the writers and none with the node's importers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::door::door;

/// A file's lines by column name; cells beyond the header are dropped.
pub(crate) struct Lines {
    pub(crate) header: String,
    pub(crate) widths: Vec<usize>,
    pub(crate) rows: Vec<BTreeMap<String, String>>,
}

pub(crate) fn read(path: &Path, separator: u8) -> Lines {
    let bytes = fs::read(path).expect("the file was written");
    let text = decode(&bytes);
    let header = text.lines().next().expect("a header line").to_owned();
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let names = reader.headers().expect("a header line").clone();
    let mut widths = Vec::new();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.expect("a line of cells");
        widths.push(record.len());
        rows.push(
            names
                .iter()
                .zip(&record)
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect(),
        );
    }
    Lines {
        header,
        widths,
        rows,
    }
}

pub(crate) fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned(),
    }
}

/// Which columns of a format name contact points.
struct Columns {
    /// Street line, further street line, postal code; the first block with a street line counts.
    addresses: &'static [[&'static str; 3]],
    phones: &'static [&'static str],
    email: &'static str,
    /// Where the postal code may stand at the end.
    whole: &'static str,
}

fn columns(format: &str) -> Columns {
    match format {
        "action_network" => Columns {
            addresses: &[["can2_user_address", "", "zip_code"]],
            phones: &["Phone Number"],
            email: "email",
            whole: "",
        },
        "van_saved_list" => Columns {
            addresses: &[["StreetAddress", "", "ZipOrPostal"]],
            phones: &["CellPhone", "HomePhone", "WorkPhone", "Phone"],
            email: "Email",
            whole: "Address",
        },
        "civicrm" => Columns {
            addresses: &[["Street Address", "Supplemental Address 1", "Postal Code"]],
            phones: &["Phone"],
            email: "Email",
            whole: "",
        },
        "nationbuilder" => Columns {
            addresses: &[
                [
                    "registered_address1",
                    "registered_address2",
                    "registered_zip",
                ],
                ["primary_address1", "primary_address2", "primary_zip"],
            ],
            phones: &["mobile_number", "phone_number", "work_phone_number"],
            email: "email1",
            whole: "",
        },
        other => panic!("no columns known for {other}"),
    }
}

/// Contact points of a file under exact normalization.
#[derive(Default)]
pub(crate) struct ContactPoints {
    pub(crate) doors: BTreeSet<String>,
    pub(crate) phones: BTreeSet<String>,
    pub(crate) emails: BTreeSet<String>,
}

pub(crate) fn contact_points(lines: &Lines, format: &str) -> ContactPoints {
    let columns = columns(format);
    let mut found = ContactPoints::default();
    for row in &lines.rows {
        let cell = |name: &str| row.get(name).map(String::as_str).unwrap_or_default();
        if let Some([street, more, zip]) = columns
            .addresses
            .iter()
            .find(|names| !cell(names[0]).is_empty())
        {
            let zip = if cell(zip).is_empty() {
                cell(columns.whole).rsplit(' ').next().unwrap_or_default()
            } else {
                cell(zip)
            };
            found
                .doors
                .extend(door(&format!("{} {}", cell(street), cell(more)), zip));
        }
        found
            .phones
            .extend(columns.phones.iter().filter_map(|name| phone(cell(name))));
        let email = cell(columns.email).trim().to_lowercase();
        found.emails.extend((!email.is_empty()).then_some(email));
    }
    found
}

fn phone(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let number = phonenumber::parse(Some(phonenumber::country::US), text).ok()?;
    let reachable = number.extension().is_none() && phonenumber::is_valid(&number);
    reachable.then(|| number.format().mode(phonenumber::Mode::E164).to_string())
}

//! VAN saved-list export: comma, UTF-8; the whole address stands beside its parts.

use std::io::{self, Write};

use super::table::Table;
use super::{Cells, NameColumns, headers, phone_text, write_rows};
use crate::people::{COUNTY, Row, STATE};

/// The export's id, the same on every row.
const EXPORT_ID: &str = "413286";

pub(crate) fn write(out: &mut dyn Write, rows: &[&Row], malformed: bool) -> io::Result<()> {
    let mut table = begin(out)?;
    let names = NameColumns {
        key: "VanID",
        given: "FirstName",
        surname: "LastName",
    };
    write_rows(&mut table, rows, malformed.then_some(names), cells)?;
    table.end().map(|_| ())
}

pub(crate) fn begin<W: Write>(out: W) -> io::Result<Table<W>> {
    Table::begin(
        out,
        &[headers::VAN_SAVED_LIST],
        b',',
        csv::Terminator::Any(b'\n'),
    )
}

pub(crate) fn cells(row: &Row) -> Cells {
    let home = phone_text(row.landline);
    let cell = phone_text(row.mobile);
    let preferred = if cell.is_empty() {
        home.clone()
    } else {
        cell.clone()
    };
    let is_cell = if home.is_empty() { "" } else { "0" };
    let mut cells = vec![
        ("CanvassFileRequestID", EXPORT_ID.to_owned()),
        ("VanID", row.key.clone()),
        ("FirstName", row.given.clone()),
        ("LastName", row.surname.clone()),
        ("Email", row.email.clone().unwrap_or_default()),
        ("HomePhone", home),
        ("IsHomePhoneACellExchange", is_cell.to_owned()),
        ("CellPhone", cell),
        ("Phone", preferred),
        ("County", COUNTY.to_owned()),
        ("CongressionalDistrict", "013".to_owned()),
        ("StateHouse", format!("{:03}", row.person.0 % 4 + 7)),
        ("StateSenate", "04".to_owned()),
    ];
    if let Some(address) = &row.address {
        cells.extend([
            ("Address", address.whole()),
            ("StreetAddress", address.one_line()),
            ("City", address.door.city.to_owned()),
            ("State", STATE.to_owned()),
            ("ZipOrPostal", address.zip_column()),
            (
                "PollingLocation",
                format!("{} Township Hall", address.door.city),
            ),
            ("PollingCity", address.door.city.to_owned()),
        ]);
    }
    cells
}

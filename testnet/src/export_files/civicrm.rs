//! CiviCRM contact export: comma, Windows-1252; units sometimes stand in the supplemental address.

use std::io::{self, Write};

use encoding_rs::WINDOWS_1252;

use super::table::Table;
use super::{Cells, NameColumns, birth_text, headers, phone_text, write_rows};
use crate::people::{COUNTY, OptOut, Row, STATE};

pub(crate) fn write(out: &mut dyn Write, rows: &[&Row], malformed: bool) -> io::Result<()> {
    let header = [headers::CIVICRM, headers::CIVICRM_JOINED];
    let mut table = Table::begin(Vec::new(), &header, b',', csv::Terminator::Any(b'\n'))?;
    let names = NameColumns {
        key: "Contact ID",
        given: "First Name",
        surname: "Last Name",
    };
    write_rows(&mut table, rows, malformed.then_some(names), cells)?;
    let text = String::from_utf8(table.end()?).map_err(io::Error::other)?;
    let (bytes, _, unmappable) = WINDOWS_1252.encode(&text);
    if unmappable {
        return Err(io::Error::other(
            "a name has a letter that Windows-1252 lacks; keep such letters out of the name lists",
        ));
    }
    out.write_all(&bytes)
}

fn cells(row: &Row) -> Cells {
    let yes = |mark: OptOut| {
        if row.opt_outs.contains(&mark) {
            "Yes"
        } else {
            ""
        }
        .to_owned()
    };
    let phone = if row.mobile.is_some() {
        row.mobile
    } else {
        row.landline
    };
    let mut cells = vec![
        ("Contact ID", row.key.clone()),
        ("Contact Type", "Individual".to_owned()),
        ("External Identifier", format!("CW-{:0>7}", row.key)),
        ("Display Name", format!("{} {}", row.given, row.surname)),
        ("First Name", row.given.clone()),
        ("Last Name", row.surname.clone()),
        ("Sort Name", format!("{}, {}", row.surname, row.given)),
        (
            "Individual Suffix",
            row.suffix.unwrap_or_default().to_owned(),
        ),
        ("Do Not Email", yes(OptOut::DoNotEmail)),
        ("Do Not Phone", yes(OptOut::DoNotCall)),
        ("Do Not Sms", yes(OptOut::DoNotText)),
        ("Do Not Trade", yes(OptOut::DoNotTrade)),
        ("No Bulk Emails (User Opt Out)", yes(OptOut::Unsubscribed)),
        ("Deceased", yes(OptOut::Deceased)),
        ("Preferred Language", "en_US".to_owned()),
        (
            "Contact Source",
            row.form
                .map(|version| format!("consent:{version}"))
                .unwrap_or_default(),
        ),
        ("Birth Date", birth_text(row.birth)),
        ("Contact is in Trash", "No".to_owned()),
        ("Phone", phone_text(phone)),
        ("Email", row.email.clone().unwrap_or_default()),
    ];
    if let Some(address) = &row.address {
        let apart = address.unit_label == "Unit ";
        cells.extend([
            (
                "Street Address",
                if apart {
                    address.street_line()
                } else {
                    address.one_line()
                },
            ),
            (
                "Supplemental Address 1",
                if apart {
                    address.unit_line()
                } else {
                    String::new()
                },
            ),
            ("City", address.door.city.to_owned()),
            ("Postal Code", address.zip_column()),
            ("State", STATE.to_owned()),
            ("County", COUNTY.to_owned()),
            ("Country", "United States".to_owned()),
        ]);
    }
    cells
}

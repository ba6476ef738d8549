//! NationBuilder people export: 217 columns, comma, CR LF; the registered address beside the primary one.

use std::io::{self, Write};

use super::table::Table;
use super::{Cells, NameColumns, birth_text, headers, phone_text, tag_text, write_rows};
use crate::people::{COUNTY, Door, OptOut, Row, STATE, Trap, World, WrittenAddress, ZipForm};

pub(crate) fn write(
    out: &mut dyn Write,
    world: &World,
    rows: &[&Row],
    malformed: bool,
) -> io::Result<()> {
    let mut table = Table::begin(out, &[headers::NATIONBUILDER], b',', csv::Terminator::CRLF)?;
    let names = NameColumns {
        key: "nationbuilder_id",
        given: "first_name",
        surname: "last_name",
    };
    write_rows(&mut table, rows, malformed.then_some(names), |row| {
        cells(world, row)
    })?;
    table.end().map(|_| ())
}

fn cells(world: &World, row: &Row) -> Cells {
    let flag = |is: bool| if is { "true" } else { "false" }.to_owned();
    let mark = |mark: OptOut| row.opt_outs.contains(&mark);
    let email = row.email.clone().unwrap_or_default();
    let mut cells = vec![
        ("nationbuilder_id", row.key.clone()),
        ("first_name", row.given.clone()),
        ("last_name", row.surname.clone()),
        ("suffix", row.suffix.unwrap_or_default().to_owned()),
        ("full_name", format!("{} {}", row.given, row.surname)),
        ("is_deceased", flag(mark(OptOut::Deceased))),
        ("born_at", birth_text(row.birth)),
        ("email1", email.clone()),
        ("email", email),
        (
            "email_opt_in",
            flag(row.email.is_some() && !mark(OptOut::Unsubscribed)),
        ),
        ("phone_number", phone_text(row.landline)),
        ("mobile_number", phone_text(row.mobile)),
        (
            "mobile_opt_in",
            flag(row.mobile.is_some() && !mark(OptOut::DoNotCall)),
        ),
        ("do_not_call", flag(mark(OptOut::DoNotCall))),
        ("do_not_contact", flag(mark(OptOut::DoNotContact))),
        ("federal_donotcall", flag(row.person.0.is_multiple_of(7))),
        ("is_mobile_bad", "false".to_owned()),
        ("support_level", (row.person.0 % 5 + 1).to_string()),
        ("note", row.note.clone().unwrap_or_default()),
        ("tag_list", tag_text(row)),
        ("created_at", "2025-03-04T10:11:12-05:00".to_owned()),
        ("state_file_id", row.voter_id.clone().unwrap_or_default()),
        ("precinct_code", format!("{:03}", row.person.0 % 40 + 1)),
    ];
    if mark(OptOut::Unsubscribed) {
        cells.push(("unsubscribed_at", "2026-02-11T09:30:00-05:00".to_owned()));
    }
    if let Some(address) = &row.address {
        addresses(&mut cells, world, row, address);
    }
    cells
}

/// The voter file's address stands in the registered block. Who moved has the new door in the primary block.
fn addresses(cells: &mut Cells, world: &World, row: &Row, address: &WrittenAddress) {
    if row.traps.contains(&Trap::PrimaryAddressOnly) {
        cells.extend(primary(address));
        return;
    }
    if row.traps.contains(&Trap::MovedAway) {
        let door = world.person(row.person).door.clone();
        let street = door.street.to_owned();
        cells.extend(primary(&WrittenAddress {
            door,
            street,
            zip: ZipForm::Five,
            ..address.clone()
        }));
    } else {
        cells.extend(primary(address));
    }
    cells.extend(registered(address));
}

fn primary(address: &WrittenAddress) -> Cells {
    vec![
        ("primary_country_code", "US".to_owned()),
        ("primary_state", STATE.to_owned()),
        ("primary_city", address.door.city.to_owned()),
        ("primary_county", COUNTY.to_owned()),
        ("primary_zip", address.zip_column()),
        ("primary_address1", address.street_line()),
        ("primary_address2", address.unit_line()),
        ("primary_submitted_address", address.whole()),
    ]
}

fn registered(address: &WrittenAddress) -> Cells {
    let Door {
        direction,
        suffix,
        unit,
        city,
        zip,
        ..
    } = &address.door;
    let mut cells = vec![
        ("registered_country_code", "US".to_owned()),
        ("registered_state", STATE.to_owned()),
        ("registered_city", (*city).to_owned()),
        ("registered_county", COUNTY.to_owned()),
        ("registered_zip", address.zip_column()),
        ("registered_address1", address.street_line()),
        ("registered_address2", address.unit_line()),
    ];
    if address.post_box.is_none() {
        cells.extend([
            ("registered_street_number", address.door.number_text()),
            (
                "registered_street_prefix",
                direction
                    .map(|word| word.short.to_owned())
                    .unwrap_or_default(),
            ),
            ("registered_street_name", address.street.clone()),
            ("registered_street_type", suffix.short.to_owned()),
            ("registered_unit_number", unit.clone().unwrap_or_default()),
        ]);
    }
    if address.zip != ZipForm::Missing {
        cells.push(("registered_zip5", (*zip).to_owned()));
    }
    cells
}

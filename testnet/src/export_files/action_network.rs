//! Action Network activist export: comma, UTF-8, tags separated by comma and space.

use std::io::{self, Write};

use super::table::Table;
use super::{Cells, NameColumns, headers, phone_text, tag_text, write_rows};
use crate::people::{COUNTY, OptOut, Row, STATE};

pub(crate) fn write(out: &mut dyn Write, rows: &[&Row], malformed: bool) -> io::Result<()> {
    let mut table = Table::begin(
        out,
        &[headers::ACTION_NETWORK],
        b',',
        csv::Terminator::Any(b'\n'),
    )?;
    let names = NameColumns {
        key: "uuid",
        given: "first_name",
        surname: "last_name",
    };
    write_rows(&mut table, rows, malformed.then_some(names), cells)?;
    table.end().map(|_| ())
}

fn cells(row: &Row) -> Cells {
    let mut cells = vec![
        ("uuid", row.key.clone()),
        ("first_name", row.given.clone()),
        ("last_name", row.surname.clone()),
        ("email", row.email.clone().unwrap_or_default()),
        ("Phone Number", phone_text(row.mobile)),
        ("can2_user_tags", tag_text(row)),
    ];
    if row.email.is_some() || row.opt_outs.contains(&OptOut::Unsubscribed) {
        cells.push((
            "can2_subscription_status",
            status(row, OptOut::Unsubscribed),
        ));
    }
    if row.mobile.is_some() || row.opt_outs.contains(&OptOut::TextUnsubscribed) {
        cells.push(("can2_sms_status", status(row, OptOut::TextUnsubscribed)));
    }
    if let Some(address) = &row.address {
        cells.extend([
            ("can2_user_address", address.one_line()),
            ("can2_user_city", address.door.city.to_owned()),
            ("can2_user_state", STATE.to_owned()),
            ("zip_code", address.zip_column()),
            ("County", COUNTY.to_owned()),
        ]);
    }
    cells
}

fn status(row: &Row, withdrawn: OptOut) -> String {
    if row.opt_outs.contains(&withdrawn) {
        "unsubscribed"
    } else {
        "subscribed"
    }
    .to_owned()
}

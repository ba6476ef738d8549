//! VAN contact history export: tab, UTF-16 (little endian, with its mark), CR LF, one row per attempt.

use std::io::{self, Write};

use jiff::ToSpan;

use super::headers;
use super::table::Table;
use crate::people::{Attempt, CommitteeHistory};

/// Writes the history as VAN exports it.
///
/// # Errors
///
/// What the writer says.
pub fn write_contact_history(out: &mut dyn Write, history: &CommitteeHistory) -> io::Result<()> {
    let mut table = Table::begin(
        Vec::new(),
        &[headers::CONTACT_HISTORY],
        b'\t',
        csv::Terminator::CRLF,
    )?;
    for attempt in &history.attempts {
        table.line(&cells(attempt))?;
    }
    let text = String::from_utf8(table.end()?).map_err(io::Error::other)?;
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    out.write_all(&units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

fn cells(attempt: &Attempt) -> Vec<(&'static str, String)> {
    let entered = attempt
        .day
        .saturating_add(i64::from(attempt.days_until_entered).days());
    let canvassed = match attempt.time {
        None => us_date(attempt.day),
        Some((hour, minute)) => {
            let half = if hour < 12 { "AM" } else { "PM" };
            format!(
                "{} {}:{minute:02}:00 {half}",
                us_date(attempt.day),
                (hour + 11) % 12 + 1
            )
        }
    };
    let input = match (attempt.at_the_door(), attempt.days_until_entered) {
        (true, 0) => "API",
        (true, _) => "Bar Code",
        (false, _) => "Auto Dial",
    };
    vec![
        ("VANID", attempt.key.clone()),
        ("DWID", format!("5{:0>9}", attempt.key)),
        ("VoterName", attempt.name.clone()),
        ("ResultShortName", attempt.result.to_owned()),
        ("CreatedBy", "Desk, Data".to_owned()),
        ("CanvassedBy", "Team, Field".to_owned()),
        ("IsCanvasser", "TRUE".to_owned()),
        ("CommitteeName", attempt.committee.to_owned()),
        ("DateCreated", us_date(entered)),
        ("DateCanvassed", canvassed),
        ("ContactTypeName", attempt.contact_type.to_owned()),
        ("InputTypeName", input.to_owned()),
    ]
}

fn us_date(day: jiff::civil::Date) -> String {
    format!("{}/{}/{}", day.month(), day.day(), day.year())
}

//! What forms of several pages have in common: how their fields are read, and what is chosen where
//! nobody chose.

use super::frame::Frame;
use crate::http::problem::Failure;
use jiff::civil::Date;
use protocol::{channel::Channel, time::DAY};

/// The day so many days from today, as a field for days holds it.
pub(super) fn in_days(frame: &Frame, days: i64) -> String {
    let calendar = &frame.calendar;
    calendar.field(calendar.now().plus(days * DAY))
}

/// Fills fields that are empty with what is usual.
pub(super) fn fill<const N: usize>(fields: [(&mut String, String); N]) {
    for (field, usual) in fields {
        if field.is_empty() {
            *field = usual;
        }
    }
}

/// A text as part of an address behind the question mark.
pub(super) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The number of a field.
pub(super) fn decimal(name: &str, text: &str) -> Result<f64, Failure> {
    text.trim()
        .parse()
        .map_err(|_| Failure::input(format!("{name}: a number, for example 2.5")))
}

/// The day of a field.
pub(super) fn day(name: &str, text: &str) -> Result<Date, Failure> {
    text.parse()
        .map_err(|_| Failure::input(format!("{name}: choose a day")))
}

/// The channel of a field.
pub(super) fn channel(text: &str) -> Result<Channel, Failure> {
    text.parse()
        .map_err(|error| Failure::input(format!("{error}")))
}

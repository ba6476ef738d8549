//! Dates and times in every notation that the exports use.
//!
//! The year is first (`2024-03-09`, `2024/3/9`, `20240309`) or the order is month, day, year
//! (`03/09/2024`, `3-9-2024`). A day-first date is therefore read wrongly or, if its day is above 12,
//! refused: never turned around by guess. Years have four digits. A time may follow after a space or a
//! `T`, with seconds, fractions, AM or PM, and an offset; a time without an offset gets none.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::Offset,
};
use std::ops::RangeInclusive;

/// Years that a list may plausibly hold.
const YEARS: RangeInclusive<i16> = 1800..=2199;

/// When something happened, as exactly as the file says and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Some time on this day, wherever that was.
    Day(Date),
    /// At this time on the clocks there; the file names no zone.
    Local(DateTime),
    /// At this moment.
    Instant(Timestamp),
}

/// Why a text is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoDate {
    /// In no known notation.
    Shape,
    /// On no calendar or no clock.
    Impossible,
}

/// Reads a date with or without a time.
pub(super) fn when(text: &str) -> Result<When, NoDate> {
    let text = text.trim();
    let Some((date, time)) = text.split_once(['T', 't', ' ']) else {
        return day(text).map(When::Day);
    };
    let date = day(date)?;
    let (time, offset) = clock(time.trim())?;
    let local = date.to_datetime(time);
    match offset {
        None => Ok(When::Local(local)),
        Some(offset) => {
            let instant = offset.to_timestamp(local).map_err(|_| NoDate::Impossible)?;
            Ok(When::Instant(instant))
        }
    }
}

/// Reads a date alone.
fn day(text: &str) -> Result<Date, NoDate> {
    let separator = if text.contains('/') { '/' } else { '-' };
    let parts: Vec<&str> = text.splitn(4, separator).collect();
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => (*year, *month, *day),
        [month, day, year] if year.len() == 4 => (*year, *month, *day),
        [all] if all.len() == 8 && all.is_ascii() => {
            let (year, rest) = all.split_at(4);
            let (month, day) = rest.split_at(2);
            (year, month, day)
        }
        _ => return Err(NoDate::Shape),
    };
    if month.len() > 2 || day.len() > 2 {
        return Err(NoDate::Shape);
    }
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    if !YEARS.contains(&year) {
        return Err(NoDate::Impossible);
    }
    let (month, day) = (i8::try_from(month), i8::try_from(day));
    let (Ok(month), Ok(day)) = (month, day) else {
        return Err(NoDate::Impossible);
    };
    Date::new(year, month, day).map_err(|_| NoDate::Impossible)
}

/// A year alone.
pub(super) fn year(text: &str) -> Result<i16, NoDate> {
    if text.len() != 4 {
        return Err(NoDate::Shape);
    }
    let year = number(text)?;
    if YEARS.contains(&year) {
        Ok(year)
    } else {
        Err(NoDate::Impossible)
    }
}

/// Up to four digits and nothing else.
fn number(digits: &str) -> Result<i16, NoDate> {
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain {
        digits.parse().map_err(|_| NoDate::Shape)
    } else {
        Err(NoDate::Shape)
    }
}

/// Reads `H:MM`, `H:MM:SS` or `H:MM:SS.fff`, then AM or PM, then an offset, all after the first optional.
fn clock(text: &str) -> Result<(Time, Option<Offset>), NoDate> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.'))
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let (half, rest) = half_day(rest.trim_start());
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NoDate::Shape);
    }
    let parts: Vec<&str> = whole.splitn(4, ':').collect();
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (small(hour)?, small(minute)?, 0),
        [hour, minute, second] => (small(hour)?, small(minute)?, small(second)?),
        _ => return Err(NoDate::Shape),
    };
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return Err(NoDate::Impossible),
        Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
    };
    let time = Time::new(hour, minute, second, 0).map_err(|_| NoDate::Impossible)?;
    Ok((time, offset(rest.trim())?))
}

/// AM or PM in front of the rest; true is the afternoon.
fn half_day(text: &str) -> (Option<bool>, &str) {
    let Some((head, rest)) = text.split_at_checked(2) else {
        return (None, text);
    };
    match head.to_ascii_uppercase().as_str() {
        "AM" => (Some(false), rest),
        "PM" => (Some(true), rest),
        _ => (None, text),
    }
}

/// One or two digits.
fn small(digits: &str) -> Result<i8, NoDate> {
    if digits.len() > 2 {
        return Err(NoDate::Shape);
    }
    number(digits).and_then(|value| i8::try_from(value).map_err(|_| NoDate::Shape))
}

/// Nothing, `Z`, `UTC`, `+HH`, `+HHMM` or `+HH:MM`. Zone names such as EST are no offsets.
fn offset(text: &str) -> Result<Option<Offset>, NoDate> {
    if text.is_empty() {
        return Ok(None);
    }
    if ["Z", "UTC", "GMT"]
        .iter()
        .any(|name| text.eq_ignore_ascii_case(name))
    {
        return Ok(Some(Offset::UTC));
    }
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("+", digits)) => (1, digits),
        Some(("-", digits)) => (-1, digits),
        _ => return Err(NoDate::Shape),
    };
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (small(&digits)?, 0),
        4 => {
            let (hours, minutes) = digits.split_at_checked(2).ok_or(NoDate::Shape)?;
            (small(hours)?, small(minutes)?)
        }
        _ => return Err(NoDate::Shape),
    };
    let seconds = sign * (i32::from(hours) * 3_600 + i32::from(minutes) * 60);
    Offset::from_seconds(seconds)
        .map(Some)
        .map_err(|_| NoDate::Impossible)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, datetime};

    #[test]
    fn every_listed_notation_of_a_day_is_read() {
        for text in [
            "2024-03-09",
            "03/09/2024",
            "3/9/2024",
            "20240309",
            "2024/03/09",
            "3-9-2024",
            " 2024-03-09 ",
        ] {
            assert_eq!(when(text), Ok(When::Day(date(2024, 3, 9))), "{text}");
        }
    }

    #[test]
    fn times_without_a_zone_get_none() {
        let evening = When::Local(datetime(2024, 3, 9, 19, 5, 0, 0));
        for text in [
            "3/9/2024 7:05 PM",
            "2024-03-09 19:05:00",
            "2024-03-09T19:05:00.000",
            "03/09/2024 07:05:00pm",
        ] {
            assert_eq!(when(text), Ok(evening), "{text}");
        }
        assert_eq!(
            when("3/9/2024 12:00 AM"),
            Ok(When::Local(datetime(2024, 3, 9, 0, 0, 0, 0)))
        );
        assert_eq!(
            when("3/9/2024 12:00 PM"),
            Ok(When::Local(datetime(2024, 3, 9, 12, 0, 0, 0)))
        );
    }

    #[test]
    fn times_with_an_offset_are_moments() {
        let moment: Timestamp = "2024-03-10T00:05:00Z".parse().expect("a timestamp");
        for text in [
            "2024-03-09 19:05:00 -0500",
            "2024-03-09T19:05:00-05:00",
            "2024-03-10T00:05:00Z",
            "2024-03-10 00:05:00 UTC",
        ] {
            assert_eq!(when(text), Ok(When::Instant(moment)), "{text}");
        }
    }

    #[test]
    fn impossible_days_are_refused_and_not_turned_around() {
        for text in [
            "25/12/2024",
            "02/30/2024",
            "2023-02-29",
            "0000-00-00",
            "00/00/0000",
            "9999-01-01",
            "2024-03-09 25:00",
        ] {
            assert_eq!(when(text), Err(NoDate::Impossible), "{text}");
        }
    }

    #[test]
    fn other_notations_are_refused() {
        for text in [
            "",
            "3/9/24",
            "March 9",
            "9.3.2024",
            "1-2-3-2024",
            "2024-03-09 7 PM",
            "2024-03-09 19:05 EST",
            "2024-3-009",
            "２０２４-03-09",
            "+202-1-1",
            "2024-03-09 1:2:3:4",
        ] {
            assert_eq!(when(text), Err(NoDate::Shape), "{text}");
        }
    }
}

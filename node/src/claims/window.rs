//! From days to moments: whole days, both included, in the agreement's time zone.

use crate::http::problem::Failure;
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use protocol::time::{DAY, Moment};

/// A window of whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first day's first moment.
    pub from: Moment,
    /// The moment after the last day's last.
    pub to: Moment,
}

/// The window of some days, at most `longest` milliseconds long.
///
/// # Errors
/// A sentence when the days are out of order, over, or more than the agreement allows.
pub fn of_days(
    zone: &str,
    first: Date,
    last: Date,
    longest: i64,
    now: Moment,
) -> Result<Window, Failure> {
    let zone = TimeZone::get(zone).map_err(Failure::internal)?;
    if last < first {
        return Err(Failure::input(
            "the window's last day comes before its first",
        ));
    }
    let days = i64::from((last - first).get_days()) + 1;
    if days.saturating_mul(DAY) > longest {
        return Err(Failure::input(format!(
            "the agreement allows claims of at most {} days on this channel; this window has {days}",
            longest / DAY
        )));
    }
    let start = |day: Date| -> Result<Moment, Failure> {
        let start = day.to_zoned(zone.clone()).map_err(Failure::internal)?;
        Ok(Moment(start.timestamp().as_millisecond()))
    };
    let after = last
        .checked_add(1.day())
        .map_err(|_| Failure::input("the window's last day is out of range"))?;
    let from = start(first)?;
    // Days around the end of summer time have 25 hours; the fold counts 24 for each.
    let to = start(after)?.min(from.plus(longest));
    if to <= now {
        return Err(Failure::input("the window's last day is over"));
    }
    Ok(Window { from, to })
}

/// The last day of a window, as people read it.
#[must_use]
pub fn last_day(zone: &str, to: Moment) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    jiff::Timestamp::from_millisecond(to.0 - 1)
        .map(|time| time.to_zoned(zone).date().to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn window(first: &str, last: &str) -> Result<Window, Failure> {
        of_days(
            "America/New_York",
            day(first),
            day(last),
            14 * DAY,
            Moment(0),
        )
    }

    #[test]
    fn days_begin_and_end_at_midnight_in_the_agreements_zone() {
        let window = window("2026-07-01", "2026-07-02").unwrap();
        assert_eq!(window.from, Moment(1_782_878_400_000)); // 04:00 UTC
        assert_eq!(window.to.since(window.from), 2 * DAY);
        assert_eq!(last_day("America/New_York", window.to), "2026-07-02");
    }

    #[test]
    fn a_longest_window_over_the_end_of_summer_time_stays_within_the_limit() {
        let window = window("2026-10-25", "2026-11-07").unwrap();
        assert_eq!(window.to.since(window.from), 14 * DAY);
    }

    #[test]
    fn days_out_of_order_too_many_or_over_are_refused() {
        assert!(window("2026-07-02", "2026-07-01").is_err());
        assert!(window("2026-07-01", "2026-07-15").is_err());
        assert!(window("1969-07-01", "1969-07-02").is_err());
    }
}

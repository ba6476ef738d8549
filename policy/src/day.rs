//! Days of the calendar as people write them, `2027-06-30`, and as the gate counts them.

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// The beginning of a day in UTC, in milliseconds since 1970; none for a text that is no such day.
///
/// The year has four digits and is 1970 or later.
pub(crate) fn start_ms(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (year, month, day) = (
        number(parts.next()?, 4)?,
        number(parts.next()?, 2)?,
        number(parts.next()?, 2)?,
    );
    let lengths = month_lengths(year);
    let length = lengths.get(usize::try_from(month - 1).ok()?)?;
    if parts.next().is_some() || year < 1970 || !(1..=*length).contains(&day) {
        return None;
    }
    let before = lengths.iter().take(usize::try_from(month - 1).ok()?);
    let days =
        365 * (year - 1970) + leap_days(year - 1) - leap_days(1969) + before.sum::<i64>() + day - 1;
    Some(days * DAY_MS)
}

/// Whether a text is a day of the calendar from 1970 on, written as `2027-06-30`.
#[must_use]
pub fn is_day(text: &str) -> bool {
    start_ms(text).is_some()
}

fn number(text: &str, digits: usize) -> Option<i64> {
    let ok = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    ok.then(|| text.parse().ok()).flatten()
}

/// How many leap days the years 1 to `year` have in the Gregorian calendar.
fn leap_days(year: i64) -> i64 {
    year / 4 - year / 100 + year / 400
}

fn month_lengths(year: i64) -> [i64; 12] {
    let february = 28 + leap_days(year) - leap_days(year - 1);
    [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_1970() {
        assert_eq!(start_ms("1970-01-01"), Some(0));
        assert_eq!(start_ms("1970-12-31"), Some(364 * DAY_MS));
        assert_eq!(start_ms("2000-03-01"), Some(951_868_800_000));
        assert_eq!(start_ms("2027-06-30"), Some(1_814_313_600_000));
        assert_eq!(start_ms("2028-02-29"), Some(1_835_395_200_000));
    }

    #[test]
    fn what_no_calendar_has_is_no_day() {
        for text in [
            "",
            "2027",
            "2027-06",
            "2027-6-30",
            "2027-06-31",
            "2027-02-29",
            "2100-02-29",
            "2027-00-01",
            "2027-13-01",
            "2027-01-00",
            "1969-12-31",
            "2027-06-30-",
            "+027-06-30",
            "2027-06-30T00:00",
            "\u{662}027-06-30",
        ] {
            assert_eq!(start_ms(text), None, "{text}");
        }
    }
}

//! Moments as people read them, in the coalition's time zone.

use jiff::{Timestamp, tz::TimeZone};
use protocol::time::{DAY, HOUR, Moment};
use std::fmt;

/// Which zone times are shown in, and what "now" is.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    now: Moment,
    /// The zone's name, for people.
    pub zone_name: String,
}

/// A moment, ready to be shown: a `time` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    machine: String,
    people: String,
}

impl When {
    /// The moment in words alone, where no element can stand.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.people
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<time datetime=\"{}\">{}</time>",
            self.machine, self.people
        )
    }
}

// Both texts are made of digits and letters by the functions below, never of what others wrote.
impl askama::filters::HtmlSafe for When {}

impl Calendar {
    /// A calendar for a zone such as `America/New_York`; UTC where the machine does not know it.
    #[must_use]
    pub fn new(zone: Option<&str>, now: Moment) -> Self {
        let known = zone.and_then(|name| Some((TimeZone::get(name).ok()?, name.to_owned())));
        let (zone, zone_name) = known.unwrap_or((TimeZone::UTC, "UTC".to_owned()));
        Self {
            zone,
            now,
            zone_name,
        }
    }

    /// Day and minute, such as `25 Nov, 10:56`; with the year where it is another one.
    #[must_use]
    pub fn moment(&self, moment: Moment) -> When {
        self.show(moment, "%-d %b, %H:%M", "%-d %b %Y, %H:%M")
    }

    /// The day, such as `25 Nov`.
    #[must_use]
    pub fn day(&self, moment: Moment) -> When {
        self.show(moment, "%-d %b", "%-d %b %Y")
    }

    /// The day in full, such as `25 November 2026`: for papers that people keep.
    #[must_use]
    pub fn whole_day(&self, moment: Moment) -> When {
        self.show(moment, "%-d %B %Y", "%-d %B %Y")
    }

    /// How far away a moment is, such as `in 3 days` or `2 hours ago`.
    #[must_use]
    pub fn distance(&self, moment: Moment) -> String {
        let away = moment.since(self.now);
        let (count, unit) = match away.saturating_abs() {
            near if near < 60_000 => return "just now".to_owned(),
            near if near < HOUR => (near / 60_000, "minute"),
            near if near < 2 * DAY => (near / HOUR, "hour"),
            far => (far / DAY, "day"),
        };
        let plural = if count == 1 { "" } else { "s" };
        if away < 0 {
            format!("{count} {unit}{plural} ago")
        } else {
            format!("in {count} {unit}{plural}")
        }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.now
    }

    /// The first moment of a day, such as `2026-11-25`, in this zone; none for what is no day.
    #[must_use]
    pub fn start_of(&self, day: &str) -> Option<Moment> {
        let day: jiff::civil::Date = day.parse().ok()?;
        let start = day.to_zoned(self.zone.clone()).ok()?;
        Some(Moment(start.timestamp().as_millisecond()))
    }

    /// The day of a moment as a form's date field takes it, such as `2026-11-25`.
    #[must_use]
    pub fn field(&self, moment: Moment) -> String {
        Timestamp::from_millisecond(moment.0)
            .map(|time| {
                time.to_zoned(self.zone.clone())
                    .strftime("%Y-%m-%d")
                    .to_string()
            })
            .unwrap_or_default()
    }

    fn show(&self, moment: Moment, this_year: &str, other_year: &str) -> When {
        let zoned = |moment: Moment| {
            Timestamp::from_millisecond(moment.0)
                .ok()
                .map(|time| time.to_zoned(self.zone.clone()))
        };
        let Some(time) = zoned(moment) else {
            return When {
                machine: String::new(),
                people: "at no time".to_owned(),
            };
        };
        let same_year = zoned(self.now).is_some_and(|now| now.year() == time.year());
        let format = if same_year { this_year } else { other_year };
        When {
            machine: time.timestamp().to_string(),
            people: time.strftime(format).to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-25T10:56:00Z.
    const NOW: Moment = Moment(1_795_604_160_000);

    #[test]
    fn a_moment_is_shown_in_the_zone_of_the_agreement() {
        let calendar = Calendar::new(Some("America/New_York"), NOW);
        assert_eq!(
            calendar.moment(NOW).to_string(),
            "<time datetime=\"2026-11-25T10:56:00Z\">25 Nov, 05:56</time>"
        );
    }

    #[test]
    fn an_unknown_zone_is_utc_and_says_so() {
        let calendar = Calendar::new(Some("Nowhere/Else"), NOW);
        assert_eq!(calendar.zone_name, "UTC");
        assert_eq!(calendar.moment(NOW).text(), "25 Nov, 10:56");
    }

    #[test]
    fn another_year_is_named() {
        let calendar = Calendar::new(None, NOW);
        assert_eq!(calendar.day(NOW.plus(60 * DAY)).text(), "24 Jan 2027");
    }

    #[test]
    fn distances_are_words() {
        let calendar = Calendar::new(None, NOW);
        assert_eq!(calendar.distance(NOW.plus(3 * DAY)), "in 3 days");
        assert_eq!(calendar.distance(NOW.plus(-HOUR)), "1 hour ago");
        assert_eq!(calendar.distance(NOW), "just now");
    }

    #[test]
    fn a_day_begins_at_midnight_of_the_zone() {
        let calendar = Calendar::new(Some("America/New_York"), NOW);
        let start = calendar.start_of("2026-11-25").unwrap();
        assert_eq!(calendar.moment(start).text(), "25 Nov, 00:00");
        assert_eq!(calendar.field(start), "2026-11-25");
        assert!(calendar.start_of("yesterday").is_none());
    }

    #[test]
    fn a_moment_outside_the_calendar_does_no_harm() {
        let calendar = Calendar::new(None, NOW);
        assert_eq!(calendar.moment(Moment(i64::MAX)).text(), "at no time");
    }
}

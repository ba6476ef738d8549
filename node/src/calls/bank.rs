//! Opening, looking at and closing phone banks.

use crate::{
    app::App,
    claims::{
        self,
        change::{self, Part},
        take::{self, Answer, From, Question},
    },
    http::problem::Failure,
    store::{
        self,
        call::{Bank, CallState},
        claim::Phase,
    },
    turf::area,
};
use jiff::{
    Timestamp,
    civil::{Date, Time, time},
    tz::TimeZone,
};
use protocol::{channel::Channel, id::EntryId, problem::ProblemKind, token::Token};
use std::collections::{BTreeMap, BTreeSet};

/// Nobody is called before, in minutes after midnight: 47 CFR 64.1200(c)(1), kept everywhere.
pub const EARLIEST: u64 = 8 * 60;
/// Nobody is called after, in minutes after midnight.
pub const LATEST: u64 = 21 * 60;
/// The longest that a caller keeps a number, in minutes.
pub const LEASE_MINUTES: u64 = 120;
/// The most tries of a number that nobody answers.
pub const TRIES: u64 = 10;
/// The most numbers that are claimed at a time.
pub const AHEAD: u64 = 5_000;
/// The most phone banks that are open at once.
pub const OPEN_BANKS: usize = 50;

/// A phone bank to be opened.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Whose people are called; all lists without one.
    #[serde(default)]
    pub list: Option<String>,
    /// Only those in this area.
    #[serde(default)]
    pub area: Option<String>,
    /// The first day.
    pub from: Date,
    /// The last day, included.
    pub to: Date,
    /// Calls begin, `HH:MM` in the agreement's time zone.
    #[serde(default = "opens")]
    pub opens: Time,
    /// Calls end.
    #[serde(default = "closes")]
    pub closes: Time,
    /// So long a caller keeps a number, in minutes.
    #[serde(default = "lease")]
    pub lease_minutes: u64,
    /// So often a number is tried that nobody answers.
    #[serde(default = "tries")]
    pub tries: u64,
    /// So many numbers are claimed at a time.
    #[serde(default = "ahead")]
    pub ahead: u64,
}

fn opens() -> Time {
    time(9, 0, 0, 0)
}
fn closes() -> Time {
    time(20, 0, 0, 0)
}
fn lease() -> u64 {
    10
}
fn tries() -> u64 {
    3
}
fn ahead() -> u64 {
    200
}

fn minutes(of: Time) -> u64 {
    u64::try_from(i64::from(of.hour()) * 60 + i64::from(of.minute())).unwrap_or(0)
}

impl Opening {
    /// Of days, and of hours as `HH:MM`; all else as usual.
    ///
    /// # Errors
    /// [`Failure`] for hours that are none.
    pub fn of_days(from: Date, to: Date, opens: &str, closes: &str) -> Result<Self, Failure> {
        let clock = |text: &str| {
            let parsed = text.parse::<Time>();
            parsed.map_err(|_| {
                Failure::input("calls begin and end at a time of day, for example 09:00")
            })
        };
        Ok(Self {
            list: None,
            area: None,
            from,
            to,
            opens: clock(opens)?,
            closes: clock(closes)?,
            lease_minutes: lease(),
            tries: tries(),
            ahead: ahead(),
        })
    }

    fn bank(&self) -> Result<Bank, Failure> {
        let (opens, closes) = (minutes(self.opens), minutes(self.closes));
        if opens < EARLIEST || closes > LATEST || opens >= closes {
            return Err(Failure::input(
                "calls begin at 08:00 at the earliest, end at 21:00 at the latest, and end after they begin",
            ));
        }
        for (what, value, most) in [
            (
                "a caller keeps a number for",
                self.lease_minutes,
                LEASE_MINUTES,
            ),
            ("a number is tried so often:", self.tries, TRIES),
            ("so many numbers are claimed at a time:", self.ahead, AHEAD),
        ] {
            if !(1..=most).contains(&value) {
                return Err(Failure::input(format!("{what} 1 to {most}, not {value}")));
            }
        }
        Ok(Bank {
            bank: 0,
            list: self.list.clone(),
            area: self.area.clone(),
            first_day: self.from.to_string(),
            last_day: self.to.to_string(),
            opens,
            closes,
            lease: i64::try_from(self.lease_minutes * 60_000).unwrap_or(i64::MAX),
            tries: self.tries,
            ahead: self.ahead,
            open: true,
            looked_at: 0,
            why: String::new(),
        })
    }
}

/// What a phone bank asks for.
///
/// # Errors
/// [`Failure`] when its days cannot be read back.
pub(super) fn question(bank: &Bank) -> Result<Question, Failure> {
    Ok(Question {
        from: From::of(bank.list.as_deref(), bank.area.as_deref()),
        channel: Channel::Phone,
        first: bank.first_day.parse().map_err(Failure::internal)?,
        last: bank.last_day.parse().map_err(Failure::internal)?,
        portion: None,
    })
}

/// Opens a phone bank, or only says what its callers would find; the bank is `None` then.
///
/// # Errors
/// [`Failure`] when list, area, days or hours cannot be used.
pub async fn open(
    app: &App,
    opening: &Opening,
    dry_run: bool,
) -> Result<(Answer, Option<u64>), Failure> {
    let mut bank = opening.bank()?;
    if let Some(name) = &bank.area {
        bank.area = Some(area::find(app, name).await?.name);
    }
    let answer = take::look(app, question(&bank)?).await?;
    if dry_run {
        return Ok((answer, None));
    }
    crate::audit::fork::nothing_new_while_frozen(app).await?;
    let mut tx = app.store.write("opening a phone bank").await?;
    let known = store::call::banks(&mut tx).await?;
    if known.iter().filter(|bank| bank.open).count() >= OPEN_BANKS {
        return Err(Failure::new(
            ProblemKind::Conflict,
            format!(
                "{OPEN_BANKS} phone banks are open; close one first (`commonturf calls close`)"
            ),
        ));
    }
    let number = store::call::insert(&mut tx, &bank, app.now().0).await?;
    tx.commit().await?;
    app.wake.jobs.notify_one();
    Ok((answer, Some(number)))
}

/// The phone bank with a number.
///
/// # Errors
/// [`Failure`] when there is none.
pub async fn find(app: &App, number: u64) -> Result<Bank, Failure> {
    let mut db = app.store.read("finding a phone bank").await?;
    let found = store::call::find(&mut db, number).await?;
    found.ok_or_else(|| {
        Failure::not_found(format!(
            "no phone bank {number}; `commonturf calls list` shows the phone banks there are"
        ))
    })
}

/// A phone bank and its queue.
#[derive(Debug)]
pub struct Standing {
    /// The phone bank.
    pub bank: Bank,
    /// How many numbers stand how.
    pub counts: BTreeMap<CallState, u64>,
}

/// A phone bank and its queue.
///
/// # Errors
/// [`Failure`] when there is none with this number.
pub async fn standing(app: &App, number: u64) -> Result<Standing, Failure> {
    let bank = find(app, number).await?;
    let mut db = app.store.read("looking at a phone bank").await?;
    let counts = store::call::counts(&mut db, number).await?;
    Ok(Standing { bank, counts })
}

/// Every phone bank, newest first.
///
/// # Errors
/// [`Failure`] when the database fails.
pub async fn list(app: &App) -> Result<Vec<Standing>, Failure> {
    let mut db = app.store.read("listing phone banks").await?;
    let mut all = Vec::new();
    for bank in store::call::banks(&mut db).await? {
        let counts = store::call::counts(&mut db, bank.bank).await?;
        all.push(Standing { bank, counts });
    }
    Ok(all)
}

/// What the end of a phone bank gives back.
#[derive(Debug)]
pub struct Closed {
    /// Numbers that were not called; allies may call them now.
    pub given_back: u64,
    /// The entries that say so.
    pub entries: Vec<EntryId>,
}

/// Closes a phone bank and gives back what was not called. Callers finish the calls that they have.
///
/// # Errors
/// [`Failure`] when there is no such phone bank.
pub async fn close(app: &App, number: u64, dry_run: bool) -> Result<Closed, Failure> {
    let bank = find(app, number).await?;
    let mut back = Vec::new();
    let generation = claims::ground(app).await?.generation;
    let mut db = app
        .store
        .read("reading what of a phone bank is left")
        .await?;
    for (claim, _) in store::call::claims(&mut db, bank.bank).await? {
        let mut tokens: BTreeSet<Token> = BTreeSet::new();
        for point in store::call::waiting_of(&mut db, &claim).await? {
            let point = store::reach::by_id(&mut db, &point, generation).await?;
            tokens.extend(point.iter().flat_map(store::reach::Point::tokens));
        }
        back.push((claim, tokens));
    }
    drop(db);
    let mut closed = Closed {
        given_back: 0,
        entries: Vec::new(),
    };
    for (claim, tokens) in back {
        let phase = claims::show::find(app, &claim).await?.phase;
        if tokens.is_empty() || phase != Phase::Granted {
            continue;
        }
        if dry_run {
            closed.given_back += tokens.len() as u64;
            continue;
        }
        // Given back first: a crash in between leaves a phone bank that can be closed again.
        match change::release(app, &claim, Part::Tokens(tokens)).await {
            Ok((_, entry, count)) => {
                closed.given_back += count;
                closed.entries.push(entry);
            }
            Err(failure) if failure.0.code == ProblemKind::Conflict.code() => {}
            Err(failure) => return Err(failure),
        }
    }
    if !dry_run {
        let mut tx = app.store.write("closing a phone bank").await?;
        store::call::close(&mut tx, bank.bank).await?;
        tx.commit().await?;
    }
    Ok(closed)
}

/// Minutes after midnight as `HH:MM`.
#[must_use]
pub fn clock(minutes: u64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The agreement's time zone.
pub(super) async fn zone(app: &App) -> Result<TimeZone, Failure> {
    let name = claims::ground(app).await?.params.time_zone;
    TimeZone::get(&name).map_err(Failure::internal)
}

/// Why nobody is called at this moment; nothing when calls may be made.
///
/// # Errors
/// [`Failure`] when the phone bank's days cannot be read back.
pub(super) fn shut(bank: &Bank, zone: &TimeZone, now: i64) -> Result<Option<String>, Failure> {
    if !bank.open {
        return Ok(Some("this phone bank is closed".to_owned()));
    }
    let now = Timestamp::from_millisecond(now).map_err(Failure::internal)?;
    let here = now.to_zoned(zone.clone());
    let day = |text: &str| text.parse::<Date>().map_err(Failure::internal);
    if here.date() < day(&bank.first_day)? {
        return Ok(Some(format!("calls begin on {}", bank.first_day)));
    }
    if here.date() > day(&bank.last_day)? {
        return Ok(Some(format!("the last day of calls was {}", bank.last_day)));
    }
    let at = minutes(here.time());
    if (bank.opens..bank.closes).contains(&at) {
        return Ok(None);
    }
    Ok(Some(format!(
        "it is {} here, and calls are made from {} to {}",
        clock(at),
        clock(bank.opens),
        clock(bank.closes)
    )))
}

/// Whether a phone bank's days are over.
///
/// # Errors
/// [`Failure`] when its days cannot be read back.
pub(super) fn over(bank: &Bank, zone: &TimeZone, now: i64) -> Result<bool, Failure> {
    let now = Timestamp::from_millisecond(now).map_err(Failure::internal)?;
    let last: Date = bank.last_day.parse().map_err(Failure::internal)?;
    Ok(now.to_zoned(zone.clone()).date() > last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bank() -> Bank {
        let opening = r#"{ "from": "2026-07-01", "to": "2026-07-02" }"#;
        let opening: Opening = serde_json::from_str(opening).unwrap();
        opening.bank().unwrap()
    }

    /// Of a moment in New York.
    fn at(text: &str) -> Option<String> {
        let zone = TimeZone::get("America/New_York").unwrap();
        let moment: jiff::civil::DateTime = text.parse().unwrap();
        let moment = moment.to_zoned(zone.clone()).unwrap().timestamp();
        shut(&bank(), &zone, moment.as_millisecond()).unwrap()
    }

    #[test]
    fn calls_are_made_within_days_and_hours_alone() {
        assert_eq!(at("2026-07-01T09:00"), None);
        assert_eq!(at("2026-07-02T19:59"), None);
        for (moment, why) in [
            ("2026-06-30T12:00", "calls begin on 2026-07-01"),
            (
                "2026-07-01T08:59",
                "it is 08:59 here, and calls are made from 09:00 to 20:00",
            ),
            (
                "2026-07-01T20:00",
                "it is 20:00 here, and calls are made from 09:00 to 20:00",
            ),
            ("2026-07-03T12:00", "the last day of calls was 2026-07-02"),
        ] {
            assert_eq!(at(moment).as_deref(), Some(why), "{moment}");
        }
    }

    #[test]
    fn hours_that_wake_people_and_numbers_out_of_range_are_refused() {
        for change in [
            r#""opens": "07:59""#,
            r#""closes": "21:01""#,
            r#""opens": "12:00", "closes": "12:00""#,
            r#""lease_minutes": 0"#,
            r#""lease_minutes": 121"#,
            r#""tries": 0"#,
            r#""ahead": 5001"#,
        ] {
            let text = format!(r#"{{ "from": "2026-07-01", "to": "2026-07-02", {change} }}"#);
            let opening: Opening = serde_json::from_str(&text).unwrap();
            assert!(opening.bank().is_err(), "{change}");
        }
    }
}

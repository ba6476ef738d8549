//! Standing claims: every weekend, say, the same ground is claimed some days ahead, as a person would
//! claim it. What an ally was faster to claim is left to the ally.

use super::{
    ground,
    take::{self, From, Question},
};
use crate::{
    app::App,
    http::problem::Failure,
    store::{self, standing::Standing},
    turf::area,
};
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use protocol::{channel::Channel, fold::claim::CLAIM_AHEAD_DAYS, problem::ProblemKind};
use std::collections::BTreeSet;

/// The most standing claims at a time.
pub const STANDING_CLAIMS: usize = 50;
/// A window that could not be claimed is asked for again after so long, in milliseconds.
const LOOK_AGAIN: i64 = 600_000;

/// A standing claim to be made.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Whose people; all lists without one.
    #[serde(default)]
    pub list: Option<String>,
    /// Only those in this area.
    #[serde(default)]
    pub area: Option<String>,
    /// How they are contacted.
    pub channel: Channel,
    /// On which days of the week: mon, tue, wed, thu, fri, sat, sun.
    pub on: Vec<String>,
    /// So many days before it begins a window is claimed.
    #[serde(default = "ahead")]
    pub ahead: u64,
    /// No window begins after this day.
    #[serde(default)]
    pub until: Option<Date>,
}

fn ahead() -> u64 {
    7
}

/// Words for the days of a week, Monday first.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The words of chosen days.
#[must_use]
pub fn words(weekdays: u8) -> Vec<&'static str> {
    let chosen = WEEKDAYS.into_iter().enumerate();
    chosen
        .filter(|(n, _)| weekdays & (1 << n) != 0)
        .map(|(_, word)| word)
        .collect()
}

fn chosen(weekdays: u8, day: Weekday) -> bool {
    weekdays & (1 << day.to_monday_zero_offset()) != 0
}

/// Windows of chosen days that follow each other, from a day on, of those that begin up to another day.
/// A window never goes on from Sunday to Monday.
#[must_use]
pub fn windows(weekdays: u8, from: Date, through: Date) -> Vec<(Date, Date)> {
    let mut windows: Vec<(Date, Date)> = Vec::new();
    let mut day = from;
    loop {
        let next_to_last = windows
            .last()
            .filter(|(_, last)| last.tomorrow().ok() == Some(day));
        let goes_on = next_to_last.is_some() && day.weekday() != Weekday::Monday;
        if chosen(weekdays, day.weekday()) {
            match windows.last_mut() {
                Some(window) if goes_on => window.1 = day,
                _ if day > through => return windows,
                _ => windows.push((day, day)),
            }
        } else if day >= through {
            return windows;
        }
        let Ok(next) = day.tomorrow() else {
            return windows;
        };
        day = next;
    }
}

/// Makes a standing claim, or only says which windows it would claim next.
///
/// # Errors
/// [`Failure`] when list, area or days cannot be used.
pub async fn add(
    app: &App,
    wish: &Wish,
    dry_run: bool,
) -> Result<(Option<u64>, Vec<(Date, Date)>), Failure> {
    let mut weekdays = 0_u8;
    for day in &wish.on {
        let day = day.trim().to_ascii_lowercase();
        let place = WEEKDAYS.iter().position(|word| day.starts_with(word));
        let place = place.filter(|_| day.len() >= 3).ok_or_else(|| {
            Failure::input(format!("days of the week are {}", WEEKDAYS.join(", ")))
        })?;
        weekdays |= 1 << place;
    }
    let most = u64::try_from(CLAIM_AHEAD_DAYS).unwrap_or(0);
    if weekdays == 0 || wish.ahead >= most {
        return Err(Failure::input(format!(
            "a standing claim has at least one day of the week, and claims fewer than {most} days ahead"
        )));
    }
    let today = today(app).await?;
    if wish.until.is_some_and(|until| until < today) {
        return Err(Failure::input("the last day of the standing claim is over"));
    }
    let yesterday = today.yesterday().map_err(Failure::internal)?;
    let mut standing = Standing {
        number: 0,
        list: wish.list.clone(),
        area: None,
        channel: wish.channel,
        weekdays,
        ahead: wish.ahead,
        until_day: wish.until.map(|day| day.to_string()),
        done_day: yesterday.to_string(),
        looked_at: 0,
        why: String::new(),
    };
    if let Some(name) = &wish.area {
        standing.area = Some(area::find(app, name).await?.name);
    }
    let windows = due(&standing, today)?;
    // What cannot be looked at now will not be claimed later: say so at once.
    let (first, last) = windows.first().copied().unwrap_or((today, today));
    take::look(app, question(&standing, first, last)).await?;
    if dry_run {
        return Ok((None, windows));
    }
    let mut tx = app.store.write("making a standing claim").await?;
    if store::standing::all(&mut tx).await?.len() >= STANDING_CLAIMS {
        return Err(Failure::new(
            ProblemKind::Conflict,
            format!(
                "there are {STANDING_CLAIMS} standing claims; end one first (`commonturf claim standing end`)"
            ),
        ));
    }
    let number = store::standing::insert(&mut tx, &standing).await?;
    tx.commit().await?;
    app.wake.jobs.notify_one();
    Ok((Some(number), windows))
}

fn question(standing: &Standing, first: Date, last: Date) -> Question {
    Question {
        from: From::of(standing.list.as_deref(), standing.area.as_deref()),
        channel: standing.channel,
        first,
        last,
        portion: None,
    }
}

async fn today(app: &App) -> Result<Date, Failure> {
    let zone = ground(app).await?.params.time_zone;
    let zone = TimeZone::get(&zone).map_err(Failure::internal)?;
    let now = Timestamp::from_millisecond(app.now().0).map_err(Failure::internal)?;
    Ok(now.to_zoned(zone).date())
}

/// Windows that are to be claimed by now.
fn due(standing: &Standing, today: Date) -> Result<Vec<(Date, Date)>, Failure> {
    let day = |text: &str| text.parse::<Date>().map_err(Failure::internal);
    let after = day(&standing.done_day)?
        .tomorrow()
        .map_err(Failure::internal)?;
    let ahead = i64::try_from(standing.ahead).unwrap_or(0);
    let mut through = today.checked_add(ahead.days()).map_err(Failure::internal)?;
    if let Some(until) = &standing.until_day {
        through = through.min(day(until)?);
    }
    let from = after.max(today);
    if from > through {
        return Ok(Vec::new());
    }
    Ok(windows(standing.weekdays, from, through))
}

/// Every standing claim.
///
/// # Errors
/// [`Failure`] when the database fails.
pub async fn list(app: &App) -> Result<Vec<Standing>, Failure> {
    let mut db = app.store.read("listing standing claims").await?;
    Ok(store::standing::all(&mut db).await?)
}

/// Ends a standing claim; claims that were taken for it stay.
///
/// # Errors
/// [`Failure`] when there is none with this number.
pub async fn end(app: &App, number: u64) -> Result<(), Failure> {
    let mut tx = app.store.write("ending a standing claim").await?;
    if !store::standing::end(&mut tx, number).await? {
        return Err(Failure::not_found(format!(
            "no standing claim {number}; `commonturf claim standing list` shows those there are"
        )));
    }
    tx.commit().await?;
    Ok(())
}

/// Claims what is due.
///
/// # Errors
/// When the database fails.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let all = list(app).await;
    for standing in all.map_err(|failure| anyhow::anyhow!("{}", failure.0.detail))? {
        if crate::coalition::active(app).await.is_err() {
            return Ok(());
        }
        // One that cannot be claimed now is no reason to leave the others.
        if let Err(failure) = claim(app, &standing).await {
            let number = standing.number;
            tracing::warn!(number, why = %failure.0.detail, "a standing claim could not be looked at");
        }
    }
    Ok(())
}

async fn claim(app: &App, standing: &Standing) -> Result<(), Failure> {
    let now = app.now().0;
    if !standing.why.is_empty() && now < standing.looked_at + LOOK_AGAIN {
        return Ok(());
    }
    let mut days: BTreeSet<Date> = BTreeSet::new();
    let today = today(app).await?;
    for (first, last) in due(standing, today)? {
        // A crash behind this line asks again: what is held by then is left out.
        let why = match take::take(app, question(standing, first, last)).await {
            Ok(_) => String::new(),
            Err(failure) => failure.0.detail,
        };
        // It is asked for again until it begins: allies give things back.
        if why.is_empty() {
            days.insert(last);
        }
        let done = days
            .last()
            .map_or_else(|| standing.done_day.clone(), Date::to_string);
        let mut tx = app
            .store
            .write("noting what a standing claim brought")
            .await?;
        store::standing::looked(&mut tx, standing.number, &done, now, &why).await?;
        tx.commit().await?;
        if !why.is_empty() {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEKEND: u8 = 0b110_0000;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn of(weekdays: u8, from: &str, through: &str) -> Vec<(String, String)> {
        let windows = windows(weekdays, day(from), day(through));
        let text = |(first, last): (Date, Date)| (first.to_string(), last.to_string());
        windows.into_iter().map(text).collect()
    }

    fn pair(first: &str, last: &str) -> (String, String) {
        (first.to_owned(), last.to_owned())
    }

    #[test]
    fn a_weekend_is_one_window_and_keeps_its_sunday() {
        // 2026-11-28 is a Saturday.
        assert_eq!(
            of(WEEKEND, "2026-11-25", "2026-12-05"),
            [
                pair("2026-11-28", "2026-11-29"),
                pair("2026-12-05", "2026-12-06")
            ]
        );
        assert_eq!(of(WEEKEND, "2026-11-25", "2026-11-27"), []);
        assert_eq!(
            of(WEEKEND, "2026-11-29", "2026-11-29"),
            [pair("2026-11-29", "2026-11-29")]
        );
    }

    #[test]
    fn single_days_stand_alone_and_a_whole_week_ends_on_sunday() {
        assert_eq!(
            of(0b000_0101, "2026-11-23", "2026-11-30"),
            [
                pair("2026-11-23", "2026-11-23"),
                pair("2026-11-25", "2026-11-25"),
                pair("2026-11-30", "2026-11-30"),
            ]
        );
        assert_eq!(
            of(0b111_1111, "2026-11-26", "2026-12-01"),
            [
                pair("2026-11-26", "2026-11-29"),
                pair("2026-11-30", "2026-12-06")
            ]
        );
        assert_eq!(
            of(0b100_0001, "2026-11-29", "2026-11-30").len(),
            2,
            "Sunday, then Monday"
        );
        assert_eq!(of(0, "2026-11-26", "2026-12-01"), []);
    }
}

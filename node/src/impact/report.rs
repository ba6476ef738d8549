//! The report: per organization what it asked for, got, was spared and spared others, what was shared,
//! and how far the own lists are covered.

use super::count::QUARTER;
use crate::{
    app::App,
    claims::{self, universe},
    coalition::members,
    http::problem::Failure,
    store::{self, impact::Count},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use protocol::{channel::Channel, id::NodeId, state::State, time::Moment};
use std::collections::BTreeMap;

/// The longest report, in days.
pub const DAYS: i64 = 3_660;
/// The most minutes that one contact may be said to take.
pub const MINUTES: f64 = 240.0;
/// The highest rate by the hour.
pub const HOURLY: f64 = 10_000.0;

/// What is asked.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The first day.
    pub from: Date,
    /// The last day, included.
    pub to: Date,
    /// Minutes that a visit at a door takes.
    #[serde(default = "at_doors")]
    pub door_minutes: f64,
    /// Minutes that a call or message takes.
    #[serde(default = "by_phone")]
    pub phone_minutes: f64,
    /// What an hour costs, in the currency of whoever asks.
    #[serde(default)]
    pub hourly: f64,
}

fn at_doors() -> f64 {
    5.0
}
fn by_phone() -> f64 {
    2.0
}

/// One organization's part.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Whether it is this organization.
    pub mine: bool,
    /// Contact points that it asked for.
    pub asked: u64,
    /// Those that it was granted.
    pub granted: u64,
    /// Doubled visits that it was spared, because an ally held the place or had been there.
    pub spared: u64,
    /// Doubled visits that it spared allies.
    pub spared_others: u64,
    /// Not claimed, because people there were contacted as often as agreed.
    pub capped: u64,
    /// Not claimed, because somebody there asked to be left alone.
    pub suppressed: u64,
    /// Shared rows that it gave and that were taken.
    pub rows_given: u64,
    /// Shared rows that it took.
    pub rows_taken: u64,
}

/// How far one of the own lists is covered on a channel.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Coverage {
    /// The list.
    pub list: String,
    /// How people are contacted.
    pub channel: Channel,
    /// Contact points.
    pub points: u64,
    /// Tried by this organization alone.
    pub own: u64,
    /// Tried by allies alone.
    pub allies: u64,
    /// Tried by both.
    pub both: u64,
    /// Tried by nobody.
    pub never: u64,
}

/// The report.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Impact {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// Since when this node has counted: an earlier day has no counts.
    pub counted_from: Option<Date>,
    /// Organizations, the one that was spared most first.
    pub organizations: Vec<Part>,
    /// Visits spared at doors, and calls and messages spared.
    pub spared_at_doors: u64,
    /// Calls and messages spared.
    pub spared_by_phone: u64,
    /// Hours that this is, by the minutes that were asked with.
    pub hours: f64,
    /// Money that this is, by the rate that was asked with.
    pub money: f64,
    /// How far the own lists are covered, by contacts since the first day.
    pub coverage: Vec<Coverage>,
    /// Counts of coverage are told in multiples of this.
    pub least: u64,
}

/// Makes the report.
///
/// # Errors
/// [`Failure`] when days or rates are out of range, or this node is in no coalition.
pub async fn make(app: &App, ask: &Ask) -> Result<Impact, Failure> {
    checked(ask)?;
    let ground = claims::ground(app).await?;
    let zone = TimeZone::get(&ground.params.time_zone).map_err(Failure::internal)?;
    let since = start(ask.from, &zone)?;
    let until = start(ask.to.tomorrow().map_err(Failure::internal)?, &zone)?;
    let quarter = |moment: Moment| moment.0.div_euclid(QUARTER);
    let mut db = app.store.read("reading counts").await?;
    let counts = store::impact::counts(&mut db, quarter(since), quarter(until)).await?;
    let earliest = store::impact::counts(&mut db, i64::MIN, i64::MAX).await?;
    drop(db);
    let coverage = coverage(app, &ground, since, until).await?;
    let coalition = crate::coalition::active(app).await?;
    let mut parts = parts(&coalition.state, app.me, &counts);
    shared(&coalition.state, &mut parts, since, until);
    drop(coalition);
    let spared = |channel: fn(Channel) -> bool| {
        let counted = counts.iter().filter(|count| channel(count.channel));
        counted
            .filter(|count| is_spared(count))
            .map(|count| count.points)
            .sum()
    };
    let spared_at_doors: u64 = spared(|channel| channel == Channel::Door);
    let spared_by_phone: u64 = spared(|channel| channel != Channel::Door);
    let minutes =
        spared_at_doors as f64 * ask.door_minutes + spared_by_phone as f64 * ask.phone_minutes;
    let mut organizations: Vec<Part> = parts.into_values().collect();
    organizations.sort_by(|a, b| b.spared.cmp(&a.spared).then_with(|| a.name.cmp(&b.name)));
    Ok(Impact {
        from: ask.from,
        to: ask.to,
        counted_from: earliest
            .iter()
            .map(|count| count.quarter)
            .min()
            .and_then(|quarter| date_of(quarter, &zone)),
        organizations,
        spared_at_doors,
        spared_by_phone,
        hours: (minutes / 60.0 * 10.0).round() / 10.0,
        money: (minutes / 60.0 * ask.hourly * 100.0).round() / 100.0,
        coverage,
        least: u64::from(ground.params.min_cell),
    })
}

fn checked(ask: &Ask) -> Result<(), Failure> {
    let days = i64::from((ask.to - ask.from).get_days()) + 1;
    if !(1..=DAYS).contains(&days) {
        return Err(Failure::input(format!(
            "the last day comes after the first, and a report covers at most {DAYS} days"
        )));
    }
    let minutes = [ask.door_minutes, ask.phone_minutes];
    if !minutes
        .iter()
        .all(|minutes| (0.0..=MINUTES).contains(minutes))
    {
        return Err(Failure::input(format!(
            "a contact takes 0 to {MINUTES} minutes"
        )));
    }
    if !(0.0..=HOURLY).contains(&ask.hourly) {
        return Err(Failure::input(format!("an hour costs 0 to {HOURLY}")));
    }
    Ok(())
}

fn date_of(quarter: i64, zone: &TimeZone) -> Option<Date> {
    let moment = Timestamp::from_millisecond(quarter.checked_mul(QUARTER)?).ok()?;
    Some(moment.to_zoned(zone.clone()).date())
}

fn start(date: Date, zone: &TimeZone) -> Result<Moment, Failure> {
    let start = date.to_zoned(zone.clone()).map_err(Failure::internal)?;
    Ok(Moment(start.timestamp().as_millisecond()))
}

/// Whether a count is of visits that an ally's claim or contact spared.
fn is_spared(count: &Count) -> bool {
    matches!(count.what.as_str(), "held" | "recent") && count.by.is_some_and(|by| by != count.node)
}

fn parts(state: &State, me: NodeId, counts: &[Count]) -> BTreeMap<NodeId, Part> {
    let part = |node: NodeId| Part {
        name: members::name(state, node),
        mine: node == me,
        ..Part::default()
    };
    let mut parts: BTreeMap<NodeId, Part> = state
        .members
        .iter()
        .map(|(node, _)| (*node, part(*node)))
        .collect();
    for count in counts {
        let own = parts.entry(count.node).or_insert_with(|| part(count.node));
        match count.what.as_str() {
            "asked" => own.asked += count.points,
            "granted" => own.granted += count.points,
            "capped" => own.capped += count.points,
            "suppressed" => own.suppressed += count.points,
            _ if is_spared(count) => own.spared += count.points,
            _ => {}
        }
        if let Some(by) = count.by.filter(|_| is_spared(count)) {
            let giver = parts.entry(by).or_insert_with(|| part(by));
            giver.spared_others += count.points;
        }
    }
    parts
}

/// Adds what was shared and taken in the time.
fn shared(state: &State, parts: &mut BTreeMap<NodeId, Part>, since: Moment, until: Moment) {
    for (_, share) in state.shares.iter() {
        if share.at < since || share.at >= until {
            continue;
        }
        let Some(received) = share.received else {
            continue;
        };
        if let Some(giver) = parts.get_mut(&share.from) {
            giver.rows_given += received.accepted;
        }
        if let Some(taker) = parts.get_mut(&share.announced.to) {
            taker.rows_taken += received.accepted;
        }
    }
}

/// How far every own list is covered on every channel, in whole cells.
async fn coverage(
    app: &App,
    ground: &claims::Ground,
    since: Moment,
    until: Moment,
) -> Result<Vec<Coverage>, Failure> {
    let mut db = app.store.read("listing lists").await?;
    let lists = store::list::all(&mut db).await?;
    drop(db);
    let mut all = Vec::new();
    for list in lists {
        for channel in Channel::ALL {
            let universe = universe::of_list(app, ground, &list.name, channel).await?;
            let coalition = crate::coalition::active(app).await?;
            let counted = covered(&coalition.state, app.me, channel, &universe, since, until);
            let told = |count: u64| policy::cell::told(count, u64::from(ground.params.min_cell));
            let [own, allies, both, never] = counted.map(told);
            // A channel that nobody uses says nothing.
            if counted.iter().take(3).sum::<u64>() == 0 {
                continue;
            }
            all.push(Coverage {
                list: list.name.clone(),
                channel,
                points: told(universe.targets.len() as u64),
                own,
                allies,
                both,
                never,
            });
        }
    }
    Ok(all)
}

/// Points tried by this organization alone, by allies alone, by both, by nobody.
fn covered(
    state: &State,
    me: NodeId,
    channel: Channel,
    universe: &universe::Universe,
    since: Moment,
    until: Moment,
) -> [u64; 4] {
    let mut counted = [0; 4];
    for target in &universe.targets {
        let (mut own, mut ally) = (false, false);
        for token in target.point.tokens() {
            for (node, times) in state.contacts_at(channel, token) {
                let within = |at: &Moment| (since..until).contains(at);
                if times.attempts.iter().any(within) {
                    own |= node == me;
                    ally |= node != me;
                }
            }
        }
        let place = match (own, ally) {
            (true, false) => 0,
            (false, true) => 1,
            (true, true) => 2,
            (false, false) => 3,
        };
        if let Some(count) = counted.get_mut(place) {
            *count += 1;
        }
    }
    counted
}

//! One result that somebody typed in: kept as a row of a contact history is.

use super::{
    history::{HistoryContext, Own, keep, moment, short},
    person::Context,
    report::Counts,
};
use crate::{
    app::App,
    import::{ParsedAttempt, When},
    store::{Result, contact::Contact, point::PersonPoint},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use protocol::{channel::Channel, id::Hash};
use sqlx::AnyConnection;

/// What stands where the import of a row is named, for what was typed in.
const AT_THE_DESK: &str = "desk";

/// What somebody noted at the desk of one person whom this organization tried.
pub(crate) struct Noted<'a> {
    /// Whom.
    pub(crate) person_id: &'a str,
    /// Where.
    pub(crate) tried: &'a PersonPoint,
    /// Everywhere the person is reached.
    pub(crate) points: &'a [PersonPoint],
    /// How.
    pub(crate) channel: Channel,
    /// What came of it: a word that imports of results know.
    pub(crate) result: &'a str,
    /// The day on which it was; now, where none is named.
    pub(crate) day: Option<Date>,
}

/// Keeps a result that was typed in; false when the same stood there already.
pub(crate) async fn note(
    app: &App,
    db: &mut AnyConnection,
    zone: &TimeZone,
    noted: &Noted<'_>,
) -> Result<bool> {
    let now = app.now().0;
    let instant = Timestamp::from_millisecond(now).unwrap_or_default();
    let when = noted.day.map_or(When::Instant(instant), When::Day);
    let at = moment(when, zone).unwrap_or(now);
    let attempt = ParsedAttempt::noted(when, noted.channel, noted.result);
    let facts = serde_json::json!([
        noted.person_id,
        noted.tried.point.point_id,
        at,
        noted.channel.name(),
        noted.result,
    ]);
    let row = Contact {
        contact_id: short(Hash::of(facts.to_string().as_bytes())),
        person_id: Some(noted.person_id.to_owned()),
        point_id: Some(noted.tried.point.point_id.clone()),
        channel: Some(noted.channel.to_string()),
        at,
        whole_day: noted.day.is_some(),
        effect: attempt.result.class.to_string(),
        result: noted.result.to_owned(),
        flagged: attempt.result.flagged,
        committee: String::new(),
        own: true,
        import_id: AT_THE_DESK.to_owned(),
        told: None,
    };
    let context = HistoryContext {
        shared: Context::at_the_desk(AT_THE_DESK, &app.config.lists.region, now, instant),
        own: Own::Every,
        zone: zone.clone(),
    };
    let mut counts = Counts::default();
    let tried = (Some(noted.tried), noted.points);
    keep(db, &context, &attempt, row, tried, &mut counts).await?;
    Ok(counts.contacts > 0)
}

//! Writes one row of a contact history: the attempt, and what it says about the person or the point.

use super::{
    incoming::TEXT_BYTES,
    marks::{Marker, of_class},
    merge::Mode,
    person::Context,
    report::{Counts, RESULTS_NAMED},
    request::beginning,
};
use crate::{
    app::App,
    import::{Defect, EffectClass, ParsedAttempt, When},
    store::{
        Result,
        contact::{self, Contact},
        identifier,
        person_suppression::Cause,
        point::{self, PersonPoint},
    },
};
use jiff::{
    Timestamp,
    civil::{Date, time},
    tz::TimeZone,
};
use protocol::{
    channel::Channel,
    entry::payload::Channels,
    id::{Hash, to_base32},
    token::normalize::{self, text::text},
};
use sqlx::AnyConnection;
use std::collections::BTreeSet;

/// Whose attempts the rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Own {
    /// Every row is this organization's.
    Every,
    /// The rows of the committee with this folded name.
    Named(String),
    /// The file has several committees and none has this organization's name.
    Unknown,
}

impl Own {
    /// Tells own rows: by the name that was given, by the organization's, or because there is only one.
    pub(super) fn of(
        named: Option<&str>,
        organization: &str,
        committees: &BTreeSet<String>,
    ) -> Self {
        let organization = text(organization);
        match named {
            Some(name) => Self::Named(text(name)),
            None if committees.contains(&organization) => Self::Named(organization),
            None if committees.len() <= 1 => Self::Every,
            None => Self::Unknown,
        }
    }

    fn holds(&self, committee: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Named(name) => text(committee) == *name,
            Self::Unknown => false,
        }
    }
}

/// What every row of one contact history shares.
pub(super) struct HistoryContext {
    pub(super) shared: Context,
    pub(super) own: Own,
    /// Where days begin.
    pub(super) zone: TimeZone,
}

impl HistoryContext {
    /// Says so where nobody can tell which rows are this organization's.
    pub(super) fn note_owners(&self, attempts: u64, counts: &mut Counts) {
        if self.own == Own::Unknown {
            counts.warn_times(
                "are of several committees, none with this organization's name, so none counts as its own; name \
                 yours with --committee",
                attempts,
            );
        }
    }
}

/// So far ahead of the node's clock a contact may lie: the rest of a day, in any time zone.
const AHEAD: i64 = 36 * protocol::time::HOUR;

/// Takes one attempt.
pub(super) async fn take(
    db: &mut AnyConnection,
    context: &HistoryContext,
    attempt: ParsedAttempt,
    counts: &mut Counts,
) -> Result<()> {
    let committee = attempt.committee.clone().unwrap_or_default();
    let own = context.own.holds(&committee);
    let person_id = joined(db, &attempt).await?;
    let points = match &person_id {
        Some(person_id) => point::of_person(db, person_id).await?,
        None => Vec::new(),
    };
    let tried = tried(&attempt, &points, &context.shared.region);
    let Some(at) = moment(attempt.when, &context.zone) else {
        counts.warn("have a date that no clock shows; they were left out");
        return Ok(());
    };
    if at > context.shared.now + AHEAD {
        counts.warn("have a date that lies ahead; look at it in the file, they were left out");
        return Ok(());
    }
    let row = Contact {
        contact_id: identity(&attempt),
        person_id: person_id.clone(),
        point_id: tried.map(|point| point.point.point_id.clone()),
        channel: attempt.channel.map(|channel| channel.to_string()),
        at,
        whole_day: matches!(attempt.when, When::Day(_)),
        effect: attempt.result.class.to_string(),
        result: beginning(&attempt.result.raw, TEXT_BYTES),
        flagged: attempt.result.flagged,
        committee: beginning(&committee, TEXT_BYTES),
        own,
        import_id: context.shared.import_id.clone(),
        told: None,
    };
    keep(db, context, &attempt, row, (tried, &points), counts).await
}

/// Keeps an attempt, and what it says of the person beyond itself.
async fn keep(
    db: &mut AnyConnection,
    context: &HistoryContext,
    attempt: &ParsedAttempt,
    row: Contact,
    (tried, points): (Option<&PersonPoint>, &[PersonPoint]),
    counts: &mut Counts,
) -> Result<()> {
    let (person_id, own, at) = (row.person_id.clone(), row.own, row.at);
    if contact::insert(db, &row).await? {
        counts.contacts += 1;
        counts.unjoined += u64::from(person_id.is_none());
        counts.other_committee += u64::from(!own);
    } else if join(db, &row).await? {
        counts.joined += 1;
    } else if !row.flagged && contact::settle(db, &row).await? {
        counts.updated += 1;
    } else {
        counts.unchanged += 1;
        return Ok(());
    }
    count_unknown(attempt, counts);
    if let Some(person_id) = person_id {
        effects(
            db,
            context,
            attempt,
            (&person_id, own, at),
            tried,
            points,
            counts,
        )
        .await?;
    }
    Ok(())
}

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

/// What stands where the import of a row is named, for what was typed in.
const AT_THE_DESK: &str = "desk";

fn short(hash: Hash) -> String {
    to_base32(hash.0.first_chunk::<16>().map_or(&[][..], |half| half))
}

async fn join(db: &mut AnyConnection, row: &Contact) -> Result<bool> {
    match &row.person_id {
        Some(person_id) => {
            contact::join(db, &row.contact_id, person_id, row.point_id.as_deref()).await
        }
        None => Ok(false),
    }
}

fn count_unknown(attempt: &ParsedAttempt, counts: &mut Counts) {
    if !attempt.result.flagged {
        return;
    }
    let word = beginning(&attempt.result.raw, 100);
    let known = counts.unknown_results.contains_key(&word);
    if known || counts.unknown_results.len() < RESULTS_NAMED {
        *counts.unknown_results.entry(word).or_default() += 1;
    }
}

/// The person to whom one of the row's ids leads.
async fn joined(db: &mut AnyConnection, attempt: &ParsedAttempt) -> Result<Option<String>> {
    for own in &attempt.identifiers {
        let known = identifier::holder(db, own.system.name(), &own.id).await?;
        if known.is_some() {
            return Ok(known);
        }
    }
    Ok(None)
}

/// The contact point that was tried: the one that the row names, or the person's first on the channel.
fn tried<'a>(
    attempt: &ParsedAttempt,
    points: &'a [PersonPoint],
    region: &str,
) -> Option<&'a PersonPoint> {
    let channel = attempt.channel?;
    let class = point::class_of(channel);
    let named: Vec<normalize::Normalized> = match channel {
        Channel::Door => Vec::new(),
        Channel::Phone | Channel::Text => attempt
            .phones
            .iter()
            .filter_map(|phone| normalize::phone(&phone.raw, region))
            .collect(),
        Channel::Email => attempt
            .emails
            .iter()
            .filter_map(|email| normalize::email(&email.raw))
            .collect(),
    };
    let of_class = || points.iter().filter(|point| point.point.class == class);
    if !named.is_empty() {
        return of_class()
            .find(|point| named.iter().any(|value| value.value() == point.point.value));
    }
    // Somebody was tried, and the list knows no other place: an attempt that led nowhere would not
    // keep allies away from the door.
    of_class()
        .find(|point| !point.bad)
        .or_else(|| of_class().next())
}

/// When it was: a day alone counts to its end, wherever the agreement's days begin.
pub(super) fn moment(when: When, zone: &TimeZone) -> Option<i64> {
    let instant = match when {
        When::Day(day) => {
            let end = day.to_datetime(time(23, 59, 59, 999_000_000));
            zone.to_ambiguous_zoned(end)
                .later()
                .map(|zoned| zoned.timestamp())
        }
        When::Local(local) => zone
            .to_ambiguous_zoned(local)
            .compatible()
            .map(|zoned| zoned.timestamp()),
        When::Instant(instant) => Ok(instant),
    };
    instant.ok().map(|instant| instant.as_millisecond())
}

/// The same attempt in two files has one identity: who, when, how, with what result, by whom.
fn identity(attempt: &ParsedAttempt) -> String {
    let who: Vec<String> = attempt
        .identifiers
        .iter()
        .map(|identifier| format!("{}:{}", identifier.system.name(), identifier.id))
        .collect();
    let when = match attempt.when {
        When::Day(day) => day.to_string(),
        When::Local(local) => local.to_string(),
        When::Instant(instant) => instant.to_string(),
    };
    let raw =
        |texts: Vec<&String>| -> Vec<String> { texts.into_iter().map(|raw| text(raw)).collect() };
    let facts = serde_json::json!([
        who,
        when,
        attempt.channel.map(Channel::name),
        attempt.contact_type.as_deref().map(text),
        text(&attempt.result.raw),
        attempt.committee.as_deref().map(text),
        raw(attempt.phones.iter().map(|phone| &phone.raw).collect()),
        raw(attempt.emails.iter().map(|email| &email.raw).collect()),
        text(&attempt.address.line1),
    ]);
    short(Hash::of(facts.to_string().as_bytes()))
}

/// What the result says beyond the attempt itself.
///
/// A person's wish holds whoever noted it. Defects and deaths are this organization's to assert only
/// where it saw them itself: two members who read one VAN would otherwise count as two sources.
async fn effects(
    db: &mut AnyConnection,
    context: &HistoryContext,
    attempt: &ParsedAttempt,
    (person_id, own, at): (&str, bool, i64),
    tried: Option<&PersonPoint>,
    points: &[PersonPoint],
    counts: &mut Counts,
) -> Result<()> {
    let mut marker = Marker::of(db, person_id, false, Mode::Newest, &context.shared).await?;
    let since = at.min(context.shared.now);
    for flag in &attempt.flags {
        marker.flag(db, flag).await?;
    }
    match attempt.result.class {
        EffectClass::PersonSuppression(Some(channel)) => {
            let only = Channels::only(channel);
            marker
                .assert(db, Cause::DoNotContact, None, only, since)
                .await?;
        }
        EffectClass::Deceased if own => {
            marker
                .assert(db, Cause::Deceased, None, Channels::default(), since)
                .await?;
        }
        EffectClass::DataPointDefect(defect) if own => {
            if let Some(point) = defective(defect, tried, points) {
                let cause = if defect == Defect::Moved {
                    Cause::Moved
                } else {
                    Cause::Defect
                };
                let id = &point.point.point_id;
                let channels = of_class(point.point.class);
                marker.assert(db, cause, Some(id), channels, since).await?;
                point::mark_bad(db, person_id, id).await?;
            }
        }
        _ => {}
    }
    counts.suppressions += marker.written;
    Ok(())
}

/// The point that a defect is about.
fn defective<'a>(
    defect: Defect,
    tried: Option<&'a PersonPoint>,
    points: &'a [PersonPoint],
) -> Option<&'a PersonPoint> {
    let of = |class: i64| {
        tried
            .filter(|point| point.point.class == class)
            .or_else(|| {
                points
                    .iter()
                    .find(|point| point.point.class == class && !point.bad)
            })
    };
    match defect {
        Defect::Moved | Defect::NoSuchAddress => of(point::DOOR),
        Defect::WrongNumber | Defect::Disconnected => of(point::PHONE),
        Defect::Undeliverable => tried.filter(|point| point.point.class != point::DOOR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, datetime};

    #[test]
    fn a_day_alone_counts_to_its_end_in_the_agreements_zone() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let end = moment(When::Day(date(2026, 3, 8)), &zone).unwrap();
        // The clocks went forward on that day: its end is at UTC-4.
        assert_eq!(end, 1_773_028_799_999);
        let utc = moment(When::Day(date(1970, 1, 1)), &TimeZone::UTC).unwrap();
        assert_eq!(utc, 86_399_999);
    }

    fn door(id: &str, bad: bool) -> PersonPoint {
        PersonPoint {
            person_id: "p".to_owned(),
            point: point::Point {
                point_id: id.to_owned(),
                class: point::DOOR,
                ..point::Point::default()
            },
            label: String::new(),
            rank: 0,
            bad,
        }
    }

    fn visit() -> ParsedAttempt {
        ParsedAttempt {
            identifiers: Vec::new(),
            voter_name: None,
            when: When::Day(date(2026, 11, 24)),
            channel: Some(Channel::Door),
            result: crate::import::ParsedResult {
                raw: "CV".to_owned(),
                class: EffectClass::ContactMade,
                flagged: false,
            },
            committee: None,
            contact_type: None,
            address: crate::import::ParsedAddress::default(),
            phones: Vec::new(),
            emails: Vec::new(),
            flags: Vec::new(),
            extra: Vec::new(),
        }
    }

    #[test]
    fn a_visit_leads_to_a_good_door_and_without_one_to_the_door_that_was_marked() {
        let id = |points: &[PersonPoint]| {
            tried(&visit(), points, "US").map(|point| point.point.point_id.clone())
        };
        let both = [door("moved", true), door("new", false)];
        assert_eq!(id(&both).as_deref(), Some("new"));
        assert_eq!(id(&both[..1]).as_deref(), Some("moved"));
        assert_eq!(id(&[]), None);
    }

    #[test]
    fn a_time_that_the_clocks_skipped_still_is_a_moment() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let skipped = When::Local(datetime(2026, 3, 8, 2, 30, 0, 0));
        assert!(moment(skipped, &zone).is_some());
    }

    #[test]
    fn own_rows_are_told_by_name_or_because_there_are_no_others() {
        let committees = |names: &[&str]| names.iter().map(|name| text(name)).collect();
        let own = |named, names: &[&str]| Own::of(named, "Tenants United", &committees(names));
        assert_eq!(own(None, &[]), Own::Every);
        assert_eq!(own(None, &["Field Office 3"]), Own::Every);
        assert!(own(None, &["TENANTS UNITED", "Party"]).holds("Tenants United"));
        assert!(!own(None, &["TENANTS UNITED", "Party"]).holds("Party"));
        assert_eq!(own(None, &["Party", "Field Office 3"]), Own::Unknown);
        assert!(own(Some("Field Office 3"), &["Party"]).holds("field office 3"));
    }
}

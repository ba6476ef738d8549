//! Writes one row of a list: the person, its ids, contact points, keys, list, marks and consents.

use super::{
    batch::{self, Batch},
    consents::{self, Signed},
    incoming::{self, Contactable, Doubts, Incoming, TEXT_BYTES, plain_point},
    marks::{self, Marker},
    matching,
    merge::{self, Mode},
    report::Counts,
    request::beginning,
};
use crate::{
    ambient,
    import::{Flag, ParsedPerson},
    store::{
        Result, identifier, import_job, list, people,
        person::{self, Person},
        point::{self, PersonPoint, Point},
    },
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use policy::facts::{Basis, Source};
use protocol::{
    id::EntryId,
    token::{Kind, normalize},
};
use sqlx::AnyConnection;
use std::collections::BTreeMap;

/// What every row of one import shares.
pub(super) struct Context {
    pub(super) import_id: String,
    pub(super) fingerprint: String,
    pub(super) list_id: String,
    pub(super) region: String,
    pub(super) now: i64,
    /// The day of the import, for telling minors.
    pub(super) today: Date,
    pub(super) basis: Option<Basis>,
    pub(super) source: Option<Source>,
    /// Where rows of this format come from, unless something else was said.
    pub(super) usual_source: Source,
    pub(super) signed: Option<Signed>,
    /// Fingerprints of the imports that people were named by before.
    pub(super) fingerprints: BTreeMap<String, String>,
}

impl Context {
    /// What holds for a row that somebody typed in.
    pub(super) fn at_the_desk(import_id: &str, region: &str, now: i64, today: Timestamp) -> Self {
        Self {
            import_id: import_id.to_owned(),
            fingerprint: String::new(),
            list_id: String::new(),
            region: region.to_owned(),
            now,
            today: today.to_zoned(TimeZone::UTC).date(),
            basis: None,
            source: None,
            usual_source: Source::OwnCanvass,
            signed: None,
            fingerprints: BTreeMap::new(),
        }
    }
}

/// A fresh id as the tables hold it.
pub(super) fn fresh_id() -> String {
    EntryId::random(&mut ambient::rng()).to_string()
}

/// A row that is ready to be taken: all that can be said of it without the database.
pub(super) struct Prepared {
    pub(super) row: Incoming,
    /// Its contact points, and the keys of the person as long as nobody is known by it.
    pub(super) contactables: Vec<Contactable>,
    /// As in the person; empty where name or postal code is missing.
    pub(super) name_postal: String,
    doubts: Doubts,
}

impl Prepared {
    /// Puts a row into normal form; `region` is the country of what names none.
    pub(super) fn of(parsed: ParsedPerson, region: &str) -> Self {
        let mut doubts = Doubts::new();
        let row = Incoming::of(parsed, region, &mut doubts);
        let mut person = Person::default();
        merge::merge(&mut person, &row, Mode::Newest);
        Self {
            contactables: contactables(&person, &row, region),
            name_postal: incoming::name_postal(&row.given, &row.surname, &row.address, region),
            row,
            doubts,
        }
    }
}

/// Takes one row of a batch.
pub(super) async fn take(
    db: &mut AnyConnection,
    context: &mut Context,
    batch: &mut Batch,
    prepared: Prepared,
    counts: &mut Counts,
) -> Result<()> {
    for doubt in &prepared.doubts {
        counts.warn(doubt);
    }
    if batch.may_wait(&prepared) {
        batch.flush(db, &context.list_id).await?;
    }
    if let Some(person) = matching::find(db, batch, &prepared).await? {
        return Box::pin(change(db, context, batch, (person, prepared.row), counts)).await;
    }
    create(db, context, batch, prepared, counts).await
}

/// Takes the row of somebody new.
async fn create(
    db: &mut AnyConnection,
    context: &Context,
    batch: &mut Batch,
    prepared: Prepared,
    counts: &mut Counts,
) -> Result<()> {
    let row = prepared.row;
    let mut person = blank(context, batch.fresh_id());
    merge::merge(&mut person, &row, Mode::Newest);
    facts(&mut person, &row, context, Mode::Newest);
    let mut points = Vec::new();
    let owner = (&person, Mode::Newest);
    attach(db, batch, owner, &mut points, prepared.contactables).await?;
    index(&mut person, &points, &context.region);
    person.updated_at = context.now;
    context.import_id.clone_into(&mut person.seen_import);
    tell_marks(
        db,
        context,
        &person,
        &row,
        &points,
        (true, Mode::Newest),
        counts,
    )
    .await?;
    batch.note(&person, &row, true);
    batch.add(person, &row);
    counts.imported += 1;
    Ok(())
}

/// Takes the row of somebody whom the organization has.
async fn change(
    db: &mut AnyConnection,
    context: &mut Context,
    batch: &mut Batch,
    (mut person, row): (Person, Incoming),
    counts: &mut Counts,
) -> Result<()> {
    let again = person.seen_import == context.import_id;
    let keep = again || same_file(db, context, &person.seen_import).await?;
    let mode = if keep { Mode::Keep } else { Mode::Newest };
    let mut changed = merge::merge(&mut person, &row, mode);
    changed |= facts(&mut person, &row, context, mode);
    if batch.waits_for(&person.person_id) {
        batch.flush(db, &context.list_id).await?;
    }
    let mut points = point::of_person(db, &person.person_id).await?;
    let contactables = contactables(&person, &row, &context.region);
    let owner = (&person, mode);
    changed |= attach(db, batch, owner, &mut points, contactables).await?;
    changed |= index(&mut person, &points, &context.region);
    write(db, context, &mut person, changed).await?;
    for (system, id) in &row.identifiers {
        let added = identifier::add(db, &person.person_id, system, id).await?;
        let others =
            !added && identifier::holder(db, system, id).await?.as_ref() != Some(&person.person_id);
        if others {
            counts.warn("have an id that belongs to another person here; it was left out");
        }
        changed |= added;
    }
    batch.note(&person, &row, false);
    changed |= list::add(db, &context.list_id, &person.person_id).await?;
    let told = tell_marks(db, context, &person, &row, &points, (false, mode), counts).await?;
    match (again, changed || told) {
        (true, _) => counts.duplicates_merged += 1,
        (false, true) => counts.updated += 1,
        (false, false) => counts.unchanged += 1,
    }
    Ok(())
}

fn blank(context: &Context, person_id: String) -> Person {
    Person {
        person_id,
        source: context.source.unwrap_or(context.usual_source).to_string(),
        basis: "unknown".to_owned(),
        created_at: context.now,
        ..Person::default()
    }
}

/// Whether an earlier import was of the same file in the same way.
async fn same_file(db: &mut AnyConnection, context: &mut Context, import_id: &str) -> Result<bool> {
    if !context.fingerprints.contains_key(import_id) {
        let fingerprint = import_job::fingerprint(db, import_id).await?;
        context
            .fingerprints
            .insert(import_id.to_owned(), fingerprint.unwrap_or_default());
    }
    Ok(context.fingerprints.get(import_id) == Some(&context.fingerprint))
}

/// What the import itself says about the person, and what follows from the row.
fn facts(person: &mut Person, row: &Incoming, context: &Context, mode: Mode) -> bool {
    let before = (
        person.basis.clone(),
        person.source.clone(),
        person.never_share,
        person.minor,
    );
    let signed = context.signed.as_ref().map(Signed::basis);
    let by_consent = [Basis::Consent, Basis::ExplicitConsent]
        .iter()
        .any(|basis| basis.name() == person.basis);
    if let Some(basis) = signed.or(context.basis.filter(|_| !by_consent))
        && (mode == Mode::Newest || person.basis == "unknown")
    {
        person.basis = basis.to_string();
    }
    if let Some(source) = context.source.filter(|_| mode == Mode::Newest) {
        person.source = source.to_string();
    }
    person.never_share |= row.flags.contains(&Flag::NeverShare);
    person.minor = is_minor(person.birth_date.as_deref(), context.today);
    before
        != (
            person.basis.clone(),
            person.source.clone(),
            person.never_share,
            person.minor,
        )
}

/// Whether somebody born on a day is under 18 on another; unknown is no.
fn is_minor(birth_date: Option<&str>, today: Date) -> bool {
    let born: Option<Date> = birth_date.and_then(|date| date.parse().ok());
    born.is_some_and(|born| {
        let birthday = (born.month(), born.day()) <= (today.month(), today.day());
        let age = i32::from(today.year()) - i32::from(born.year()) - i32::from(!birthday);
        age < 18
    })
}

/// The row's contact points, and the keys of the person as it is now.
fn contactables(person: &Person, row: &Incoming, region: &str) -> Vec<Contactable> {
    let mut all = row.points.clone();
    let key = |value: Option<normalize::Normalized>| {
        value.map(|value| Contactable {
            point: plain_point(&value, ""),
            label: "",
            bad: false,
            opt_in: None,
        })
    };
    let voter = person
        .voter_state
        .as_deref()
        .zip(person.voter_id.as_deref());
    all.extend(key(
        voter.and_then(|(state, id)| normalize::voter_id(state, id))
    ));
    let country = if person.address.country.is_empty() {
        region
    } else {
        &person.address.country
    };
    all.extend(key(person.birth_date.as_deref().and_then(|born| {
        let postal = &person.address.postal_code;
        normalize::ns_dob_postal(&person.given, &person.surname, born, country, postal)
    })));
    for door in row.of_class(point::DOOR) {
        let door = normalize::Normalized::stored(Kind::Door, door.point.value.clone());
        all.extend(key(door.and_then(|door| {
            normalize::name_door(&person.given, &person.surname, &door)
        })));
    }
    all
}

/// Gives the person what it does not have, and puts the points of each class in order; whether
/// anything changed.
async fn attach(
    db: &mut AnyConnection,
    batch: &mut Batch,
    (person, mode): (&Person, Mode),
    points: &mut Vec<PersonPoint>,
    contactables: Vec<Contactable>,
) -> Result<bool> {
    let before = points.clone();
    for contactable in contactables {
        let wanted = &contactable.point;
        if let Some(known) = points.iter_mut().find(|known| same(&known.point, wanted)) {
            known.bad |= contactable.bad;
            if known.label.is_empty() {
                contactable.label.clone_into(&mut known.label);
            }
            continue;
        }
        let mut point = contactable.point;
        point.point_id = batch.point_id(db, &point).await?;
        // The door of a later file is where the person lives now.
        let first = mode == Mode::Newest && point.class == point::DOOR;
        points.push(PersonPoint {
            person_id: person.person_id.clone(),
            rank: if first { -1 } else { i64::MAX },
            label: contactable.label.to_owned(),
            bad: contactable.bad,
            point,
        });
    }
    rank(points);
    let name = batch::whole_name(&person.given, &person.surname);
    for point in points.iter().filter(|point| !before.contains(point)) {
        batch.attach(&name, point.clone());
    }
    Ok(*points != before)
}

/// Numbers the points of each class from 0: mobile phones first, else in the order in which they came.
fn rank(points: &mut Vec<PersonPoint>) {
    let line = |point: &PersonPoint| match point.label.as_str() {
        _ if point.point.class != point::PHONE => 0,
        "mobile" => 0,
        "home" => 2,
        "work" => 3,
        _ => 1,
    };
    // Stable: of several new ones the file's order decides.
    points.sort_by_key(|point| (point.point.class, line(point), point.rank));
    let mut next: BTreeMap<i64, i64> = BTreeMap::new();
    for point in points {
        let rank = next.entry(point.point.class).or_default();
        point.rank = *rank;
        *rank += 1;
    }
}

/// What the person is found by; whether that changed.
fn index(person: &mut Person, points: &[PersonPoint], region: &str) -> bool {
    let emails: Vec<&str> = points
        .iter()
        .filter(|point| point.point.class == point::EMAIL)
        .map(|point| point.point.value.as_str())
        .collect();
    let name = [
        person.given.as_str(),
        &person.middle,
        &person.surname,
        &person.suffix,
    ];
    let search = beginning(&people::search_text(&name, &emails), TEXT_BYTES);
    let name_postal =
        incoming::name_postal(&person.given, &person.surname, &person.address, region);
    let changed = search != person.search || name_postal != person.name_postal;
    person.search = search;
    person.name_postal = name_postal;
    changed
}

async fn write(
    db: &mut AnyConnection,
    context: &Context,
    person: &mut Person,
    changed: bool,
) -> Result<()> {
    if !changed {
        if person.seen_import != context.import_id {
            person::seen(db, &person.person_id, &context.import_id).await?;
        }
        return Ok(());
    }
    person.updated_at = context.now;
    context.import_id.clone_into(&mut person.seen_import);
    person::update(db, person).await
}

/// Suppressions and consents; whether any is new.
async fn tell_marks(
    db: &mut AnyConnection,
    context: &Context,
    person: &Person,
    row: &Incoming,
    points: &[PersonPoint],
    (is_new, mode): (bool, Mode),
    counts: &mut Counts,
) -> Result<bool> {
    let before = (
        counts.suppressions,
        counts.consents,
        counts.consents_withdrawn,
    );
    let mut marker = Marker::of(db, &person.person_id, is_new, mode, context).await?;
    for flag in &row.flags {
        marker.flag(db, flag).await?;
    }
    for contactable in &row.points {
        let known = |point: &&PersonPoint| same(&point.point, &contactable.point);
        if let Some(point) = points.iter().find(known) {
            marker.contactable(db, &point.point, contactable).await?;
        }
    }
    counts.suppressions += marker.written;
    if let Some(signed) = &context.signed {
        counts.consents += u64::from(consents::give(db, context, signed, person, is_new).await?);
    }
    // Only what is new here can need a withdrawal: a new record, or a new opt-out.
    if context.signed.is_some() || marker.written > 0 {
        let out = marks::opted_out(&marker.standing);
        counts.consents_withdrawn +=
            consents::withdraw(db, context, &person.person_id, out).await?;
    }
    Ok(before
        != (
            counts.suppressions,
            counts.consents,
            counts.consents_withdrawn,
        ))
}

fn same(one: &Point, other: &Point) -> bool {
    (one.class, &one.kind, &one.value) == (other.class, &other.kind, &other.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_person_is_a_minor_until_the_eighteenth_birthday() {
        let born = Some("2008-03-10");
        assert!(is_minor(born, date(2026, 3, 9)));
        assert!(!is_minor(born, date(2026, 3, 10)));
        assert!(!is_minor(None, date(2026, 3, 10)));
    }
}

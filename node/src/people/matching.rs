//! Who a row is: the first of the organization's people that a key leads to, strongest key first.
//!
//! Voter id; another system's id; e-mail address; phone number and name; name, postal code and birth;
//! name and door. A wrong match mixes two people's consents, so weak keys also need that nothing speaks
//! against them: two birth dates, two generations, two voter ids.

use super::{batch::Batch, incoming::Incoming, person::Prepared};
use crate::store::{
    Result, identifier,
    person::{self, Person},
    point,
};
use protocol::token::normalize::{self, name::name, text::text};
use sqlx::AnyConnection;

/// The kind of the key that is both names at a door.
const NAME_DOOR: &str = "name_door";

/// The person that a row describes, if the organization has it. What waits in the batch is not seen.
pub(super) async fn find(
    db: &mut AnyConnection,
    batch: &Batch,
    prepared: &Prepared,
) -> Result<Option<Person>> {
    let row = &prepared.row;
    if let Some((state, id)) = &row.voter
        && let Some(key) = normalize::voter_id(state, id)
    {
        let known = at(db, batch, (point::PERSON, "voter_id", key.value())).await?;
        if let Some(known) = known.into_iter().next() {
            return Ok(Some(known));
        }
    }
    for (system, id) in &row.identifiers {
        if batch.has_identifier(system, id)
            && let Some(known) = identifier::holder(db, system, id).await?
        {
            return person::find(db, &known).await;
        }
    }
    if let Some(known) = by_email(db, batch, row).await? {
        return Ok(Some(known));
    }
    if let Some(known) = by_phone(db, batch, row).await? {
        return Ok(Some(known));
    }
    if let Some(known) = by_birth(db, batch, prepared).await? {
        return Ok(Some(known));
    }
    by_door(db, batch, prepared).await
}

/// The people at a point; the database is asked only where it may have some.
async fn at(
    db: &mut AnyConnection,
    batch: &Batch,
    (class, kind, value): (i64, &str, &str),
) -> Result<Vec<Person>> {
    if !batch.has_point(class, kind, value) {
        return Ok(Vec::new());
    }
    person::at_point(db, class, kind, value).await
}

async fn by_email(db: &mut AnyConnection, batch: &Batch, row: &Incoming) -> Result<Option<Person>> {
    for email in row.of_class(point::EMAIL) {
        let known = at(db, batch, (point::EMAIL, "email", &email.point.value)).await?;
        let fits = |known: &Person| may_be_one(&known.given, &row.given) && !conflict(known, row);
        if let Some(known) = known.into_iter().find(fits) {
            return Ok(Some(known));
        }
    }
    Ok(None)
}

async fn by_phone(db: &mut AnyConnection, batch: &Batch, row: &Incoming) -> Result<Option<Person>> {
    for phone in row.of_class(point::PHONE) {
        let known = at(db, batch, (point::PHONE, "phone", &phone.point.value)).await?;
        for known in known {
            if !same_name(&known, row) || conflict(&known, row) {
                continue;
            }
            // Father and son at one landline: two ids of one system are two people there.
            if phone.label != "mobile" && other_id(db, &known, row).await? {
                continue;
            }
            return Ok(Some(known));
        }
    }
    Ok(None)
}

async fn by_birth(
    db: &mut AnyConnection,
    batch: &Batch,
    prepared: &Prepared,
) -> Result<Option<Person>> {
    let row = &prepared.row;
    if row.birth_year.is_none() || !batch.has_name_postal(&prepared.name_postal) {
        return Ok(None);
    }
    let known = person::by_name_postal(db, &prepared.name_postal).await?;
    let fits = |known: &Person| known.birth_year == row.birth_year && !conflict(known, row);
    Ok(known.into_iter().find(fits))
}

async fn by_door(
    db: &mut AnyConnection,
    batch: &Batch,
    prepared: &Prepared,
) -> Result<Option<Person>> {
    let row = &prepared.row;
    for key in &prepared.contactables {
        if key.point.kind != NAME_DOOR {
            continue;
        }
        let known = at(db, batch, (point::PERSON, NAME_DOOR, &key.point.value)).await?;
        for known in known {
            if same_name(&known, row)
                && !conflict(&known, row)
                && !other_id(db, &known, row).await?
            {
                return Ok(Some(known));
            }
        }
    }
    Ok(None)
}

/// Whether two given names can be one person's: equal, one the other's initial, or one unknown.
fn may_be_one(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (name(one), name(other)) else {
        return true;
    };
    let initial = |short: &str, long: &str| short.chars().count() == 1 && long.starts_with(short);
    one == other || initial(&one, &other) || initial(&other, &one)
}

/// Whether both names are known and equal.
fn same_name(known: &Person, row: &Incoming) -> bool {
    let equal = |one: &str, other: &str| match (name(one), name(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    };
    equal(&known.given, &row.given) && equal(&known.surname, &row.surname)
}

/// Whether something says that these are two people.
fn conflict(known: &Person, row: &Incoming) -> bool {
    fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
        one.zip(other).is_some_and(|(one, other)| one != other)
    }
    let suffix = |raw: &str| Some(text(raw)).filter(|word| !word.is_empty());
    let voter = known.voter_id.as_ref().map(|id| text(id));
    differ(known.birth_date.as_ref(), row.birth_date.as_ref())
        || differ(known.birth_year, row.birth_year)
        || differ(suffix(&known.suffix), suffix(&row.suffix))
        || differ(voter, row.voter.as_ref().map(|(_, id)| text(id)))
}

/// Whether a system gave the known person another id than the row's.
async fn other_id(db: &mut AnyConnection, known: &Person, row: &Incoming) -> Result<bool> {
    let ids = identifier::of_person(db, &known.person_id).await?;
    Ok(row.identifiers.iter().any(|(system, id)| {
        ids.iter()
            .any(|(of_known, known_id)| of_known == system && known_id != id)
    }))
}

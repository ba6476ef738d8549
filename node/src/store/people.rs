//! People with all that is known about them: what claims, shares and pages read.

use super::{
    Result,
    consent::{self, Consent},
    identifier,
    person::{self, Found, Person},
    person_suppression::{self, Suppression},
    point::{self, PersonPoint},
};
use protocol::token::normalize::text::text;
use sqlx::AnyConnection;
use std::collections::BTreeMap;

/// The most people of one page.
pub const PAGE_PEOPLE: i64 = 5_000;

/// A person of a list with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub person: Person,
    /// Contact points by class and rank, then person keys.
    pub points: Vec<PersonPoint>,
    /// Consent records.
    pub consents: Vec<Consent>,
    /// Suppressions, withdrawn ones included.
    pub suppressions: Vec<Suppression>,
}

/// People of a list after a person's id (empty: from the first), in the order of their ids; an
/// empty page is the end. `limit` beyond [`PAGE_PEOPLE`] is cut to it.
///
/// # Errors
/// [`super::StoreError`].
pub async fn page(
    db: &mut AnyConnection,
    list_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Member>> {
    let people = person::page(db, list_id, after, limit.clamp(1, PAGE_PEOPLE)).await?;
    let (Some(first), Some(last)) = (people.first(), people.last()) else {
        return Ok(Vec::new());
    };
    let (first, last) = (first.person_id.clone(), last.person_id.clone());
    let points = point::of_page(db, list_id, &first, &last).await?;
    let mut points = grouped(points, |point| Some(point.person_id.clone()));
    let consents = consent::of_page(db, list_id, &first, &last).await?;
    let mut consents = grouped(consents, |consent| Some(consent.person_id.clone()));
    let suppressions = person_suppression::of_page(db, list_id, &first, &last).await?;
    let mut suppressions = grouped(suppressions, |row| row.person_id.clone());
    let member = |person: Person| Member {
        points: points.remove(&person.person_id).unwrap_or_default(),
        consents: consents.remove(&person.person_id).unwrap_or_default(),
        suppressions: suppressions.remove(&person.person_id).unwrap_or_default(),
        person,
    };
    Ok(people.into_iter().map(member).collect())
}

/// One person with what belongs to it.
///
/// # Errors
/// [`super::StoreError`].
pub async fn member(db: &mut AnyConnection, person_id: &str) -> Result<Option<Member>> {
    let Some(person) = person::find(db, person_id).await? else {
        return Ok(None);
    };
    Ok(Some(Member {
        points: point::of_person(db, person_id).await?,
        consents: consent::of_person(db, person_id).await?,
        suppressions: person_suppression::of_person(db, person_id).await?,
        person,
    }))
}

fn grouped<T>(rows: Vec<T>, key: impl Fn(&T) -> Option<String>) -> BTreeMap<String, Vec<T>> {
    let mut groups: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for row in rows {
        if let Some(key) = key(&row) {
            groups.entry(key).or_default().push(row);
        }
    }
    groups
}

/// The person whom a text means: an id or six characters or more of its end or beginning, another system's
/// id as `van:123`, or a whole name that only one person has.
///
/// # Errors
/// [`super::StoreError`].
pub async fn resolve(db: &mut AnyConnection, reference: &str) -> Result<Found> {
    let reference = reference.trim();
    if let Some((system, value)) = reference.split_once(':') {
        let system = system.trim().to_ascii_lowercase();
        let found = identifier::holder(db, &system, value.trim()).await?;
        return Ok(found.map_or(Found::Nobody, Found::One));
    }
    let lower = reference.to_ascii_lowercase();
    let is_id = lower
        .bytes()
        .all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
    if is_id && lower.len() >= person::ID_PART {
        let found = person::by_id(db, &lower).await?;
        if found != Found::Nobody {
            return Ok(found);
        }
    }
    let folded = folded_words(reference).join(" ");
    if folded.is_empty() {
        return Ok(Found::Nobody);
    }
    person::by_whole_name(db, &folded).await
}

/// People whose name or e-mail holds every word of a text (the first four words count).
///
/// # Errors
/// [`super::StoreError`].
pub async fn search(
    db: &mut AnyConnection,
    words: &str,
    list_id: Option<&str>,
    limit: i64,
) -> Result<Vec<Person>> {
    person::search(db, &folded_words(words), list_id, limit).await
}

/// The words of a text as names are stored for searching: small letters and digits, no accents.
#[must_use]
pub fn folded_words(raw: &str) -> Vec<String> {
    let words = raw.split_whitespace().map(text);
    words.filter(|word| !word.is_empty()).collect()
}

/// What is stored for searching: the folded name, and behind a bar the folded e-mail addresses.
#[must_use]
pub fn search_text(name: &[&str], emails: &[&str]) -> String {
    let words = |parts: &[&str]| -> String {
        let words: Vec<String> = parts.iter().flat_map(|part| folded_words(part)).collect();
        words.join(" ")
    };
    format!("{} | {}", words(name), words(emails))
        .trim_end()
        .to_owned()
}

//! People of the organization's lists: one row each, and the ids that other systems gave them.

use super::{Result, StoreError, rows};
use crate::turf::position::Position;
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, AssertSqlSafe, FromRow, Row, any::AnyRow};
use std::collections::BTreeMap;

/// The most people that one search shows.
pub const SEARCH_ROWS: i64 = 500;
/// So much of an id names a person, if it names no other.
pub const ID_PART: usize = 6;

/// A person's address as its file had it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// House number and street.
    pub line1: String,
    /// Unit.
    pub line2: String,
    /// City.
    pub city: String,
    /// County.
    pub county: String,
    /// State.
    pub state: String,
    /// Postal code.
    pub postal_code: String,
    /// Country.
    pub country: String,
    /// Where it lies, if a file said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Precinct.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub precinct: String,
}

/// One person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Base32, random.
    pub person_id: String,
    /// Given name; every name may be empty.
    pub given: String,
    /// Middle name.
    pub middle: String,
    /// Surname.
    pub surname: String,
    /// Generation suffix.
    pub suffix: String,
    /// ISO date, where the whole date is known.
    pub birth_date: Option<String>,
    /// Birth year, also where the whole date is known.
    pub birth_year: Option<i64>,
    /// State of the voter id.
    pub voter_state: Option<String>,
    /// Voter id as issued.
    pub voter_id: Option<String>,
    /// The address as the file had it.
    pub address: Address,
    /// A word of [`policy::facts::Source`].
    pub source: String,
    /// A word of [`policy::facts::Basis`], or `unknown`.
    pub basis: String,
    /// A partisan tag or a party field was seen.
    pub partisan: bool,
    /// The row says that it must not be shared.
    pub never_share: bool,
    /// Known to be under 18 when it was imported.
    pub minor: bool,
    /// Tags.
    pub tags: Vec<String>,
    /// Answers and support levels, by question.
    pub answers: BTreeMap<String, String>,
    /// Columns that nobody mapped.
    pub extra: BTreeMap<String, String>,
    /// Folded name and e-mails, for searching.
    pub search: String,
    /// Normalized names and postal code, for matching; empty where one is missing.
    pub name_postal: String,
    /// Id of the last import that named the person.
    pub seen_import: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

impl Person {
    /// The name as people read it; "(no name)" where there is none.
    #[must_use]
    pub fn name(&self) -> String {
        let parts = [&self.given, &self.middle, &self.surname, &self.suffix];
        let parts: Vec<&str> = parts
            .into_iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        if parts.is_empty() {
            "(no name)".to_owned()
        } else {
            parts.join(" ")
        }
    }
}

/// What a reference to a person leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// One person, by id.
    One(String),
    /// Nobody.
    Nobody,
    /// More than one person: the reference has to say more.
    Several,
}

const COLUMNS: &str = "person.person_id, given, middle, surname, suffix, birth_date, birth_year, voter_state, voter_id, \
    address, source, basis, partisan, never_share, minor, tags, answers, extra, search, name_postal, seen_import, \
    person.created_at, person.updated_at";

impl FromRow<'_, AnyRow> for Person {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            person_id: row.try_get("person_id")?,
            given: row.try_get("given")?,
            middle: row.try_get("middle")?,
            surname: row.try_get("surname")?,
            suffix: row.try_get("suffix")?,
            birth_date: row.try_get("birth_date")?,
            birth_year: row.try_get("birth_year")?,
            voter_state: row.try_get("voter_state")?,
            voter_id: row.try_get("voter_id")?,
            address: json(row, "address")?,
            source: row.try_get("source")?,
            basis: row.try_get("basis")?,
            partisan: row.try_get::<i64, _>("partisan")? != 0,
            never_share: row.try_get::<i64, _>("never_share")? != 0,
            minor: row.try_get::<i64, _>("minor")? != 0,
            tags: json(row, "tags")?,
            answers: json(row, "answers")?,
            extra: json(row, "extra")?,
            search: row.try_get("search")?,
            name_postal: row.try_get("name_postal")?,
            seen_import: row.try_get("seen_import")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// A JSON column. The error names the column and quotes nothing of its content.
fn json<T: serde::de::DeserializeOwned>(row: &AnyRow, column: &'static str) -> sqlx::Result<T> {
    let text: String = row.try_get(column)?;
    serde_json::from_str(&text).map_err(|error| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: format!("no JSON of its kind at character {}", error.column()).into(),
    })
}

fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::damaged("person", error))
}

/// The person with an id.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection, person_id: &str) -> Result<Option<Person>> {
    let sql = format!("SELECT {COLUMNS} FROM person WHERE person_id = $1");
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(person_id)
        .fetch_optional(db)
        .await?)
}

/// People of a list after a person's id (empty: from the first), in the order of their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn page(
    db: &mut AnyConnection,
    list_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Person>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM person JOIN person_list l ON l.person_id = person.person_id \
         WHERE l.list_id = $1 AND l.person_id > $2 ORDER BY l.person_id LIMIT $3"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(list_id)
        .bind(after)
        .bind(limit)
        .fetch_all(db)
        .await?)
}

/// The address of everybody, by person.
///
/// # Errors
/// [`StoreError`].
pub async fn addresses(db: &mut AnyConnection) -> Result<BTreeMap<String, Address>> {
    let rows = sqlx::query("SELECT person_id, address FROM person")
        .fetch_all(db)
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("person_id")?, json(row, "address")?)))
        .collect()
}

/// The address of everybody on a list, by person.
///
/// # Errors
/// [`StoreError`].
pub async fn addresses_of_list(
    db: &mut AnyConnection,
    list_id: &str,
) -> Result<BTreeMap<String, Address>> {
    let rows = sqlx::query(
        "SELECT person.person_id, person.address FROM person_list l \
         JOIN person ON person.person_id = l.person_id WHERE l.list_id = $1",
    )
    .bind(list_id)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("person_id")?, json(row, "address")?)))
        .collect()
}

/// People whose folded name or e-mail holds every word of a folded text, on one list or on any.
///
/// # Errors
/// [`StoreError`].
pub async fn search(
    db: &mut AnyConnection,
    words: &[String],
    list_id: Option<&str>,
    limit: i64,
) -> Result<Vec<Person>> {
    // The words stand in order in the stored text as often as not, so each is looked for by itself;
    // four are enough to tell people apart.
    let pattern = |n: usize| format!("%{}%", words.get(n).map_or("", String::as_str));
    let sql = format!(
        "SELECT {COLUMNS} FROM person WHERE search LIKE $1 AND search LIKE $2 AND search LIKE $3 AND search LIKE $4 \
         AND ($5 = '' OR EXISTS (SELECT 1 FROM person_list l WHERE l.person_id = person.person_id AND l.list_id = $6)) \
         ORDER BY search, person.person_id LIMIT $7"
    );
    let list_id = list_id.unwrap_or_default();
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(pattern(0))
        .bind(pattern(1))
        .bind(pattern(2))
        .bind(pattern(3))
        .bind(list_id)
        .bind(list_id)
        .bind(limit.min(SEARCH_ROWS))
        .fetch_all(db)
        .await?)
}

/// The person whose id this is, or begins or ends so: people who were imported together have the same
/// beginning, so tables show the end.
///
/// # Errors
/// [`StoreError`].
pub async fn by_id(db: &mut AnyConnection, part: &str) -> Result<Found> {
    let whole: Option<String> =
        sqlx::query_scalar("SELECT person_id FROM person WHERE person_id = $1")
            .bind(part)
            .fetch_optional(&mut *db)
            .await?;
    if let Some(id) = whole {
        return Ok(Found::One(id));
    }
    let sql = "SELECT person_id FROM person WHERE person_id LIKE $1 OR person_id LIKE $2 LIMIT 2";
    let ids: Vec<String> = sqlx::query_scalar(sql)
        .bind(format!("{part}%"))
        .bind(format!("%{part}"))
        .fetch_all(db)
        .await?;
    Ok(only(ids))
}

/// The people whose whole name is this folded text.
///
/// # Errors
/// [`StoreError`].
pub async fn by_whole_name(db: &mut AnyConnection, folded: &str) -> Result<Found> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT person_id FROM person WHERE search LIKE $1 LIMIT 2")
            .bind(format!("{folded} |%"))
            .fetch_all(db)
            .await?;
    Ok(only(ids))
}

fn only(mut ids: Vec<String>) -> Found {
    match (ids.pop(), ids.is_empty()) {
        (Some(id), true) => Found::One(id),
        (Some(_), false) => Found::Several,
        (None, _) => Found::Nobody,
    }
}

/// People with the same normalized names and postal code.
///
/// # Errors
/// [`StoreError`].
pub async fn by_name_postal(db: &mut AnyConnection, name_postal: &str) -> Result<Vec<Person>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM person WHERE name_postal = $1 ORDER BY created_at, person_id LIMIT 50"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(name_postal)
        .fetch_all(db)
        .await?)
}

/// People who are reached at a contact point or have it as a key, oldest first; at most 200.
///
/// # Errors
/// [`StoreError`].
pub async fn at_point(
    db: &mut AnyConnection,
    class: i64,
    kind: &str,
    value: &str,
) -> Result<Vec<Person>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM person JOIN person_point pp ON pp.person_id = person.person_id \
         JOIN point p ON p.point_id = pp.point_id WHERE p.class = $1 AND p.kind = $2 AND p.value = $3 \
         ORDER BY person.created_at, person.person_id LIMIT 200"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(class)
        .bind(kind)
        .bind(value)
        .fetch_all(db)
        .await?)
}

/// Writes new people.
///
/// # Errors
/// [`StoreError`].
pub async fn insert_all(db: &mut AnyConnection, people: &[Person]) -> Result<()> {
    for chunk in people.chunks(rows::CHUNK) {
        let sql = format!(
            "INSERT INTO person (given, middle, surname, suffix, birth_date, birth_year, voter_state, voter_id, \
             address, source, basis, partisan, never_share, minor, tags, answers, extra, search, name_postal, seen_import, \
             created_at, updated_at, person_id) VALUES {}",
            rows::places(chunk.len(), 23)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for person in chunk {
            query = bind(query, person)?;
        }
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// Writes a person anew, by its id.
///
/// # Errors
/// [`StoreError`].
pub async fn update(db: &mut AnyConnection, person: &Person) -> Result<()> {
    let sql = "UPDATE person SET given = $1, middle = $2, surname = $3, suffix = $4, birth_date = $5, birth_year = $6, \
        voter_state = $7, voter_id = $8, address = $9, source = $10, basis = $11, partisan = $12, never_share = $13, \
        minor = $14, tags = $15, answers = $16, extra = $17, search = $18, name_postal = $19, seen_import = $20, \
        created_at = $21, updated_at = $22 WHERE person_id = $23";
    bind(sqlx::query(sql), person)?.execute(db).await?;
    Ok(())
}

/// Notes that an import named a person, which is no change of the person.
///
/// # Errors
/// [`StoreError`].
pub async fn seen(db: &mut AnyConnection, person_id: &str, import_id: &str) -> Result<()> {
    sqlx::query("UPDATE person SET seen_import = $1 WHERE person_id = $2")
        .bind(import_id)
        .bind(person_id)
        .execute(db)
        .await?;
    Ok(())
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn bind<'q>(query: Query<'q>, person: &Person) -> Result<Query<'q>> {
    Ok(query
        .bind(person.given.clone())
        .bind(person.middle.clone())
        .bind(person.surname.clone())
        .bind(person.suffix.clone())
        .bind(person.birth_date.clone())
        .bind(person.birth_year)
        .bind(person.voter_state.clone())
        .bind(person.voter_id.clone())
        .bind(text(&person.address)?)
        .bind(person.source.clone())
        .bind(person.basis.clone())
        .bind(i64::from(person.partisan))
        .bind(i64::from(person.never_share))
        .bind(i64::from(person.minor))
        .bind(text(&person.tags)?)
        .bind(text(&person.answers)?)
        .bind(text(&person.extra)?)
        .bind(person.search.clone())
        .bind(person.name_postal.clone())
        .bind(person.seen_import.clone())
        .bind(person.created_at)
        .bind(person.updated_at)
        .bind(person.person_id.clone()))
}

/// Which of these normalized names and postal codes people of the node have.
///
/// # Errors
/// [`StoreError`].
pub async fn known_name_postals(db: &mut AnyConnection, keys: &[&str]) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT DISTINCT name_postal FROM person WHERE name_postal IN ({})",
        rows::wanted(0)
    );
    let mut all = Vec::new();
    for chunk in rows::padded(keys) {
        let query = sqlx::query_scalar(AssertSqlSafe(sql.clone()));
        let query = chunk
            .into_iter()
            .fold(query, |query, key| query.bind(key.to_owned()));
        all.extend(query.fetch_all(&mut *db).await?);
    }
    Ok(all)
}

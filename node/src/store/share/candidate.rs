//! People of the lists with everything that decides whether they may be shared.

use super::super::Result;
use protocol::{channel::Channel, entry::payload::Channels, token::Token};
use sqlx::{AnyConnection, Row, any::AnyRow};
use std::collections::BTreeMap;

/// People of one page.
pub const PAGE: usize = 1_000;

/// A person, with contact points, consent and what stands against sharing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Candidate {
    /// Local id; never leaves.
    pub person: String,
    /// Given name, middle name, surname, suffix.
    pub name: [String; 4],
    /// ISO date of birth.
    pub birth_date: Option<String>,
    /// Year of birth, where only that is known.
    pub birth_year: Option<i64>,
    /// JSON: the address as the file had it.
    pub address: String,
    /// Word of the policy vocabulary.
    pub source: String,
    /// Word of the policy vocabulary, or `unknown`.
    pub basis: String,
    /// A partisan tag or party field was seen.
    pub partisan: bool,
    /// The row says that it must not be shared.
    pub never_share: bool,
    /// Known to be under 18.
    pub minor: bool,
    /// JSON list.
    pub tags: String,
    /// JSON object.
    pub answers: String,
    /// Doors, phones, e-mail addresses and person keys.
    pub points: Vec<Point>,
    /// Consent records as JSON, the latest first.
    pub consents: Vec<String>,
    /// Channels on which the organization itself has noted a wish not to be contacted.
    pub suppressed: Channels,
    /// When the person last took back what was shared.
    pub recalled_at: Option<i64>,
}

/// A contact point or key of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// 0 door, 1 phone, 2 e-mail, 3 person key.
    pub class: i64,
    /// Normalized.
    pub value: String,
    /// Mobile, home, ...
    pub label: String,
    /// Known not to reach the person.
    pub bad: bool,
    /// Its match token, once computed.
    pub token: Option<Token>,
}

/// Which people.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// The next page of a list, after a person; empty text begins.
    List {
        /// The list.
        list: &'a str,
        /// The last person of the page before.
        after: &'a str,
    },
    /// One person.
    Person(&'a str),
}

/// What a wish not to be contacted is noted as; the others are defects of a contact point.
const WISHES: &str = "('do_not_contact', 'opt_out', 'deceased')";

/// A page of people in a stable order.
///
/// # Errors
/// [`super::StoreError`].
pub async fn page(db: &mut AnyConnection, scope: Scope<'_>) -> Result<Vec<Candidate>> {
    let columns = "x.person_id, x.given, x.middle, x.surname, x.suffix, x.birth_date, x.birth_year, x.address, \
        x.source, x.basis, x.partisan, x.never_share, x.minor, x.tags, x.answers, \
        (SELECT r.at FROM recalled r WHERE r.person_id = x.person_id) AS recalled_at";
    let (condition, first, second) = match scope {
        Scope::List { list, after } => (
            "EXISTS (SELECT 1 FROM person_list l WHERE l.list_id = $1 AND l.person_id = x.person_id) \
             AND x.person_id > $2",
            list,
            after,
        ),
        Scope::Person(person) => ("x.person_id = $1 AND x.person_id = $2", person, person),
    };
    let sql = format!(
        "SELECT {columns} FROM person x WHERE {condition} ORDER BY x.person_id LIMIT {PAGE}"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(first)
        .bind(second)
        .fetch_all(&mut *db)
        .await?;
    let mut people: Vec<Candidate> = rows.iter().map(read).collect::<Result<_>>()?;
    let Some(last) = people.last().map(|person| person.person.clone()) else {
        return Ok(people);
    };
    let condition = format!("{condition} AND x.person_id <= $3");
    let places: BTreeMap<String, usize> = people
        .iter()
        .enumerate()
        .map(|(n, person)| (person.person.clone(), n))
        .collect();
    let bounds = Bounds {
        condition: &condition,
        first,
        second,
        last: &last,
    };
    points(db, &bounds, &places, &mut people).await?;
    consents(db, &bounds, &places, &mut people).await?;
    suppressions(db, &bounds, &places, &mut people).await?;
    Ok(people)
}

/// The same people again, for the tables that belong to them.
struct Bounds<'a> {
    condition: &'a str,
    first: &'a str,
    second: &'a str,
    last: &'a str,
}

impl Bounds<'_> {
    async fn fetch(
        &self,
        db: &mut AnyConnection,
        select: &str,
        order: &str,
    ) -> Result<Vec<AnyRow>> {
        let sql = format!("{select} WHERE {} {order}", self.condition);
        Ok(sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(self.first)
            .bind(self.second)
            .bind(self.last)
            .fetch_all(db)
            .await?)
    }
}

async fn points(
    db: &mut AnyConnection,
    bounds: &Bounds<'_>,
    places: &BTreeMap<String, usize>,
    people: &mut [Candidate],
) -> Result<()> {
    // A contact point with a known defect does not reach the person.
    let select = "SELECT x.person_id, p.class, p.value, p.token, x.label, x.bad, \
        (SELECT COUNT(*) FROM suppression s WHERE s.point_id = p.point_id AND s.withdrawn_at IS NULL \
         AND s.reason IN ('defect', 'moved')) AS defects \
        FROM person_point x JOIN point p ON p.point_id = x.point_id";
    for row in bounds
        .fetch(&mut *db, select, "ORDER BY x.rank, p.point_id")
        .await?
    {
        let Some(person) = place(&row, places, people)? else {
            continue;
        };
        let token: Option<Vec<u8>> = row.try_get("token")?;
        person.points.push(Point {
            class: row.try_get("class")?,
            value: row.try_get("value")?,
            label: row.try_get("label")?,
            bad: row.try_get::<i64, _>("bad")? != 0 || row.try_get::<i64, _>("defects")? != 0,
            token: token
                .map(|token| super::sixteen("point", token).map(Token))
                .transpose()?,
        });
    }
    Ok(())
}

async fn consents(
    db: &mut AnyConnection,
    bounds: &Bounds<'_>,
    places: &BTreeMap<String, usize>,
    people: &mut [Candidate],
) -> Result<()> {
    let select = "SELECT x.person_id, x.record FROM consent x";
    for row in bounds
        .fetch(&mut *db, select, "ORDER BY x.updated_at DESC, x.record_id")
        .await?
    {
        if let Some(person) = place(&row, places, people)? {
            person.consents.push(row.try_get("record")?);
        }
    }
    Ok(())
}

async fn suppressions(
    db: &mut AnyConnection,
    bounds: &Bounds<'_>,
    places: &BTreeMap<String, usize>,
    people: &mut [Candidate],
) -> Result<()> {
    let of_person = format!(
        "SELECT x.person_id, x.channels, x.deceased FROM (SELECT * FROM suppression WHERE withdrawn_at IS NULL \
         AND person_id IS NOT NULL AND reason IN {WISHES}) x"
    );
    let of_point = format!(
        "SELECT x.person_id, s.channels, s.deceased FROM person_point x JOIN (SELECT * FROM suppression \
         WHERE withdrawn_at IS NULL AND reason IN {WISHES}) s ON s.point_id = x.point_id"
    );
    for select in [of_person, of_point] {
        for row in bounds.fetch(&mut *db, &select, "").await? {
            let Some(person) = place(&row, places, people)? else {
                continue;
            };
            let channels = u8::try_from(row.try_get::<i64, _>("channels")?).unwrap_or(u8::MAX);
            let deceased = row.try_get::<i64, _>("deceased")? != 0;
            let added = if deceased {
                Channels::EVERY
            } else {
                Channels(channels)
            };
            person.suppressed = person.suppressed.with(added);
        }
    }
    Ok(())
}

fn place<'p>(
    row: &AnyRow,
    places: &BTreeMap<String, usize>,
    people: &'p mut [Candidate],
) -> Result<Option<&'p mut Candidate>> {
    let person: String = row.try_get("person_id")?;
    Ok(places.get(&person).and_then(|n| people.get_mut(*n)))
}

fn read(row: &AnyRow) -> Result<Candidate> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let mark = |column: &str| row.try_get::<i64, _>(column).map(|mark| mark != 0);
    Ok(Candidate {
        person: text("person_id")?,
        name: [
            text("given")?,
            text("middle")?,
            text("surname")?,
            text("suffix")?,
        ],
        birth_date: row.try_get("birth_date")?,
        birth_year: row.try_get("birth_year")?,
        address: text("address")?,
        source: text("source")?,
        basis: text("basis")?,
        partisan: mark("partisan")?,
        never_share: mark("never_share")?,
        minor: mark("minor")?,
        tags: text("tags")?,
        answers: text("answers")?,
        recalled_at: row.try_get("recalled_at")?,
        ..Candidate::default()
    })
}

/// The list of a name.
///
/// # Errors
/// [`super::StoreError`].
pub async fn list(db: &mut AnyConnection, name: &str) -> Result<Option<String>> {
    Ok(
        sqlx::query_scalar("SELECT list_id FROM list WHERE name = $1 OR list_id = $1")
            .bind(name)
            .fetch_optional(db)
            .await?,
    )
}

/// Names of all lists, for telling people what there is.
///
/// # Errors
/// [`super::StoreError`].
pub async fn list_names(db: &mut AnyConnection) -> Result<Vec<String>> {
    Ok(
        sqlx::query_scalar("SELECT name FROM list ORDER BY name LIMIT 50")
            .fetch_all(db)
            .await?,
    )
}

/// Whom this organization itself has noted as not to be contacted, by token: on receiving, too.
///
/// # Errors
/// [`super::StoreError`].
pub async fn is_suppressed(db: &mut AnyConnection, token: Token, channel: Channel) -> Result<bool> {
    let sql = format!(
        "SELECT s.channels, s.deceased FROM point p JOIN suppression s ON s.point_id = p.point_id \
         WHERE p.token = $1 AND s.withdrawn_at IS NULL AND s.reason IN {WISHES}"
    );
    let found: Vec<(i64, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(token.0.to_vec())
        .fetch_all(db)
        .await?;
    Ok(found.into_iter().any(|(channels, deceased)| {
        deceased != 0 || Channels(u8::try_from(channels).unwrap_or(u8::MAX)).has(channel)
    }))
}

/// Local ids that a reference may mean: a person's id, or `system:value` of a source.
///
/// # Errors
/// [`super::StoreError`].
pub async fn find(db: &mut AnyConnection, reference: &str) -> Result<Vec<String>> {
    let exact: Vec<String> = sqlx::query_scalar(
        "SELECT person_id FROM person WHERE person_id = $1 UNION SELECT person_id FROM disclosure WHERE person_id = $1",
    )
    .bind(reference)
    .fetch_all(&mut *db)
    .await?;
    if !exact.is_empty() {
        return Ok(exact);
    }
    let Some((system, value)) = reference.split_once(':') else {
        return Ok(Vec::new());
    };
    Ok(sqlx::query_scalar(
        "SELECT person_id FROM person_identifier WHERE system = $1 AND value = $2",
    )
    .bind(system)
    .bind(value)
    .fetch_all(db)
    .await?)
}

/// A person's consent records: id and JSON.
///
/// # Errors
/// [`super::StoreError`].
pub async fn records(db: &mut AnyConnection, person: &str) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as(
        "SELECT record_id, record FROM consent WHERE person_id = $1 ORDER BY record_id",
    )
    .bind(person)
    .fetch_all(db)
    .await?)
}

/// Writes a consent record back.
///
/// # Errors
/// [`super::StoreError`].
pub async fn put_record(
    db: &mut AnyConnection,
    record_id: &str,
    record: &str,
    now: i64,
) -> Result<()> {
    sqlx::query("UPDATE consent SET record = $1, updated_at = $2 WHERE record_id = $3")
        .bind(record)
        .bind(now)
        .bind(record_id)
        .execute(db)
        .await?;
    Ok(())
}

/// Notes that a person took back what was shared; the later moment stands.
///
/// # Errors
/// [`super::StoreError`].
pub async fn recall(db: &mut AnyConnection, person: &str, kind: &str, at: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO recalled (person_id, kind, at) VALUES ($1, $2, $3) \
         ON CONFLICT (person_id) DO UPDATE SET kind = excluded.kind, at = excluded.at",
    )
    .bind(person)
    .bind(kind)
    .bind(at)
    .execute(db)
    .await?;
    Ok(())
}

/// How many people took something back since a moment.
///
/// # Errors
/// [`super::StoreError`].
pub async fn recalled_since(db: &mut AnyConnection, at: i64) -> Result<i64> {
    Ok(
        sqlx::query_scalar("SELECT COUNT(*) FROM recalled WHERE at >= $1")
            .bind(at)
            .fetch_one(db)
            .await?,
    )
}

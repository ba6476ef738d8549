//! Which contact points reach which persons of the organization, and what tokens they have.

use super::{Result, StoreError, point::token_class};
use protocol::token::{Class, Normalized, Token};
use sqlx::{AnyConnection, Row, any::AnyRow};

/// A contact point or person key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Its id.
    pub point_id: String,
    /// Its class.
    pub class: Class,
    /// Its kind.
    pub kind: String,
    /// Its normalized value.
    pub value: String,
    /// As people read it.
    pub display: String,
    /// Doors: the street, for walking order.
    pub street: String,
    /// Doors: the house number, for walking order.
    pub number: i64,
    /// Its token of the generation that was asked for.
    pub token: Option<Token>,
    /// Its token of the generation before, while that counts.
    pub before: Option<Token>,
}

impl Point {
    /// Every token by which something may have been said about it.
    pub fn tokens(&self) -> impl Iterator<Item = Token> {
        [self.token, self.before].into_iter().flatten()
    }
}

/// A point and a person whom it reaches.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The point.
    pub point: Point,
    /// The person.
    pub person_id: String,
}

// `+ 0` keeps SQLite from reading all points of a class or generation where a token, a list or a
// person leads to a few.
const POINT: &str = "p.point_id, p.class, p.kind, p.value, p.display, p.street, p.number, p.generation, p.token, \
                     p.old_token";

fn read(row: &AnyRow, generation: u32) -> Result<Point> {
    let class = token_class("point", row.try_get("class")?)?;
    let current = row.try_get::<Option<i64>, _>("generation")? == Some(i64::from(generation));
    let now = row.try_get::<Option<Vec<u8>>, _>("token")?;
    let old = row.try_get::<Option<Vec<u8>>, _>("old_token")?;
    // A point that waits for its new token is still known by the one that it has.
    let before = if current { old } else { now.clone() };
    let token = |bytes: Option<Vec<u8>>| bytes.map(|bytes| token(&bytes)).transpose();
    let before = token(before)?;
    let token = token(now.filter(|_| current))?;
    Ok(Point {
        point_id: row.try_get("point_id")?,
        class,
        kind: row.try_get("kind")?,
        value: row.try_get("value")?,
        display: row.try_get("display")?,
        street: row.try_get("street")?,
        number: row.try_get("number")?,
        token,
        before,
    })
}

fn token(bytes: &[u8]) -> Result<Token> {
    let bytes = bytes
        .try_into()
        .map_err(|_| StoreError::damaged("point", "token"))?;
    Ok(Token(bytes))
}

/// Where the persons of a list are reached: of each the best point of the class that is not bad.
///
/// # Errors
/// [`StoreError`].
pub async fn of_list(
    db: &mut AnyConnection,
    list_id: &str,
    class: Class,
    generation: u32,
) -> Result<Vec<Reach>> {
    let sql = format!(
        "SELECT {POINT}, pp.person_id FROM person_list l \
         JOIN person_point pp ON pp.person_id = l.person_id \
         JOIN point p ON p.point_id = pp.point_id \
         WHERE l.list_id = $1 AND p.class + 0 = $2 AND pp.bad = 0 \
         ORDER BY pp.person_id, pp.rank, p.point_id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(list_id)
        .bind(class as i64)
        .fetch_all(db)
        .await?;
    best(&rows, generation)
}

/// The match tokens of everybody on a list, every one that counts: of person keys, and of contact points
/// that are not bad.
///
/// # Errors
/// [`StoreError`].
pub async fn tokens_of_list(
    db: &mut AnyConnection,
    list_id: &str,
    generation: u32,
) -> Result<Vec<(String, Class, Token)>> {
    let sql = format!(
        "SELECT {POINT}, pp.person_id FROM person_list l \
         JOIN person_point pp ON pp.person_id = l.person_id \
         JOIN point p ON p.point_id = pp.point_id \
         WHERE l.list_id = $1 AND (pp.bad = 0 OR p.class + 0 = 3)"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(list_id)
        .fetch_all(db)
        .await?;
    Ok(known(reaches(&rows, generation)?))
}

/// Where everybody on any list is reached, as [`of_list`].
///
/// # Errors
/// [`StoreError`].
pub async fn of_everybody(
    db: &mut AnyConnection,
    class: Class,
    generation: u32,
) -> Result<Vec<Reach>> {
    let sql = format!(
        "SELECT {POINT}, pp.person_id FROM person_point pp \
         JOIN point p ON p.point_id = pp.point_id \
         WHERE p.class = $1 AND pp.bad = 0 \
         AND EXISTS (SELECT 1 FROM person_list l WHERE l.person_id = pp.person_id) \
         ORDER BY pp.person_id, pp.rank, p.point_id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(class as i64)
        .fetch_all(db)
        .await?;
    best(&rows, generation)
}

/// As [`tokens_of_list`], of everybody on any list.
///
/// # Errors
/// [`StoreError`].
pub async fn tokens_of_everybody(
    db: &mut AnyConnection,
    generation: u32,
) -> Result<Vec<(String, Class, Token)>> {
    let sql = format!(
        "SELECT {POINT}, pp.person_id FROM person_point pp \
         JOIN point p ON p.point_id = pp.point_id WHERE pp.bad = 0 OR p.class = 3"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(db).await?;
    Ok(known(reaches(&rows, generation)?))
}

/// Whose token of what class each is.
fn known(reaches: Vec<Reach>) -> Vec<(String, Class, Token)> {
    let mut known = Vec::new();
    for reach in reaches {
        let class = reach.point.class;
        let tokens = reach.point.tokens();
        known.extend(tokens.map(|token| (reach.person_id.clone(), class, token)));
    }
    known
}

/// How many people are on any list.
///
/// # Errors
/// [`StoreError`].
pub async fn people(db: &mut AnyConnection) -> Result<u64> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(DISTINCT person_id) FROM person_list")
        .fetch_one(db)
        .await?;
    Ok(super::natural(count))
}

/// Of rows by person and rank the first of each person, by point.
///
/// A query that looked for the first would look each person up once more.
fn best(rows: &[AnyRow], generation: u32) -> Result<Vec<Reach>> {
    let mut best = reaches(rows, generation)?;
    best.dedup_by(|later, first| later.person_id == first.person_id);
    best.sort_unstable_by(|a, b| {
        (&a.point.point_id, &a.person_id).cmp(&(&b.point.point_id, &b.person_id))
    });
    Ok(best)
}

fn reaches(rows: &[AnyRow], generation: u32) -> Result<Vec<Reach>> {
    rows.iter()
        .map(|row| {
            Ok(Reach {
                point: read(row, generation)?,
                person_id: row.try_get("person_id")?,
            })
        })
        .collect()
}

/// Every point of a person, bad ones left out, the one to use first in front.
///
/// # Errors
/// [`StoreError`].
pub async fn of_person(
    db: &mut AnyConnection,
    person_id: &str,
    generation: u32,
) -> Result<Vec<Point>> {
    let sql = format!(
        "SELECT {POINT} FROM person_point pp JOIN point p ON p.point_id = pp.point_id \
         WHERE pp.person_id = $1 AND pp.bad = 0 ORDER BY pp.rank, p.point_id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(person_id)
        .fetch_all(db)
        .await?;
    rows.iter().map(|row| read(row, generation)).collect()
}

/// The persons whom a point reaches.
///
/// # Errors
/// [`StoreError`].
pub async fn people_at(db: &mut AnyConnection, point_id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT person_id FROM person_point WHERE point_id = $1 AND bad = 0 ORDER BY person_id",
    )
    .bind(point_id)
    .fetch_all(db)
    .await?)
}

/// A point by its value.
///
/// # Errors
/// [`StoreError`].
pub async fn by_value(
    db: &mut AnyConnection,
    value: &Normalized,
    generation: u32,
) -> Result<Option<Point>> {
    let sql =
        format!("SELECT {POINT} FROM point p WHERE p.class = $1 AND p.kind = $2 AND p.value = $3");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(value.kind().class() as i64)
        .bind(value.kind().name())
        .bind(value.value())
        .fetch_optional(db)
        .await?;
    row.map(|row| read(&row, generation)).transpose()
}

/// A point by its id.
///
/// # Errors
/// [`StoreError`].
pub async fn by_id(
    db: &mut AnyConnection,
    point_id: &str,
    generation: u32,
) -> Result<Option<Point>> {
    let sql = format!("SELECT {POINT} FROM point p WHERE p.point_id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(point_id)
        .fetch_optional(db)
        .await?;
    row.map(|row| read(&row, generation)).transpose()
}

/// The point that has a token, of whichever generation.
///
/// # Errors
/// [`StoreError`].
pub async fn by_token(
    db: &mut AnyConnection,
    token: Token,
    generation: u32,
) -> Result<Option<Point>> {
    let sql = format!("SELECT {POINT} FROM point p WHERE p.token = $1 OR p.old_token = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(token.0.as_slice())
        .fetch_optional(db)
        .await?;
    row.map(|row| read(&row, generation)).transpose()
}

/// The ids of everybody on a list.
///
/// # Errors
/// [`StoreError`].
pub async fn people_of_list(
    db: &mut AnyConnection,
    list_id: &str,
) -> Result<std::collections::BTreeSet<String>> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT person_id FROM person_list WHERE list_id = $1")
            .bind(list_id)
            .fetch_all(db)
            .await?;
    Ok(ids.into_iter().collect())
}

/// Those of a list whom a contact point reaches.
///
/// # Errors
/// [`StoreError`].
pub async fn people_of_list_at(
    db: &mut AnyConnection,
    list_id: &str,
    point_id: &str,
) -> Result<std::collections::BTreeSet<String>> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT l.person_id FROM person_point pp JOIN person_list l ON l.person_id = pp.person_id \
         WHERE pp.point_id = $1 AND l.list_id = $2",
    )
    .bind(point_id)
    .bind(list_id)
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().collect())
}

/// Every point of a person, those that are bad for reaching it included.
///
/// # Errors
/// [`StoreError`].
pub async fn all_of_person(
    db: &mut AnyConnection,
    person_id: &str,
    generation: u32,
) -> Result<Vec<Point>> {
    let sql = format!(
        "SELECT {POINT} FROM person_point pp JOIN point p ON p.point_id = pp.point_id \
         WHERE pp.person_id = $1 ORDER BY pp.rank, p.point_id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(person_id)
        .fetch_all(db)
        .await?;
    rows.iter().map(|row| read(row, generation)).collect()
}

/// The id under which a point is stored, if it is.
///
/// # Errors
/// [`StoreError`].
pub async fn id_of(db: &mut AnyConnection, point: &super::point::Point) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT point_id FROM point WHERE class = $1 AND kind = $2 AND value = $3",
    )
    .bind(point.class)
    .bind(&point.kind)
    .bind(&point.value)
    .fetch_optional(db)
    .await?)
}

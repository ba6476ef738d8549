//! Contact points and person keys: what match tokens are computed from.

use super::{Result, StoreError, rows};
use protocol::{
    channel::Channel,
    token::{Class, Token},
};
use sqlx::{AnyConnection, AssertSqlSafe, FromRow, Row, any::AnyRow};

/// The class of doors.
pub const DOOR: i64 = 0;
/// The class of phone numbers.
pub const PHONE: i64 = 1;
/// The class of e-mail addresses.
pub const EMAIL: i64 = 2;
/// The class of keys that stand for a person.
pub const PERSON: i64 = 3;

/// The class of the contact points of a channel.
#[must_use]
pub fn class_of(channel: Channel) -> i64 {
    match channel {
        Channel::Door => DOOR,
        Channel::Phone | Channel::Text => PHONE,
        Channel::Email => EMAIL,
    }
}

/// The class that a table names by its number.
pub(super) fn token_class(table: &'static str, number: i64) -> Result<Class> {
    let class = usize::try_from(number).ok().and_then(|n| Class::ALL.get(n));
    class
        .copied()
        .ok_or_else(|| StoreError::damaged(table, "class"))
}

/// A contact point or person key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Point {
    /// Base32, random.
    pub point_id: String,
    /// [`DOOR`], [`PHONE`], [`EMAIL`] or [`PERSON`].
    pub class: i64,
    /// `door`, `phone`, `email`, `voter_id`, `ns_dob_postal` or `name_door`.
    pub kind: String,
    /// Normalized.
    pub value: String,
    /// As people read it.
    pub display: String,
    /// Doors: the street and what tells it from another of its name, for walking order.
    pub street: String,
    /// Doors: the house number, for walking order.
    pub number: i64,
    /// Its match token for the ground, once it was computed.
    pub token: Option<Token>,
}

/// A point as one person has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonPoint {
    /// The person.
    pub person_id: String,
    /// The point.
    pub point: Point,
    /// `mobile`, `home`, `work`, `registered` or empty.
    pub label: String,
    /// 0 is the one to use first within its class.
    pub rank: i64,
    /// Known not to reach the person.
    pub bad: bool,
}

/// A contact point of a list on a channel, and how many people of the list are reached there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPoint {
    /// The point.
    pub point: Point,
    /// How many people of the list.
    pub people: i64,
}

const COLUMNS: &str =
    "p.point_id, p.class, p.kind, p.value, p.display, p.street, p.number, p.token";

impl FromRow<'_, AnyRow> for Point {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let token: Option<Vec<u8>> = row.try_get("token")?;
        let token = token.map(<[u8; 16]>::try_from).transpose();
        let token = token.map_err(|_| sqlx::Error::ColumnDecode {
            index: "token".to_owned(),
            source: "a token has 16 bytes".into(),
        })?;
        Ok(Self {
            point_id: row.try_get("point_id")?,
            class: row.try_get("class")?,
            kind: row.try_get("kind")?,
            value: row.try_get("value")?,
            display: row.try_get("display")?,
            street: row.try_get("street")?,
            number: row.try_get("number")?,
            token: token.map(Token),
        })
    }
}

impl FromRow<'_, AnyRow> for PersonPoint {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            person_id: row.try_get("person_id")?,
            point: Point::from_row(row)?,
            label: row.try_get("label")?,
            rank: row.try_get("rank")?,
            bad: row.try_get::<i64, _>("bad")? != 0,
        })
    }
}

impl FromRow<'_, AnyRow> for ListPoint {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            point: Point::from_row(row)?,
            people: row.try_get("people")?,
        })
    }
}

/// The ids of points that are known, by their values.
///
/// # Errors
/// [`StoreError`].
pub async fn known(
    db: &mut AnyConnection,
    class: i64,
    kind: &str,
    values: &[&str],
) -> Result<Vec<(String, String)>> {
    let sql = format!(
        "SELECT value, point_id FROM point WHERE class = $1 AND kind = $2 AND value IN ({})",
        rows::wanted(2)
    );
    let mut all = Vec::new();
    for chunk in rows::padded(values) {
        let query = sqlx::query_as(AssertSqlSafe(sql.clone()));
        let query = query.bind(class).bind(kind.to_owned());
        let query = chunk
            .into_iter()
            .fold(query, |query, value| query.bind(value.to_owned()));
        all.extend(query.fetch_all(&mut *db).await?);
    }
    Ok(all)
}

/// Finds a point by what it is, or writes it; the id that it has.
///
/// # Errors
/// [`StoreError`].
pub async fn put(db: &mut AnyConnection, point: &Point) -> Result<String> {
    let known = known(db, point.class, &point.kind, &[&point.value]).await?;
    if let Some((_, id)) = known.into_iter().next() {
        return Ok(id);
    }
    insert_all(db, std::slice::from_ref(point)).await?;
    Ok(point.point_id.clone())
}

/// Writes new points.
///
/// # Errors
/// [`StoreError`]; a unique violation when one is known.
pub async fn insert_all(db: &mut AnyConnection, points: &[Point]) -> Result<()> {
    for chunk in points.chunks(rows::CHUNK) {
        let sql = format!(
            "INSERT INTO point (point_id, class, kind, value, display, street, number) VALUES {}",
            rows::places(chunk.len(), 7)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for point in chunk {
            query = query
                .bind(&point.point_id)
                .bind(point.class)
                .bind(&point.kind)
                .bind(&point.value)
                .bind(&point.display)
                .bind(&point.street)
                .bind(point.number);
        }
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// Gives people points, or changes how they have them; each pair of person and point once.
///
/// # Errors
/// [`StoreError`].
pub async fn attach_all(db: &mut AnyConnection, points: &[PersonPoint]) -> Result<()> {
    for chunk in points.chunks(rows::CHUNK) {
        let sql = format!(
            "INSERT INTO person_point (person_id, point_id, label, rank, bad) VALUES {} \
             ON CONFLICT (person_id, point_id) DO UPDATE SET label = excluded.label, rank = excluded.rank, bad = excluded.bad",
            rows::places(chunk.len(), 5)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for point in chunk {
            query = query
                .bind(&point.person_id)
                .bind(&point.point.point_id)
                .bind(&point.label)
                .bind(point.rank)
                .bind(i64::from(point.bad));
        }
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// Marks that a point does not reach a person; false when that was known.
///
/// # Errors
/// [`StoreError`].
pub async fn mark_bad(db: &mut AnyConnection, person_id: &str, point_id: &str) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE person_point SET bad = 1 WHERE person_id = $1 AND point_id = $2 AND bad = 0",
    )
    .bind(person_id)
    .bind(point_id)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The point with an id.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection, point_id: &str) -> Result<Option<Point>> {
    let sql = format!("SELECT {COLUMNS} FROM point p WHERE p.point_id = $1");
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(point_id)
        .fetch_optional(db)
        .await?)
}

/// Every point of a person: contact points by class and rank, then keys.
///
/// # Errors
/// [`StoreError`].
pub async fn of_person(db: &mut AnyConnection, person_id: &str) -> Result<Vec<PersonPoint>> {
    let sql = format!(
        "SELECT {COLUMNS}, pp.person_id, pp.label, pp.rank, pp.bad FROM person_point pp \
         JOIN point p ON p.point_id = pp.point_id WHERE pp.person_id = $1 ORDER BY p.class, pp.rank, p.point_id"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(person_id)
        .fetch_all(db)
        .await?)
}

/// Every point of the people of a list whose ids lie between two, both included.
///
/// # Errors
/// [`StoreError`].
pub async fn of_page(
    db: &mut AnyConnection,
    list_id: &str,
    first: &str,
    last: &str,
) -> Result<Vec<PersonPoint>> {
    let sql = format!(
        "SELECT {COLUMNS}, pp.person_id, pp.label, pp.rank, pp.bad FROM person_list l \
         JOIN person_point pp ON pp.person_id = l.person_id JOIN point p ON p.point_id = pp.point_id \
         WHERE l.list_id = $1 AND l.person_id >= $2 AND l.person_id <= $3 \
         ORDER BY pp.person_id, p.class, pp.rank, p.point_id"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(list_id)
        .bind(first)
        .bind(last)
        .fetch_all(db)
        .await?)
}

/// The contact points of a list on a channel: of each person the best one that is not bad, each
/// point once, doors in walking order.
///
/// # Errors
/// [`StoreError`].
pub async fn of_list(
    db: &mut AnyConnection,
    list_id: &str,
    channel: Channel,
) -> Result<Vec<ListPoint>> {
    let sql = format!(
        "SELECT {COLUMNS}, COUNT(*) AS people FROM person_list l \
         JOIN person_point pp ON pp.person_id = l.person_id JOIN point p ON p.point_id = pp.point_id \
         WHERE l.list_id = $1 AND p.class = $2 AND pp.bad = 0 AND NOT EXISTS ( \
           SELECT 1 FROM person_point o JOIN point q ON q.point_id = o.point_id \
           WHERE o.person_id = pp.person_id AND q.class = p.class AND o.bad = 0 \
             AND (o.rank < pp.rank OR (o.rank = pp.rank AND o.point_id < pp.point_id))) \
         GROUP BY {COLUMNS} ORDER BY p.street, p.number, p.display, p.point_id"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(list_id)
        .bind(class_of(channel))
        .fetch_all(db)
        .await?)
}

/// The point with a token.
///
/// # Errors
/// [`StoreError`].
pub async fn by_token(db: &mut AnyConnection, token: Token) -> Result<Option<Point>> {
    let sql = format!("SELECT {COLUMNS} FROM point p WHERE p.token = $1");
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(token.0.to_vec())
        .fetch_optional(db)
        .await?)
}

/// How many points there are, and how many of them have a token.
///
/// # Errors
/// [`StoreError`].
pub async fn counts(db: &mut AnyConnection) -> Result<(i64, i64), StoreError> {
    Ok(sqlx::query_as("SELECT COUNT(*), COUNT(token) FROM point")
        .fetch_one(db)
        .await?)
}

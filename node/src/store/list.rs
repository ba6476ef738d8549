//! Lists of people.

use super::{Result, rows};
use sqlx::{AnyConnection, AssertSqlSafe, FromRow, Row, any::AnyRow};

/// A list and how many people are on it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct List {
    /// Its id.
    pub list_id: String,
    /// As the organization calls it.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// How many people are on it.
    pub people: i64,
}

impl FromRow<'_, AnyRow> for List {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            list_id: row.try_get("list_id")?,
            name: row.try_get("name")?,
            created_at: row.try_get("created_at")?,
            people: row.try_get("people")?,
        })
    }
}

const SELECT: &str = "SELECT l.list_id, l.name, l.created_at, \
    (SELECT COUNT(*) FROM person_list p WHERE p.list_id = l.list_id) AS people FROM list l";

/// Every list with its count, by name.
///
/// # Errors
/// [`super::StoreError`].
pub async fn all(db: &mut AnyConnection) -> Result<Vec<List>> {
    let sql = format!("{SELECT} ORDER BY l.name");
    Ok(sqlx::query_as(AssertSqlSafe(sql)).fetch_all(db).await?)
}

/// The list with a name, compared exactly.
///
/// # Errors
/// [`super::StoreError`].
pub async fn by_name(db: &mut AnyConnection, name: &str) -> Result<Option<List>> {
    let sql = format!("{SELECT} WHERE l.name = $1");
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(name)
        .fetch_optional(db)
        .await?)
}

/// The lists that a person is on, by name.
///
/// # Errors
/// [`super::StoreError`].
pub async fn of_person(db: &mut AnyConnection, person_id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT l.name FROM list l JOIN person_list p ON p.list_id = l.list_id \
         WHERE p.person_id = $1 ORDER BY l.name",
    )
    .bind(person_id)
    .fetch_all(db)
    .await?)
}

/// Makes a list.
///
/// # Errors
/// [`super::StoreError`]; a unique violation when the name is taken.
pub async fn insert(db: &mut AnyConnection, list_id: &str, name: &str, now: i64) -> Result<()> {
    sqlx::query("INSERT INTO list (list_id, name, created_at) VALUES ($1, $2, $3)")
        .bind(list_id)
        .bind(name)
        .bind(now)
        .execute(db)
        .await?;
    Ok(())
}

/// Puts a person on a list; false when it is there already.
///
/// # Errors
/// [`super::StoreError`].
pub async fn add(db: &mut AnyConnection, list_id: &str, person_id: &str) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO person_list (list_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(list_id)
    .bind(person_id)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Puts people on a list; who is on it stays.
///
/// # Errors
/// [`super::StoreError`].
pub async fn add_all(db: &mut AnyConnection, list_id: &str, people: &[String]) -> Result<()> {
    for chunk in people.chunks(rows::CHUNK) {
        let sql = format!(
            "INSERT INTO person_list (list_id, person_id) VALUES {} ON CONFLICT DO NOTHING",
            rows::places(chunk.len(), 2)
        );
        let query = chunk
            .iter()
            .fold(sqlx::query(AssertSqlSafe(sql)), |query, person_id| {
                query.bind(list_id).bind(person_id)
            });
        query.execute(&mut *db).await?;
    }
    Ok(())
}

//! Ids that other systems gave to people of the lists.

use super::{Result, rows};
use sqlx::{AnyConnection, AssertSqlSafe};

/// An id that a system gave to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// The person.
    pub person_id: String,
    /// The system.
    pub system: String,
    /// The id.
    pub value: String,
}

/// The person to whom a system gave an id.
///
/// # Errors
/// [`super::StoreError`].
pub async fn holder(db: &mut AnyConnection, system: &str, value: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT person_id FROM person_identifier WHERE system = $1 AND value = $2",
    )
    .bind(system)
    .bind(value)
    .fetch_optional(db)
    .await?)
}

/// The ids that other systems gave a person: system and value.
///
/// # Errors
/// [`super::StoreError`].
pub async fn of_person(db: &mut AnyConnection, person_id: &str) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as(
        "SELECT system, value FROM person_identifier WHERE person_id = $1 ORDER BY system, value",
    )
    .bind(person_id)
    .fetch_all(db)
    .await?)
}

/// Notes an id that a system gave; false when it is somebody's already.
///
/// # Errors
/// [`super::StoreError`].
pub async fn add(
    db: &mut AnyConnection,
    person_id: &str,
    system: &str,
    value: &str,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO person_identifier (system, value, person_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(system)
    .bind(value)
    .bind(person_id)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Which of these ids a system gave to people of the node.
///
/// # Errors
/// [`super::StoreError`].
pub async fn known(db: &mut AnyConnection, system: &str, values: &[&str]) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT value FROM person_identifier WHERE system = $1 AND value IN ({})",
        rows::wanted(1)
    );
    let mut all = Vec::new();
    for chunk in rows::padded(values) {
        let query = sqlx::query_scalar(AssertSqlSafe(sql.clone())).bind(system.to_owned());
        let query = chunk
            .into_iter()
            .fold(query, |query, value| query.bind(value.to_owned()));
        all.extend(query.fetch_all(&mut *db).await?);
    }
    Ok(all)
}

/// Notes ids that systems gave to new people; what is somebody's already is left out.
///
/// # Errors
/// [`super::StoreError`].
pub async fn add_all(db: &mut AnyConnection, all: &[Identifier]) -> Result<()> {
    for chunk in all.chunks(rows::CHUNK) {
        let sql = format!(
            "INSERT INTO person_identifier (system, value, person_id) VALUES {} ON CONFLICT DO NOTHING",
            rows::places(chunk.len(), 3)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for identifier in chunk {
            query = query
                .bind(&identifier.system)
                .bind(&identifier.value)
                .bind(&identifier.person_id);
        }
        query.execute(&mut *db).await?;
    }
    Ok(())
}

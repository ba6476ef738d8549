//! Consent records of the organization's people.

use super::{Result, StoreError};
use policy::consent::Record;
use sqlx::{AnyConnection, FromRow, Row, any::AnyRow};

/// One record and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Base32, random.
    pub record_id: String,
    /// Whose.
    pub person_id: String,
    /// Version of the form, or empty.
    pub form: String,
    /// What was agreed to, and what happened to it since.
    pub record: Record,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

impl FromRow<'_, AnyRow> for Consent {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let record: String = row.try_get("record")?;
        let record = Record::parse(&record).map_err(|error| sqlx::Error::ColumnDecode {
            index: "record".to_owned(),
            source: error.into(),
        })?;
        Ok(Self {
            record_id: row.try_get("record_id")?,
            person_id: row.try_get("person_id")?,
            form: row.try_get("form")?,
            record,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

fn json(record: &Record) -> Result<String> {
    serde_json::to_string(record).map_err(|error| StoreError::damaged("consent", error))
}

/// The records of a person, in the order of their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn of_person(db: &mut AnyConnection, person_id: &str) -> Result<Vec<Consent>> {
    Ok(sqlx::query_as(
        "SELECT record_id, person_id, form, record, updated_at FROM consent WHERE person_id = $1 ORDER BY record_id",
    )
    .bind(person_id)
    .fetch_all(db)
    .await?)
}

/// The record with an id.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection, record_id: &str) -> Result<Option<Consent>> {
    Ok(sqlx::query_as(
        "SELECT record_id, person_id, form, record, updated_at FROM consent WHERE record_id = $1",
    )
    .bind(record_id)
    .fetch_optional(db)
    .await?)
}

/// Records after an id (empty: from the first), in the order of their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn page(db: &mut AnyConnection, after: &str, limit: i64) -> Result<Vec<Consent>> {
    Ok(sqlx::query_as(
        "SELECT record_id, person_id, form, record, updated_at FROM consent WHERE record_id > $1 \
         ORDER BY record_id LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(db)
    .await?)
}

/// The records of the people of a list whose ids lie between two, both included.
///
/// # Errors
/// [`StoreError`].
pub async fn of_page(
    db: &mut AnyConnection,
    list_id: &str,
    first: &str,
    last: &str,
) -> Result<Vec<Consent>> {
    Ok(sqlx::query_as(
        "SELECT c.record_id, c.person_id, c.form, c.record, c.updated_at FROM person_list l \
         JOIN consent c ON c.person_id = l.person_id \
         WHERE l.list_id = $1 AND l.person_id >= $2 AND l.person_id <= $3 ORDER BY c.person_id, c.record_id",
    )
    .bind(list_id)
    .bind(first)
    .bind(last)
    .fetch_all(db)
    .await?)
}

/// Writes a record, in place of an earlier state of it.
///
/// # Errors
/// [`StoreError`].
pub async fn put(db: &mut AnyConnection, consent: &Consent) -> Result<()> {
    sqlx::query(
        "INSERT INTO consent (record_id, person_id, form, record, updated_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (record_id) DO UPDATE SET record = excluded.record, updated_at = excluded.updated_at",
    )
    .bind(&consent.record_id)
    .bind(&consent.person_id)
    .bind(&consent.form)
    .bind(json(&consent.record)?)
    .bind(consent.updated_at)
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps a consent form under the hash of its text.
///
/// # Errors
/// [`StoreError`].
pub async fn put_form(db: &mut AnyConnection, hash: &str, form: &str, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO consent_form (form_hash, form, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(hash)
    .bind(form)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

/// The text of a consent form.
///
/// # Errors
/// [`StoreError`].
pub async fn form(db: &mut AnyConnection, hash: &str) -> Result<Option<String>> {
    Ok(
        sqlx::query_scalar("SELECT form FROM consent_form WHERE form_hash = $1")
            .bind(hash)
            .fetch_optional(db)
            .await?,
    )
}

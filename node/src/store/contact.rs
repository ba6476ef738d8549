//! Attempts to reach people, as canvass histories report them.

use super::Result;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow, Row, any::AnyRow};

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Hash of its facts: the same attempt twice is one.
    pub contact_id: String,
    /// Where the file's id led to a person of a list.
    pub person_id: Option<String>,
    /// The contact point that was tried.
    pub point_id: Option<String>,
    /// `door`, `phone`, `text` or `email`; none where unknown.
    pub channel: Option<String>,
    /// Milliseconds since 1970; where only the day is known, its last moment.
    pub at: i64,
    /// Only the day is known.
    pub whole_day: bool,
    /// A word of [`crate::import::EffectClass`].
    pub effect: String,
    /// The file's own word.
    pub result: String,
    /// An unknown result, for a person to look at.
    pub flagged: bool,
    /// Who made it, as the file says; may be empty.
    pub committee: String,
    /// This organization's own attempt.
    pub own: bool,
    /// Where it came from.
    pub import_id: String,
    /// Entry that reported it.
    pub told: Option<String>,
}

const COLUMNS: &str = "contact_id, person_id, point_id, channel, at, whole_day, effect, result, flagged, committee, own, \
    import_id, told";

impl FromRow<'_, AnyRow> for Contact {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            contact_id: row.try_get("contact_id")?,
            person_id: row.try_get("person_id")?,
            point_id: row.try_get("point_id")?,
            channel: row.try_get("channel")?,
            at: row.try_get("at")?,
            whole_day: row.try_get::<i64, _>("whole_day")? != 0,
            effect: row.try_get("effect")?,
            result: row.try_get("result")?,
            flagged: row.try_get::<i64, _>("flagged")? != 0,
            committee: row.try_get("committee")?,
            own: row.try_get::<i64, _>("own")? != 0,
            import_id: row.try_get("import_id")?,
            told: row.try_get("told")?,
        })
    }
}

/// Writes an attempt; false when it is known already.
///
/// # Errors
/// [`super::StoreError`].
pub async fn insert(db: &mut AnyConnection, contact: &Contact) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO contact (contact_id, person_id, point_id, channel, at, whole_day, effect, result, flagged, committee, \
         own, import_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
    )
    .bind(&contact.contact_id)
    .bind(contact.person_id.as_deref())
    .bind(contact.point_id.as_deref())
    .bind(contact.channel.as_deref())
    .bind(contact.at)
    .bind(i64::from(contact.whole_day))
    .bind(&contact.effect)
    .bind(&contact.result)
    .bind(i64::from(contact.flagged))
    .bind(&contact.committee)
    .bind(i64::from(contact.own))
    .bind(&contact.import_id)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Joins an attempt that led to nobody to a person who is on a list by now; false when it was joined.
///
/// # Errors
/// [`super::StoreError`].
pub async fn join(
    db: &mut AnyConnection,
    contact_id: &str,
    person_id: &str,
    point_id: Option<&str>,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE contact SET person_id = $1, point_id = $2 WHERE contact_id = $3 AND person_id IS NULL",
    )
    .bind(person_id)
    .bind(point_id)
    .bind(contact_id)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Says what an unknown result means; false when the attempt has no unknown result.
///
/// # Errors
/// [`super::StoreError`].
pub async fn settle(db: &mut AnyConnection, contact: &Contact) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE contact SET effect = $1, flagged = 0 WHERE contact_id = $2 AND flagged = 1",
    )
    .bind(&contact.effect)
    .bind(&contact.contact_id)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The attempts on a person, latest first; at most 500.
///
/// # Errors
/// [`super::StoreError`].
pub async fn of_person(db: &mut AnyConnection, person_id: &str) -> Result<Vec<Contact>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM contact WHERE person_id = $1 ORDER BY at DESC, contact_id LIMIT 500"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(person_id)
        .fetch_all(db)
        .await?)
}

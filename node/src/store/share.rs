//! Shares that this organization gave: what was announced, to whom, and how it stands.

pub mod candidate;
pub mod ledger;
pub mod mark;
pub mod notice;
pub mod onward;
pub mod received;

use super::{Result, StoreError, integer, natural};
use protocol::id::EntryId;
use sqlx::{AnyConnection, FromRow, Row, any::AnyRow};

/// A share that was given to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Id of the entry that announces it.
    pub share: EntryId,
    /// Node id of the recipient.
    pub recipient: String,
    /// What for.
    pub purpose: String,
    /// On which channel.
    pub channel: String,
    /// JSON list of the classes of fields.
    pub fields: String,
    /// The list it was made from.
    pub list: String,
    /// How many persons.
    pub count: u64,
    /// JSON: counts of what was withheld, by rule.
    pub withheld: String,
    /// Hash of the agreement it rests on.
    pub agreement: String,
    /// `queued`, `announced` or `void`.
    pub state: String,
    /// Why it is void.
    pub note: Option<String>,
    /// When the recipient must stop using it.
    pub expires_at: Option<i64>,
    /// When it was decided.
    pub created_at: i64,
}

impl FromRow<'_, AnyRow> for Given {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let share: String = row.try_get("share_id")?;
        let count: i64 = row.try_get("count")?;
        Ok(Self {
            share: share
                .parse()
                .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            recipient: row.try_get("recipient")?,
            purpose: row.try_get("purpose")?,
            channel: row.try_get("channel")?,
            fields: row.try_get("fields")?,
            list: row
                .try_get::<Option<String>, _>("list_id")?
                .unwrap_or_default(),
            count: natural(count),
            withheld: row.try_get("withheld")?,
            agreement: row.try_get("agreement")?,
            state: row.try_get("state")?,
            note: row.try_get("note")?,
            expires_at: row.try_get("expires_at")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

const COLUMNS: &str = "share_id, recipient, purpose, channel, fields, list_id, count, withheld, agreement, state, \
    note, expires_at, created_at";

/// Notes a share that was decided.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(db: &mut AnyConnection, given: &Given) -> Result<()> {
    let sql = format!(
        "INSERT INTO share_out ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(given.share.to_string())
        .bind(&given.recipient)
        .bind(&given.purpose)
        .bind(&given.channel)
        .bind(&given.fields)
        .bind(&given.list)
        .bind(integer(given.count))
        .bind(&given.withheld)
        .bind(&given.agreement)
        .bind(&given.state)
        .bind(&given.note)
        .bind(given.expires_at)
        .bind(given.created_at)
        .execute(db)
        .await?;
    Ok(())
}

/// One share.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection, share: EntryId) -> Result<Option<Given>> {
    let sql = format!("SELECT {COLUMNS} FROM share_out WHERE share_id = $1");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(share.to_string())
        .fetch_optional(db)
        .await?)
}

/// Every share that was given, the latest first.
///
/// # Errors
/// [`StoreError`].
pub async fn all(db: &mut AnyConnection) -> Result<Vec<Given>> {
    let sql = format!("SELECT {COLUMNS} FROM share_out ORDER BY created_at DESC, share_id");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .fetch_all(db)
        .await?)
}

/// Notes that a share was announced.
///
/// # Errors
/// [`StoreError`].
pub async fn set_announced(db: &mut AnyConnection, share: EntryId) -> Result<()> {
    sqlx::query("UPDATE share_out SET state = 'announced' WHERE share_id = $1")
        .bind(share.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Notes that a share is void: nobody can have read it, so the ledger forgets its rows.
///
/// # Errors
/// [`StoreError`].
pub async fn set_void(db: &mut AnyConnection, share: EntryId, why: &str) -> Result<bool> {
    let done = sqlx::query("UPDATE share_out SET state = 'void', note = $1 WHERE share_id = $2")
        .bind(why)
        .bind(share.to_string())
        .execute(&mut *db)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("DELETE FROM disclosure WHERE share_id = $1")
        .bind(share.to_string())
        .execute(db)
        .await?;
    Ok(true)
}

/// A stored id.
fn id<T: std::str::FromStr<Err = protocol::id::IdError>>(
    table: &'static str,
    text: &str,
) -> Result<T> {
    text.parse()
        .map_err(|error| StoreError::damaged(table, error))
}

/// A stored value of 16 bytes.
fn sixteen(table: &'static str, bytes: Vec<u8>) -> Result<[u8; 16]> {
    bytes
        .try_into()
        .map_err(|_| StoreError::damaged(table, "a value that is not 16 bytes long"))
}

//! Shares that others gave: what was announced, what was stored, what must be forgotten.

use super::super::{Result, integer, natural, point::token_class};
use protocol::{
    entry::share::Share,
    fold::At,
    id::{EntryId, Hash, NodeId, RowRef},
    time::Moment,
    token::{Class, Token},
};
use sqlx::{AnyConnection, FromRow, Row, any::AnyRow};

/// A share that was announced to this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Id of the entry that announced it.
    pub share: EntryId,
    /// Who gave it.
    pub sender: NodeId,
    /// What for.
    pub purpose: String,
    /// On which channel.
    pub channel: String,
    /// JSON list of the classes of fields.
    pub fields: String,
    /// Content address of the sealed rows.
    pub blob: String,
    /// Bytes of the sealed rows.
    pub bytes: u64,
    /// The agreement it rests on.
    pub agreement: Hash,
    /// Persons announced.
    pub announced: u64,
    /// Persons taken.
    pub accepted: u64,
    /// JSON: persons dropped, by rule.
    pub dropped: String,
    /// `announced`, `stored`, `failed` or `expired`.
    pub state: String,
    /// Why it failed.
    pub note: Option<String>,
    /// Rows with more than agreement and law let through.
    pub overshared: u64,
    /// Where it was announced.
    pub position: u64,
    /// When it must no longer be used.
    pub expires_at: Option<i64>,
    /// Log time of the announcement.
    pub at: Moment,
}

impl FromRow<'_, AnyRow> for Received {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let decode = |error: protocol::id::IdError| sqlx::Error::Decode(Box::new(error));
        let count = |column: &str| row.try_get::<i64, _>(column).map(natural);
        Ok(Self {
            share: row
                .try_get::<String, _>("share_id")?
                .parse()
                .map_err(decode)?,
            sender: row
                .try_get::<String, _>("sender")?
                .parse()
                .map_err(decode)?,
            purpose: row.try_get("purpose")?,
            channel: row.try_get("channel")?,
            fields: row.try_get("fields")?,
            blob: row.try_get("blob_id")?,
            bytes: count("bytes")?,
            agreement: row
                .try_get::<String, _>("agreement")?
                .parse()
                .map_err(|_| sqlx::Error::Decode("no hash".into()))?,
            announced: count("announced")?,
            accepted: count("accepted")?,
            dropped: row.try_get("dropped")?,
            state: row.try_get("state")?,
            note: row.try_get("note")?,
            overshared: count("overshared")?,
            position: count("position")?,
            expires_at: row.try_get("expires_at")?,
            at: Moment(row.try_get("at")?),
        })
    }
}

const COLUMNS: &str = "share_id, sender, purpose, channel, fields, blob_id, bytes, agreement, announced, accepted, \
    dropped, state, note, overshared, position, expires_at, at";

/// Notes a share that was announced to this node.
///
/// # Errors
/// [`super::StoreError`].
pub async fn insert(db: &mut AnyConnection, at: At, share: &Share) -> Result<()> {
    let sql = format!(
        "INSERT INTO received_share ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '{{}}', 'announced', \
         NULL, 0, $10, $11, $12) ON CONFLICT (share_id) DO NOTHING"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(at.entry.to_string())
        .bind(at.author.to_string())
        .bind(&share.purpose)
        .bind(share.channel.name())
        .bind(serde_json::json!(share.fields).to_string())
        .bind(share.blob.to_string())
        .bind(integer(share.bytes))
        .bind(share.agreement.to_string())
        .bind(integer(share.count))
        .bind(integer(at.position))
        .bind(share.expires.map(|expires| expires.0))
        .bind(at.time.0)
        .execute(db)
        .await?;
    Ok(())
}

/// Every share that was received, the latest first.
///
/// # Errors
/// [`super::StoreError`].
pub async fn all(db: &mut AnyConnection) -> Result<Vec<Received>> {
    let sql = format!("SELECT {COLUMNS} FROM received_share ORDER BY position DESC");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .fetch_all(db)
        .await?)
}

/// One share.
///
/// # Errors
/// [`super::StoreError`].
pub async fn find(db: &mut AnyConnection, share: EntryId) -> Result<Option<Received>> {
    let sql = format!("SELECT {COLUMNS} FROM received_share WHERE share_id = $1");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(share.to_string())
        .fetch_optional(db)
        .await?)
}

/// Shares that wait to be taken, in log order.
///
/// # Errors
/// [`super::StoreError`].
pub async fn announced(db: &mut AnyConnection, limit: i64) -> Result<Vec<Received>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM received_share WHERE state = 'announced' ORDER BY position LIMIT $1"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(limit)
        .fetch_all(db)
        .await?)
}

/// Notes what became of a share.
///
/// # Errors
/// [`super::StoreError`].
pub async fn set_taken(
    db: &mut AnyConnection,
    share: EntryId,
    state: &str,
    accepted: u64,
    dropped: &str,
    note: Option<&str>,
) -> Result<()> {
    sqlx::query(
        "UPDATE received_share SET state = $1, accepted = $2, dropped = $3, note = $4 WHERE share_id = $5",
    )
    .bind(state)
    .bind(integer(accepted))
    .bind(dropped)
    .bind(note)
    .bind(share.to_string())
    .execute(&mut *db)
    .await?;
    super::notice::wake(db, share).await
}

/// Notes in how many rows of a share there was more than agreement and law let through.
///
/// # Errors
/// [`super::StoreError`].
pub async fn set_overshared(db: &mut AnyConnection, share: EntryId, rows: u64) -> Result<()> {
    sqlx::query("UPDATE received_share SET overshared = $1 WHERE share_id = $2")
        .bind(integer(rows))
        .bind(share.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Whether another share of a sender had more in it than agreement and law let through.
///
/// # Errors
/// [`super::StoreError`].
pub async fn has_overshared(db: &mut AnyConnection, sender: NodeId, but: EntryId) -> Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM received_share WHERE sender = $1 AND share_id <> $2 AND overshared > 0",
    )
    .bind(sender.to_string())
    .bind(but.to_string())
    .fetch_one(db)
    .await?;
    Ok(count > 0)
}

/// Stores one row and what finds it; the salt of its leaf in the share tree goes with it.
///
/// # Errors
/// [`super::StoreError`].
pub async fn insert_row(
    db: &mut AnyConnection,
    share: EntryId,
    row: RowRef,
    fields: &str,
    grounds: &str,
    tokens: &[(Class, Token)],
    salt: &[u8; 32],
) -> Result<()> {
    sqlx::query(
        "INSERT INTO received_row (share_id, row_ref, fields, grounds, salt) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(share.to_string())
    .bind(row.0.to_vec())
    .bind(fields)
    .bind(grounds)
    .bind(salt.to_vec())
    .execute(&mut *db)
    .await?;
    put_tokens(db, share, row, tokens).await
}

fn class_number(class: Class) -> i64 {
    Class::ALL
        .iter()
        .position(|known| *known == class)
        .and_then(|n| i64::try_from(n).ok())
        .unwrap_or(-1)
}

/// The fields of a held row, JSON, whether it may be used or not.
///
/// # Errors
/// [`super::StoreError`].
pub async fn fields(db: &mut AnyConnection, share: EntryId, row: RowRef) -> Result<Option<String>> {
    Ok(
        sqlx::query_scalar("SELECT fields FROM received_row WHERE share_id = $1 AND row_ref = $2")
            .bind(share.to_string())
            .bind(row.0.to_vec())
            .fetch_optional(db)
            .await?,
    )
}

/// Puts other fields and tokens in the place of a held row's.
///
/// # Errors
/// [`super::StoreError`].
pub async fn replace(
    db: &mut AnyConnection,
    share: EntryId,
    row: RowRef,
    fields: &str,
    tokens: &[(Class, Token)],
) -> Result<()> {
    sqlx::query("UPDATE received_row SET fields = $1 WHERE share_id = $2 AND row_ref = $3")
        .bind(fields)
        .bind(share.to_string())
        .bind(row.0.to_vec())
        .execute(&mut *db)
        .await?;
    sqlx::query("DELETE FROM received_token WHERE share_id = $1 AND row_ref = $2")
        .bind(share.to_string())
        .bind(row.0.to_vec())
        .execute(&mut *db)
        .await?;
    put_tokens(db, share, row, tokens).await
}

async fn put_tokens(
    db: &mut AnyConnection,
    share: EntryId,
    row: RowRef,
    tokens: &[(Class, Token)],
) -> Result<()> {
    for (class, token) in tokens {
        sqlx::query(
            "INSERT INTO received_token (token, share_id, row_ref, class) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (token, share_id, row_ref) DO NOTHING",
        )
        .bind(token.0.to_vec())
        .bind(share.to_string())
        .bind(row.0.to_vec())
        .bind(class_number(*class))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Tokens of a stored row; none when the row is not held.
///
/// # Errors
/// [`super::StoreError`].
pub async fn tokens(
    db: &mut AnyConnection,
    share: EntryId,
    row: RowRef,
) -> Result<Vec<(Class, Token)>> {
    let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as(
        "SELECT token, class FROM received_token WHERE share_id = $1 AND row_ref = $2 ORDER BY token",
    )
    .bind(share.to_string())
    .bind(row.0.to_vec())
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(token, class)| {
            Ok((
                token_class("received_token", class)?,
                Token(super::sixteen("received_token", token)?),
            ))
        })
        .collect()
}

/// Ends the time of a share now: nothing of it may be used, and it is forgotten as an expired one.
///
/// # Errors
/// [`super::StoreError`].
pub async fn end(db: &mut AnyConnection, share: EntryId, now: Moment) -> Result<()> {
    sqlx::query(
        "UPDATE received_share SET expires_at = $1 WHERE share_id = $2 AND (expires_at IS NULL OR expires_at > $1)",
    )
    .bind(now.0)
    .bind(share.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets one row and its mark; `true` when it was held.
///
/// # Errors
/// [`super::StoreError`].
pub async fn erase_row(db: &mut AnyConnection, share: EntryId, row: RowRef) -> Result<bool> {
    sqlx::query("DELETE FROM received_token WHERE share_id = $1 AND row_ref = $2")
        .bind(share.to_string())
        .bind(row.0.to_vec())
        .execute(&mut *db)
        .await?;
    let done = sqlx::query("DELETE FROM received_row WHERE share_id = $1 AND row_ref = $2")
        .bind(share.to_string())
        .bind(row.0.to_vec())
        .execute(&mut *db)
        .await?;
    super::mark::remove(db, share, row).await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets the rows of shares whose time is over, but for what a law makes us keep; answers how
/// many shares.
///
/// # Errors
/// [`super::StoreError`].
pub async fn expire(db: &mut AnyConnection, now: Moment) -> Result<usize> {
    let over: Vec<String> = sqlx::query_scalar(
        "SELECT share_id FROM received_share WHERE state = 'stored' AND expires_at IS NOT NULL AND expires_at <= $1",
    )
    .bind(now.0)
    .fetch_all(&mut *db)
    .await?;
    for share in &over {
        for sql in [
            "DELETE FROM received_token WHERE share_id = $1",
            "DELETE FROM received_row WHERE share_id = $1 AND NOT EXISTS (SELECT 1 FROM row_mark m \
             WHERE m.share_id = received_row.share_id AND m.row_ref = received_row.row_ref AND m.mark = 'retained')",
            "DELETE FROM row_mark WHERE share_id = $1 AND mark <> 'retained'",
            "UPDATE received_share SET state = 'expired' WHERE share_id = $1",
        ] {
            sqlx::query(sql).bind(share).execute(&mut *db).await?;
        }
        super::onward::forget_share(&mut *db, share).await?;
    }
    Ok(over.len())
}

/// Whether any share's time is over and its rows are still here.
///
/// # Errors
/// [`super::StoreError`].
pub async fn any_expired(db: &mut AnyConnection, now: Moment) -> Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM received_share WHERE state = 'stored' AND expires_at IS NOT NULL AND expires_at <= $1",
    )
    .bind(now.0)
    .fetch_one(db)
    .await?;
    Ok(count > 0)
}

/// How many rows of a share are held and may be used.
///
/// # Errors
/// [`super::StoreError`].
pub async fn held(db: &mut AnyConnection, share: EntryId) -> Result<u64> {
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM received_row r WHERE r.share_id = $1")
            .bind(share.to_string())
            .fetch_one(&mut *db)
            .await?;
    let resting = super::mark::resting(db, share).await?;
    Ok(natural(count).saturating_sub(resting))
}

/// Rows of a share that may be used, after a row, in order: reference, fields and grounds as JSON.
///
/// # Errors
/// [`super::StoreError`].
pub async fn rows(
    db: &mut AnyConnection,
    share: EntryId,
    after: &[u8],
    limit: i64,
) -> Result<Vec<(Vec<u8>, String, String)>> {
    Ok(sqlx::query_as(
        "SELECT r.row_ref, r.fields, r.grounds FROM received_row r WHERE r.share_id = $1 AND r.row_ref > $2 \
         AND NOT EXISTS (SELECT 1 FROM row_mark m WHERE m.share_id = r.share_id AND m.row_ref = r.row_ref) \
         ORDER BY r.row_ref LIMIT $3",
    )
    .bind(share.to_string())
    .bind(after)
    .bind(limit)
    .fetch_all(db)
    .await?)
}

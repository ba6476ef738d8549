//! What a keeper remembers of Raft: log, vote and marks. The values are bytes here; what they mean
//! is known in `keeper/raft/` alone.

use super::{Result, integer, natural, rows};
use sqlx::AnyConnection;

/// A value that Raft has to find again after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The last vote.
    Vote,
    /// The last entry that was deleted from the log.
    Purged,
    /// The last entry that was applied.
    Applied,
    /// The latest applied list of keepers.
    Membership,
    /// The mark up to which the log may be deleted.
    Snapshot,
}

/// The id under which this node takes part, if it does.
///
/// # Errors
/// [`super::StoreError`].
pub async fn id(db: &mut AnyConnection) -> Result<Option<u64>> {
    let id: Option<i64> = sqlx::query_scalar("SELECT raft_id FROM raft_state")
        .fetch_optional(db)
        .await?;
    Ok(id.map(natural))
}

/// Begins to take part under an id that nobody has used before.
///
/// # Errors
/// [`super::StoreError`]; a unique violation when this node takes part already.
pub async fn begin(db: &mut AnyConnection, id: u64) -> Result<()> {
    sqlx::query("INSERT INTO raft_state (one, raft_id) VALUES (1, $1)")
        .bind(integer(id))
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets everything about Raft, so that this node can take part again only under another id.
///
/// # Errors
/// [`super::StoreError`].
pub async fn forget(db: &mut AnyConnection) -> Result<()> {
    sqlx::query("DELETE FROM raft_log")
        .execute(&mut *db)
        .await?;
    sqlx::query("DELETE FROM raft_state").execute(db).await?;
    Ok(())
}

/// A value.
///
/// # Errors
/// [`super::StoreError`].
pub async fn get(db: &mut AnyConnection, value: Value) -> Result<Option<Vec<u8>>> {
    let sql = match value {
        Value::Vote => "SELECT vote FROM raft_state",
        Value::Purged => "SELECT purged FROM raft_state",
        Value::Applied => "SELECT applied FROM raft_state",
        Value::Membership => "SELECT membership FROM raft_state",
        Value::Snapshot => "SELECT snapshot FROM raft_state",
    };
    let bytes: Option<Option<Vec<u8>>> = sqlx::query_scalar(sql).fetch_optional(db).await?;
    Ok(bytes.flatten())
}

/// Writes a value.
///
/// # Errors
/// [`super::StoreError`].
pub async fn put(db: &mut AnyConnection, value: Value, bytes: &[u8]) -> Result<()> {
    let sql = match value {
        Value::Vote => "UPDATE raft_state SET vote = $1",
        Value::Purged => "UPDATE raft_state SET purged = $1",
        Value::Applied => "UPDATE raft_state SET applied = $1",
        Value::Membership => "UPDATE raft_state SET membership = $1",
        Value::Snapshot => "UPDATE raft_state SET snapshot = $1",
    };
    sqlx::query(sql).bind(bytes).execute(db).await?;
    Ok(())
}

/// Appends entries of the Raft log: index and bytes.
///
/// # Errors
/// [`super::StoreError`]; a unique violation when an index is taken.
pub async fn append(db: &mut AnyConnection, entries: &[(u64, Vec<u8>)]) -> Result<()> {
    for chunk in entries.chunks(rows::CHUNK) {
        let sql = format!(
            "INSERT INTO raft_log (idx, entry) VALUES {}",
            rows::places(chunk.len(), 2)
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql));
        let query = chunk.iter().fold(query, |query, (index, bytes)| {
            query.bind(integer(*index)).bind(bytes.as_slice())
        });
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// Entries from an index to before another, in order.
///
/// # Errors
/// [`super::StoreError`].
pub async fn entries(
    db: &mut AnyConnection,
    from: u64,
    before: u64,
    limit: i64,
) -> Result<Vec<Vec<u8>>> {
    Ok(sqlx::query_scalar(
        "SELECT entry FROM raft_log WHERE idx >= $1 AND idx < $2 ORDER BY idx LIMIT $3",
    )
    .bind(integer(from))
    .bind(integer(before))
    .bind(limit)
    .fetch_all(db)
    .await?)
}

/// The last entry, with its index.
///
/// # Errors
/// [`super::StoreError`].
pub async fn last(db: &mut AnyConnection) -> Result<Option<(u64, Vec<u8>)>> {
    let row: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT idx, entry FROM raft_log ORDER BY idx DESC LIMIT 1")
            .fetch_optional(db)
            .await?;
    Ok(row.map(|(index, bytes)| (natural(index), bytes)))
}

/// Deletes the entries from an index on.
///
/// # Errors
/// [`super::StoreError`].
pub async fn truncate(db: &mut AnyConnection, from: u64) -> Result<()> {
    sqlx::query("DELETE FROM raft_log WHERE idx >= $1")
        .bind(integer(from))
        .execute(db)
        .await?;
    Ok(())
}

/// Deletes the entries up to an index.
///
/// # Errors
/// [`super::StoreError`].
pub async fn purge(db: &mut AnyConnection, upto: u64) -> Result<()> {
    sqlx::query("DELETE FROM raft_log WHERE idx <= $1")
        .bind(integer(upto))
        .execute(db)
        .await?;
    Ok(())
}

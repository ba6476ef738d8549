//! The way back into the group: this node's own try, and what a keeper holds for others'.

use super::{Result, StoreError, integer, natural};
use protocol::{
    blob::BlobId,
    id::{EntryId, NodeId},
};
use sqlx::AnyConnection;
use std::collections::BTreeMap;

/// A commit from outside that this node has made or has failed with.
#[derive(Debug, Clone)]
pub struct Try {
    /// The entry that carries it.
    pub entry: EntryId,
    /// What was or will be sent; none after it failed.
    pub envelope: Option<Vec<u8>>,
    /// The group.
    pub group_id: [u8; 16],
    /// How many have failed.
    pub tries: i64,
    /// Not tried again before this.
    pub next_at: i64,
}

/// This node's try, if there is one.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection) -> Result<Option<Try>> {
    type Columns = (String, Vec<u8>, Vec<u8>, i64, i64);
    let row: Option<Columns> =
        sqlx::query_as("SELECT entry_id, envelope, group_id, tries, next_at FROM way_back")
            .fetch_optional(db)
            .await?;
    let damaged = |what: &str| StoreError::damaged("way_back", what);
    row.map(|(entry, envelope, group_id, tries, next_at)| {
        Ok(Try {
            entry: entry.parse().map_err(|_| damaged("entry_id"))?,
            envelope: Some(envelope).filter(|bytes| !bytes.is_empty()),
            group_id: group_id.try_into().map_err(|_| damaged("group_id"))?,
            tries,
            next_at,
        })
    })
    .transpose()
}

/// Keeps a try with the sealed rows of the group as it will be, in the place of an earlier one.
///
/// # Errors
/// [`StoreError`].
pub async fn put(db: &mut AnyConnection, new: &Try, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
    forget(&mut *db).await?;
    sqlx::query(
        "INSERT INTO way_back (one, entry_id, envelope, group_id, tries, next_at) VALUES (1, $1, $2, $3, $4, $5)",
    )
    .bind(new.entry.to_string())
    .bind(new.envelope.clone().unwrap_or_default())
    .bind(new.group_id.to_vec())
    .bind(new.tries)
    .bind(new.next_at)
    .execute(&mut *db)
    .await?;
    for (k, v) in rows {
        sqlx::query("INSERT INTO way_back_row (k, v) VALUES ($1, $2)")
            .bind(k)
            .bind(v)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// The sealed rows of the group as it will be.
///
/// # Errors
/// [`StoreError`].
pub async fn rows(db: &mut AnyConnection) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let rows: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as("SELECT k, v FROM way_back_row")
        .fetch_all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Puts the group as it is now in the place of the old one.
///
/// # Errors
/// [`StoreError`].
pub async fn adopt(db: &mut AnyConnection, group_id: [u8; 16], format: &str) -> Result<()> {
    sqlx::query("DELETE FROM mls_state")
        .execute(&mut *db)
        .await?;
    sqlx::query("INSERT INTO mls_state (k, v) SELECT k, v FROM way_back_row")
        .execute(&mut *db)
        .await?;
    super::coalition::put_mls_group(&mut *db, group_id, format).await?;
    forget(db).await
}

/// Forgets this node's try.
///
/// # Errors
/// [`StoreError`].
pub async fn forget(db: &mut AnyConnection) -> Result<()> {
    sqlx::query("DELETE FROM way_back_row")
        .execute(&mut *db)
        .await?;
    sqlx::query("DELETE FROM way_back").execute(db).await?;
    Ok(())
}

/// What a keeper holds for a member that came back.
#[derive(Debug, Clone)]
pub struct Held {
    /// The position of its commit.
    pub position: u64,
    /// The folded state there, sealed at rest; empty once it is in a blob.
    pub snapshot: Vec<u8>,
    /// The blob with it, once the member has asked.
    pub blob: Option<BlobId>,
}

/// Keeps the state for a member that came back; one of an earlier return goes.
///
/// # Errors
/// [`StoreError`].
pub async fn hold(
    db: &mut AnyConnection,
    node: NodeId,
    position: u64,
    snapshot: &[u8],
) -> Result<()> {
    sqlx::query(
        "INSERT INTO keeper_return (node_id, position, snapshot) VALUES ($1, $2, $3) \
         ON CONFLICT (node_id) DO UPDATE SET position = excluded.position, snapshot = excluded.snapshot, \
         blob_id = NULL",
    )
    .bind(node.to_string())
    .bind(integer(position))
    .bind(snapshot)
    .execute(db)
    .await?;
    Ok(())
}

/// What is held for a member.
///
/// # Errors
/// [`StoreError`].
pub async fn held(db: &mut AnyConnection, node: NodeId) -> Result<Option<Held>> {
    let row: Option<(i64, Vec<u8>, Option<String>)> =
        sqlx::query_as("SELECT position, snapshot, blob_id FROM keeper_return WHERE node_id = $1")
            .bind(node.to_string())
            .fetch_optional(db)
            .await?;
    row.map(|(position, snapshot, blob)| {
        let blob = blob.map(|blob| blob.parse()).transpose();
        Ok(Held {
            position: natural(position),
            snapshot,
            blob: blob.map_err(|_| StoreError::damaged("keeper_return", "blob_id"))?,
        })
    })
    .transpose()
}

/// Notes the blob that holds the state, and lets the state itself go.
///
/// # Errors
/// [`StoreError`].
pub async fn set_blob(db: &mut AnyConnection, node: NodeId, blob: BlobId) -> Result<()> {
    sqlx::query("UPDATE keeper_return SET snapshot = $1, blob_id = $2 WHERE node_id = $3")
        .bind(Vec::new())
        .bind(blob.to_string())
        .bind(node.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Lets go what is held for a member.
///
/// # Errors
/// [`StoreError`].
pub async fn let_go(db: &mut AnyConnection, node: NodeId) -> Result<()> {
    sqlx::query("DELETE FROM keeper_return WHERE node_id = $1")
        .bind(node.to_string())
        .execute(db)
        .await?;
    Ok(())
}

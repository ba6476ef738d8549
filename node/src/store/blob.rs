//! Ciphertext by content address: what a keeper stores for all, and what a member is uploading.

use super::{Result, StoreError, integer, natural};
use protocol::{
    blob::{BlobId, Manifest},
    codec,
    id::NodeId,
    time::Moment,
};
use sqlx::AnyConnection;

/// A blob's row.
#[derive(Debug, Clone)]
pub struct BlobRow {
    /// Size and chunk hashes.
    pub manifest: Manifest,
    /// Chunks that have not arrived.
    pub missing: u64,
    /// Node id of who declared it.
    pub owner: String,
}

/// Declares a blob; one that is known stays as it is and lives as long as the later wish.
///
/// # Errors
/// [`StoreError`].
pub async fn declare(
    db: &mut AnyConnection,
    manifest: &Manifest,
    owner: NodeId,
    now: Moment,
    expires: Moment,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO blob (blob_id, owner, bytes, manifest, missing, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (blob_id) DO UPDATE SET expires_at = \
         CASE WHEN blob.expires_at < excluded.expires_at THEN excluded.expires_at ELSE blob.expires_at END",
    )
    .bind(manifest.id().to_string())
    .bind(owner.to_string())
    .bind(integer(manifest.size()))
    .bind(codec::encode(manifest))
    .bind(integer(manifest.chunks().len() as u64))
    .bind(now.0)
    .bind(expires.0)
    .execute(db)
    .await?;
    Ok(())
}

/// Lets a blob that is here live at least until a moment.
///
/// # Errors
/// [`StoreError`].
pub async fn keep_until(db: &mut AnyConnection, blob: BlobId, until: Moment) -> Result<()> {
    sqlx::query("UPDATE blob SET expires_at = $1 WHERE blob_id = $2 AND expires_at < $1")
        .bind(until.0)
        .bind(blob.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// A blob's row.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection, blob: BlobId) -> Result<Option<BlobRow>> {
    let row: Option<(Vec<u8>, i64, String)> =
        sqlx::query_as("SELECT manifest, missing, owner FROM blob WHERE blob_id = $1")
            .bind(blob.to_string())
            .fetch_optional(db)
            .await?;
    row.map(|(manifest, missing, owner)| {
        let manifest =
            codec::decode(&manifest).map_err(|error| StoreError::damaged("blob", error))?;
        Ok(BlobRow {
            manifest,
            missing: natural(missing),
            owner,
        })
    })
    .transpose()
}

/// Bytes of all blobs that a node declared.
///
/// # Errors
/// [`StoreError`].
pub async fn bytes_of(db: &mut AnyConnection, owner: NodeId) -> Result<u64> {
    let bytes: i64 = sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM blob WHERE owner = $1",
    )
    .bind(owner.to_string())
    .fetch_one(db)
    .await?;
    Ok(natural(bytes))
}

/// Stores a chunk that was checked against its hash; again is once.
///
/// # Errors
/// [`StoreError`].
pub async fn put_chunk(db: &mut AnyConnection, blob: BlobId, n: u64, bytes: &[u8]) -> Result<()> {
    let done = sqlx::query("INSERT INTO blob_chunk (blob_id, n, bytes) VALUES ($1, $2, $3) ON CONFLICT (blob_id, n) DO NOTHING")
        .bind(blob.to_string())
        .bind(integer(n))
        .bind(bytes)
        .execute(&mut *db)
        .await?;
    if done.rows_affected() == 1 {
        sqlx::query("UPDATE blob SET missing = missing - 1 WHERE blob_id = $1")
            .bind(blob.to_string())
            .execute(db)
            .await?;
    }
    Ok(())
}

/// Numbers of the chunks that are there.
///
/// # Errors
/// [`StoreError`].
pub async fn present(db: &mut AnyConnection, blob: BlobId) -> Result<Vec<u64>> {
    let rows: Vec<i64> =
        sqlx::query_scalar("SELECT n FROM blob_chunk WHERE blob_id = $1 ORDER BY n")
            .bind(blob.to_string())
            .fetch_all(db)
            .await?;
    Ok(rows.into_iter().map(natural).collect())
}

/// One chunk.
///
/// # Errors
/// [`StoreError`].
pub async fn chunk(db: &mut AnyConnection, blob: BlobId, n: u64) -> Result<Option<Vec<u8>>> {
    Ok(
        sqlx::query_scalar("SELECT bytes FROM blob_chunk WHERE blob_id = $1 AND n = $2")
            .bind(blob.to_string())
            .bind(integer(n))
            .fetch_optional(db)
            .await?,
    )
}

/// Removes a blob: it was uploaded, or its time is over.
///
/// # Errors
/// [`StoreError`].
pub async fn remove(db: &mut AnyConnection, blob: BlobId) -> Result<()> {
    for table in [
        "DELETE FROM blob_chunk WHERE blob_id = $1",
        "DELETE FROM blob WHERE blob_id = $1",
    ] {
        sqlx::query(table)
            .bind(blob.to_string())
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// Blobs whose time is over.
///
/// # Errors
/// [`StoreError`].
pub async fn expired(db: &mut AnyConnection, now: Moment, limit: i64) -> Result<Vec<String>> {
    Ok(
        sqlx::query_scalar("SELECT blob_id FROM blob WHERE expires_at < $1 LIMIT $2")
            .bind(now.0)
            .bind(limit)
            .fetch_all(db)
            .await?,
    )
}

//! A whole copy of an embedded database, made while the node runs.

use super::{Result, StoreError, coalition};
use sqlx::{AnyConnection, Connection};
use std::path::Path;

async fn connect(database: &Path, mode: &str) -> Result<AnyConnection> {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}?mode={mode}", database.display());
    AnyConnection::connect(&url)
        .await
        .map_err(|source| StoreError::Database {
            action: "opening a database to copy",
            source,
        })
}

/// Writes a whole, consistent copy of a database to a new file.
///
/// # Errors
/// [`StoreError`].
pub async fn make(database: &Path, copy: &Path) -> Result<()> {
    let mut db = connect(database, "ro").await?;
    sqlx::query("VACUUM INTO $1")
        .bind(copy.display().to_string())
        .execute(&mut db)
        .await?;
    db.close().await?;
    Ok(())
}

/// Marks a copy as one, after making sure that it is sound.
///
/// # Errors
/// [`StoreError`], also when the copy is damaged.
pub async fn mark(copy: &Path, because: &str) -> Result<()> {
    let mut db = connect(copy, "rw").await?;
    let found: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut db)
        .await?;
    if found != "ok" {
        return Err(StoreError::damaged("the copy", found));
    }
    coalition::mark_as_copy(&mut db, because).await?;
    db.close().await?;
    Ok(())
}

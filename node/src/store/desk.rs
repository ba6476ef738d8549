//! Sign-in links and sessions of the desk; only hashes of their secrets are stored.

use super::Result;
use sqlx::AnyConnection;

/// Stores a link, and forgets links and sessions whose time is over.
///
/// # Errors
/// [`super::StoreError`].
pub async fn insert_link(
    db: &mut AnyConnection,
    hash: &str,
    now: i64,
    expires_at: i64,
) -> Result<()> {
    for expired in [
        "DELETE FROM desk_link WHERE expires_at <= $1",
        "DELETE FROM desk_session WHERE expires_at <= $1",
    ] {
        sqlx::query(expired).bind(now).execute(&mut *db).await?;
    }
    sqlx::query("INSERT INTO desk_link (token_hash, expires_at) VALUES ($1, $2)")
        .bind(hash)
        .bind(expires_at)
        .execute(db)
        .await?;
    Ok(())
}

/// Whether a link could be spent now.
///
/// # Errors
/// [`super::StoreError`].
pub async fn link_is_good(db: &mut AnyConnection, hash: &str, now: i64) -> Result<bool> {
    let found: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM desk_link WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2",
    )
    .bind(hash)
    .bind(now)
    .fetch_one(db)
    .await?;
    Ok(found == 1)
}

/// Spends a link; `false` when it was spent before, is too old or never was.
///
/// # Errors
/// [`super::StoreError`].
pub async fn spend_link(db: &mut AnyConnection, hash: &str, now: i64) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE desk_link SET used_at = $1 WHERE token_hash = $2 AND used_at IS NULL AND expires_at > $3",
    )
    .bind(now)
    .bind(hash)
    .bind(now)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Begins a session.
///
/// # Errors
/// [`super::StoreError`].
pub async fn insert_session(
    db: &mut AnyConnection,
    hash: &str,
    now: i64,
    expires_at: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO desk_session (session_hash, created_at, expires_at) VALUES ($1, $2, $3)",
    )
    .bind(hash)
    .bind(now)
    .bind(expires_at)
    .execute(db)
    .await?;
    Ok(())
}

/// Whether a session is good now.
///
/// # Errors
/// [`super::StoreError`].
pub async fn session_is_good(db: &mut AnyConnection, hash: &str, now: i64) -> Result<bool> {
    let found: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM desk_session WHERE session_hash = $1 AND expires_at > $2",
    )
    .bind(hash)
    .bind(now)
    .fetch_one(db)
    .await?;
    Ok(found == 1)
}

/// Ends a session.
///
/// # Errors
/// [`super::StoreError`].
pub async fn end_session(db: &mut AnyConnection, hash: &str) -> Result<()> {
    sqlx::query("DELETE FROM desk_session WHERE session_hash = $1")
        .bind(hash)
        .execute(db)
        .await?;
    Ok(())
}

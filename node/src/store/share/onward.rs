//! Received rows that were passed on: what the ledger says of them, and what it must forget.

use super::{
    super::{Result, natural, point::token_class},
    ledger::{COLUMNS, Disclosure},
};
use protocol::{
    id::{EntryId, RowRef},
    token::{Class, Token},
};
use sqlx::AnyConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Whether anything of a received share was passed on.
///
/// # Errors
/// [`super::StoreError`].
pub async fn any(db: &mut AnyConnection, share: EntryId) -> Result<bool> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM disclosure WHERE via_share = $1")
        .bind(share.to_string())
        .fetch_one(db)
        .await?;
    Ok(count > 0)
}

/// Every time that a received row was passed on.
///
/// # Errors
/// [`super::StoreError`].
pub async fn lines(db: &mut AnyConnection, share: EntryId, row: RowRef) -> Result<Vec<Disclosure>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM disclosure WHERE via_share = $1 AND via_row = $2 ORDER BY sent_at, share_id"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(share.to_string())
        .bind(row.0.to_vec())
        .fetch_all(db)
        .await?)
}

/// Deletes the copies that prove what was passed on of a received row: it was taken back.
///
/// # Errors
/// [`super::StoreError`].
pub async fn forget_row(db: &mut AnyConnection, share: EntryId, row: RowRef) -> Result<()> {
    sqlx::query(
        "UPDATE disclosure SET salt = NULL, row_bytes = NULL WHERE via_share = $1 AND via_row = $2",
    )
    .bind(share.to_string())
    .bind(row.0.to_vec())
    .execute(db)
    .await?;
    Ok(())
}

/// The same for all rows of a received share: its time is over.
///
/// # Errors
/// [`super::StoreError`].
pub async fn forget_share(db: &mut AnyConnection, share: &str) -> Result<()> {
    sqlx::query("UPDATE disclosure SET salt = NULL, row_bytes = NULL WHERE via_share = $1")
        .bind(share)
        .execute(db)
        .await?;
    Ok(())
}

/// How many rows of an own share were received and may not be used any more.
///
/// # Errors
/// [`super::StoreError`].
pub async fn lost(db: &mut AnyConnection, share: EntryId) -> Result<u64> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM disclosure d WHERE d.share_id = $1 AND d.via_share IS NOT NULL AND (\
         NOT EXISTS (SELECT 1 FROM received_row r WHERE r.share_id = d.via_share AND r.row_ref = d.via_row) OR \
         EXISTS (SELECT 1 FROM row_mark m WHERE m.share_id = d.via_share AND m.row_ref = d.via_row))",
    )
    .bind(share.to_string())
    .fetch_one(db)
    .await?;
    Ok(natural(count))
}

/// Received people, by the names that the ledger has for them, whom this organization itself took back.
///
/// # Errors
/// [`super::StoreError`].
pub async fn recalled(db: &mut AnyConnection) -> Result<BTreeSet<String>> {
    let people: Vec<String> =
        sqlx::query_scalar("SELECT person_id FROM recalled WHERE person_id LIKE 'row:%'")
            .fetch_all(db)
            .await?;
    Ok(people.into_iter().collect())
}

/// Match tokens of some received rows of a share, by row.
///
/// # Errors
/// [`super::StoreError`].
pub async fn tokens(
    db: &mut AnyConnection,
    share: EntryId,
    (first, last): (&[u8], &[u8]),
) -> Result<BTreeMap<Vec<u8>, Vec<(Class, Token)>>> {
    let rows: Vec<(Vec<u8>, Vec<u8>, i64)> = sqlx::query_as(
        "SELECT row_ref, token, class FROM received_token WHERE share_id = $1 AND row_ref >= $2 AND row_ref <= $3 \
         ORDER BY row_ref, token",
    )
    .bind(share.to_string())
    .bind(first)
    .bind(last)
    .fetch_all(db)
    .await?;
    let mut by_row: BTreeMap<Vec<u8>, Vec<(Class, Token)>> = BTreeMap::new();
    for (row, token, class) in rows {
        let class = token_class("received_token", class)?;
        let token = Token(super::sixteen("received_token", token)?);
        by_row.entry(row).or_default().push((class, token));
    }
    Ok(by_row)
}

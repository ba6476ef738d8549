//! The request to join that waits, and whether a person has compared its digits.

use super::{Result, StoreError};
use protocol::{
    comparison::Comparison,
    id::{Hash, NodeId},
    time::Moment,
};
use sqlx::AnyConnection;

/// A request to join.
#[derive(Debug, Clone)]
pub struct JoiningRow {
    /// Who approves.
    pub inviter: NodeId,
    /// Its signed identity document, encoded.
    pub inviter_document: Vec<u8>,
    /// What people compare.
    pub comparison: Comparison,
    /// When this node asked.
    pub asked_at: Moment,
    /// When a person here said that the digits are the same.
    pub compared_at: Option<Moment>,
}

/// Keeps a request in the place of an earlier one; nobody has compared it.
///
/// # Errors
/// [`StoreError`].
pub async fn put(db: &mut AnyConnection, row: &JoiningRow) -> Result<()> {
    forget(&mut *db).await?;
    sqlx::query(
        "INSERT INTO joining (one, inviter, inviter_document, comparison, asked_at) VALUES (1, $1, $2, $3, $4)",
    )
    .bind(row.inviter.to_string())
    .bind(&row.inviter_document)
    .bind(row.comparison.0.0.to_vec())
    .bind(row.asked_at.0)
    .execute(db)
    .await?;
    Ok(())
}

/// The request that waits.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection) -> Result<Option<JoiningRow>> {
    type Columns = (String, Vec<u8>, Vec<u8>, i64, Option<i64>);
    let row: Option<Columns> = sqlx::query_as(
        "SELECT inviter, inviter_document, comparison, asked_at, compared_at FROM joining",
    )
    .fetch_optional(db)
    .await?;
    let damaged = |what: &str| StoreError::damaged("joining", what);
    row.map(
        |(inviter, inviter_document, comparison, asked_at, compared_at)| {
            let comparison = comparison.try_into().map_err(|_| damaged("comparison"))?;
            Ok(JoiningRow {
                inviter: inviter.parse().map_err(|_| damaged("inviter"))?,
                inviter_document,
                comparison: Comparison(Hash(comparison)),
                asked_at: Moment(asked_at),
                compared_at: compared_at.map(Moment),
            })
        },
    )
    .transpose()
}

/// A person has compared the digits of the request that waits.
///
/// # Errors
/// [`StoreError`].
pub async fn set_compared(db: &mut AnyConnection, now: Moment) -> Result<()> {
    sqlx::query("UPDATE joining SET compared_at = $1")
        .bind(now.0)
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets the request: this node is in, or asks anew.
///
/// # Errors
/// [`StoreError`].
pub async fn forget(db: &mut AnyConnection) -> Result<()> {
    sqlx::query("DELETE FROM joining").execute(db).await?;
    Ok(())
}

//! The sealed bytes of the latest entries, as a member read them: what it can hand back to the only keeper.

use super::{Result, integer, natural, rows};
use protocol::{
    chain::LogItem,
    limits::{TAIL_ENTRIES, TAIL_KEPT},
    time::Moment,
};
use sqlx::AnyConnection;

/// Keeps items as they were read.
///
/// # Errors
/// [`super::StoreError`].
pub async fn put(db: &mut AnyConnection, items: &[&LogItem]) -> Result<()> {
    for chunk in items.chunks(rows::CHUNK) {
        let sql = format!(
            "INSERT INTO log_copy (position, log_time, sealed) VALUES {} ON CONFLICT (position) DO NOTHING",
            rows::places(chunk.len(), 3)
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql));
        let query = chunk.iter().fold(query, |query, item| {
            query
                .bind(integer(item.position))
                .bind(item.log_time.0)
                .bind(item.sealed.as_slice())
        });
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// Lets go what lies further back than members keep.
///
/// # Errors
/// [`super::StoreError`].
pub async fn let_go(db: &mut AnyConnection, position: u64, now: Moment) -> Result<()> {
    sqlx::query("DELETE FROM log_copy WHERE position <= $1 OR log_time < $2")
        .bind(integer(position.saturating_sub(TAIL_ENTRIES)))
        .bind(now.plus(-TAIL_KEPT).0)
        .execute(db)
        .await?;
    Ok(())
}

/// An item, if it is still kept.
///
/// # Errors
/// [`super::StoreError`].
pub async fn find(db: &mut AnyConnection, position: u64) -> Result<Option<LogItem>> {
    let row: Option<(i64, i64, Vec<u8>)> =
        sqlx::query_as("SELECT position, log_time, sealed FROM log_copy WHERE position = $1")
            .bind(integer(position))
            .fetch_optional(db)
            .await?;
    Ok(row.map(|(position, time, sealed)| LogItem {
        position: natural(position),
        log_time: Moment(time),
        sealed,
    }))
}

//! Standing claims of this organization.

use super::{Result, StoreError, integer, natural};
use protocol::channel::Channel;
use sqlx::{AnyConnection, AssertSqlSafe, Row, any::AnyRow};

/// One standing claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its number, counted from 1.
    pub number: u64,
    /// Whose people; everybody's without one.
    pub list: Option<String>,
    /// Only those in this area.
    pub area: Option<String>,
    /// How they are contacted.
    pub channel: Channel,
    /// A bit for each day, Monday first.
    pub weekdays: u8,
    /// So many days before it begins a window is claimed.
    pub ahead: u64,
    /// No window begins after it, `YYYY-MM-DD`.
    pub until_day: Option<String>,
    /// Windows up to this day are claimed or gave nothing.
    pub done_day: String,
    /// When one was last asked for in vain.
    pub looked_at: i64,
    /// What came of it; empty where it was claimed.
    pub why: String,
}

const COLUMNS: &str =
    "number, list, area, channel, weekdays, ahead, until_day, done_day, looked_at, why";

fn read(row: &AnyRow) -> Result<Standing> {
    let damaged = |what: &str| StoreError::damaged("standing_claim", what);
    let channel: String = row.try_get("channel")?;
    Ok(Standing {
        number: natural(row.try_get("number")?),
        list: row.try_get("list")?,
        area: row.try_get("area")?,
        channel: channel.parse().map_err(|_| damaged("channel"))?,
        weekdays: u8::try_from(row.try_get::<i64, _>("weekdays")?)
            .map_err(|_| damaged("weekdays"))?,
        ahead: natural(row.try_get("ahead")?),
        until_day: row.try_get("until_day")?,
        done_day: row.try_get("done_day")?,
        looked_at: row.try_get("looked_at")?,
        why: row.try_get("why")?,
    })
}

/// Writes a new standing claim under the next number, which is returned.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(db: &mut AnyConnection, new: &Standing) -> Result<u64> {
    let last: Option<i64> = sqlx::query_scalar("SELECT MAX(number) FROM standing_claim")
        .fetch_one(&mut *db)
        .await?;
    let number = last.unwrap_or(0) + 1;
    sqlx::query(
        "INSERT INTO standing_claim (number, list, area, channel, weekdays, ahead, until_day, done_day, looked_at, why, \
         ended) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, '', 0)",
    )
    .bind(number)
    .bind(&new.list)
    .bind(&new.area)
    .bind(new.channel.name())
    .bind(i64::from(new.weekdays))
    .bind(integer(new.ahead))
    .bind(&new.until_day)
    .bind(&new.done_day)
    .execute(db)
    .await?;
    Ok(natural(number))
}

/// Every standing claim that nobody ended, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn all(db: &mut AnyConnection) -> Result<Vec<Standing>> {
    let sql = format!("SELECT {COLUMNS} FROM standing_claim WHERE ended = 0 ORDER BY number");
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(db).await?;
    rows.iter().map(read).collect()
}

/// Remembers how far windows are claimed, and what came of the last one.
///
/// # Errors
/// [`StoreError`].
pub async fn looked(
    db: &mut AnyConnection,
    number: u64,
    done: &str,
    at: i64,
    why: &str,
) -> Result<()> {
    sqlx::query(
        "UPDATE standing_claim SET done_day = $1, looked_at = $2, why = $3 WHERE number = $4",
    )
    .bind(done)
    .bind(at)
    .bind(why)
    .bind(integer(number))
    .execute(db)
    .await?;
    Ok(())
}

/// Ends a standing claim; false when there is none with this number.
///
/// # Errors
/// [`StoreError`].
pub async fn end(db: &mut AnyConnection, number: u64) -> Result<bool> {
    let ended = sqlx::query("UPDATE standing_claim SET ended = 1 WHERE number = $1 AND ended = 0")
        .bind(integer(number))
        .execute(db)
        .await?;
    Ok(ended.rows_affected() > 0)
}

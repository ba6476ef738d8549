//! Phone banks, the claims that were taken for them, and their queues.

use super::{Result, StoreError, integer, natural, rows};
use sqlx::{AnyConnection, AssertSqlSafe, Row, any::AnyRow};
use std::collections::{BTreeMap, BTreeSet};

/// One phone bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bank {
    /// Its number, counted from 1.
    pub bank: u64,
    /// Whose people are called; everybody's without one.
    pub list: Option<String>,
    /// Only those in this area.
    pub area: Option<String>,
    /// The first day, `YYYY-MM-DD`.
    pub first_day: String,
    /// The last day, included.
    pub last_day: String,
    /// Calls begin so many minutes after midnight.
    pub opens: u64,
    /// Calls end so many minutes after midnight.
    pub closes: u64,
    /// So long a caller keeps a number, in milliseconds.
    pub lease: i64,
    /// So often a number is tried that nobody answers.
    pub tries: u64,
    /// So many numbers are claimed at a time.
    pub ahead: u64,
    /// Whether callers are given numbers.
    pub open: bool,
    /// When numbers were last looked for.
    pub looked_at: i64,
    /// Why none were found then.
    pub why: String,
}

/// How a number in the queue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// For the next caller.
    Waiting,
    /// A caller has it.
    Leased,
    /// It was called, and is not called again.
    Done,
    /// Left alone: it was given back, or nobody there may be called any more.
    Left,
}

impl CallState {
    const ALL: [Self; 4] = [Self::Waiting, Self::Leased, Self::Done, Self::Left];

    /// The word that is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Leased => "leased",
            Self::Done => "done",
            Self::Left => "left",
        }
    }
}

/// A number in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The phone bank.
    pub bank: u64,
    /// The number, as a contact point.
    pub point_id: String,
    /// The claim that holds it.
    pub claim_id: String,
    /// How it stands.
    pub state: CallState,
    /// How often it was tried in vain.
    pub tries: u64,
    /// Not before this moment; of a leased one, the end of the lease.
    pub ready_at: i64,
    /// The last lease.
    pub lease: Option<String>,
    /// Who had it last.
    pub caller: String,
}

const BANK: &str = "bank, list, area, first_day, last_day, opens, closes, lease, tries, ahead, state, looked_at, why";
const CALL: &str = "bank, point_id, claim_id, state, tries, ready_at, lease, caller";

fn bank(row: &AnyRow) -> Result<Bank> {
    let number = |column: &str| row.try_get::<i64, _>(column);
    Ok(Bank {
        bank: natural(number("bank")?),
        list: row.try_get("list")?,
        area: row.try_get("area")?,
        first_day: row.try_get("first_day")?,
        last_day: row.try_get("last_day")?,
        opens: natural(number("opens")?),
        closes: natural(number("closes")?),
        lease: number("lease")?,
        tries: natural(number("tries")?),
        ahead: natural(number("ahead")?),
        open: row.try_get::<String, _>("state")? == "open",
        looked_at: number("looked_at")?,
        why: row.try_get("why")?,
    })
}

fn queued(row: &AnyRow) -> Result<Queued> {
    let state: String = row.try_get("state")?;
    Ok(Queued {
        bank: natural(row.try_get("bank")?),
        point_id: row.try_get("point_id")?,
        claim_id: row.try_get("claim_id")?,
        state: CallState::ALL
            .into_iter()
            .find(|known| known.name() == state)
            .ok_or_else(|| StoreError::damaged("phone_call", "state"))?,
        tries: natural(row.try_get("tries")?),
        ready_at: row.try_get("ready_at")?,
        lease: row.try_get("lease")?,
        caller: row.try_get("caller")?,
    })
}

/// Writes a new phone bank under the next number, which is returned.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(db: &mut AnyConnection, bank: &Bank, now: i64) -> Result<u64> {
    let last: Option<i64> = sqlx::query_scalar("SELECT MAX(bank) FROM phone_bank")
        .fetch_one(&mut *db)
        .await?;
    let number = last.unwrap_or(0) + 1;
    sqlx::query(
        "INSERT INTO phone_bank (bank, list, area, first_day, last_day, opens, closes, lease, tries, ahead, state, \
         looked_at, why, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', 0, '', $11)",
    )
    .bind(number)
    .bind(&bank.list)
    .bind(&bank.area)
    .bind(&bank.first_day)
    .bind(&bank.last_day)
    .bind(integer(bank.opens))
    .bind(integer(bank.closes))
    .bind(bank.lease)
    .bind(integer(bank.tries))
    .bind(integer(bank.ahead))
    .bind(now)
    .execute(db)
    .await?;
    Ok(natural(number))
}

/// Every phone bank, newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn banks(db: &mut AnyConnection) -> Result<Vec<Bank>> {
    let sql = format!("SELECT {BANK} FROM phone_bank ORDER BY bank DESC");
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(db).await?;
    rows.iter().map(bank).collect()
}

/// The phone bank with a number.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection, number: u64) -> Result<Option<Bank>> {
    let sql = format!("SELECT {BANK} FROM phone_bank WHERE bank = $1");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(integer(number))
        .fetch_optional(db)
        .await?;
    row.as_ref().map(bank).transpose()
}

/// Remembers when numbers were looked for, and why there were none.
///
/// # Errors
/// [`StoreError`].
pub async fn looked(db: &mut AnyConnection, number: u64, now: i64, why: &str) -> Result<()> {
    sqlx::query("UPDATE phone_bank SET looked_at = $1, why = $2 WHERE bank = $3")
        .bind(now)
        .bind(why)
        .bind(integer(number))
        .execute(db)
        .await?;
    Ok(())
}

/// Closes a phone bank; what waits in its queue is left alone.
///
/// # Errors
/// [`StoreError`].
pub async fn close(db: &mut AnyConnection, number: u64) -> Result<()> {
    sqlx::query("UPDATE phone_bank SET state = 'closed' WHERE bank = $1")
        .bind(integer(number))
        .execute(&mut *db)
        .await?;
    sqlx::query("UPDATE phone_call SET state = 'left' WHERE bank = $1 AND state = 'waiting'")
        .bind(integer(number))
        .execute(db)
        .await?;
    Ok(())
}

/// Remembers that a claim was taken for a phone bank.
///
/// # Errors
/// [`StoreError`].
pub async fn claimed(db: &mut AnyConnection, number: u64, claim_id: &str) -> Result<()> {
    sqlx::query("INSERT INTO phone_bank_claim (claim_id, bank, queued) VALUES ($1, $2, 0)")
        .bind(claim_id)
        .bind(integer(number))
        .execute(db)
        .await?;
    Ok(())
}

/// The claims of a phone bank, and whether their numbers are queued.
///
/// # Errors
/// [`StoreError`].
pub async fn claims(db: &mut AnyConnection, number: u64) -> Result<Vec<(String, bool)>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT claim_id, queued FROM phone_bank_claim WHERE bank = $1 ORDER BY claim_id",
    )
    .bind(integer(number))
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, queued)| (id, queued != 0))
        .collect())
}

/// Queues the numbers of a decided claim behind what is queued; one that stands there already stays.
///
/// # Errors
/// [`StoreError`].
pub async fn queue(
    db: &mut AnyConnection,
    number: u64,
    claim_id: &str,
    points: &[String],
) -> Result<()> {
    let last: Option<i64> = sqlx::query_scalar("SELECT MAX(place) FROM phone_call WHERE bank = $1")
        .bind(integer(number))
        .fetch_one(&mut *db)
        .await?;
    let points: Vec<(i64, &String)> = (last.unwrap_or(0) + 1..).zip(points).collect();
    for chunk in points.chunks(rows::CHUNK) {
        let sql = format!(
            "INSERT INTO phone_call (bank, point_id, claim_id, place, state, tries, ready_at, caller) VALUES {} \
             ON CONFLICT (bank, point_id) DO NOTHING",
            rows::places(chunk.len(), 8)
        );
        let query = sqlx::query(AssertSqlSafe(sql));
        let query = chunk.iter().fold(query, |query, (place, point)| {
            query
                .bind(integer(number))
                .bind((*point).clone())
                .bind(claim_id.to_owned())
                .bind(*place)
                .bind(CallState::Waiting.name())
                .bind(0_i64)
                .bind(0_i64)
                .bind("")
        });
        query.execute(&mut *db).await?;
    }
    sqlx::query("UPDATE phone_bank_claim SET queued = 1 WHERE claim_id = $1")
        .bind(claim_id)
        .execute(db)
        .await?;
    Ok(())
}

/// How many numbers of a phone bank stand how.
///
/// # Errors
/// [`StoreError`].
pub async fn counts(db: &mut AnyConnection, number: u64) -> Result<BTreeMap<CallState, u64>> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT state, COUNT(*) FROM phone_call WHERE bank = $1 GROUP BY state")
            .bind(integer(number))
            .fetch_all(db)
            .await?;
    let mut counts: BTreeMap<CallState, u64> =
        CallState::ALL.into_iter().map(|state| (state, 0)).collect();
    for (name, count) in rows {
        if let Some(state) = CallState::ALL
            .into_iter()
            .find(|state| state.name() == name)
        {
            counts.insert(state, natural(count));
        }
    }
    Ok(counts)
}

/// Every number that ever stood in a phone bank's queue.
///
/// # Errors
/// [`StoreError`].
pub async fn points(db: &mut AnyConnection, number: u64) -> Result<BTreeSet<String>> {
    let ids: Vec<String> = sqlx::query_scalar("SELECT point_id FROM phone_call WHERE bank = $1")
        .bind(integer(number))
        .fetch_all(db)
        .await?;
    Ok(ids.into_iter().collect())
}

/// What waits of a claim, or is leased: the numbers that are given back when the phone bank closes.
///
/// # Errors
/// [`StoreError`].
pub async fn waiting_of(db: &mut AnyConnection, claim_id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT point_id FROM phone_call WHERE claim_id = $1 AND state = 'waiting' ORDER BY place",
    )
    .bind(claim_id)
    .fetch_all(db)
    .await?)
}

/// What a caller has now, if anything.
///
/// # Errors
/// [`StoreError`].
pub async fn held_by(
    db: &mut AnyConnection,
    number: u64,
    caller: &str,
    now: i64,
) -> Result<Option<Queued>> {
    let sql = format!(
        "SELECT {CALL} FROM phone_call WHERE bank = $1 AND state = 'leased' AND caller = $2 AND ready_at > $3 \
         ORDER BY place LIMIT 1"
    );
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(integer(number))
        .bind(caller)
        .bind(now)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(queued).transpose()
}

/// The next number that is ready: the least tried one first; one whose lease has run out counts too.
///
/// # Errors
/// [`StoreError`].
pub async fn next(db: &mut AnyConnection, number: u64, now: i64) -> Result<Option<Queued>> {
    let sql = format!(
        "SELECT {CALL} FROM phone_call WHERE bank = $1 AND state IN ('waiting', 'leased') AND ready_at <= $2 \
         ORDER BY tries, place LIMIT 1"
    );
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(integer(number))
        .bind(now)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(queued).transpose()
}

/// When the next number will be ready that is not yet.
///
/// # Errors
/// [`StoreError`].
pub async fn next_ready(db: &mut AnyConnection, number: u64) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT MIN(ready_at) FROM phone_call WHERE bank = $1 AND state IN ('waiting', 'leased')",
    )
    .bind(integer(number))
    .fetch_one(db)
    .await?)
}

/// The number that was handed out under a lease, whatever came of it.
///
/// # Errors
/// [`StoreError`].
pub async fn by_lease(db: &mut AnyConnection, lease: &str) -> Result<Option<Queued>> {
    let sql = format!("SELECT {CALL} FROM phone_call WHERE lease = $1");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(lease)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(queued).transpose()
}

/// Writes how a number stands, if it still stands as it was read; false when somebody was faster.
///
/// # Errors
/// [`StoreError`].
pub async fn change(db: &mut AnyConnection, before: &Queued, after: &Queued) -> Result<bool> {
    let changed = sqlx::query(
        "UPDATE phone_call SET state = $1, tries = $2, ready_at = $3, lease = $4, caller = $5 \
         WHERE bank = $6 AND point_id = $7 AND state = $8 AND ready_at = $9 \
         AND COALESCE(lease, '') = $10",
    )
    .bind(after.state.name())
    .bind(integer(after.tries))
    .bind(after.ready_at)
    .bind(&after.lease)
    .bind(&after.caller)
    .bind(integer(before.bank))
    .bind(&before.point_id)
    .bind(before.state.name())
    .bind(before.ready_at)
    .bind(before.lease.as_deref().unwrap_or_default())
    .execute(db)
    .await?;
    Ok(changed.rows_affected() > 0)
}

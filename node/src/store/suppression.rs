//! The organization's own suppressions, and what of them the coalition has been told.

use super::{Result, StoreError};
use protocol::{entry::payload::Channels, id::EntryId, time::Moment};
use sqlx::{AnyConnection, Row, any::AnyRow};
use std::collections::{BTreeMap, BTreeSet};

/// One own suppression.
#[derive(Debug, Clone)]
pub struct Suppression {
    /// Its id.
    pub id: String,
    /// Whom it concerns, where it is a person.
    pub person_id: Option<String>,
    /// What it concerns, where it is a contact point; with a person: the tie between the two.
    pub point_id: Option<String>,
    /// On which channels.
    pub channels: Channels,
    /// Said to have died.
    pub deceased: bool,
    /// do_not_contact, opt_out, defect, moved or deceased.
    pub reason: String,
    /// Import id, desk or cli.
    pub source: String,
    /// Since when.
    pub since: Moment,
    /// When it was taken back.
    pub withdrawn_at: Option<Moment>,
    /// The entry that told the coalition.
    pub told: Option<String>,
    /// The entry that told the withdrawal.
    pub withdrawal_told: Option<String>,
}

const COLUMNS: &str = "s.suppression_id, s.person_id, s.point_id, s.channels, s.deceased, s.reason, s.source, s.since, \
                       s.withdrawn_at, s.told, s.withdrawal_told";

fn read(row: &AnyRow) -> Result<Suppression> {
    let channels: i64 = row.try_get("channels")?;
    let channels = u8::try_from(channels)
        .map(Channels)
        .map_err(|_| StoreError::damaged("suppression", "channels"))?;
    Ok(Suppression {
        id: row.try_get("suppression_id")?,
        person_id: row.try_get("person_id")?,
        point_id: row.try_get("point_id")?,
        channels,
        deceased: row.try_get::<i64, _>("deceased")? != 0,
        reason: row.try_get("reason")?,
        source: row.try_get("source")?,
        since: Moment(row.try_get("since")?),
        withdrawn_at: row.try_get::<Option<i64>, _>("withdrawn_at")?.map(Moment),
        told: row.try_get("told")?,
        withdrawal_told: row.try_get("withdrawal_told")?,
    })
}

/// What the organization itself leaves alone.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    /// Persons, with the channels that are closed; all four where they are said to have died.
    pub persons: BTreeMap<String, Channels>,
    /// Contact points, with the channels that are closed.
    pub points: BTreeMap<String, Channels>,
    /// Persons who are no longer at a point.
    pub moved: BTreeSet<(String, String)>,
}

impl Marks {
    fn of(rows: &[AnyRow]) -> Result<Self> {
        let mut marks = Self::default();
        for row in rows {
            let row = read(row)?;
            let channels = if row.deceased {
                Channels::EVERY
            } else {
                row.channels
            };
            match (row.person_id, row.point_id) {
                (Some(person), Some(point)) if row.reason == MOVED => {
                    marks.moved.insert((person, point));
                }
                (Some(_), None) if row.reason == MOVED => {}
                (_, Some(point)) => {
                    let known = marks.points.entry(point).or_default();
                    *known = known.with(channels);
                }
                (Some(person), None) => {
                    let known = marks.persons.entry(person).or_default();
                    *known = known.with(channels);
                }
                (None, None) => {}
            }
        }
        Ok(marks)
    }
}

/// Everything that the organization itself leaves alone.
///
/// # Errors
/// [`StoreError`].
pub async fn marks(db: &mut AnyConnection) -> Result<Marks> {
    let sql = format!("SELECT {COLUMNS} FROM suppression s WHERE s.withdrawn_at IS NULL");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(db).await?;
    Marks::of(&rows)
}

/// What of a contact point and of the people whom it reaches the organization itself leaves alone.
///
/// # Errors
/// [`StoreError`].
pub async fn marks_at(db: &mut AnyConnection, point_id: &str) -> Result<Marks> {
    let sql = format!(
        "SELECT {COLUMNS} FROM suppression s WHERE s.withdrawn_at IS NULL AND (s.point_id = $1 OR s.person_id IN \
         (SELECT pp.person_id FROM person_point pp WHERE pp.point_id = $1))"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(point_id)
        .fetch_all(db)
        .await?;
    Marks::of(&rows)
}

/// The reason that ends the tie between a person and a door and suppresses neither.
pub const MOVED: &str = "moved";
/// The reason that concerns this organization alone.
pub const OPT_OUT: &str = "opt_out";

/// Writes a new suppression.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(db: &mut AnyConnection, row: &Suppression) -> Result<()> {
    sqlx::query(
        "INSERT INTO suppression (suppression_id, person_id, point_id, channels, deceased, reason, source, since) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&row.id)
    .bind(&row.person_id)
    .bind(&row.point_id)
    .bind(i64::from(row.channels.0))
    .bind(i64::from(row.deceased))
    .bind(&row.reason)
    .bind(&row.source)
    .bind(row.since.0)
    .execute(db)
    .await?;
    Ok(())
}

/// Takes a suppression back.
///
/// # Errors
/// [`StoreError`].
pub async fn withdraw(db: &mut AnyConnection, id: &str, now: Moment) -> Result<()> {
    sqlx::query(
        "UPDATE suppression SET withdrawn_at = $1 WHERE suppression_id = $2 AND withdrawn_at IS NULL",
    )
    .bind(now.0)
    .bind(id)
    .execute(db)
    .await?;
    Ok(())
}

/// One suppression.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection, id: &str) -> Result<Option<Suppression>> {
    let sql = format!("SELECT {COLUMNS} FROM suppression s WHERE s.suppression_id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.map(|row| read(&row)).transpose()
}

/// What stands about a person as such or about a point, withdrawn ones left out.
///
/// # Errors
/// [`StoreError`].
pub async fn standing_about(
    db: &mut AnyConnection,
    person_id: Option<&str>,
    point_id: Option<&str>,
) -> Result<Vec<Suppression>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM suppression s WHERE s.withdrawn_at IS NULL \
         AND ((s.person_id = $1 AND s.point_id IS NULL) OR (s.point_id = $2 AND s.reason <> 'moved')) ORDER BY s.since, s.suppression_id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(person_id)
        .bind(point_id)
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// Own suppressions, newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn latest(db: &mut AnyConnection, most: i64) -> Result<Vec<Suppression>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM suppression s ORDER BY s.since DESC, s.suppression_id LIMIT $1"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(most)
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// The points of a person on which a suppression of it travels.
const NEEDED: &str = "(p.class = 3 OR (p.class = 1 AND (s.channels & 6) <> 0) OR (p.class = 2 AND (s.channels & 8) <> 0))";

/// Whether allies could know by anything whom or what a suppression concerns.
///
/// # Errors
/// [`StoreError`].
pub async fn can_travel(db: &mut AnyConnection, id: &str) -> Result<bool> {
    let sql = format!(
        "SELECT COUNT(*) FROM suppression s WHERE s.suppression_id = $1 AND (s.point_id IS NOT NULL OR EXISTS ( \
           SELECT 1 FROM person_point pp JOIN point p ON p.point_id = pp.point_id \
           WHERE pp.person_id = s.person_id AND {NEEDED}))"
    );
    let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(id)
        .fetch_one(db)
        .await?;
    Ok(found > 0)
}

/// Suppressions that the coalition has not been told and whose tokens all exist.
///
/// A person needs its keys, and its phones or e-mail addresses where those channels are closed; a
/// contact point needs its own token.
///
/// # Errors
/// [`StoreError`].
pub async fn untold(
    db: &mut AnyConnection,
    generation: u32,
    most: i64,
) -> Result<Vec<Suppression>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM suppression s \
         WHERE s.told IS NULL AND s.withdrawn_at IS NULL AND s.reason <> 'opt_out' AND ( \
           (s.point_id IS NOT NULL AND s.reason <> 'moved' AND EXISTS (SELECT 1 FROM point p \
              WHERE p.point_id = s.point_id AND p.generation = $1)) \
           OR (s.person_id IS NOT NULL AND (s.point_id IS NULL OR s.reason = 'moved') \
             AND EXISTS (SELECT 1 FROM person_point pp JOIN point p ON p.point_id = pp.point_id \
               WHERE pp.person_id = s.person_id AND {NEEDED}) \
             AND NOT EXISTS (SELECT 1 FROM person_point pp JOIN point p ON p.point_id = pp.point_id \
               WHERE pp.person_id = s.person_id AND {NEEDED} \
               AND (p.generation IS NULL OR p.generation <> $1)))) \
         ORDER BY s.since, s.suppression_id LIMIT $2"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(i64::from(generation))
        .bind(most)
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// Withdrawn suppressions whose withdrawal the coalition has not been told.
///
/// # Errors
/// [`StoreError`].
pub async fn withdrawn_untold(db: &mut AnyConnection, most: i64) -> Result<Vec<Suppression>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM suppression s WHERE s.told IS NOT NULL AND s.withdrawn_at IS NOT NULL \
         AND s.withdrawal_told IS NULL ORDER BY s.withdrawn_at, s.suppression_id LIMIT $1"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(most)
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// What still stands and was told about a point: about itself, or about somebody whom it reaches.
///
/// # Errors
/// [`StoreError`].
pub async fn told_touching(db: &mut AnyConnection, point_id: &str) -> Result<Vec<Suppression>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM suppression s \
         WHERE s.told IS NOT NULL AND s.withdrawn_at IS NULL AND s.reason <> 'opt_out' AND ( \
           s.point_id = $1 OR ((s.point_id IS NULL OR s.reason = 'moved') AND s.person_id IN \
             (SELECT pp.person_id FROM person_point pp WHERE pp.point_id = $1)))"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(point_id)
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// Notes which entry told a suppression.
///
/// # Errors
/// [`StoreError`].
pub async fn set_told(db: &mut AnyConnection, id: &str, entry: EntryId) -> Result<()> {
    sqlx::query("UPDATE suppression SET told = $1 WHERE suppression_id = $2")
        .bind(entry.to_string())
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// Notes which entry told a withdrawal.
///
/// # Errors
/// [`StoreError`].
pub async fn set_withdrawal_told(db: &mut AnyConnection, id: &str, entry: &str) -> Result<()> {
    sqlx::query("UPDATE suppression SET withdrawal_told = $1 WHERE suppression_id = $2")
        .bind(entry)
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// An entry changed nothing: what it told has to be told again.
///
/// # Errors
/// [`StoreError`].
pub async fn untell(db: &mut AnyConnection, entry: EntryId) -> Result<()> {
    sqlx::query("UPDATE suppression SET told = NULL WHERE told = $1")
        .bind(entry.to_string())
        .execute(&mut *db)
        .await?;
    sqlx::query("UPDATE suppression SET withdrawal_told = NULL WHERE withdrawal_told = $1")
        .bind(entry.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Everything that stands has to be told again, by new tokens.
///
/// # Errors
/// [`StoreError`].
pub async fn untell_all(db: &mut AnyConnection) -> Result<()> {
    sqlx::query(
        "UPDATE suppression SET told = NULL WHERE told IS NOT NULL AND withdrawn_at IS NULL",
    )
    .execute(db)
    .await?;
    Ok(())
}

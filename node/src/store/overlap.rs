//! This organization's part in counts of what lists have in common.

use super::{Result, integer, natural};
use protocol::{id::EntryId, token::Kind};
use sqlx::{AnyConnection, AssertSqlSafe, Row, any::AnyRow};

/// What this organization brings to a count.
#[derive(Debug)]
pub struct New<'a> {
    /// The count.
    pub overlap: EntryId,
    /// The own entry that asks or agrees.
    pub said: EntryId,
    /// The own list.
    pub label: &'a str,
    /// How many entries of it take part.
    pub size: u64,
    /// The own exponent, sealed.
    pub secret: &'a [u8],
    /// Points of the own list, sealed.
    pub points: &'a [u8],
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// What is known of the own part, secrets left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The own list.
    pub label: String,
    /// How many entries of it take part.
    pub size: u64,
    /// JSON: the counts that may be told.
    pub cells: Option<String>,
    /// Why there are no counts.
    pub note: Option<String>,
}

/// Writes the own part in a count.
///
/// # Errors
/// [`StoreError`](super::StoreError); a unique violation when this organization has one in it already.
pub async fn insert(db: &mut AnyConnection, new: &New<'_>) -> Result<()> {
    sqlx::query(
        "INSERT INTO overlap (overlap_id, said, label, size, secret, points, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(new.overlap.to_string())
    .bind(new.said.to_string())
    .bind(new.label)
    .bind(integer(new.size))
    .bind(new.secret)
    .bind(new.points)
    .bind(new.at)
    .execute(db)
    .await?;
    Ok(())
}

/// The own part in a count.
///
/// # Errors
/// [`StoreError`](super::StoreError).
pub async fn own(db: &mut AnyConnection, overlap: EntryId) -> Result<Option<Own>> {
    let row = sqlx::query("SELECT label, size, cells, note FROM overlap WHERE overlap_id = $1")
        .bind(overlap.to_string())
        .fetch_optional(db)
        .await?;
    let read = |row: AnyRow| {
        Ok(Own {
            label: row.try_get("label")?,
            size: natural(row.try_get("size")?),
            cells: row.try_get("cells")?,
            note: row.try_get("note")?,
        })
    };
    row.map(read).transpose()
}

/// An exponent and points, sealed.
pub type Secrets = (Option<Vec<u8>>, Option<Vec<u8>>);

/// The own exponent and the points of the own list, sealed, as long as they are needed.
///
/// # Errors
/// [`StoreError`](super::StoreError).
pub async fn secrets(db: &mut AnyConnection, overlap: EntryId) -> Result<Secrets> {
    let row: Option<Secrets> =
        sqlx::query_as("SELECT secret, points FROM overlap WHERE overlap_id = $1")
            .bind(overlap.to_string())
            .fetch_optional(db)
            .await?;
    Ok(row.unwrap_or_default())
}

/// Forgets the points of the own list: it was handed on.
///
/// # Errors
/// [`StoreError`](super::StoreError).
pub async fn forget_points(db: &mut AnyConnection, overlap: EntryId) -> Result<()> {
    sqlx::query("UPDATE overlap SET points = NULL WHERE overlap_id = $1")
        .bind(overlap.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Writes down the counts, or why there are none, and forgets the secrets.
///
/// # Errors
/// [`StoreError`](super::StoreError).
pub async fn finish(
    db: &mut AnyConnection,
    overlap: EntryId,
    cells: Option<&str>,
    note: Option<&str>,
) -> Result<()> {
    sqlx::query(
        "UPDATE overlap SET cells = $1, note = $2, secret = NULL, points = NULL WHERE overlap_id = $3",
    )
    .bind(cells)
    .bind(note)
    .bind(overlap.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// Counts in which this organization still holds secrets.
///
/// # Errors
/// [`StoreError`](super::StoreError).
pub async fn with_secrets(db: &mut AnyConnection) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query_as(
        "SELECT overlap_id, created_at FROM overlap WHERE secret IS NOT NULL ORDER BY overlap_id",
    );
    Ok(rows.fetch_all(db).await?)
}

/// Undoes what an own entry was to do: it is void.
///
/// # Errors
/// [`StoreError`](super::StoreError).
pub async fn void(db: &mut AnyConnection, said: EntryId) -> Result<()> {
    sqlx::query("DELETE FROM overlap WHERE said = $1")
        .bind(said.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Notes that a step was taken; false when it had been taken before.
///
/// # Errors
/// [`StoreError`](super::StoreError).
pub async fn take_step(db: &mut AnyConnection, overlap: EntryId, step: &str) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO overlap_step (overlap_id, step) VALUES ($1, $2) ON CONFLICT (overlap_id, step) DO NOTHING",
    )
    .bind(overlap.to_string())
    .bind(step)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether a step was taken.
///
/// # Errors
/// [`StoreError`](super::StoreError).
pub async fn has_taken(db: &mut AnyConnection, overlap: EntryId, step: &str) -> Result<bool> {
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM overlap_step WHERE overlap_id = $1 AND step = $2")
            .bind(overlap.to_string())
            .bind(step)
            .fetch_one(db)
            .await?;
    Ok(count > 0)
}

/// A point of a list with its evaluated element, sealed.
pub type Element = (String, Vec<u8>);

/// The people of a list, or of any list, with their points of a kind. People who must never be shared are
/// left out, and contact points that reach nobody.
fn whose(list_id: Option<&str>) -> String {
    let on = if list_id.is_some() {
        "l.list_id = $1"
    } else {
        "$1 = ''"
    };
    format!(
        "FROM person_list l JOIN person e ON e.person_id = l.person_id \
         JOIN person_point pp ON pp.person_id = l.person_id JOIN point p ON p.point_id = pp.point_id \
         WHERE {on} AND e.never_share = 0 AND (pp.bad = 0 OR p.class + 0 = 3) \
         AND p.kind = $2 AND p.generation + 0 = $3 AND p.element IS NOT NULL"
    )
}

/// The elements of one kind of everybody on a list, or on any list, each once.
///
/// # Errors
/// [`StoreError`](super::StoreError).
pub async fn elements(
    db: &mut AnyConnection,
    list_id: Option<&str>,
    kind: Kind,
    generation: u32,
) -> Result<Vec<Element>> {
    let sql = format!("SELECT DISTINCT p.point_id, p.element {}", whose(list_id));
    let rows = sqlx::query_as(AssertSqlSafe(sql))
        .bind(list_id.unwrap_or_default())
        .bind(kind.name())
        .bind(i64::from(generation));
    Ok(rows.fetch_all(db).await?)
}

/// How many people of a list, or of all lists, have such an element.
///
/// # Errors
/// [`StoreError`](super::StoreError).
pub async fn people(
    db: &mut AnyConnection,
    list_id: Option<&str>,
    kind: Kind,
    generation: u32,
) -> Result<u64> {
    let sql = format!("SELECT COUNT(DISTINCT l.person_id) {}", whose(list_id));
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(list_id.unwrap_or_default())
        .bind(kind.name())
        .bind(i64::from(generation))
        .fetch_one(db)
        .await?;
    Ok(natural(count))
}

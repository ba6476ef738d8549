//! Keepers' ledgers of evaluations as they are handed on, and where this keeper's own has gaps.

use super::{Result, StoreError, integer, keeper::Slot, natural};
use protocol::id::NodeId;
use sqlx::AnyConnection;

/// A slot of the ledger: who had which points evaluated under which number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whose.
    pub member: NodeId,
    /// Class of the points.
    pub class: u8,
    /// The member's own number of the batch.
    pub slot: u64,
    /// The digest of the points.
    pub digest: Vec<u8>,
    /// How many.
    pub points: u64,
    /// When, in milliseconds since 1970; 0 where nobody noted it.
    pub at: i64,
}

/// Lines of a generation after one, by member, class and slot.
///
/// # Errors
/// [`StoreError`].
pub async fn after(
    db: &mut AnyConnection,
    generation: u32,
    after: Option<(NodeId, u8, u64)>,
    most: usize,
) -> Result<Vec<Line>> {
    let (member, class, slot) = match after {
        Some((member, class, slot)) => (member.to_string(), i64::from(class), integer(slot)),
        None => (String::new(), 0, 0),
    };
    let rows: Vec<(String, i64, i64, Vec<u8>, i64, i64)> = sqlx::query_as(
        "SELECT member, class, slot, digest, points, COALESCE(at, 0) FROM keeper_slot \
         WHERE generation = $1 AND (member > $2 OR (member = $2 AND (class > $3 OR (class = $3 AND slot > $4)))) \
         ORDER BY member, class, slot LIMIT $5",
    )
    .bind(i64::from(generation))
    .bind(member)
    .bind(class)
    .bind(slot)
    .bind(integer(most as u64))
    .fetch_all(db)
    .await?;
    let line =
        |(member, class, slot, digest, points, at): (String, i64, i64, Vec<u8>, i64, i64)| {
            let damaged = |what: &'static str| StoreError::damaged("keeper_slot", what);
            Ok(Line {
                member: member.parse().map_err(|_| damaged("member"))?,
                class: u8::try_from(class).map_err(|_| damaged("class"))?,
                slot: natural(slot),
                digest,
                points: natural(points),
                at,
            })
        };
    rows.into_iter().map(line).collect()
}

/// Takes over a line of another keeper's ledger; what this one knows of the slot stays.
///
/// # Errors
/// [`StoreError`].
pub async fn take_over(db: &mut AnyConnection, generation: u32, line: &Line) -> Result<()> {
    sqlx::query(
        "INSERT INTO keeper_slot (member, class, generation, slot, digest, points, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (member, class, generation, slot) DO NOTHING",
    )
    .bind(line.member.to_string())
    .bind(i64::from(line.class))
    .bind(i64::from(generation))
    .bind(integer(line.slot))
    .bind(&line.digest)
    .bind(integer(line.points))
    .bind(line.at)
    .execute(db)
    .await?;
    Ok(())
}

/// Counts points as spent of which nobody knows any more in which slots; lines of their own, below all
/// slots that members can name.
///
/// # Errors
/// [`StoreError`].
pub async fn count_lost(db: &mut AnyConnection, of: Slot, points: u64, at: i64) -> Result<()> {
    let lowest: Option<i64> = sqlx::query_scalar(
        "SELECT MIN(slot) FROM keeper_slot WHERE member = $1 AND class = $2 AND generation = $3",
    )
    .bind(of.member.to_string())
    .bind(of.class)
    .bind(of.generation)
    .fetch_one(&mut *db)
    .await?;
    let slot = Slot {
        slot: lowest.unwrap_or(0).min(0) - 1,
        ..of
    };
    super::keeper::bind_slot(db, slot, &[0; 32], points, at).await
}

/// Notes that the ledger of a generation may have gaps: this keeper was restored.
///
/// # Errors
/// [`StoreError`].
pub async fn note_gap(db: &mut AnyConnection, generation: u32) -> Result<()> {
    sqlx::query(
        "INSERT INTO keeper_gap (generation, asked_at) VALUES ($1, 0) ON CONFLICT (generation) DO NOTHING",
    )
    .bind(i64::from(generation))
    .execute(db)
    .await?;
    Ok(())
}

/// The generations whose ledger may have gaps, and when others were last asked for theirs.
///
/// # Errors
/// [`StoreError`].
pub async fn gaps(db: &mut AnyConnection) -> Result<Vec<(u32, i64)>> {
    let rows: Vec<(i64, i64)> =
        sqlx::query_as("SELECT generation, asked_at FROM keeper_gap ORDER BY generation")
            .fetch_all(db)
            .await?;
    let gap = |(generation, asked_at): (i64, i64)| {
        let generation = u32::try_from(generation);
        let generation = generation.map_err(|error| StoreError::damaged("keeper_gap", error))?;
        Ok((generation, asked_at))
    };
    rows.into_iter().map(gap).collect()
}

/// Whether the ledger of a generation may have gaps.
///
/// # Errors
/// [`StoreError`].
pub async fn has_gap(db: &mut AnyConnection, generation: u32) -> Result<bool> {
    let found: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM keeper_gap WHERE generation = $1")
        .bind(i64::from(generation))
        .fetch_one(db)
        .await?;
    Ok(found > 0)
}

/// Others were asked in vain.
///
/// # Errors
/// [`StoreError`].
pub async fn asked(db: &mut AnyConnection, generation: u32, at: i64) -> Result<()> {
    sqlx::query("UPDATE keeper_gap SET asked_at = $1 WHERE generation = $2")
        .bind(at)
        .bind(i64::from(generation))
        .execute(db)
        .await?;
    Ok(())
}

/// The ledger of a generation is whole again, or nobody needs it any more.
///
/// # Errors
/// [`StoreError`].
pub async fn close_gap(db: &mut AnyConnection, generation: u32) -> Result<()> {
    sqlx::query("DELETE FROM keeper_gap WHERE generation = $1")
        .bind(i64::from(generation))
        .execute(db)
        .await?;
    Ok(())
}

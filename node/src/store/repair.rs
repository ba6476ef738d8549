//! The only keeper after a restore: how far its repair has come, and who has handed back what it holds.

use super::{Result, StoreError, integer, natural};
use protocol::{
    blob::BlobId,
    chain::LogItem,
    entry::Class,
    id::{Hash, NodeId},
};
use sqlx::{AnyConnection, Row};

/// How far a repair has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Members hand back what they hold; nothing is ordered, granted or signed.
    Gathering,
    /// The log is whole again as far as anybody has it, and this node comes back into the group.
    Returning,
    /// The keeper works again.
    Done,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Gathering, Self::Returning, Self::Done];

    fn name(self) -> &'static str {
        match self {
            Self::Gathering => "gathering",
            Self::Returning => "returning",
            Self::Done => "done",
        }
    }
}

/// The one row about the repair.
#[derive(Debug, Clone)]
pub struct Repair {
    /// How far it has come.
    pub stage: Stage,
    /// When it began, in milliseconds since 1970.
    pub began_at: i64,
    /// The end of the log in the copy.
    pub before: u64,
    /// The end of the log when the keeper opened it again.
    pub after: Option<u64>,
    /// The group as a member gave it, and at which position.
    pub group: Option<(u64, Vec<u8>)>,
    /// What a member tells of this node's commit from outside: its position, and the blob with the state
    /// there; none where it was void.
    pub came: Option<(u64, Option<BlobId>)>,
}

/// The repair, if there was one.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection) -> Result<Option<Repair>> {
    let row = sqlx::query(
        "SELECT stage, began_at, position_before, position_after, group_position, group_now, came_position, came_blob \
         FROM keeper_repair",
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let damaged = |what: &str| StoreError::damaged("keeper_repair", what);
    let stage: String = row.try_get(0)?;
    let group: Option<i64> = row.try_get(4)?;
    let bytes: Option<Vec<u8>> = row.try_get(5)?;
    let came: Option<i64> = row.try_get(6)?;
    let blob: Option<String> = row.try_get(7)?;
    let blob = blob.map(|blob| blob.parse()).transpose();
    let blob = blob.map_err(|_| damaged("came_blob"))?;
    Ok(Some(Repair {
        stage: Stage::ALL
            .into_iter()
            .find(|known| known.name() == stage)
            .ok_or_else(|| damaged("stage"))?,
        began_at: row.try_get(1)?,
        before: natural(row.try_get(2)?),
        after: row.try_get::<Option<i64>, _>(3)?.map(natural),
        group: group.map(natural).zip(bytes),
        came: came.map(|position| (natural(position), blob)),
    }))
}

/// Begins a repair; an earlier one is forgotten.
///
/// # Errors
/// [`StoreError`].
pub async fn begin(db: &mut AnyConnection, position: u64, now: i64) -> Result<()> {
    forget(&mut *db).await?;
    sqlx::query(
        "INSERT INTO keeper_repair (one, stage, began_at, position_before) VALUES (1, 'gathering', $1, $2)",
    )
    .bind(now)
    .bind(integer(position))
    .execute(db)
    .await?;
    Ok(())
}

/// Begins a repair in a copy of a keeper's database; in another one nothing has to be repaired.
///
/// # Errors
/// [`StoreError`].
pub async fn begin_in_a_copy(db: &mut AnyConnection) -> Result<()> {
    if super::raft::id(&mut *db).await?.is_none() {
        return Ok(());
    }
    let end: Option<i64> = sqlx::query_scalar("SELECT MAX(position) FROM keeper_log")
        .fetch_one(&mut *db)
        .await?;
    begin(db, end.map_or(0, natural), 0).await
}

/// Moves the repair on; `after` is the end of the log then.
///
/// # Errors
/// [`StoreError`].
pub async fn set_stage(db: &mut AnyConnection, stage: Stage, after: Option<u64>) -> Result<()> {
    sqlx::query(
        "UPDATE keeper_repair SET stage = $1, position_after = COALESCE($2, position_after)",
    )
    .bind(stage.name())
    .bind(after.map(integer))
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps the group as a member gave it.
///
/// # Errors
/// [`StoreError`].
pub async fn set_group(db: &mut AnyConnection, position: u64, group: &[u8]) -> Result<()> {
    sqlx::query("UPDATE keeper_repair SET group_position = $1, group_now = $2")
        .bind(integer(position))
        .bind(group)
        .execute(db)
        .await?;
    Ok(())
}

/// Keeps what a member tells of the commit from outside.
///
/// # Errors
/// [`StoreError`].
pub async fn set_came(db: &mut AnyConnection, position: u64, blob: Option<BlobId>) -> Result<()> {
    sqlx::query("UPDATE keeper_repair SET came_position = $1, came_blob = $2")
        .bind(integer(position))
        .bind(blob.map(|blob| blob.to_string()))
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets the repair and what was said in it.
///
/// # Errors
/// [`StoreError`].
pub async fn forget(db: &mut AnyConnection) -> Result<()> {
    sqlx::query("DELETE FROM keeper_repair_word")
        .execute(&mut *db)
        .await?;
    sqlx::query("DELETE FROM keeper_repair").execute(db).await?;
    Ok(())
}

/// A member has handed back all that it holds.
///
/// # Errors
/// [`StoreError`].
pub async fn put_word(db: &mut AnyConnection, node: NodeId, reached: u64, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO keeper_repair_word (node_id, reached, said_at) VALUES ($1, $2, $3) \
         ON CONFLICT (node_id) DO UPDATE SET reached = excluded.reached, said_at = excluded.said_at",
    )
    .bind(node.to_string())
    .bind(integer(reached))
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

/// How far each member has read that has handed back all that it holds.
///
/// # Errors
/// [`StoreError`].
pub async fn words(db: &mut AnyConnection) -> Result<Vec<(NodeId, u64)>> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT node_id, reached FROM keeper_repair_word ORDER BY node_id")
            .fetch_all(db)
            .await?;
    let read = |(node, reached): (String, i64)| {
        let node = node.parse();
        let node = node.map_err(|_| StoreError::damaged("keeper_repair_word", "node_id"))?;
        Ok((node, natural(reached)))
    };
    rows.into_iter().map(read).collect()
}

/// Positions after one of which no more than the line is there, in order.
///
/// # Errors
/// [`StoreError`].
pub async fn lacking(
    db: &mut AnyConnection,
    before: u64,
    after: u64,
    limit: i64,
) -> Result<Vec<u64>> {
    let rows: Vec<i64> = sqlx::query_scalar(
        "SELECT position FROM keeper_log WHERE position > $1 AND LENGTH(sealed) = 0 ORDER BY position LIMIT $2",
    )
    .bind(integer(before.max(after)))
    .bind(limit)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(natural).collect())
}

/// How many entries lack their bytes after a position, and the last of them.
///
/// # Errors
/// [`StoreError`].
pub async fn lost(db: &mut AnyConnection, before: u64) -> Result<(u64, Option<u64>)> {
    let row: (i64, Option<i64>) = sqlx::query_as(
        "SELECT COUNT(*), MAX(position) FROM keeper_log WHERE position > $1 AND LENGTH(sealed) = 0",
    )
    .bind(integer(before))
    .fetch_one(db)
    .await?;
    Ok((natural(row.0), row.1.map(natural)))
}

/// Puts the bytes of an entry behind its line; `false` where that line has another hash.
///
/// # Errors
/// [`StoreError`].
pub async fn fill(
    db: &mut AnyConnection,
    item: &LogItem,
    author: NodeId,
    class: Class,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE keeper_log SET sealed = $1, author = $2, class = $3 \
         WHERE position = $4 AND log_time = $5 AND hash = $6",
    )
    .bind(item.sealed.as_slice())
    .bind(author.to_string())
    .bind(super::keeper::class_number(class))
    .bind(integer(item.position))
    .bind(item.log_time.0)
    .bind(Hash::of(&item.sealed).to_string())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

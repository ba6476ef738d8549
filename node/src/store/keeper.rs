//! What a keeper holds: the log, newcomers, evaluation slots.

use super::{Result, StoreError, integer, natural};
use protocol::{
    chain::{Head, LogItem, LogLine},
    entry::Class,
    id::{Hash, Lineage, NodeId},
    time::Moment,
};
use sqlx::AnyConnection;

/// Where the log stands.
///
/// # Errors
/// [`StoreError`].
pub async fn head(db: &mut AnyConnection, lineage: Lineage) -> Result<Head> {
    let row: Option<(i64, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT position, log_time, chain FROM keeper_log ORDER BY position DESC LIMIT 1",
    )
    .fetch_optional(db)
    .await?;
    let Some((position, log_time, chain)) = row else {
        return Ok(Head::start(lineage));
    };
    let chain = chain
        .try_into()
        .map(Hash)
        .map_err(|_| StoreError::damaged("keeper_log", "chain"))?;
    Ok(Head {
        lineage,
        position: natural(position),
        chain,
        log_time: Moment(log_time),
    })
}

/// Where bytes that were appended before are: position and log time.
///
/// # Errors
/// [`StoreError`].
pub async fn position_of(db: &mut AnyConnection, hash: Hash) -> Result<Option<(u64, Moment)>> {
    let row: Option<(i64, i64)> =
        sqlx::query_as("SELECT position, log_time FROM keeper_log WHERE hash = $1")
            .bind(hash.to_string())
            .fetch_optional(db)
            .await?;
    Ok(row.map(|(position, time)| (natural(position), Moment(time))))
}

/// Appends an item after the head it continues.
///
/// # Errors
/// [`StoreError`].
pub async fn append(
    db: &mut AnyConnection,
    item: &LogItem,
    chain: Hash,
    author: NodeId,
    class: Class,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO keeper_log (position, log_time, sealed, hash, chain, author, class) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(integer(item.position))
    .bind(item.log_time.0)
    .bind(&item.sealed)
    .bind(Hash::of(&item.sealed).to_string())
    .bind(chain.0.to_vec())
    .bind(author.to_string())
    .bind(class_number(class))
    .execute(db)
    .await?;
    Ok(())
}

/// How a class is stored.
pub(super) fn class_number(class: Class) -> i64 {
    match class {
        Class::Control => 0,
        Class::Claims => 1,
        Class::Data => 2,
    }
}

/// Items after a position, in order.
///
/// # Errors
/// [`StoreError`].
pub async fn after(db: &mut AnyConnection, position: u64, limit: i64) -> Result<Vec<LogItem>> {
    let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT position, log_time, sealed FROM keeper_log WHERE position > $1 ORDER BY position LIMIT $2",
    )
    .bind(integer(position))
    .bind(limit)
    .fetch_all(db)
    .await?;
    let item = |(position, time, sealed)| LogItem {
        position: natural(position),
        log_time: Moment(time),
        sealed,
    };
    Ok(rows.into_iter().map(item).collect())
}

/// Lines after a position, in order, whether or not what was said is still there.
///
/// # Errors
/// [`StoreError`].
pub async fn lines(db: &mut AnyConnection, position: u64, limit: i64) -> Result<Vec<LogLine>> {
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(
        "SELECT position, log_time, hash FROM keeper_log WHERE position > $1 ORDER BY position LIMIT $2",
    )
    .bind(integer(position))
    .bind(limit)
    .fetch_all(db)
    .await?;
    let line = |(position, time, hash): (i64, i64, String)| {
        let sealed = hash.parse();
        Ok(LogLine {
            position: natural(position),
            log_time: Moment(time),
            sealed: sealed.map_err(|_| StoreError::damaged("keeper_log", "hash"))?,
        })
    };
    rows.into_iter().map(line).collect()
}

/// Appends a line of which what was said is gone elsewhere already.
///
/// # Errors
/// [`StoreError`].
pub async fn append_line(db: &mut AnyConnection, line: &LogLine, chain: Hash) -> Result<()> {
    sqlx::query(
        "INSERT INTO keeper_log (position, log_time, sealed, hash, chain, author, class) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(integer(line.position))
    .bind(line.log_time.0)
    .bind(Vec::<u8>::new())
    .bind(line.sealed.to_string())
    .bind(chain.0.to_vec())
    .bind(String::new())
    .bind(2_i64)
    .execute(&mut *db)
    .await?;
    Ok(())
}

/// Up to which position nothing but lines is left.
///
/// # Errors
/// [`StoreError`].
pub async fn pruned(db: &mut AnyConnection) -> Result<u64> {
    let pruned: Option<i64> = sqlx::query_scalar("SELECT pruned FROM keeper_retention")
        .fetch_optional(db)
        .await?;
    Ok(pruned.map_or(0, natural))
}

/// Deletes what was said up to a position; the lines stay.
///
/// # Errors
/// [`StoreError`].
pub async fn prune(db: &mut AnyConnection, from: u64, to: u64) -> Result<()> {
    sqlx::query("UPDATE keeper_log SET sealed = $1 WHERE position > $2 AND position <= $3")
        .bind(Vec::<u8>::new())
        .bind(integer(from))
        .bind(integer(to))
        .execute(&mut *db)
        .await?;
    note_pruned(db, to).await
}

/// Notes that nothing but lines is left up to a position.
///
/// # Errors
/// [`StoreError`].
pub async fn note_pruned(db: &mut AnyConnection, to: u64) -> Result<()> {
    sqlx::query(
        "INSERT INTO keeper_retention (one, pruned) VALUES (1, $1) \
         ON CONFLICT (one) DO UPDATE SET pruned = excluded.pruned",
    )
    .bind(integer(to))
    .execute(db)
    .await?;
    Ok(())
}

/// The last position whose log time is before a moment; 0 when there is none.
///
/// # Errors
/// [`StoreError`].
pub async fn last_before(db: &mut AnyConnection, moment: Moment, after: u64) -> Result<u64> {
    // Log time never goes back, so the first one that is late enough ends the search.
    let first: Option<i64> = sqlx::query_scalar(
        "SELECT position FROM keeper_log WHERE position > $1 AND log_time >= $2 ORDER BY position LIMIT 1",
    )
    .bind(integer(after))
    .bind(moment.0)
    .fetch_optional(db)
    .await?;
    Ok(first.map_or(after, |first| natural(first) - 1))
}

/// The chain hash at a position.
///
/// # Errors
/// [`StoreError`].
pub async fn chain_at(db: &mut AnyConnection, position: u64) -> Result<Option<Hash>> {
    let chain: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT chain FROM keeper_log WHERE position = $1")
            .bind(integer(position))
            .fetch_optional(db)
            .await?;
    chain
        .map(|bytes| {
            bytes
                .try_into()
                .map(Hash)
                .map_err(|_| StoreError::damaged("keeper_log", "chain"))
        })
        .transpose()
}

/// A newcomer at the door.
#[derive(Debug, Clone)]
pub struct JoinRow {
    /// Its signed identity document.
    pub document: Vec<u8>,
    /// Welcome and sealed snapshot, once it is approved.
    pub admission: Option<Vec<u8>>,
}

/// Notes a newcomer. The same newcomer with the same invitation again changes nothing.
///
/// # Errors
/// [`StoreError`]; a unique violation when another newcomer used the invitation.
pub async fn put_join(
    db: &mut AnyConnection,
    node: NodeId,
    token: Hash,
    document: &[u8],
    now: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO keeper_join (node_id, token_hash, document, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (node_id) DO UPDATE SET token_hash = excluded.token_hash, document = excluded.document, \
         admission = NULL",
    )
    .bind(node.to_string())
    .bind(token.to_string())
    .bind(document)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

/// A newcomer's row.
///
/// # Errors
/// [`StoreError`].
pub async fn join(db: &mut AnyConnection, node: NodeId) -> Result<Option<JoinRow>> {
    let row: Option<(Vec<u8>, Option<Vec<u8>>)> =
        sqlx::query_as("SELECT document, admission FROM keeper_join WHERE node_id = $1")
            .bind(node.to_string())
            .fetch_optional(db)
            .await?;
    Ok(row.map(|(document, admission)| JoinRow {
        document,
        admission,
    }))
}

/// Who used an invitation, if anybody.
///
/// # Errors
/// [`StoreError`].
pub async fn join_by_token(db: &mut AnyConnection, token: Hash) -> Result<Option<String>> {
    Ok(
        sqlx::query_scalar("SELECT node_id FROM keeper_join WHERE token_hash = $1")
            .bind(token.to_string())
            .fetch_optional(db)
            .await?,
    )
}

/// Keeps what lets an approved newcomer in.
///
/// # Errors
/// [`StoreError`].
pub async fn set_admission(db: &mut AnyConnection, node: NodeId, admission: &[u8]) -> Result<bool> {
    let done = sqlx::query("UPDATE keeper_join SET admission = $1 WHERE node_id = $2")
        .bind(admission)
        .bind(node.to_string())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// A member's numbered batch of blinded points.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    /// Whose.
    pub member: NodeId,
    /// Class of the points.
    pub class: i64,
    /// Generation of match tokens.
    pub generation: i64,
    /// The member's own number of the batch.
    pub slot: i64,
}

/// The digest that a slot is bound to, if it is.
///
/// # Errors
/// [`StoreError`].
pub async fn slot_digest(db: &mut AnyConnection, slot: Slot) -> Result<Option<Vec<u8>>> {
    Ok(sqlx::query_scalar(
        "SELECT digest FROM keeper_slot WHERE member = $1 AND class = $2 AND generation = $3 AND slot = $4",
    )
    .bind(slot.member.to_string())
    .bind(slot.class)
    .bind(slot.generation)
    .bind(slot.slot)
    .fetch_optional(db)
    .await?)
}

/// Points that a member has had evaluated in a class and generation.
///
/// # Errors
/// [`StoreError`].
pub async fn points_used(db: &mut AnyConnection, slot: Slot) -> Result<u64> {
    let points: i64 = sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM keeper_slot \
         WHERE member = $1 AND class = $2 AND generation = $3",
    )
    .bind(slot.member.to_string())
    .bind(slot.class)
    .bind(slot.generation)
    .fetch_one(db)
    .await?;
    Ok(natural(points))
}

/// Points that a member has had evaluated in a class and generation after a moment: when, and how many,
/// the earliest first.
///
/// # Errors
/// [`StoreError`].
pub async fn points_since(
    db: &mut AnyConnection,
    slot: Slot,
    after: i64,
) -> Result<Vec<(i64, u64)>> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT at, CAST(SUM(points) AS BIGINT) FROM keeper_slot \
         WHERE member = $1 AND class = $2 AND generation = $3 AND at > $4 GROUP BY at ORDER BY at",
    )
    .bind(slot.member.to_string())
    .bind(slot.class)
    .bind(slot.generation)
    .bind(after)
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(at, points)| (at, natural(points)))
        .collect())
}

/// Binds a slot to a digest and counts its points.
///
/// # Errors
/// [`StoreError`]; a unique violation when the slot is bound.
pub async fn bind_slot(
    db: &mut AnyConnection,
    slot: Slot,
    digest: &[u8],
    points: u64,
    at: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO keeper_slot (member, class, generation, slot, digest, points, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(slot.member.to_string())
    .bind(slot.class)
    .bind(slot.generation)
    .bind(slot.slot)
    .bind(digest)
    .bind(integer(points))
    .bind(at)
    .execute(db)
    .await?;
    Ok(())
}

//! The log tree, signed heads of it, and entries that may be shown to outsiders.

use super::{Result, StoreError, integer, natural};
use protocol::{
    chain::LogItem,
    id::{EntryId, Hash, Lineage, NodeId},
    merkle::{Proof, Subtree, Tree, join, subtrees},
    time::Moment,
};
use sqlx::{AnyConnection, FromRow, Row, any::AnyRow};
use std::ops::Range;

/// Under which name the largest note of any keeper is kept.
pub const KEEPER: &str = "keeper";
/// Under which name the latest note of one keeper is kept.
#[must_use]
pub fn of_keeper(node: NodeId) -> String {
    format!("{KEEPER} {node}")
}

/// Items read at a time.
const PAGE: i64 = 1_000;

macro_rules! from_row {
    ($($name:ident { $($column:ident),* })*) => {$(
        impl FromRow<'_, AnyRow> for $name {
            fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
                Ok(Self { $($column: row.try_get(stringify!($column))?,)* })
            }
        }
    )*};
}

from_row! {
    NoteRow { signer, size, note, at }
    Fork { why, shown, known, at }
    ShownRow { position, log_time, envelope, entry }
}

/// Keeps complete subtrees of the log tree.
///
/// # Errors
/// [`StoreError`].
pub async fn put_nodes(
    db: &mut AnyConnection,
    nodes: impl IntoIterator<Item = (Subtree, Hash)>,
) -> Result<()> {
    for (at, hash) in nodes {
        sqlx::query(
            "INSERT INTO log_node (level, n, hash) VALUES ($1, $2, $3) ON CONFLICT (level, n) DO NOTHING",
        )
        .bind(i64::from(at.level))
        .bind(integer(at.index))
        .bind(hash.0.to_vec())
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// The hashes of the complete subtrees of a span; none when one lies before this node came in.
async fn parts(db: &mut AnyConnection, span: Range<u64>) -> Result<Option<Vec<Hash>>> {
    let mut hashes = Vec::new();
    for at in subtrees(span) {
        let found: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT hash FROM log_node WHERE level = $1 AND n = $2")
                .bind(i64::from(at.level))
                .bind(integer(at.index))
                .fetch_optional(&mut *db)
                .await?;
        match found {
            Some(bytes) => hashes.push(hash("log_node", bytes)?),
            None => return Ok(None),
        }
    }
    Ok(Some(hashes))
}

/// The log tree at a size; none before this node came in.
///
/// # Errors
/// [`StoreError`].
pub async fn tree_at(db: &mut AnyConnection, size: u64) -> Result<Option<Tree>> {
    let peaks = parts(db, 0..size).await?;
    peaks
        .map(|peaks| Tree::new(size, peaks).map_err(|error| StoreError::damaged("log_node", error)))
        .transpose()
}

/// The root of the log tree at a size; none before this node came in.
///
/// # Errors
/// [`StoreError`].
pub async fn root_at(db: &mut AnyConnection, size: u64) -> Result<Option<Hash>> {
    Ok(tree_at(db, size).await?.map(|tree| tree.root()))
}

/// The proof made of some spans; none when it needs what lies before this node came in.
///
/// # Errors
/// [`StoreError`].
pub async fn prove(db: &mut AnyConnection, spans: Vec<Range<u64>>) -> Result<Option<Proof>> {
    let mut hashes = Vec::new();
    for span in spans {
        let Some(root) = parts(&mut *db, span).await?.and_then(|parts| join(&parts)) else {
            return Ok(None);
        };
        hashes.push(root);
    }
    Proof::new(hashes)
        .map(Some)
        .map_err(|error| StoreError::damaged("log_node", error))
}

/// The tree over everything that this keeper has ordered. What was ordered before the tree was kept
/// is added from the log.
///
/// # Errors
/// [`StoreError`].
pub async fn keeper_tree(db: &mut AnyConnection, lineage: Lineage) -> Result<Tree> {
    let row: Option<(i64, Vec<u8>)> = sqlx::query_as("SELECT size, peaks FROM keeper_tree")
        .fetch_optional(&mut *db)
        .await?;
    let mut tree = match row {
        Some((size, peaks)) => Tree::from_peak_bytes(natural(size), &peaks)
            .map_err(|error| StoreError::damaged("keeper_tree", error))?,
        None => Tree::default(),
    };
    loop {
        let lines = super::keeper::lines(&mut *db, tree.size(), PAGE).await?;
        for line in &lines {
            tree.push(line.leaf(lineage));
        }
        if lines.is_empty() {
            return Ok(tree);
        }
    }
}

/// Keeps the tree over everything that this keeper has ordered.
///
/// # Errors
/// [`StoreError`].
pub async fn put_keeper_tree(db: &mut AnyConnection, tree: &Tree) -> Result<()> {
    sqlx::query(
        "INSERT INTO keeper_tree (one, size, peaks) VALUES (1, $1, $2) \
         ON CONFLICT (one) DO UPDATE SET size = excluded.size, peaks = excluded.peaks",
    )
    .bind(integer(tree.size()))
    .bind(tree.peak_bytes())
    .execute(db)
    .await?;
    Ok(())
}

/// A checked note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteRow {
    /// [`KEEPER`] or a node id.
    pub signer: String,
    /// How many entries it is about.
    pub size: i64,
    /// The note.
    pub note: String,
    /// When it was checked.
    pub at: i64,
}

/// The latest checked note of everybody, the largest of the keepers first.
///
/// # Errors
/// [`StoreError`].
pub async fn notes(db: &mut AnyConnection) -> Result<Vec<NoteRow>> {
    Ok(sqlx::query_as(
        "SELECT signer, size, note, at FROM log_note WHERE signer NOT LIKE 'keeper %' ORDER BY CASE WHEN signer = 'keeper' THEN 0 ELSE 1 END, signer",
    )
    .fetch_all(db)
    .await?)
}

/// The latest checked note of one signer.
///
/// # Errors
/// [`StoreError`].
pub async fn note_of(db: &mut AnyConnection, signer: &str) -> Result<Option<NoteRow>> {
    Ok(
        sqlx::query_as("SELECT signer, size, note, at FROM log_note WHERE signer = $1")
            .bind(signer)
            .fetch_optional(db)
            .await?,
    )
}

/// Keeps a checked note in the place of the signer's one before.
///
/// # Errors
/// [`StoreError`].
pub async fn put_note(db: &mut AnyConnection, row: &NoteRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO log_note (signer, size, note, at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (signer) DO UPDATE SET size = excluded.size, note = excluded.note, at = excluded.at",
    )
    .bind(&row.signer)
    .bind(row.size)
    .bind(&row.note)
    .bind(row.at)
    .execute(db)
    .await?;
    Ok(())
}

/// From when on this node vouches for the log; none where it was never set back.
///
/// # Errors
/// [`StoreError`].
pub async fn vouches_from(db: &mut AnyConnection) -> Result<Option<Moment>> {
    let from: Option<i64> = sqlx::query_scalar("SELECT not_before FROM vouching")
        .fetch_optional(db)
        .await?;
    Ok(from.map(Moment))
}

/// Notes from when on this node vouches for the log again.
///
/// # Errors
/// [`StoreError`].
pub async fn vouch_from(db: &mut AnyConnection, from: Moment) -> Result<()> {
    sqlx::query(
        "INSERT INTO vouching (one, not_before) VALUES (1, $1) \
         ON CONFLICT (one) DO UPDATE SET not_before = excluded.not_before",
    )
    .bind(from.0)
    .execute(db)
    .await?;
    Ok(())
}

/// Two signed notes that cannot both be true.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fork {
    /// What does not fit together.
    pub why: String,
    /// The note that contradicts.
    pub shown: String,
    /// The note that it contradicts.
    pub known: Option<String>,
    /// When it was seen.
    pub at: i64,
}

/// Keeps evidence of two histories, up to [`protocol::limits::EVIDENCE_KEPT`] of it.
///
/// # Errors
/// [`StoreError`].
pub async fn put_fork(db: &mut AnyConnection, fork: &Fork) -> Result<()> {
    let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM log_fork")
        .fetch_one(&mut *db)
        .await?;
    let same: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM log_fork WHERE shown = $1 AND why = $2")
            .bind(&fork.shown)
            .bind(&fork.why)
            .fetch_one(&mut *db)
            .await?;
    if natural(kept) >= protocol::limits::EVIDENCE_KEPT as u64 || same > 0 {
        return Ok(());
    }
    sqlx::query("INSERT INTO log_fork (n, why, shown, known, at) VALUES ($1, $2, $3, $4, $5)")
        .bind(kept + 1)
        .bind(&fork.why)
        .bind(&fork.shown)
        .bind(&fork.known)
        .bind(fork.at)
        .execute(db)
        .await?;
    Ok(())
}

/// All evidence of two histories.
///
/// # Errors
/// [`StoreError`].
pub async fn forks(db: &mut AnyConnection) -> Result<Vec<Fork>> {
    Ok(
        sqlx::query_as("SELECT why, shown, known, at FROM log_fork ORDER BY n")
            .fetch_all(db)
            .await?,
    )
}

/// An entry that can be shown to outsiders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRow {
    /// Where it stands.
    pub position: i64,
    /// When it was ordered.
    pub log_time: i64,
    /// The envelope.
    pub envelope: Vec<u8>,
    /// The entry.
    pub entry: Vec<u8>,
}

/// Keeps an entry whose envelope shows its hash.
///
/// # Errors
/// [`StoreError`].
pub async fn put_shown(
    db: &mut AnyConnection,
    item: &LogItem,
    id: EntryId,
    entry: &[u8],
) -> Result<()> {
    sqlx::query(
        "INSERT INTO log_shown (position, entry_id, envelope, entry) VALUES ($1, $2, $3, $4)",
    )
    .bind(integer(item.position))
    .bind(id.to_string())
    .bind(&item.sealed)
    .bind(entry)
    .execute(db)
    .await?;
    Ok(())
}

const SHOWN: &str = "SELECT s.position, h.log_time, s.envelope, s.entry FROM log_shown s \
    JOIN history h ON h.position = s.position";

/// An entry that can be shown, by its id.
///
/// # Errors
/// [`StoreError`].
pub async fn shown(db: &mut AnyConnection, id: EntryId) -> Result<Option<ShownRow>> {
    let sql = format!("{SHOWN} WHERE s.entry_id = $1");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(id.to_string())
        .fetch_optional(db)
        .await?)
}

/// Entries that can be shown, between two positions, in order.
///
/// # Errors
/// [`StoreError`].
pub async fn all_shown(
    db: &mut AnyConnection,
    after: u64,
    until: u64,
    limit: i64,
) -> Result<Vec<ShownRow>> {
    let sql =
        format!("{SHOWN} WHERE s.position > $1 AND s.position <= $2 ORDER BY s.position LIMIT $3");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(integer(after))
        .bind(integer(until))
        .bind(limit)
        .fetch_all(db)
        .await?)
}

/// The first position that this node has read.
///
/// # Errors
/// [`StoreError`].
pub async fn first_read(db: &mut AnyConnection) -> Result<Option<u64>> {
    let first: Option<i64> = sqlx::query_scalar("SELECT MIN(position) FROM history")
        .fetch_one(db)
        .await?;
    Ok(first.map(natural))
}

/// Log time and hash of the envelopes between two positions, in order.
///
/// # Errors
/// [`StoreError`] when one was read before hashes were kept.
pub async fn items(db: &mut AnyConnection, after: u64, until: u64) -> Result<Vec<(i64, Hash)>> {
    let rows: Vec<(i64, Option<Vec<u8>>)> = sqlx::query_as(
        "SELECT log_time, sealed_hash FROM history WHERE position > $1 AND position <= $2 ORDER BY position",
    )
    .bind(integer(after))
    .bind(integer(until))
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(time, bytes)| Ok((time, hash("history", bytes.unwrap_or_default())?)))
        .collect()
}

fn hash(table: &'static str, bytes: Vec<u8>) -> Result<Hash> {
    bytes
        .try_into()
        .map(Hash)
        .map_err(|_| StoreError::damaged(table, "a hash that has not 32 bytes"))
}

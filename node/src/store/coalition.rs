//! The coalition that this node is in: its row, its MLS state, its folded state.

use super::{Result, StoreError, rows};
use protocol::{
    id::{CoalitionId, Hash, Lineage, NodeId},
    state::{State, table::Change},
};
use sqlx::AnyConnection;
use std::collections::BTreeMap;

/// How far this node has come with its coalition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Asked to join; waits for approval.
    Joining,
    /// A member that folds the log.
    Active,
    /// Folding stopped: something needs a person.
    Stopped,
    /// A copy of an earlier day: reads with its old state as far as that goes and says nothing.
    Restored,
    /// On the way back into the group, by a commit from outside; says nothing before it is in.
    Returning,
    /// Has left, or was removed.
    Gone,
}

impl Phase {
    const ALL: [Self; 6] = [
        Self::Joining,
        Self::Active,
        Self::Stopped,
        Self::Restored,
        Self::Returning,
        Self::Gone,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Joining => "joining",
            Self::Active => "active",
            Self::Stopped => "stopped",
            Self::Restored => "restored",
            Self::Returning => "returning",
            Self::Gone => "gone",
        }
    }
}

/// The one row about the coalition.
#[derive(Debug, Clone)]
pub struct CoalitionRow {
    /// The coalition.
    pub id: CoalitionId,
    /// Its name.
    pub name: String,
    /// The numbering of its log.
    pub lineage: Lineage,
    /// How far this node has come.
    pub phase: Phase,
    /// Why folding stopped.
    pub stopped_because: Option<String>,
    /// The keeper.
    pub keeper: NodeId,
    /// Where the keeper answers; empty when this node is it.
    pub keeper_url: String,
    /// The keeper's signed identity document, as it introduced itself.
    pub keeper_document: Vec<u8>,
}

/// Writes the one row about the coalition.
///
/// # Errors
/// [`StoreError`]; a unique violation when the node is in a coalition already.
pub async fn insert(db: &mut AnyConnection, row: &CoalitionRow, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO coalition (one, coalition_id, name, lineage, phase, keeper_node, keeper_url, keeper_document, created_at) \
         VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(row.id.to_string())
    .bind(&row.name)
    .bind(row.lineage.0.to_vec())
    .bind(row.phase.name())
    .bind(row.keeper.to_string())
    .bind(&row.keeper_url)
    .bind(&row.keeper_document)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

type Columns = (
    String,
    String,
    Vec<u8>,
    String,
    Option<String>,
    String,
    String,
    Vec<u8>,
);

/// The one row about the coalition; none before one is made or joined.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection) -> Result<Option<CoalitionRow>> {
    let row: Option<Columns> = sqlx::query_as(
        "SELECT coalition_id, name, lineage, phase, stopped_because, keeper_node, keeper_url, keeper_document FROM coalition",
    )
    .fetch_optional(db)
    .await?;
    row.map(read).transpose()
}

fn read(row: Columns) -> Result<CoalitionRow> {
    let (id, name, lineage, phase, stopped_because, keeper, keeper_url, keeper_document) = row;
    let damaged = |what: &str| StoreError::damaged("coalition", what);
    let phase = Phase::ALL
        .into_iter()
        .find(|known| known.name() == phase)
        .ok_or_else(|| damaged("phase"))?;
    Ok(CoalitionRow {
        id: id.parse().map_err(|_| damaged("coalition_id"))?,
        name,
        lineage: Lineage(lineage.try_into().map_err(|_| damaged("lineage"))?),
        phase,
        stopped_because,
        keeper: keeper.parse().map_err(|_| damaged("keeper_node"))?,
        keeper_url,
        keeper_document,
    })
}

/// Changes how far this node has come, and why it stopped.
///
/// # Errors
/// [`StoreError`].
pub async fn set_phase(db: &mut AnyConnection, phase: Phase, because: Option<&str>) -> Result<()> {
    sqlx::query("UPDATE coalition SET phase = $1, stopped_because = $2")
        .bind(phase.name())
        .bind(because)
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets a coalition that this node asked to join and is not in.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_joining(db: &mut AnyConnection) -> Result<()> {
    sqlx::query("DELETE FROM coalition WHERE phase = 'joining'")
        .execute(&mut *db)
        .await?;
    super::joining::forget(&mut *db).await?;
    sqlx::query("DELETE FROM mls_state")
        .execute(&mut *db)
        .await?;
    sqlx::query("DELETE FROM mls_group").execute(db).await?;
    Ok(())
}

/// Marks a copy of this database: whoever opens it comes back into the group before it speaks.
///
/// A copy of a keeper keeps nothing either, until members or other keepers have handed back what it lacks.
///
/// # Errors
/// [`StoreError`].
pub async fn mark_as_copy(db: &mut AnyConnection, because: &str) -> Result<()> {
    sqlx::query(
        "UPDATE coalition SET phase = 'restored', stopped_because = $1 \
         WHERE phase IN ('active', 'stopped', 'restored', 'returning')",
    )
    .bind(because)
    .execute(&mut *db)
    .await?;
    super::repair::begin_in_a_copy(db).await
}

/// Forgets the keys of a group that this node is not in any more.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_group(db: &mut AnyConnection) -> Result<()> {
    sqlx::query("DELETE FROM mls_state")
        .execute(&mut *db)
        .await?;
    sqlx::query("DELETE FROM mls_group").execute(db).await?;
    Ok(())
}

/// Puts another folded state in the place of this node's, with all that it compared before.
///
/// # Errors
/// [`StoreError`].
pub async fn replace_state(db: &mut AnyConnection, rows: &[(u8, Change)]) -> Result<()> {
    sqlx::query("DELETE FROM fold_row")
        .execute(&mut *db)
        .await?;
    sqlx::query("DELETE FROM contradiction")
        .execute(&mut *db)
        .await?;
    put_state(db, rows).await
}

/// The present MLS group and the version of its stored state.
#[derive(Debug, Clone)]
pub struct MlsGroupRow {
    /// Grows with each write.
    pub version: i64,
    /// The group.
    pub group_id: [u8; 16],
    /// What wrote the rows.
    pub storage_format: String,
}

/// The MLS group's row.
///
/// # Errors
/// [`StoreError`].
pub async fn mls_group(db: &mut AnyConnection) -> Result<Option<MlsGroupRow>> {
    let row: Option<(i64, Vec<u8>, String)> =
        sqlx::query_as("SELECT version, group_id, storage_format FROM mls_group")
            .fetch_optional(db)
            .await?;
    row.map(|(version, group_id, storage_format)| {
        let group_id = group_id
            .try_into()
            .map_err(|_| StoreError::damaged("mls_group", "group_id"))?;
        Ok(MlsGroupRow {
            version,
            group_id,
            storage_format,
        })
    })
    .transpose()
}

/// Begins to store a group.
///
/// # Errors
/// [`StoreError`].
pub async fn put_mls_group(db: &mut AnyConnection, group_id: [u8; 16], format: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO mls_group (one, version, group_id, storage_format) VALUES (1, 1, $1, $2) \
         ON CONFLICT (one) DO UPDATE SET version = mls_group.version + 1, group_id = excluded.group_id, \
         storage_format = excluded.storage_format",
    )
    .bind(group_id.to_vec())
    .bind(format)
    .execute(db)
    .await?;
    Ok(())
}

/// Moves the version on, if it is still the one that was read; `false` when another writer was here.
///
/// # Errors
/// [`StoreError`].
pub async fn bump_mls_version(db: &mut AnyConnection, from: i64) -> Result<bool> {
    let done = sqlx::query("UPDATE mls_group SET version = version + 1 WHERE version = $1")
        .bind(from)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// All MLS rows, still sealed.
///
/// # Errors
/// [`StoreError`].
pub async fn mls_rows(db: &mut AnyConnection) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let rows: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as("SELECT k, v FROM mls_state")
        .fetch_all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Writes or removes one sealed MLS row.
///
/// # Errors
/// [`StoreError`].
pub async fn put_mls_row(db: &mut AnyConnection, k: &[u8], sealed: Option<&[u8]>) -> Result<()> {
    match sealed {
        Some(sealed) => {
            sqlx::query(
                "INSERT INTO mls_state (k, v) VALUES ($1, $2) ON CONFLICT (k) DO UPDATE SET v = excluded.v",
            )
            .bind(k)
            .bind(sealed)
            .execute(db)
            .await?;
        }
        None => {
            sqlx::query("DELETE FROM mls_state WHERE k = $1")
                .bind(k)
                .execute(db)
                .await?;
        }
    }
    Ok(())
}

/// The folded state.
///
/// # Errors
/// [`StoreError`] when a row cannot be read.
pub async fn state(db: &mut AnyConnection) -> Result<State> {
    let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = sqlx::query_as("SELECT tbl, k, v FROM fold_row")
        .fetch_all(db)
        .await?;
    let mut state = State::default();
    for (table, k, v) in rows {
        let table =
            u8::try_from(table).map_err(|_| StoreError::damaged("fold_row", "table number"))?;
        state
            .restore(table, &k, &v)
            .map_err(|error| StoreError::damaged("fold_row", error))?;
    }
    Ok(state)
}

/// Writes what a fold changed.
///
/// # Errors
/// [`StoreError`].
pub async fn put_state(db: &mut AnyConnection, changes: &[(u8, Change)]) -> Result<()> {
    let mut kept: Vec<(i64, &[u8], &[u8])> = Vec::with_capacity(changes.len());
    for (table, (k, v)) in changes {
        match v {
            Some(v) => kept.push((i64::from(*table), k, v)),
            None => {
                sqlx::query("DELETE FROM fold_row WHERE tbl = $1 AND k = $2")
                    .bind(i64::from(*table))
                    .bind(k)
                    .execute(&mut *db)
                    .await?;
            }
        }
    }
    for chunk in kept.chunks(rows::CHUNK) {
        let sql = format!(
            "INSERT INTO fold_row (tbl, k, v) VALUES {} ON CONFLICT (tbl, k) DO UPDATE SET v = excluded.v",
            rows::places(chunk.len(), 3)
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql));
        let query = chunk.iter().fold(query, |query, (table, k, v)| {
            query.bind(*table).bind(*k).bind(*v)
        });
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// Keeps the hashes of a position where members compare.
///
/// # Errors
/// [`StoreError`].
pub async fn put_fold_hash(
    db: &mut AnyConnection,
    position: u64,
    state: Hash,
    authenticator: Hash,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO fold_hash (position, state, authenticator) VALUES ($1, $2, $3) ON CONFLICT (position) DO NOTHING",
    )
    .bind(super::integer(position))
    .bind(state.0.to_vec())
    .bind(authenticator.0.to_vec())
    .execute(db)
    .await?;
    Ok(())
}

/// The hashes that this node had at a position: state and authenticator.
///
/// # Errors
/// [`StoreError`].
pub async fn fold_hash(
    db: &mut AnyConnection,
    position: u64,
) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    Ok(
        sqlx::query_as("SELECT state, authenticator FROM fold_hash WHERE position = $1")
            .bind(super::integer(position))
            .fetch_optional(db)
            .await?,
    )
}

/// Notes that a member had another state than this node at a position.
///
/// # Errors
/// [`StoreError`].
pub async fn note_contradiction(
    db: &mut AnyConnection,
    member: NodeId,
    position: u64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO contradiction (member, position) VALUES ($1, $2) \
         ON CONFLICT (member) DO UPDATE SET position = excluded.position",
    )
    .bind(member.to_string())
    .bind(super::integer(position))
    .execute(db)
    .await?;
    Ok(())
}

/// A member agrees again.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_contradiction(db: &mut AnyConnection, member: NodeId) -> Result<()> {
    sqlx::query("DELETE FROM contradiction WHERE member = $1")
        .bind(member.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// How many members had another state than this node when they last said so.
///
/// # Errors
/// [`StoreError`].
pub async fn contradictions(db: &mut AnyConnection) -> Result<u64> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM contradiction")
        .fetch_one(db)
        .await?;
    Ok(super::natural(count))
}

/// Keeps the document with which the keeper introduced itself.
///
/// # Errors
/// [`StoreError`].
pub async fn set_keeper_document(db: &mut AnyConnection, document: &[u8]) -> Result<()> {
    sqlx::query("UPDATE coalition SET keeper_document = $1")
        .bind(document)
        .execute(db)
        .await?;
    Ok(())
}

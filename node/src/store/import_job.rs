//! Imports: how far each has come, what it counted, and the rows that it left out.

use super::{Result, StoreError};
use sqlx::{AnyConnection, AssertSqlSafe, FromRow, Row, any::AnyRow};

/// The most imports that a list of them shows.
pub const IMPORTS_SHOWN: i64 = 200;

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// Rows are being read.
    Running,
    /// The node stopped on the way: the same import again goes on behind the rows that are in.
    Interrupted,
    /// Every row was read.
    Done,
    /// The file was refused on the way; the rows before that place are in.
    Failed,
}

impl Progress {
    const ALL: [Self; 4] = [Self::Running, Self::Interrupted, Self::Done, Self::Failed];

    /// The word that is stored and read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// One import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Base32, random.
    pub import_id: String,
    /// Where the rows go; empty for contact histories.
    pub list_id: String,
    /// Of file, list and options.
    pub fingerprint: String,
    /// As the person called the file.
    pub file_name: String,
    /// Recognized or chosen; empty until the header was read.
    pub format: String,
    /// How far it has come.
    pub progress: Progress,
    /// Rows that are committed, rejected ones included.
    pub rows_done: i64,
    /// JSON: what was counted so far.
    pub counts: String,
    /// Milliseconds since 1970.
    pub started_at: i64,
    /// Milliseconds since 1970.
    pub finished_at: Option<i64>,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reject {
    /// Line of the file.
    pub line: i64,
    /// Column at fault; may be empty.
    pub column: String,
    /// Why, without any content of the row.
    pub reason: String,
}

const COLUMNS: &str = "import_id, list_id, fingerprint, file_name, format, state, rows_done, counts, started_at, finished_at";

impl FromRow<'_, AnyRow> for Import {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let word: String = row.try_get("state")?;
        let progress = Progress::ALL.into_iter().find(|known| known.name() == word);
        Ok(Self {
            import_id: row.try_get("import_id")?,
            list_id: row.try_get("list_id")?,
            fingerprint: row.try_get("fingerprint")?,
            file_name: row.try_get("file_name")?,
            format: row.try_get("format")?,
            progress: progress.ok_or_else(|| sqlx::Error::ColumnDecode {
                index: "state".to_owned(),
                source: "no state that is known".into(),
            })?,
            rows_done: row.try_get("rows_done")?,
            counts: row.try_get("counts")?,
            started_at: row.try_get("started_at")?,
            finished_at: row.try_get("finished_at")?,
        })
    }
}

impl FromRow<'_, AnyRow> for Reject {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            line: row.try_get("line")?,
            column: row.try_get("column_name")?,
            reason: row.try_get("reason")?,
        })
    }
}

/// Writes an import, in place of an earlier state of it.
///
/// # Errors
/// [`StoreError`].
pub async fn put(db: &mut AnyConnection, import: &Import) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO import (import_id, list_id, fingerprint, file_name, format, state, rows_done, counts, started_at, \
         finished_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (import_id) DO UPDATE SET \
         format = excluded.format, state = excluded.state, rows_done = excluded.rows_done, counts = excluded.counts, \
         finished_at = excluded.finished_at",
    )
    .bind(&import.import_id)
    .bind(&import.list_id)
    .bind(&import.fingerprint)
    .bind(&import.file_name)
    .bind(&import.format)
    .bind(import.progress.name())
    .bind(import.rows_done)
    .bind(&import.counts)
    .bind(import.started_at)
    .bind(import.finished_at)
    .execute(db)
    .await?;
    Ok(())
}

/// The latest import with a fingerprint that did not come to its end.
///
/// # Errors
/// [`StoreError`].
pub async fn unfinished(db: &mut AnyConnection, fingerprint: &str) -> Result<Option<Import>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM import WHERE fingerprint = $1 AND (state = 'running' OR state = 'interrupted') ORDER BY started_at DESC LIMIT 1"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(fingerprint)
        .fetch_optional(db)
        .await?)
}

/// Notes at the start of a node that nothing is being read: what was, was interrupted.
///
/// # Errors
/// [`StoreError`].
pub async fn interrupt_running(db: &mut AnyConnection) -> Result<()> {
    sqlx::query("UPDATE import SET state = 'interrupted' WHERE state = 'running'")
        .execute(db)
        .await?;
    Ok(())
}

/// The fingerprint of an import.
///
/// # Errors
/// [`StoreError`].
pub async fn fingerprint(db: &mut AnyConnection, import_id: &str) -> Result<Option<String>> {
    Ok(
        sqlx::query_scalar("SELECT fingerprint FROM import WHERE import_id = $1")
            .bind(import_id)
            .fetch_optional(db)
            .await?,
    )
}

/// The import with an id.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection, import_id: &str) -> Result<Option<Import>> {
    let sql = format!("SELECT {COLUMNS} FROM import WHERE import_id = $1");
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(import_id)
        .fetch_optional(db)
        .await?)
}

/// The latest imports, latest first.
///
/// # Errors
/// [`StoreError`].
pub async fn latest(db: &mut AnyConnection) -> Result<Vec<Import>> {
    let sql = format!("SELECT {COLUMNS} FROM import ORDER BY started_at DESC, import_id LIMIT $1");
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(IMPORTS_SHOWN)
        .fetch_all(db)
        .await?)
}

/// Notes a row that was left out; the same row once more changes nothing.
///
/// # Errors
/// [`StoreError`].
pub async fn reject(db: &mut AnyConnection, import_id: &str, reject: &Reject) -> Result<()> {
    sqlx::query(
        "INSERT INTO import_reject (import_id, line, column_name, reason) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(import_id)
    .bind(reject.line)
    .bind(&reject.column)
    .bind(&reject.reason)
    .execute(db)
    .await?;
    Ok(())
}

/// The rows that an import left out, in the file's order.
///
/// # Errors
/// [`StoreError`].
pub async fn rejects(db: &mut AnyConnection, import_id: &str, limit: i64) -> Result<Vec<Reject>> {
    Ok(sqlx::query_as(
        "SELECT line, column_name, reason FROM import_reject WHERE import_id = $1 ORDER BY line, column_name LIMIT $2",
    )
    .bind(import_id)
    .bind(limit)
    .fetch_all(db)
    .await?)
}

//! What this node read in the coalition log, one line per entry.

use super::Result;
use protocol::{chain::LogLine, id::Hash};
use sqlx::AnyConnection;

/// One line of history.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Line {
    /// Position in the log.
    pub position: i64,
    /// Milliseconds since 1970.
    pub log_time: i64,
    /// The entry's id.
    pub entry_id: Option<String>,
    /// Who sealed it.
    pub author: Option<String>,
    /// What it is.
    pub kind: String,
    /// Why it changed nothing.
    pub void: Option<String>,
    /// SHA-256 of the envelope.
    #[serde(skip)]
    pub sealed: Option<Hash>,
}

impl Line {
    /// A line about an item, still without what is inside.
    #[must_use]
    pub fn of(line: &LogLine) -> Self {
        Self {
            position: super::integer(line.position),
            log_time: line.log_time.0,
            kind: "unreadable".to_owned(),
            sealed: Some(line.sealed),
            ..Self::default()
        }
    }
}

/// Writes a line.
///
/// # Errors
/// [`super::StoreError`].
pub async fn insert(db: &mut AnyConnection, line: &Line) -> Result<()> {
    sqlx::query(
        "INSERT INTO history (position, log_time, entry_id, author, kind, void, sealed_hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(line.position)
    .bind(line.log_time)
    .bind(&line.entry_id)
    .bind(&line.author)
    .bind(&line.kind)
    .bind(&line.void)
    .bind(line.sealed.map(|hash| hash.0.to_vec()))
    .execute(db)
    .await?;
    Ok(())
}

/// The latest lines, newest first.
///
/// # Errors
/// [`super::StoreError`].
pub async fn latest(db: &mut AnyConnection, limit: i64) -> Result<Vec<Line>> {
    type Columns = (
        i64,
        i64,
        Option<String>,
        Option<String>,
        String,
        Option<String>,
    );
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT position, log_time, entry_id, author, kind, void FROM history ORDER BY position DESC LIMIT $1",
    )
    .bind(limit)
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(position, log_time, entry_id, author, kind, void)| Line {
            position,
            log_time,
            entry_id,
            author,
            kind,
            void,
            sealed: None,
        })
        .collect())
}

//! What this node says, from the moment it is decided until its echo was folded.

use super::{Result, StoreError};
use protocol::{
    entry::Class,
    id::{EntryId, Hash},
};
use sqlx::{AnyConnection, Row};

/// The most entries that wait; beyond it the node says so instead of taking more.
pub const OUTBOX_ROWS: i64 = 100_000;

/// How far an entry has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Waits to be sealed.
    Queued,
    /// Sealed and stored; the keeper may or may not have it.
    Sealed,
    /// The keeper has given it a position.
    Ordered,
    /// Its echo was folded and took effect.
    Done,
    /// Its echo was folded and changed nothing.
    Void,
}

impl Progress {
    const ALL: [Self; 5] = [
        Self::Queued,
        Self::Sealed,
        Self::Ordered,
        Self::Done,
        Self::Void,
    ];

    /// The word that is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sealed => "sealed",
            Self::Ordered => "ordered",
            Self::Done => "done",
            Self::Void => "void",
        }
    }
}

/// One row.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Order in which this node speaks.
    pub seq: i64,
    /// The entry's id.
    pub entry: EntryId,
    /// Its kind.
    pub kind: String,
    /// Its admission class.
    pub class: Class,
    /// The entry, sealed at rest; empty for a commit.
    pub plain: Vec<u8>,
    /// Its rows, sealed at rest, where they travel in a blob.
    pub rows_plain: Option<Vec<u8>>,
    /// What was or will be sent.
    pub envelope: Option<Vec<u8>>,
    /// What a commit was built for.
    pub intent: Option<Vec<u8>>,
    /// How far it has come.
    pub progress: Progress,
    /// Where it was ordered.
    pub position: Option<u64>,
    /// Why it is void or waits.
    pub note: Option<String>,
    /// How often it was sealed.
    pub attempts: i64,
}

/// Something new to say.
#[derive(Debug)]
pub struct New<'a> {
    /// The entry's id.
    pub entry: EntryId,
    /// Its kind.
    pub kind: &'a str,
    /// Its class.
    pub class: Class,
    /// The entry, sealed at rest.
    pub plain: &'a [u8],
    /// Its rows, sealed at rest.
    pub rows_plain: Option<&'a [u8]>,
    /// What a commit is for.
    pub intent: Option<&'a [u8]>,
}

const COLUMNS: &str = "seq, entry_id, kind, class, plain, rows_plain, envelope, intent, state, position, note, attempts";

fn class_number(class: Class) -> i64 {
    match class {
        Class::Control => 0,
        Class::Claims => 1,
        Class::Data => 2,
    }
}

fn read(row: &sqlx::any::AnyRow) -> Result<Outgoing> {
    let damaged = |what: &str| StoreError::damaged("outbox", what);
    let class = match row.try_get::<i64, _>("class")? {
        0 => Class::Control,
        1 => Class::Claims,
        2 => Class::Data,
        _ => return Err(damaged("class")),
    };
    let word: String = row.try_get("state")?;
    let progress = Progress::ALL
        .into_iter()
        .find(|known| known.name() == word)
        .ok_or_else(|| damaged("state"))?;
    Ok(Outgoing {
        seq: row.try_get("seq")?,
        entry: row
            .try_get::<String, _>("entry_id")?
            .parse()
            .map_err(|_| damaged("entry_id"))?,
        kind: row.try_get("kind")?,
        class,
        plain: row.try_get("plain")?,
        rows_plain: row.try_get("rows_plain")?,
        envelope: row.try_get("envelope")?,
        intent: row.try_get("intent")?,
        progress,
        position: row
            .try_get::<Option<i64>, _>("position")?
            .map(super::natural),
        note: row.try_get("note")?,
        attempts: row.try_get("attempts")?,
    })
}

/// Puts something to say at the end.
///
/// # Errors
/// [`StoreError`]; a unique violation when the entry is there already.
pub async fn insert(db: &mut AnyConnection, new: &New<'_>, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO outbox (seq, entry_id, kind, class, plain, rows_plain, intent, state, attempts, created_at) \
         VALUES ((SELECT COALESCE(MAX(seq), 0) + 1 FROM outbox), $1, $2, $3, $4, $5, $6, 'queued', 0, $7)",
    )
    .bind(new.entry.to_string())
    .bind(new.kind)
    .bind(class_number(new.class))
    .bind(new.plain)
    .bind(new.rows_plain)
    .bind(new.intent)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

/// The entries in a state, control first, then in the order in which they were decided.
///
/// # Errors
/// [`StoreError`].
pub async fn in_progress(
    db: &mut AnyConnection,
    progress: Progress,
    limit: i64,
) -> Result<Vec<Outgoing>> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE state = $1 ORDER BY class, seq LIMIT $2");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(progress.name())
        .bind(limit)
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// One entry.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection, entry: EntryId) -> Result<Option<Outgoing>> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE entry_id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(entry.to_string())
        .fetch_optional(db)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The entry that was sent as these bytes.
///
/// # Errors
/// [`StoreError`].
pub async fn find_by_envelope(db: &mut AnyConnection, hash: Hash) -> Result<Option<Outgoing>> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE envelope_hash = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(hash.to_string())
        .fetch_optional(db)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Stores what will be sent; from here on only these bytes are sent.
///
/// # Errors
/// [`StoreError`].
pub async fn set_sealed(
    db: &mut AnyConnection,
    entry: EntryId,
    envelope: &[u8],
    hash: Hash,
) -> Result<()> {
    sqlx::query(
        "UPDATE outbox SET envelope = $1, envelope_hash = $2, state = 'sealed', attempts = attempts + 1, note = NULL \
         WHERE entry_id = $3",
    )
    .bind(envelope)
    .bind(hash.to_string())
    .bind(entry.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// Puts another form of an entry in the place of the one that waits.
///
/// # Errors
/// [`StoreError`].
pub async fn set_plain(db: &mut AnyConnection, entry: EntryId, plain: &[u8]) -> Result<()> {
    sqlx::query("UPDATE outbox SET plain = $1 WHERE entry_id = $2")
        .bind(plain)
        .bind(entry.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Stores a commit that will be sent, and the Welcome that goes out once it has won.
///
/// # Errors
/// [`StoreError`].
pub async fn set_commit(
    db: &mut AnyConnection,
    entry: EntryId,
    envelope: &[u8],
    hash: Hash,
    welcome: Option<&[u8]>,
) -> Result<()> {
    set_sealed(&mut *db, entry, envelope, hash).await?;
    sqlx::query("UPDATE outbox SET rows_plain = $1 WHERE entry_id = $2")
        .bind(welcome)
        .bind(entry.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Notes the position that the keeper gave.
///
/// # Errors
/// [`StoreError`].
pub async fn set_ordered(db: &mut AnyConnection, entry: EntryId, position: u64) -> Result<()> {
    sqlx::query("UPDATE outbox SET state = 'ordered', position = $1 WHERE entry_id = $2 AND state = 'sealed'")
        .bind(super::integer(position))
        .bind(entry.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// The keeper may have lost what it ordered: the same bytes are sent again. Where it has them, they keep
/// their place.
///
/// # Errors
/// [`StoreError`].
pub async fn send_again(db: &mut AnyConnection) -> Result<()> {
    sqlx::query("UPDATE outbox SET state = 'sealed' WHERE state = 'ordered'")
        .execute(db)
        .await?;
    Ok(())
}

/// Puts an entry back, to be sealed anew.
///
/// # Errors
/// [`StoreError`].
pub async fn set_queued(db: &mut AnyConnection, entry: EntryId, note: &str) -> Result<()> {
    sqlx::query(
        "UPDATE outbox SET state = 'queued', envelope = NULL, envelope_hash = NULL, note = $1 WHERE entry_id = $2",
    )
    .bind(note)
    .bind(entry.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// Ends an entry: it took effect, or it is void for a reason. What it said is not kept.
///
/// # Errors
/// [`StoreError`].
pub async fn set_final(
    db: &mut AnyConnection,
    entry: EntryId,
    position: u64,
    void: Option<&str>,
) -> Result<()> {
    let state = if void.is_some() {
        Progress::Void
    } else {
        Progress::Done
    };
    sqlx::query(
        "UPDATE outbox SET state = $1, position = $2, note = $3, plain = $4, rows_plain = NULL, envelope = NULL, \
         intent = NULL WHERE entry_id = $5",
    )
    .bind(state.name())
    .bind(super::integer(position))
    .bind(void)
    .bind(Vec::new())
    .bind(entry.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// Notes why an entry waits.
///
/// # Errors
/// [`StoreError`].
pub async fn set_note(db: &mut AnyConnection, entry: EntryId, note: &str) -> Result<()> {
    sqlx::query("UPDATE outbox SET note = $1 WHERE entry_id = $2")
        .bind(note)
        .bind(entry.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// How many entries wait, and whether one of a kind does.
///
/// # Errors
/// [`StoreError`].
pub async fn waiting(db: &mut AnyConnection) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM outbox WHERE state IN ('queued', 'sealed', 'ordered')",
    )
    .fetch_one(db)
    .await?)
}

/// How many entries of a kind wait.
///
/// # Errors
/// [`StoreError`].
pub async fn waiting_of(db: &mut AnyConnection, kind: &str) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM outbox WHERE kind = $1 AND state IN ('queued', 'sealed', 'ordered')",
    )
    .bind(kind)
    .fetch_one(db)
    .await?)
}

//! The node's database: SQLite beside its configuration, or PostgreSQL by URL.
//!
//! One SQL text serves both. Writing goes through one connection, in transactions that have a name
//! ([`Store::write`]); reading goes through a few others ([`Store::read`]). What the two databases
//! do differently is in [`dialect`]. Each table group has a file of its own, as methods on
//! [`Write`] and [`Read`] or functions over a connection.

pub mod admission;
pub mod blob;
pub mod call;
pub mod claim;
pub mod coalition;
pub mod consent;
pub mod contact;
pub mod contact_report;
pub mod copy;
pub mod desk;
pub mod dialect;
pub mod history;
pub mod identifier;
pub mod impact;
pub mod import_job;
pub mod joining;
pub mod keeper;
pub mod ledger;
pub mod list;
pub mod migrate;
pub mod node;
pub mod outbox;
pub mod overlap;
pub mod packet;
pub mod people;
pub mod person;
pub mod person_suppression;
pub mod point;
pub mod proof;
pub mod raft;
pub mod reach;
pub mod repair;
mod rows;
pub mod sealed;
pub mod share;
pub mod standing;
pub mod suppression;
pub mod tail;
pub mod token_job;
pub mod turf;
pub mod way_back;

use sqlx::{Any, AnyConnection, AnyPool, Transaction, any::AnyPoolOptions, pool::PoolConnection};
use std::{
    any::Any as Anything,
    fmt::Debug,
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// Connections that read.
const READERS: u32 = 4;

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or is not reachable.
    #[error("the database failed in {action}: {source}")]
    Database {
        /// The named transaction or step.
        action: &'static str,
        /// What the driver says.
        source: sqlx::Error,
    },
    /// A stored value cannot be read back.
    #[error("table {table} holds a damaged value: {detail}")]
    Damaged {
        /// Where.
        table: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The schema cannot be brought up to date.
    #[error("the database cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The SQLite library has a known fault.
    #[error("SQLite {found} can damage a database; this program needs {needed} or later")]
    SqliteTooOld {
        /// The library that was linked.
        found: String,
        /// The oldest that is safe.
        needed: &'static str,
    },
}

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        Self::Database {
            action: "a query",
            source,
        }
    }
}

impl StoreError {
    /// A value in a table that cannot be read back.
    pub fn damaged(table: &'static str, detail: impl ToString) -> Self {
        Self::Damaged {
            table,
            detail: detail.to_string(),
        }
    }

    /// Whether a unique constraint refused the row.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Database { source: sqlx::Error::Database(error), .. } if error.is_unique_violation())
    }
}

/// What a store function returns.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A count or position as the databases store it.
#[must_use]
pub fn integer(natural: u64) -> i64 {
    i64::try_from(natural).unwrap_or(i64::MAX)
}

/// A stored count or position.
#[must_use]
pub fn natural(integer: i64) -> u64 {
    u64::try_from(integer).unwrap_or(0)
}

/// A moment in the life of a writing transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It has not begun.
    Begin,
    /// Everything is written, nothing lasts yet.
    Commit,
    /// Everything lasts, nobody was told.
    Committed,
}

/// What may go wrong with a database where a simulation decides it; a node has none of its own.
pub trait Faults: Debug + Send + Sync {
    /// Called at each stage of each writing transaction; an error is what the database then says.
    ///
    /// # Errors
    /// What went wrong.
    fn strike(&self, stage: Stage, action: &'static str) -> Result<(), sqlx::Error>;

    /// Called before somebody uses the database; what it returns is dropped when that is over.
    fn used(&self) -> Used;
}

/// Lives as long as somebody uses the database.
pub type Used = Box<dyn Anything + Send + Sync>;

/// The database of one node.
#[derive(Debug, Clone)]
pub struct Store {
    writer: AnyPool,
    readers: AnyPool,
    dialect: dialect::Dialect,
    faults: Option<Arc<dyn Faults>>,
}

impl Store {
    /// Opens the database, checks it and brings its schema up to date.
    ///
    /// `url` is `sqlite:PATH` or `postgres://...`.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be opened, is unsafe to use, or has a newer schema.
    pub async fn open(url: &str) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let dialect = dialect::Dialect::of(url);
        let writer = dialect
            .pool(AnyPoolOptions::new().max_connections(1), url, false)
            .await?;
        dialect.check(&writer).await?;
        migrate::run(&writer).await?;
        let readers = dialect
            .pool(AnyPoolOptions::new().max_connections(READERS), url, true)
            .await?;
        let store = Self {
            writer,
            readers,
            dialect,
            faults: None,
        };
        // A process that was killed may have left there what it had deleted.
        store.empty_log().await?;
        Ok(store)
    }

    /// The same database, with faults that somebody else decides.
    #[must_use]
    pub fn with_faults(self, faults: Arc<dyn Faults>) -> Self {
        Self {
            faults: Some(faults),
            ..self
        }
    }

    /// Begins a transaction that may write. It is undone unless [`Write::commit`] is called.
    ///
    /// # Errors
    /// [`StoreError`] naming the action.
    #[expect(clippy::disallowed_methods, reason = "this is the place that may")]
    pub async fn write(&self, action: &'static str) -> Result<Write> {
        strike(self.faults.as_ref(), Stage::Begin, action)?;
        let used = self.used();
        let transaction = self
            .writer
            .begin_with(self.dialect.begin_write())
            .await
            .map_err(|source| StoreError::Database { action, source })?;
        Ok(Write {
            transaction,
            action,
            faults: self.faults.clone(),
            _used: used,
        })
    }

    fn used(&self) -> Option<Used> {
        self.faults.as_ref().map(|faults| faults.used())
    }

    /// A connection that only reads.
    ///
    /// # Errors
    /// [`StoreError`] naming the action.
    #[expect(clippy::disallowed_methods, reason = "this is the place that may")]
    pub async fn read(&self, action: &'static str) -> Result<Read> {
        let used = self.used();
        let connection = self
            .readers
            .acquire()
            .await
            .map_err(|source| StoreError::Database { action, source })?;
        Ok(Read {
            connection,
            _used: used,
        })
    }

    /// Empties the database's own log, so that no file holds any more what was deleted before.
    ///
    /// False when somebody still reads an older state; then the log is emptied another time.
    /// PostgreSQL keeps its log by rules of its operator's own.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    #[expect(clippy::disallowed_methods, reason = "this is the place that may")]
    pub async fn empty_log(&self) -> Result<bool> {
        let Some(statement) = self.dialect.empty_log() else {
            return Ok(true);
        };
        let mut connection = self.writer.acquire().await?;
        let busy: i64 = sqlx::query_scalar(statement)
            .fetch_one(&mut *connection)
            .await?;
        Ok(busy == 0)
    }

    /// Which database this is.
    #[must_use]
    pub fn dialect(&self) -> dialect::Dialect {
        self.dialect
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A named transaction that may write; dropping it undoes it.
#[derive(Debug)]
pub struct Write {
    transaction: Transaction<'static, Any>,
    action: &'static str,
    faults: Option<Arc<dyn Faults>>,
    _used: Option<Used>,
}

fn strike(faults: Option<&Arc<dyn Faults>>, stage: Stage, action: &'static str) -> Result<()> {
    match faults {
        Some(faults) => faults
            .strike(stage, action)
            .map_err(|source| StoreError::Database { action, source }),
        None => Ok(()),
    }
}

impl Write {
    /// Makes everything in this transaction last.
    ///
    /// # Errors
    /// [`StoreError`] naming the action; then nothing of it lasts, or nobody knows (a lost
    /// connection), so every action can be repeated.
    pub async fn commit(self) -> Result<()> {
        let action = self.action;
        strike(self.faults.as_ref(), Stage::Commit, action)?;
        self.transaction
            .commit()
            .await
            .map_err(|source| StoreError::Database { action, source })?;
        strike(self.faults.as_ref(), Stage::Committed, action)
    }
}

impl Deref for Write {
    type Target = AnyConnection;
    fn deref(&self) -> &AnyConnection {
        &self.transaction
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }
}

/// A connection that only reads.
#[derive(Debug)]
pub struct Read {
    connection: PoolConnection<Any>,
    _used: Option<Used>,
}

impl Deref for Read {
    type Target = AnyConnection;
    fn deref(&self) -> &AnyConnection {
        &self.connection
    }
}

impl DerefMut for Read {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }
}

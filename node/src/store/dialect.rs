//! All that differs between SQLite and PostgreSQL.

use super::{Result, StoreError};
use sqlx::{AnyPool, Executor, any::AnyPoolOptions};

/// The oldest SQLite that does not damage a database when two connections write at once.
const SQLITE_SAFE: &str = "3.51.3";

/// Set on every SQLite connection: durable on every commit, deleted bytes overwritten, nothing of
/// people in temporary files. The cache holds all pages that a batch of an import changes, and the
/// write-ahead log several batches, or a page would be written many times for each.
const SQLITE_WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF; \
    PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA cache_size = -65536; \
    PRAGMA wal_autocheckpoint = 8192;";
const SQLITE_READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF; \
    PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA cache_size = -8192;";
const POSTGRES_SESSION: &str = "SET synchronous_commit = on; SET lock_timeout = '10s'; \
    SET statement_timeout = '120s'; SET idle_in_transaction_session_timeout = '300s';";

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

impl Dialect {
    /// The database that a URL names.
    #[must_use]
    pub fn of(url: &str) -> Self {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::Postgres
        } else {
            Self::Sqlite
        }
    }

    /// How a transaction that may write begins: SQLite's default would take its lock too late.
    #[must_use]
    pub fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// What writes the database's own log back and empties it; its first column is 0 when it did.
    pub(super) fn empty_log(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => Some("PRAGMA wal_checkpoint(TRUNCATE)"),
            Self::Postgres => None,
        }
    }

    pub(super) async fn pool(
        self,
        options: AnyPoolOptions,
        url: &str,
        reader: bool,
    ) -> Result<AnyPool> {
        let pragmas = match (self, reader) {
            (Self::Sqlite, false) => SQLITE_WRITER,
            (Self::Sqlite, true) => SQLITE_READER,
            (Self::Postgres, _) => POSTGRES_SESSION,
        };
        let options = options
            .acquire_timeout(std::time::Duration::from_secs(60))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    connection.execute(pragmas).await?;
                    Ok(())
                })
            });
        let url = match self {
            Self::Sqlite if url.contains('?') => url.to_owned(),
            Self::Sqlite => format!("{url}?mode=rwc"),
            Self::Postgres => url.to_owned(),
        };
        options
            .connect(&url)
            .await
            .map_err(|source| StoreError::Database {
                action: "opening the database",
                source,
            })
    }

    pub(super) async fn check(self, pool: &AnyPool) -> Result<()> {
        if self == Self::Postgres {
            return Ok(());
        }
        let found: String = sqlx::query_scalar("SELECT sqlite_version()")
            .fetch_one(pool)
            .await?;
        let number = |version: &str| -> Vec<u32> {
            version
                .split('.')
                .map(|part| part.parse().unwrap_or(0))
                .collect()
        };
        if number(&found) < number(SQLITE_SAFE) {
            return Err(StoreError::SqliteTooOld {
                found,
                needed: SQLITE_SAFE,
            });
        }
        Ok(())
    }
}

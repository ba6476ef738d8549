//! The Raft log and vote in the node's database. Why: spec/decisions/0011-keepers.md.
//!
//! Nothing is acknowledged before its transaction is committed. openraft calls one method at a time,
//! so votes and entries are written in order; readers have connections of their own.

#![expect(
    clippy::result_large_err,
    reason = "openraft's own error type, which its storage traits ask for"
)]

use super::{
    Types,
    mark::Mark,
    wire::{WireEntry, WireLogId, WireVote},
};
use crate::store::{
    Store, StoreError,
    raft::{self as table, Value},
};
use openraft::{
    AnyError, Entry, LogId, LogState, OptionalSend, RaftLogId, RaftLogReader, StorageError,
    StorageIOError, Vote,
    storage::{LogFlushed, RaftLogStorage},
};
use protocol::codec;
use std::{fmt::Debug, ops::Bound, ops::RangeBounds, sync::Arc};

/// The most bytes of entries in one call between keepers, unless a single entry has more. A call has
/// to be through within a heartbeat, over the uplink of an office.
pub(super) const CALL_BYTES: usize = 256 * 1024;
/// The most entries that are read at a time for one call.
const CALL_ENTRIES: i64 = 256;
/// The most entries that are read at once where openraft asks for a range.
const RANGE_ENTRIES: i64 = i64::MAX;

/// The log of one keeper.
#[derive(Debug, Clone)]
pub(super) struct Log {
    store: Store,
    mark: Arc<Mark>,
}

type Result<T> = std::result::Result<T, StorageError<u64>>;

pub(super) fn reading(error: impl std::error::Error + 'static) -> StorageError<u64> {
    StorageIOError::read_logs(AnyError::new(&error)).into()
}

fn writing(error: impl std::error::Error + 'static) -> StorageError<u64> {
    StorageIOError::write_logs(AnyError::new(&error)).into()
}

fn entry(bytes: &[u8]) -> Result<Entry<Types>> {
    let wire: WireEntry = codec::decode(bytes).map_err(reading)?;
    Ok(wire.into())
}

impl Log {
    pub(super) fn new(store: Store, mark: Arc<Mark>) -> Self {
        Self { store, mark }
    }

    async fn value<T: codec::Canonical>(&self, value: Value) -> Result<Option<T>> {
        let mut db = self
            .store
            .read("reading Raft state")
            .await
            .map_err(reading)?;
        let bytes = table::get(&mut db, value).await.map_err(reading)?;
        bytes
            .map(|bytes| codec::decode(&bytes).map_err(reading))
            .transpose()
    }

    async fn write(&self, entries: Vec<(u64, Vec<u8>)>) -> std::result::Result<(), StoreError> {
        let Some((last, _)) = entries.last() else {
            return Ok(());
        };
        let last = *last;
        let mut tx = self.store.write("appending to the Raft log").await?;
        table::append(&mut tx, &entries).await?;
        tx.commit().await?;
        self.mark.reached(last);
        Ok(())
    }
}

impl RaftLogReader<Types> for Log {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry<Types>>> {
        let from = match range.start_bound() {
            Bound::Included(from) => *from,
            Bound::Excluded(from) => from + 1,
            Bound::Unbounded => 0,
        };
        let before = match range.end_bound() {
            Bound::Included(last) => last + 1,
            Bound::Excluded(before) => *before,
            Bound::Unbounded => u64::MAX,
        };
        let mut db = self
            .store
            .read("reading the Raft log")
            .await
            .map_err(reading)?;
        let rows = table::entries(&mut db, from, before, RANGE_ENTRIES)
            .await
            .map_err(reading)?;
        rows.iter().map(|bytes| entry(bytes)).collect()
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry<Types>>> {
        let mut db = self
            .store
            .read("reading the Raft log")
            .await
            .map_err(reading)?;
        let rows = table::entries(&mut db, start, end, CALL_ENTRIES)
            .await
            .map_err(reading)?;
        let mut bytes = 0;
        let mut entries = Vec::new();
        for row in &rows {
            bytes += row.len();
            if bytes > CALL_BYTES && !entries.is_empty() {
                break;
            }
            entries.push(entry(row)?);
        }
        Ok(entries)
    }
}

impl RaftLogStorage<Types> for Log {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>> {
        let purged: Option<WireLogId> = self.value(Value::Purged).await?;
        let purged: Option<LogId<u64>> = purged.map(Into::into);
        let mut db = self
            .store
            .read("reading the Raft log")
            .await
            .map_err(reading)?;
        let last = table::last(&mut db).await.map_err(reading)?;
        let last = last.map(|(_, bytes)| entry(&bytes)).transpose()?;
        Ok(LogState {
            last_purged_log_id: purged,
            last_log_id: last.map(|entry| entry.log_id).or(purged),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote<u64>) -> Result<()> {
        let term = vote.leader_id.term;
        let bytes = codec::encode(&WireVote::from(*vote));
        let save = async {
            let mut tx = self.store.write("keeping a vote").await?;
            table::put(&mut tx, Value::Vote, &bytes).await?;
            tx.commit().await
        };
        save.await
            .map_err(|error| StorageIOError::write_vote(AnyError::new(&error)))?;
        self.mark.voted(term);
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote<u64>>> {
        let vote: Option<WireVote> = self.value(Value::Vote).await?;
        Ok(vote.map(Into::into))
    }

    async fn append<I>(&mut self, entries: I, callback: LogFlushed<Types>) -> Result<()>
    where
        I: IntoIterator<Item = Entry<Types>> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries = entries
            .into_iter()
            .map(|entry| (entry.log_id.index, codec::encode(&WireEntry::from(entry))))
            .collect();
        self.write(entries).await.map_err(writing)?;
        callback.log_io_completed(Ok(()));
        Ok(())
    }

    async fn truncate(&mut self, log_id: LogId<u64>) -> Result<()> {
        // Before the entries go: a mark beyond the log would be taken for a restored backup.
        self.mark.cut(log_id.index);
        let cut = async {
            let mut tx = self.store.write("cutting the Raft log").await?;
            table::truncate(&mut tx, log_id.index).await?;
            tx.commit().await
        };
        cut.await.map_err(writing)
    }

    async fn purge(&mut self, log_id: LogId<u64>) -> Result<()> {
        let bytes = codec::encode(&WireLogId::from(*log_id.get_log_id()));
        let purge = async {
            let mut tx = self.store.write("deleting applied Raft entries").await?;
            table::put(&mut tx, Value::Purged, &bytes).await?;
            table::purge(&mut tx, log_id.index).await?;
            tx.commit().await
        };
        purge.await.map_err(writing)
    }
}

//! What committed entries become: the coalition log, equal at every keeper.
//!
//! Positions are counted here and are no Raft indexes; the same bytes again keep their first
//! position. The log itself is the state, so a snapshot is only a [`Marker`]: whoever installs one has
//! read the entries up to it by pages before (`catch_up`).

use super::{
    Peer, Proposal, Types,
    log::reading,
    wire::{Marker, WireLogId, WireSnapshot, WireStoredMembership},
};
use crate::store::{
    self, Store, StoreError, Write,
    raft::{self as table, Value},
};
use openraft::{
    AnyError, Entry, EntryPayload, LogId, OptionalSend, RaftSnapshotBuilder, Snapshot,
    SnapshotMeta, StorageError, StorageIOError, StoredMembership, storage::RaftStateMachine,
};
use protocol::{
    chain::{ChainError, Head, LogItem, LogLine},
    codec::{self, Canonical},
    entry::Class,
    envelope::Envelope,
    id::{Hash, Lineage, NodeId},
    merkle::Tree,
    time::Moment,
};
use sqlx::AnyConnection;
use std::io::Cursor;
use tokio::sync::watch;

/// Positions and log times of the entries of a proposal, in order.
pub(super) type Placed = Vec<(u64, Moment)>;

/// The coalition log of one keeper.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    store: Store,
    lineage: Lineage,
    kept: watch::Sender<u64>,
}

type Result<T> = std::result::Result<T, StorageError<u64>>;

fn applying(error: impl std::error::Error + 'static) -> StorageError<u64> {
    StorageIOError::write_state_machine(AnyError::new(&error)).into()
}

async fn value<T: Canonical>(
    db: &mut AnyConnection,
    value: Value,
) -> std::result::Result<Option<T>, StoreError> {
    let bytes = table::get(db, value).await?;
    bytes
        .map(|bytes| codec::decode(&bytes))
        .transpose()
        .map_err(|error| StoreError::damaged("raft_state", error))
}

async fn applied(
    db: &mut AnyConnection,
) -> std::result::Result<(Option<LogId<u64>>, StoredMembership<u64, Peer>), StoreError> {
    let at: Option<WireLogId> = value(&mut *db, Value::Applied).await?;
    let members: Option<WireStoredMembership> = value(db, Value::Membership).await?;
    Ok((
        at.map(Into::into),
        members.map(Into::into).unwrap_or_default(),
    ))
}

/// The list of keepers as far as this keeper has applied entries.
pub(super) async fn membership(
    db: &mut AnyConnection,
) -> std::result::Result<StoredMembership<u64, Peer>, StoreError> {
    Ok(applied(db).await?.1)
}

/// The end of the coalition log within a transaction.
pub(super) struct End {
    head: Head,
    tree: Tree,
}

impl End {
    pub(super) async fn read(
        db: &mut AnyConnection,
        lineage: Lineage,
    ) -> std::result::Result<Self, StoreError> {
        Ok(Self {
            head: store::keeper::head(&mut *db, lineage).await?,
            tree: store::proof::keeper_tree(db, lineage).await?,
        })
    }

    /// Puts bytes at the next position, unless they stand somewhere already.
    async fn place(
        &mut self,
        tx: &mut Write,
        time: Moment,
        sealed: Vec<u8>,
    ) -> std::result::Result<(u64, Moment), StoreError> {
        if let Some(known) = store::keeper::position_of(&mut *tx, Hash::of(&sealed)).await? {
            return Ok(known);
        }
        let item = LogItem {
            position: self.head.position + 1,
            log_time: time.max(self.head.log_time),
            sealed,
        };
        self.push(tx, &item).await?;
        Ok((item.position, item.log_time))
    }

    /// Continues the log with an item that another keeper has applied.
    pub(super) async fn push(
        &mut self,
        tx: &mut Write,
        item: &LogItem,
    ) -> std::result::Result<(), StoreError> {
        let next = self
            .head
            .after(item)
            .map_err(|error| StoreError::damaged("keeper_log", error))?;
        let (author, class) = shown(&item.sealed);
        store::keeper::append(&mut *tx, item, next.chain, author, class).await?;
        self.tree.push(item.leaf(self.head.lineage));
        self.head = next;
        Ok(())
    }

    /// Continues the log with a line of which what was said is gone.
    pub(super) async fn push_line(
        &mut self,
        tx: &mut Write,
        line: &LogLine,
    ) -> std::result::Result<(), StoreError> {
        let next = self
            .head
            .after_line(line)
            .map_err(|error| StoreError::damaged("keeper_log", error))?;
        store::keeper::append_line(&mut *tx, line, next.chain).await?;
        store::keeper::note_pruned(&mut *tx, line.position).await?;
        self.tree.push(line.leaf(self.head.lineage));
        self.head = next;
        Ok(())
    }

    /// Continues the log with a line of which what was said is still to come; an error of the chain is the
    /// sender's, not this database's.
    pub(super) async fn extend(
        &mut self,
        tx: &mut Write,
        line: &LogLine,
    ) -> std::result::Result<std::result::Result<(), ChainError>, StoreError> {
        let next = match self.head.after_line(line) {
            Ok(next) => next,
            Err(error) => return Ok(Err(error)),
        };
        store::keeper::append_line(&mut *tx, line, next.chain).await?;
        self.tree.push(line.leaf(self.head.lineage));
        self.head = next;
        Ok(Ok(()))
    }

    pub(super) fn root(&self) -> Hash {
        self.tree.root()
    }

    pub(super) async fn write(&self, tx: &mut Write) -> std::result::Result<(), StoreError> {
        store::proof::put_keeper_tree(tx, &self.tree).await
    }

    pub(super) fn position(&self) -> u64 {
        self.head.position
    }
}

/// What an envelope shows to keepers. The leader has read it before it was proposed.
pub(super) fn shown(sealed: &[u8]) -> (NodeId, Class) {
    codec::decode::<Envelope>(sealed).map_or((NodeId([0; 32]), Class::Data), |envelope| {
        (envelope.header.author, envelope.header.class)
    })
}

impl Machine {
    pub(super) fn new(store: Store, lineage: Lineage, kept: watch::Sender<u64>) -> Self {
        Self {
            store,
            lineage,
            kept,
        }
    }

    async fn apply_all(
        &self,
        entries: Vec<Entry<Types>>,
    ) -> std::result::Result<Vec<Placed>, StoreError> {
        let mut tx = self.store.write("ordering entries").await?;
        let mut end: Option<End> = None;
        let mut answers = Vec::with_capacity(entries.len());
        let mut last = None;
        for entry in entries {
            last = Some(entry.log_id);
            let mut placed = Placed::new();
            match entry.payload {
                EntryPayload::Blank => {}
                EntryPayload::Membership(membership) => {
                    let stored = StoredMembership::new(Some(entry.log_id), membership);
                    let bytes = codec::encode(&WireStoredMembership::from(&stored));
                    table::put(&mut tx, Value::Membership, &bytes).await?;
                }
                EntryPayload::Normal(Proposal { time, entries }) => {
                    let end = match &mut end {
                        Some(end) => end,
                        none => none.insert(End::read(&mut tx, self.lineage).await?),
                    };
                    for sealed in entries {
                        placed.push(end.place(&mut tx, time, sealed.0).await?);
                    }
                }
            }
            answers.push(placed);
        }
        if let Some(end) = &end {
            end.write(&mut tx).await?;
        }
        if let Some(last) = last {
            table::put(
                &mut tx,
                Value::Applied,
                &codec::encode(&WireLogId::from(last)),
            )
            .await?;
        }
        tx.commit().await?;
        if let Some(end) = end {
            self.kept.send_if_modified(|kept| {
                let moved = end.position() > *kept;
                *kept = end.position().max(*kept);
                moved
            });
        }
        Ok(answers)
    }

    async fn snapshot(&self) -> std::result::Result<WireSnapshot, StoreError> {
        let mut tx = self.store.write("marking a place in the log").await?;
        let (at, members) = applied(&mut tx).await?;
        let head = store::keeper::head(&mut tx, self.lineage).await?;
        let marker = Marker {
            position: head.position,
            chain: head.chain,
            log_time: head.log_time,
        };
        let meta = SnapshotMeta {
            last_log_id: at,
            last_membership: members,
            snapshot_id: at.map(|at| at.to_string()).unwrap_or_default(),
        };
        let snapshot = WireSnapshot::new(&meta, marker);
        table::put(&mut tx, Value::Snapshot, &codec::encode(&snapshot)).await?;
        tx.commit().await?;
        Ok(snapshot)
    }

    async fn install(&self, snapshot: &WireSnapshot) -> std::result::Result<(), StoreError> {
        let mut tx = self.store.write("taking up the log at a mark").await?;
        let Marker {
            position, chain, ..
        } = snapshot.marker;
        let own = if position == 0 {
            Some(Hash::ZERO)
        } else {
            store::keeper::chain_at(&mut tx, position).await?
        };
        if own != Some(chain) {
            return Err(StoreError::damaged(
                "keeper_log",
                format!(
                    "the log at position {position} is not the one that the other keepers have"
                ),
            ));
        }
        let meta = snapshot.meta();
        if let Some(last) = meta.last_log_id {
            table::put(
                &mut tx,
                Value::Applied,
                &codec::encode(&WireLogId::from(last)),
            )
            .await?;
        }
        let members = codec::encode(&WireStoredMembership::from(&meta.last_membership));
        table::put(&mut tx, Value::Membership, &members).await?;
        table::put(&mut tx, Value::Snapshot, &codec::encode(snapshot)).await?;
        tx.commit().await
    }
}

fn handed_out(snapshot: &WireSnapshot) -> Snapshot<Types> {
    Snapshot {
        meta: snapshot.meta(),
        snapshot: Box::new(Cursor::new(codec::encode(&snapshot.marker))),
    }
}

impl RaftSnapshotBuilder<Types> for Machine {
    async fn build_snapshot(&mut self) -> Result<Snapshot<Types>> {
        let snapshot = Self::snapshot(self).await.map_err(applying)?;
        Ok(handed_out(&snapshot))
    }
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId<u64>>, StoredMembership<u64, Peer>)> {
        let mut db = self
            .store
            .read("reading Raft state")
            .await
            .map_err(reading)?;
        applied(&mut db).await.map_err(reading)
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Placed>>
    where
        I: IntoIterator<Item = Entry<Types>> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries = entries.into_iter().collect();
        self.apply_all(entries).await.map_err(applying)
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta<u64, Peer>,
        snapshot: Box<Cursor<Vec<u8>>>,
    ) -> Result<()> {
        let marker: Marker = codec::decode(snapshot.get_ref()).map_err(reading)?;
        let snapshot = WireSnapshot::new(meta, marker);
        self.install(&snapshot).await.map_err(applying)
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Types>>> {
        let mut db = self
            .store
            .read("reading Raft state")
            .await
            .map_err(reading)?;
        let snapshot: Option<WireSnapshot> =
            value(&mut db, Value::Snapshot).await.map_err(reading)?;
        Ok(snapshot.as_ref().map(handed_out))
    }
}

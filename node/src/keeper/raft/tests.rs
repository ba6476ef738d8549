//! openraft's own tests of a log and a state, against ours on both databases.

use super::{
    Peer, Types,
    log::Log,
    machine::Machine,
    mark::{Mark, Reached},
};
use crate::store::{Store, raft as table};
use openraft::{
    AnyError, StorageError, StorageIOError,
    testing::{StoreBuilder, Suite},
};
use protocol::id::{EntryId, Lineage};
use std::sync::Arc;
use tokio::sync::watch;

/// Makes fresh databases, each in a folder that goes with it.
struct Fresh {
    cluster: Option<String>,
}

impl Fresh {
    async fn url(&self, folder: &tempfile::TempDir) -> String {
        use sqlx::{Connection, Executor};
        let Some(cluster) = &self.cluster else {
            return format!("sqlite:{}", folder.path().join("node.db").display());
        };
        sqlx::any::install_default_drivers();
        let name = format!("t{}", EntryId::random(&mut crate::ambient::rng()));
        let mut db = sqlx::AnyConnection::connect(cluster).await.unwrap();
        let create = format!("CREATE DATABASE {name}");
        db.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
        cluster.replacen("/postgres?", &format!("/{name}?"), 1)
    }

    async fn parts(&self) -> anyhow::Result<(tempfile::TempDir, Log, Machine)> {
        let folder = tempfile::tempdir()?;
        let store = Store::open(&self.url(&folder).await).await?;
        let mut tx = store.write("beginning").await?;
        table::begin(&mut tx, 0).await?;
        tx.commit().await?;
        let mark = Mark::open(&folder.path().join("keeper.mark"), Reached::default())?;
        let log = Log::new(store.clone(), Arc::new(mark));
        let machine = Machine::new(store, Lineage([1; 16]), watch::Sender::new(0));
        Ok((folder, log, machine))
    }
}

impl StoreBuilder<Types, Log, Machine, tempfile::TempDir> for Fresh {
    async fn build(&self) -> Result<(tempfile::TempDir, Log, Machine), StorageError<u64>> {
        self.parts().await.map_err(|error| {
            let error = std::io::Error::other(error.to_string());
            StorageIOError::write(AnyError::new(&error)).into()
        })
    }
}

fn all(cluster: Option<String>) {
    Suite::<Types, Log, Machine, Fresh, tempfile::TempDir>::test_all(Fresh { cluster }).unwrap();
}

#[test]
fn the_store_keeps_what_openraft_expects_of_it_on_sqlite() {
    all(None);
}

#[test]
fn the_store_keeps_what_openraft_expects_of_it_on_postgresql() {
    // Where a test cluster is at hand: `cargo testnet postgres -- cargo test ...`.
    if let Some(cluster) = crate::ambient::variable("COMMONTURF_TEST_POSTGRES") {
        all(Some(cluster));
    }
}

#[test]
fn messages_between_keepers_are_read_back_as_they_were_written() {
    use super::wire::{Append, WireEntry, WireStoredMembership};
    use openraft::{Entry, Membership, StoredMembership, Vote, raft::AppendEntriesRequest};
    use protocol::{chain::Sealed, codec, id::NodeId, time::Moment};
    use std::collections::{BTreeMap, BTreeSet};
    let at = |index| openraft::testing::log_id(3, 9_u64, index);
    let peer = |n: u8| Peer {
        node: Some(NodeId([n; 32])),
    };
    let membership = Membership::new(
        vec![BTreeSet::from([1, 9]), BTreeSet::from([9])],
        BTreeMap::from([(1, peer(1)), (9, peer(9)), (12, peer(12))]),
    );
    let proposal = super::Proposal {
        time: Moment(5),
        entries: vec![Sealed(vec![1, 2, 3])],
    };
    let entries = vec![
        openraft::testing::blank_ent::<Types>(3, 9, 1),
        Entry {
            log_id: at(2),
            payload: openraft::EntryPayload::Normal(proposal),
        },
        Entry {
            log_id: at(3),
            payload: openraft::EntryPayload::Membership(membership.clone()),
        },
    ];
    let rpc = AppendEntriesRequest::<Types> {
        vote: Vote::new_committed(3, 9),
        prev_log_id: None,
        entries,
        leader_commit: Some(at(2)),
    };
    let wire = Append::new(12, rpc);
    let read: Append = codec::decode(&codec::encode(&wire)).unwrap();
    assert_eq!((read.to, read.from()), (12, 9));
    assert_eq!(read, wire);
    let rpc: AppendEntriesRequest<Types> = read.into();
    let again: Vec<WireEntry> = rpc.entries.into_iter().map(Into::into).collect();
    assert_eq!(again.len(), 3);
    let stored = StoredMembership::new(Some(at(3)), membership);
    let bytes = codec::encode(&WireStoredMembership::from(&stored));
    let read: WireStoredMembership = codec::decode(&bytes).unwrap();
    assert_eq!(StoredMembership::from(read), stored);
}

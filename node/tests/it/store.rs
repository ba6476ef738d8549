//! The database: what is written is read back, on SQLite and on PostgreSQL.

mod blobs;
mod coalition;
mod keeper;
mod onward;
mod outbox;
mod proof;
mod repair;
mod way_back;
mod whole;

use protocol::{
    id::{EntryId, NodeId},
    time::Moment,
};

fn node(n: u8) -> NodeId {
    NodeId::of_root_key(&[n; 32])
}

fn entry(n: u8) -> EntryId {
    EntryId([n; 16])
}

/// Bytes that read like text or a number: a database must not take them for one.
const TRICKY: [&[u8]; 6] = [b"12", b"text", b"", b"\0", b"\xff\xfe", b"0x00'--"];

const NOW: Moment = Moment(1_793_577_600_000);

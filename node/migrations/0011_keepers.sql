-- What a keeper remembers of Raft: its log until it is applied everywhere, and a few values.

CREATE TABLE raft_log (
    idx BIGINT PRIMARY KEY,             -- 0, 1, 2, ... without gaps; not a position of the coalition log
    entry BYTEA NOT NULL                -- canonical CBOR: node/src/keeper/raft/wire.rs
);

CREATE TABLE raft_state (
    one BIGINT PRIMARY KEY,             -- always 1
    raft_id BIGINT NOT NULL,            -- drawn at random when this node became a keeper; never used again
    vote BYTEA,                         -- the last vote
    purged BYTEA,                       -- the last entry that was deleted from raft_log
    applied BYTEA,                      -- the last entry that is in keeper_log
    membership BYTEA,                   -- the latest applied list of keepers
    snapshot BYTEA                      -- a place in the log up to which raft_log may be deleted
);

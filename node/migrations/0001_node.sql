-- Who this node is and what it keeps secret.

CREATE TABLE node (
    one BIGINT PRIMARY KEY,             -- always 1: a database is one node's
    node_id TEXT NOT NULL,              -- base32 with check digits
    name TEXT NOT NULL,                 -- the organization's name
    kind TEXT NOT NULL,                 -- its legal kind, a word of the policy vocabulary
    document BYTEA NOT NULL,            -- the signed identity document
    created_at BIGINT NOT NULL          -- milliseconds since 1970
);

CREATE TABLE secret (
    name TEXT PRIMARY KEY,              -- what it is
    sealed BYTEA NOT NULL               -- sealed with the node's key, bound to this table and name
);

CREATE TABLE coalition (
    one BIGINT PRIMARY KEY,             -- always 1: a node is in one coalition at a time
    coalition_id TEXT NOT NULL,         -- base32
    name TEXT NOT NULL,                 -- as the invitation or the founder said it
    lineage BYTEA NOT NULL,             -- the numbering of the log
    phase TEXT NOT NULL,                -- joining, active or stopped
    stopped_because TEXT,               -- why folding stopped, in plain words
    keeper_node TEXT NOT NULL,          -- the keeper's node id
    keeper_url TEXT NOT NULL,           -- where the keeper answers; empty when this node is it
    keeper_document BYTEA NOT NULL,     -- the keeper's signed identity document, as it introduced itself
    created_at BIGINT NOT NULL          -- milliseconds since 1970
);

CREATE TABLE mls_group (
    one BIGINT PRIMARY KEY,             -- always 1
    version BIGINT NOT NULL,            -- grows with each write: compare and swap
    group_id BYTEA NOT NULL,            -- the present MLS group; a rescue may found another
    storage_format TEXT NOT NULL        -- the library and codec that wrote mls_state
);

CREATE TABLE mls_state (
    k BYTEA PRIMARY KEY,                -- key of the MLS library
    v BYTEA NOT NULL                    -- its value, sealed, bound to this table and key
);

CREATE TABLE fold_row (
    tbl BIGINT NOT NULL,                -- number of the state's table
    k BYTEA NOT NULL,                   -- the row's key, CBOR
    v BYTEA NOT NULL,                   -- the row, CBOR
    PRIMARY KEY (tbl, k)
);

CREATE TABLE fold_hash (
    position BIGINT PRIMARY KEY,        -- where a checkpoint may be compared
    state BYTEA NOT NULL,               -- hash of the folded state there
    authenticator BYTEA NOT NULL        -- hash of the MLS epoch authenticator there
);

CREATE TABLE contradiction (
    member TEXT PRIMARY KEY,            -- node id of a member whose latest checkpoint this node contradicts
    position BIGINT NOT NULL            -- where
);

CREATE TABLE history (
    position BIGINT PRIMARY KEY,        -- position in the coalition log
    log_time BIGINT NOT NULL,           -- milliseconds since 1970, set by the keeper
    entry_id TEXT,                      -- absent where the envelope could not be read
    author TEXT,                        -- node id, where MLS proved one
    kind TEXT NOT NULL,                 -- kind of entry, commit, or unreadable
    void TEXT                           -- why it changed nothing; absent when it took effect
);

CREATE TABLE outbox (
    seq BIGINT PRIMARY KEY,             -- order in which this node speaks
    entry_id TEXT NOT NULL UNIQUE,      -- chosen once: the same entry however often it is sealed
    kind TEXT NOT NULL,                 -- kind of entry, or commit
    class BIGINT NOT NULL,              -- 0 control, 1 claims, 2 data
    plain BYTEA NOT NULL,               -- the entry, sealed at rest; empty for a commit
    rows_plain BYTEA,                   -- its rows, sealed at rest, where they travel in a blob
    envelope BYTEA,                     -- what was or will be sent
    envelope_hash TEXT,                 -- by which the echo is recognized
    intent BYTEA,                       -- what a commit was built for, so that it can be built again
    state TEXT NOT NULL,                -- queued, sealed, ordered, done or void
    position BIGINT,                    -- where it was ordered
    note TEXT,                          -- why it is void, or why it waits
    attempts BIGINT NOT NULL,           -- how often it was sealed
    created_at BIGINT NOT NULL          -- milliseconds since 1970
);
CREATE INDEX outbox_state ON outbox (state, seq);

CREATE TABLE admission (
    node_id TEXT PRIMARY KEY,           -- the newcomer whose commit won
    welcome BYTEA NOT NULL,             -- MLS Welcome, sealed at rest
    snapshot BYTEA NOT NULL,            -- folded state at the joining position, sealed at rest
    position BIGINT NOT NULL            -- the joining position
);

CREATE TABLE token_job (
    class BIGINT NOT NULL,              -- 0 door, 1 phone, 2 email, 3 person
    generation BIGINT NOT NULL,         -- generation of match tokens
    slot BIGINT NOT NULL,               -- this node's number of the batch
    job_secret BYTEA NOT NULL,          -- blinds follow from it, so that a retry is byte-identical; sealed at rest
    point_ids TEXT NOT NULL,            -- JSON list: the points of the batch, in order
    done_at BIGINT,                     -- milliseconds since 1970
    PRIMARY KEY (class, generation, slot)
);

CREATE TABLE token_problem (
    class BIGINT PRIMARY KEY,           -- 0 door, 1 phone, 2 email, 3 person
    problem TEXT NOT NULL,              -- why the last batch brought no tokens, in plain words
    at BIGINT NOT NULL,                 -- milliseconds since 1970
    retry_at BIGINT NOT NULL            -- not asked again before this
);

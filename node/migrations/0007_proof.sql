-- What proves to outsiders that nobody rewrote the log, and what was shared of whom.

CREATE TABLE log_node (
    level BIGINT NOT NULL,              -- how often it was joined from two: 0 is one entry of the log
    n BIGINT NOT NULL,                  -- its place among those of its level, from 0
    hash BYTEA NOT NULL,                -- of a complete subtree of the log tree
    PRIMARY KEY (level, n)
);

CREATE TABLE log_note (
    signer TEXT PRIMARY KEY,            -- keeper, or the node id of a member that cosigned
    size BIGINT NOT NULL,               -- how many entries its latest checked note is about
    note TEXT NOT NULL,                 -- the note, as it was signed
    at BIGINT NOT NULL                  -- when it was checked, milliseconds since 1970
);

CREATE TABLE log_fork (
    n BIGINT PRIMARY KEY,               -- 1, 2, 3, ...
    why TEXT NOT NULL,                  -- what does not fit together, in plain words
    shown TEXT NOT NULL,                -- the signed note that contradicts
    known TEXT,                         -- the signed note that it contradicts, where there is one
    at BIGINT NOT NULL                  -- when it was seen, milliseconds since 1970
);

CREATE TABLE log_shown (
    position BIGINT PRIMARY KEY,        -- where the entry stands in the log
    entry_id TEXT NOT NULL UNIQUE,      -- its id
    envelope BYTEA NOT NULL,            -- the envelope as it is in the log
    entry BYTEA NOT NULL                -- the entry whose hash the envelope shows
);

CREATE TABLE keeper_tree (
    one BIGINT PRIMARY KEY,             -- always 1
    size BIGINT NOT NULL,               -- how many entries of the kept log are in the tree
    peaks BYTEA NOT NULL                -- hashes of its complete subtrees, the largest first
);

ALTER TABLE history ADD COLUMN sealed_hash BYTEA;      -- SHA-256 of the envelope
ALTER TABLE disclosure ADD COLUMN leaf BYTEA;          -- the row's leaf in the share tree
ALTER TABLE disclosure ADD COLUMN salt BYTEA;          -- the leaf's salt; erasure deletes it
ALTER TABLE disclosure ADD COLUMN row_bytes BYTEA;     -- the row as it went; erasure deletes it
ALTER TABLE received_row ADD COLUMN salt BYTEA;        -- the salt of its leaf; goes with the row
CREATE INDEX disclosure_revoked ON disclosure (revoke_kind, notice_id);

-- The disclosure ledger, what others gave, and what was taken back.

CREATE TABLE share_out (
    share_id TEXT PRIMARY KEY,          -- id of the entry that announced it
    recipient TEXT NOT NULL,            -- node id
    purpose TEXT NOT NULL,              -- policy vocabulary
    channel TEXT NOT NULL,              -- door, phone, text, email
    fields TEXT NOT NULL,               -- JSON list of field classes
    list_id TEXT,                       -- the list it was made from
    count BIGINT NOT NULL,              -- persons that flow
    withheld TEXT NOT NULL,             -- JSON: counts by rule
    agreement TEXT NOT NULL,            -- hash of the agreement it rests on
    state TEXT NOT NULL,                -- queued, announced or void
    note TEXT,                          -- why it is void
    expires_at BIGINT,                  -- when the recipient must stop using the rows
    created_at BIGINT NOT NULL          -- milliseconds since 1970
);

CREATE TABLE disclosure (
    share_id TEXT NOT NULL,             -- the share
    person_id TEXT NOT NULL,            -- the person, as this node knows it
    row_ref BYTEA NOT NULL,             -- the random name of the row at the recipient
    recipient TEXT NOT NULL,            -- node id
    fields TEXT NOT NULL,               -- JSON list of field classes that went
    basis TEXT NOT NULL,                -- the ground it rests on
    consent_record TEXT,                -- the record relied on
    sent_at BIGINT NOT NULL,            -- milliseconds since 1970
    revoke_kind TEXT,                   -- why it is taken back: withdrawal, objection, erasure, recall
    notice_id TEXT,                     -- the notice that takes it back; absent until the share is announced
    PRIMARY KEY (share_id, person_id)
);
CREATE INDEX disclosure_person ON disclosure (person_id);

CREATE TABLE received_share (
    share_id TEXT PRIMARY KEY,          -- id of the entry that announced it
    sender TEXT NOT NULL,               -- node id
    purpose TEXT NOT NULL,              -- policy vocabulary
    channel TEXT NOT NULL,              -- door, phone, text, email
    fields TEXT NOT NULL,               -- JSON list of field classes
    blob_id TEXT NOT NULL,              -- the sealed rows
    bytes BIGINT NOT NULL,              -- bytes of the sealed rows
    agreement TEXT NOT NULL,            -- hash of the agreement it rests on
    announced BIGINT NOT NULL,          -- persons announced
    accepted BIGINT NOT NULL,           -- persons taken
    dropped TEXT NOT NULL,              -- JSON: people by rule of this node's own gate, values by class
    state TEXT NOT NULL,                -- announced, stored, failed or expired
    note TEXT,                          -- why it failed, in plain words
    position BIGINT NOT NULL,           -- where it was announced
    expires_at BIGINT,                  -- when it must no longer be used
    at BIGINT NOT NULL                  -- log time, milliseconds since 1970
);

CREATE TABLE received_row (
    share_id TEXT NOT NULL,             -- the share
    row_ref BYTEA NOT NULL,             -- the row's random name
    fields TEXT NOT NULL,               -- JSON: what was given
    grounds TEXT NOT NULL,              -- JSON: basis, clause, labels
    PRIMARY KEY (share_id, row_ref)
);

CREATE TABLE received_token (
    token BYTEA NOT NULL,               -- a token of the person or its contact points
    share_id TEXT NOT NULL,             -- the share
    row_ref BYTEA NOT NULL,             -- the row
    class BIGINT NOT NULL,              -- 0 door, 1 phone, 2 email, 3 person key
    PRIMARY KEY (token, share_id, row_ref)
);
CREATE INDEX received_token_row ON received_token (share_id, row_ref);

CREATE TABLE tombstone (
    token BYTEA NOT NULL,               -- a person token of an erased row
    sender TEXT NOT NULL,               -- who took it back
    position BIGINT NOT NULL,           -- where the notice was ordered
    at BIGINT NOT NULL,                 -- log time of the notice
    PRIMARY KEY (token, sender)
);

CREATE TABLE erased_row (
    share_id TEXT NOT NULL,             -- the share
    row_ref BYTEA NOT NULL,             -- a row that must never be stored again
    position BIGINT NOT NULL,           -- where the notice was ordered
    at BIGINT NOT NULL,                 -- log time of the notice
    PRIMARY KEY (share_id, row_ref)
);

CREATE TABLE notice_in (
    notice_id TEXT PRIMARY KEY,         -- id of the revoke entry
    share_id TEXT NOT NULL,             -- the share whose rows must go
    sender TEXT NOT NULL,               -- node id
    count BIGINT NOT NULL,              -- rows that it names
    row_refs BYTEA NOT NULL,            -- the entry's payload, CBOR: still sealed
    position BIGINT NOT NULL,           -- where it was ordered
    at BIGINT NOT NULL,                 -- log time
    state TEXT NOT NULL,                -- arrived, erased or unreadable
    erased BIGINT NOT NULL              -- rows erased
);

CREATE TABLE notice_out (
    notice_id TEXT PRIMARY KEY,         -- id of the revoke entry
    share_id TEXT NOT NULL,             -- the share
    recipient TEXT NOT NULL,            -- node id
    kind TEXT NOT NULL,                 -- withdrawal, objection, erasure, recall
    count BIGINT NOT NULL,              -- rows
    receipt BYTEA,                      -- the signed erasure receipt, CBOR
    created_at BIGINT NOT NULL          -- milliseconds since 1970
);
CREATE INDEX notice_out_share ON notice_out (share_id);

CREATE TABLE recalled (
    person_id TEXT PRIMARY KEY,         -- a person who took back what was shared
    kind TEXT NOT NULL,                 -- withdrawal, objection, erasure
    at BIGINT NOT NULL                  -- only consent given after this moment shares the person again
);

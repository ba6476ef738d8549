-- What a keeper holds for the coalition.

CREATE TABLE keeper_log (
    position BIGINT PRIMARY KEY,        -- 1, 2, 3, ...
    log_time BIGINT NOT NULL,           -- never goes back
    sealed BYTEA NOT NULL,              -- the envelope as it was appended
    hash TEXT NOT NULL UNIQUE,          -- SHA-256 of the envelope: the same bytes twice are one entry
    chain BYTEA NOT NULL,               -- the chain hash at this position
    author TEXT NOT NULL,               -- who appended it, by the request's signature
    class BIGINT NOT NULL               -- admission class
);

CREATE TABLE keeper_join (
    node_id TEXT PRIMARY KEY,           -- the newcomer
    token_hash TEXT NOT NULL UNIQUE,    -- the invitation that it showed
    document BYTEA NOT NULL,            -- its signed identity document
    admission BYTEA,                    -- Welcome and sealed snapshot, once it is approved
    created_at BIGINT NOT NULL          -- milliseconds since 1970
);

CREATE TABLE keeper_slot (
    member TEXT NOT NULL,               -- node id
    class BIGINT NOT NULL,              -- 0 door, 1 phone, 2 email, 3 person
    generation BIGINT NOT NULL,         -- generation of match tokens
    slot BIGINT NOT NULL,               -- the member's own number of the batch
    digest BYTEA NOT NULL,              -- of the blinded points: another batch in this slot is refused
    points BIGINT NOT NULL,             -- how many: they count against the budget once
    PRIMARY KEY (member, class, generation, slot)
);

CREATE TABLE blob (
    blob_id TEXT PRIMARY KEY,           -- content address
    owner TEXT NOT NULL,                -- node id of who declared it
    bytes BIGINT NOT NULL,              -- size of the ciphertext
    manifest BYTEA NOT NULL,            -- chunk hashes
    missing BIGINT NOT NULL,            -- chunks that have not arrived
    created_at BIGINT NOT NULL,         -- milliseconds since 1970
    expires_at BIGINT NOT NULL          -- after this it may go
);

CREATE TABLE blob_chunk (
    blob_id TEXT NOT NULL,              -- content address
    n BIGINT NOT NULL,                  -- 0, 1, 2, ...
    bytes BYTEA NOT NULL,               -- ciphertext, at most 4 MiB
    PRIMARY KEY (blob_id, n)
);

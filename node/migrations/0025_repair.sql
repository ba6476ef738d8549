-- A coalition's only keeper that was restored from a copy, and what members keep so that they can hand it back.

CREATE TABLE keeper_repair (
    one BIGINT PRIMARY KEY,             -- always 1
    stage TEXT NOT NULL,                -- gathering, returning, done
    began_at BIGINT NOT NULL,           -- milliseconds since 1970
    position_before BIGINT NOT NULL,    -- the end of the log in the copy
    position_after BIGINT,              -- the end of the log when the keeper opened it again
    group_position BIGINT,              -- the position of which a member gave the group
    group_now BYTEA,                    -- the group there
    came_position BIGINT,               -- the commit from outside about which a member has told
    came_blob TEXT                      -- the blob with the state there; none where the commit was void
);

CREATE TABLE keeper_repair_word (
    node_id TEXT PRIMARY KEY,           -- a member that has handed back all that it holds
    reached BIGINT NOT NULL,            -- how far it has read
    said_at BIGINT NOT NULL             -- milliseconds since 1970
);

CREATE TABLE log_copy (
    position BIGINT PRIMARY KEY,        -- in the coalition log
    log_time BIGINT NOT NULL,           -- milliseconds since 1970
    sealed BYTEA NOT NULL               -- the envelope as it was read
);

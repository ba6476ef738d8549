-- Coming back into the group from outside, at the node that does and at the keeper that helps.

CREATE TABLE way_back (
    one BIGINT PRIMARY KEY,             -- always 1: one try at a time
    entry_id TEXT NOT NULL,             -- the entry that carries the commit from outside
    envelope BYTEA NOT NULL,            -- what was or will be sent; empty after a try that failed
    group_id BYTEA NOT NULL,            -- the MLS group
    tries BIGINT NOT NULL,              -- how many have failed
    next_at BIGINT NOT NULL             -- not tried again before this, milliseconds since 1970
);

CREATE TABLE way_back_row (
    k BYTEA PRIMARY KEY,                -- key of the MLS library
    v BYTEA NOT NULL                    -- its value in the group as it will be, sealed as in mls_state
);

CREATE TABLE keeper_return (
    node_id TEXT PRIMARY KEY,           -- a member that came back from outside
    position BIGINT NOT NULL,           -- the position of its commit
    snapshot BYTEA NOT NULL,            -- folded state there, sealed at rest; empty once it is in a blob
    blob_id TEXT                        -- the snapshot sealed to the member, once it has asked
);

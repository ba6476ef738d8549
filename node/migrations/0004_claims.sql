-- This node's own claims; what others hold is in the folded state.

CREATE TABLE claim (
    claim_id TEXT PRIMARY KEY,          -- id of the entry that made it
    channel TEXT NOT NULL,              -- door, phone, text, email
    starts_at BIGINT NOT NULL,          -- first moment of the window
    ends_at BIGINT NOT NULL,            -- moment after the window's last
    list_id TEXT,                       -- the list it was made from
    label TEXT NOT NULL,                -- list or file name, for people
    state TEXT NOT NULL,                -- asked, granted, refused, released, ended or void
    asked BIGINT NOT NULL,              -- contact points asked for
    granted BIGINT NOT NULL,            -- contact points granted
    refused BIGINT NOT NULL,            -- contact points refused
    position BIGINT,                    -- where it was decided
    note TEXT,                          -- why it is void
    created_at BIGINT NOT NULL          -- milliseconds since 1970
);

CREATE TABLE claim_point (
    claim_id TEXT NOT NULL,             -- the claim
    token BYTEA NOT NULL,               -- the contact point's token
    state TEXT NOT NULL,                -- asked, granted, held, recent, suppressed or released
    by_node TEXT,                       -- who holds, was there, or says so
    until BIGINT,                       -- until when, milliseconds since 1970
    PRIMARY KEY (claim_id, token)
);

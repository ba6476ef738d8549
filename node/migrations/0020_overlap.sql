-- Counts of what lists of members have in common: this organization's part in each.

CREATE TABLE overlap (
    overlap_id TEXT PRIMARY KEY,        -- the entry that asked for the count
    said TEXT NOT NULL,                 -- the own entry that asked or agreed
    label TEXT NOT NULL,                -- the own list, as the organization calls it
    size BIGINT NOT NULL,               -- how many entries of it take part
    secret BYTEA,                       -- the own exponent, sealed; gone when the count has ended
    points BYTEA,                       -- points of the own list, sealed; gone once the list was handed on
    cells TEXT,                         -- JSON: the counts that may be told
    note TEXT,                          -- why there are no counts
    created_at BIGINT NOT NULL          -- milliseconds since 1970
);

CREATE TABLE overlap_step (
    overlap_id TEXT NOT NULL,           -- the entry that asked for the count
    step TEXT NOT NULL,                 -- list and step as 0/1, or end
    PRIMARY KEY (overlap_id, step)
);

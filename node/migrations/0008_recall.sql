-- Recall in full: rows that rest, rows that a law makes this organization keep, corrections, disputes.

CREATE TABLE row_mark (
    share_id TEXT NOT NULL,             -- the share
    row_ref BYTEA NOT NULL,             -- a received row that must not be used, fetched or not
    mark TEXT NOT NULL,                 -- restricted, or retained: only what a law makes us keep is left
    notice_id TEXT NOT NULL,            -- the notice that asked for it
    PRIMARY KEY (share_id, row_ref)
);

CREATE TABLE retention (
    share_id TEXT NOT NULL,             -- a received share
    class TEXT NOT NULL,                -- the class of fields that is kept when a row is taken back
    ground TEXT NOT NULL,               -- why, on one line
    until BIGINT NOT NULL,              -- milliseconds since 1970
    PRIMARY KEY (share_id, class)
);

ALTER TABLE notice_in ADD COLUMN kind TEXT NOT NULL DEFAULT 'recall';        -- why; state may also be waits: for the share's rows
ALTER TABLE notice_out ADD COLUMN result TEXT;                               -- what the receipt says
ALTER TABLE received_share ADD COLUMN overshared BIGINT NOT NULL DEFAULT 0;  -- rows with more than agreement and law let through
ALTER TABLE disclosure ADD COLUMN rectify_notice TEXT;                       -- the latest notice that corrects the row
ALTER TABLE disclosure ADD COLUMN rectify_waits BIGINT NOT NULL DEFAULT 0;   -- 1: to be corrected once the share is announced

-- A request to join that waits: whom the invitation names, and what people compare on the telephone.

CREATE TABLE joining (
    one BIGINT PRIMARY KEY,             -- always 1: one request at a time
    inviter TEXT NOT NULL,              -- node id of who approves, as the invitation names it
    inviter_document BYTEA NOT NULL,    -- its signed identity document, as the keeper handed it out
    comparison BYTEA NOT NULL,          -- 32 bytes; the digits to compare come from them
    asked_at BIGINT NOT NULL,           -- milliseconds since 1970
    compared_at BIGINT                  -- when a person here said that the digits are the same
);

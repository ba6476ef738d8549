-- From one generation of match tokens to the next: points keep the token before, keepers' faults are kept.

ALTER TABLE point ADD COLUMN old_generation BIGINT;                          -- generation of the token before
ALTER TABLE point ADD COLUMN old_token BYTEA;                                -- token before, 16 bytes, while it counts
CREATE INDEX point_old_token ON point (old_token);

CREATE TABLE evaluation_fault (
    keeper TEXT NOT NULL,               -- the node that signed the reply
    generation BIGINT NOT NULL,         -- generation of match tokens
    class BIGINT NOT NULL,              -- 0 door, 1 phone, 2 email, 3 person
    slot BIGINT NOT NULL,               -- this node's number of the batch
    request BYTEA NOT NULL,             -- what was asked, as it was sent
    reply BYTEA NOT NULL,               -- what came back and does not hold
    entry_id TEXT NOT NULL,             -- the entry that told the coalition
    at BIGINT NOT NULL,                 -- milliseconds since 1970
    PRIMARY KEY (keeper, generation, class, slot)
);

-- Phone banks: queues of numbers that callers of this organization are given one by one. Each number in
-- them is held by a claim, so no ally calls it meanwhile. Nothing in these tables leaves the node.

CREATE TABLE phone_bank (
    bank BIGINT PRIMARY KEY,            -- counted from 1
    list TEXT,                          -- whose people are called, by name; all lists without one
    area TEXT,                          -- only those in this area of the organization's own
    first_day TEXT NOT NULL,            -- YYYY-MM-DD, in the agreement's time zone
    last_day TEXT NOT NULL,             -- YYYY-MM-DD, included
    opens BIGINT NOT NULL,              -- calls begin, in minutes after midnight there
    closes BIGINT NOT NULL,             -- calls end, in minutes after midnight there
    lease BIGINT NOT NULL,              -- so long a caller keeps a number, in milliseconds
    tries BIGINT NOT NULL,              -- so often a number is tried that nobody answers
    ahead BIGINT NOT NULL,              -- so many numbers are claimed at a time
    state TEXT NOT NULL,                -- open, closed
    looked_at BIGINT NOT NULL,          -- when numbers were last looked for, milliseconds since 1970
    why TEXT NOT NULL,                  -- why none were found then; empty where some were
    created_at BIGINT NOT NULL          -- milliseconds since 1970
);

CREATE TABLE phone_bank_claim (
    claim_id TEXT PRIMARY KEY,          -- a claim that was taken for a phone bank
    bank BIGINT NOT NULL,               -- the phone bank
    queued BIGINT NOT NULL              -- 1 once its numbers stand in the queue, or it came to nothing
);

CREATE TABLE phone_call (
    bank BIGINT NOT NULL,               -- the phone bank
    point_id TEXT NOT NULL,             -- the number, as a contact point
    claim_id TEXT NOT NULL,             -- the claim that holds it
    place BIGINT NOT NULL,              -- its place in the queue
    state TEXT NOT NULL,                -- waiting, leased, done, left
    tries BIGINT NOT NULL,              -- how often it was tried in vain
    ready_at BIGINT NOT NULL,           -- not before this moment: of a leased one, the end of the lease
    lease TEXT,                         -- the last lease, base32, random
    caller TEXT NOT NULL,               -- who had it last
    PRIMARY KEY (bank, point_id)
);
CREATE INDEX phone_call_next ON phone_call (bank, state, tries, place);
CREATE UNIQUE INDEX phone_call_lease ON phone_call (lease);

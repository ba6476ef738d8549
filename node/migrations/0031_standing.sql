-- Standing claims: the same ground on the same days of every week. Nothing in this table leaves the node;
-- what allies see are the claims that are taken for it.

CREATE TABLE standing_claim (
    number BIGINT PRIMARY KEY,          -- counted from 1, never used again
    list TEXT,                          -- whose people, by name; all lists without one
    area TEXT,                          -- only those in this area of the organization's own
    channel TEXT NOT NULL,              -- door, phone, text, email
    weekdays BIGINT NOT NULL,           -- a bit for each day, Monday first
    ahead BIGINT NOT NULL,              -- so many days before it begins a window is claimed
    until_day TEXT,                     -- no window begins after it, YYYY-MM-DD
    done_day TEXT NOT NULL,             -- windows up to this day are claimed or gave nothing, YYYY-MM-DD
    looked_at BIGINT NOT NULL,          -- when one was last asked for in vain, milliseconds since 1970
    why TEXT NOT NULL,                  -- what came of it; empty where it was claimed
    ended BIGINT NOT NULL               -- 1 once somebody ended it
);

-- From when on this node vouches for the log again after it was set back: until then it may have forgotten what it said.

CREATE TABLE vouching (
    one BIGINT PRIMARY KEY,             -- always 1
    not_before BIGINT NOT NULL          -- milliseconds since 1970, by this node's clock
);

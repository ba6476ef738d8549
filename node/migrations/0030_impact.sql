-- What working together spares: counted from every member's claims as they are decided, at each node alike.

CREATE TABLE impact_claim (
    quarter BIGINT NOT NULL,            -- quarter hours since 1970 by log time: days begin at one everywhere
    node TEXT NOT NULL,                 -- who claimed
    channel TEXT NOT NULL,              -- door, phone, text, email
    what TEXT NOT NULL,                 -- asked, granted, held, recent, capped, suppressed
    by_node TEXT NOT NULL,              -- held, recent: through whom; else empty
    points BIGINT NOT NULL,             -- contact points
    PRIMARY KEY (quarter, node, channel, what, by_node)
);

-- What was spared lately: asked for once more within the recontact window, it is not counted again.
CREATE TABLE impact_spared (
    node TEXT NOT NULL,                 -- who would have gone there
    channel TEXT NOT NULL,              -- door, phone, text, email
    token BYTEA NOT NULL,               -- the contact point
    at BIGINT NOT NULL,                 -- when it was counted, milliseconds since 1970, log time
    PRIMARY KEY (node, channel, token)
);
CREATE INDEX impact_spared_at ON impact_spared (channel, at);

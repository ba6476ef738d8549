-- From a universe to the street. Where doors lie, the organization's own areas, and the packets that
-- granted claims are cut into. Nothing in these tables leaves the node.

CREATE TABLE place (
    door TEXT PRIMARY KEY,              -- normalized door, as in point.value
    latitude BIGINT NOT NULL,           -- millionths of a degree
    longitude BIGINT NOT NULL           -- millionths of a degree
);

CREATE TABLE area (
    area_id TEXT PRIMARY KEY,           -- base32, random
    name TEXT NOT NULL UNIQUE,          -- as the organization calls it, in small letters
    shape TEXT NOT NULL,                -- JSON: boundary, cells, postal codes or precincts
    created_at BIGINT NOT NULL          -- milliseconds since 1970
);

CREATE TABLE packet (
    packet_id TEXT PRIMARY KEY,         -- base32, random
    claim_id TEXT NOT NULL,             -- the claim that it is a part of
    number BIGINT NOT NULL,             -- counted from 1 within the claim
    state TEXT NOT NULL,                -- unassigned, assigned, in_progress, done
    assignee TEXT NOT NULL,             -- who walks it, may be empty
    changed_at BIGINT NOT NULL,         -- milliseconds since 1970
    UNIQUE (claim_id, number)
);

CREATE TABLE packet_stop (
    packet_id TEXT NOT NULL,            -- the packet
    point_id TEXT NOT NULL,             -- the contact point
    stop BIGINT NOT NULL,               -- its place in walking order, counted from 1
    PRIMARY KEY (packet_id, point_id)
);
CREATE INDEX packet_stop_point ON packet_stop (point_id);

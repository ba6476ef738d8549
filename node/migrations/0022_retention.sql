-- How far back a keeper holds what was said. Before that a line of keeper_log has no more than its hash: `sealed` is empty.

CREATE TABLE keeper_retention (
    one BIGINT PRIMARY KEY,             -- always 1
    pruned BIGINT NOT NULL              -- up to this position nothing but lines is left
);

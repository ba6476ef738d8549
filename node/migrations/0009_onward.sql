-- Rows that were received and passed on.

ALTER TABLE disclosure ADD COLUMN via_share TEXT;      -- the received share that the row came by; absent for own people
ALTER TABLE disclosure ADD COLUMN via_row BYTEA;       -- its name there
ALTER TABLE disclosure ADD COLUMN rectify_with TEXT;   -- the person whose fields correct the row, when the own record is gone
CREATE INDEX disclosure_via ON disclosure (via_share, via_row);

ALTER TABLE notice_in ADD COLUMN hash TEXT NOT NULL DEFAULT '';    -- SHA-256 of the revoke entry

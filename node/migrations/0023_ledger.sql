-- Keepers' ledgers of evaluations: when points were evaluated, and for which generations a ledger may have gaps.

ALTER TABLE keeper_slot ADD COLUMN at BIGINT;   -- milliseconds since 1970 at the keeper; none from before this was noted
CREATE INDEX keeper_slot_at ON keeper_slot (member, class, generation, at);

CREATE TABLE keeper_gap (
    generation BIGINT PRIMARY KEY,      -- generation of match tokens that this keeper had evaluated in before it was restored
    asked_at BIGINT NOT NULL            -- when the other keepers were last asked for theirs, in milliseconds since 1970; 0: never
);

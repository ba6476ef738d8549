-- The organization's own lists. Nothing in these tables leaves the node but through the gate.

CREATE TABLE list (
    list_id TEXT PRIMARY KEY,           -- base32
    name TEXT NOT NULL UNIQUE,          -- as the organization calls it
    created_at BIGINT NOT NULL          -- milliseconds since 1970
);

CREATE TABLE person (
    person_id TEXT PRIMARY KEY,         -- base32, random
    given TEXT NOT NULL,                -- given name, may be empty
    middle TEXT NOT NULL,               -- middle name, may be empty
    surname TEXT NOT NULL,              -- surname, may be empty
    suffix TEXT NOT NULL,               -- generation suffix, may be empty
    birth_date TEXT,                    -- ISO date
    birth_year BIGINT,                  -- where only the year is known
    voter_state TEXT,                   -- state of the voter id
    voter_id TEXT,                      -- as issued
    address TEXT NOT NULL,              -- JSON: address as the file had it
    source TEXT NOT NULL,               -- policy vocabulary: own_signup, voter_file, ...
    basis TEXT NOT NULL,                -- policy vocabulary: consent, membership_9_2_d, ... or unknown
    partisan BIGINT NOT NULL,           -- 1: a partisan tag or party field was seen
    never_share BIGINT NOT NULL,        -- 1: the row says that it must not be shared
    minor BIGINT NOT NULL,              -- 1: known to be under 18
    tags TEXT NOT NULL,                 -- JSON list
    answers TEXT NOT NULL,              -- JSON object: answers and support levels
    extra TEXT NOT NULL,                -- JSON object: columns that nobody mapped
    search TEXT NOT NULL,               -- folded name and e-mails, for searching
    name_postal TEXT NOT NULL,          -- normalized given name, surname and postal code; empty where one is missing
    seen_import TEXT NOT NULL,          -- id of the last import that named the person
    created_at BIGINT NOT NULL,         -- milliseconds since 1970
    updated_at BIGINT NOT NULL          -- milliseconds since 1970
);
CREATE INDEX person_search ON person (search);
CREATE INDEX person_name_postal ON person (name_postal);

CREATE TABLE person_list (
    list_id TEXT NOT NULL,              -- the list
    person_id TEXT NOT NULL,            -- the person on it
    PRIMARY KEY (list_id, person_id)
);
CREATE INDEX person_list_person ON person_list (person_id);

CREATE TABLE person_identifier (
    system TEXT NOT NULL,               -- van, dwid, nationbuilder, ...
    value TEXT NOT NULL,                -- as issued
    person_id TEXT NOT NULL,            -- whose it is
    PRIMARY KEY (system, value)
);
CREATE INDEX person_identifier_person ON person_identifier (person_id);

CREATE TABLE point (
    point_id TEXT PRIMARY KEY,          -- base32, random
    class BIGINT NOT NULL,              -- 0 door, 1 phone, 2 email, 3 person key
    kind TEXT NOT NULL,                 -- door, phone, email, voter_id, ns_dob_postal, name_door
    value TEXT NOT NULL,                -- normalized
    display TEXT NOT NULL,              -- as people read it
    street TEXT NOT NULL,               -- doors: street for walking order
    number BIGINT NOT NULL,             -- doors: house number for walking order
    generation BIGINT,                  -- generation of the token below
    element BYTEA,                      -- the evaluated group element, sealed
    token BYTEA,                        -- match token for the ground, 16 bytes
    UNIQUE (class, kind, value)
);
CREATE INDEX point_token ON point (token);
CREATE INDEX point_waiting ON point (generation, class);

CREATE TABLE person_point (
    person_id TEXT NOT NULL,            -- the person
    point_id TEXT NOT NULL,             -- where it is reached, or a key of the person
    label TEXT NOT NULL,                -- mobile, home, work, registered, ...
    rank BIGINT NOT NULL,               -- 0 is the one to use first
    bad BIGINT NOT NULL,                -- 1: known not to reach the person
    PRIMARY KEY (person_id, point_id)
);
CREATE INDEX person_point_point ON person_point (point_id);

CREATE TABLE consent (
    record_id TEXT PRIMARY KEY,         -- base32, random
    person_id TEXT NOT NULL,            -- whose
    form TEXT NOT NULL,                 -- form version, or empty
    record TEXT NOT NULL,               -- JSON: ISO/IEC TS 27560 profile, events included
    updated_at BIGINT NOT NULL          -- milliseconds since 1970
);
CREATE INDEX consent_person ON consent (person_id);

CREATE TABLE consent_form (
    form_hash TEXT PRIMARY KEY,         -- SHA-256 of its text
    form TEXT NOT NULL,                 -- TOML or JSON, as the organization wrote it
    created_at BIGINT NOT NULL          -- milliseconds since 1970
);

CREATE TABLE import (
    import_id TEXT PRIMARY KEY,         -- base32, random
    list_id TEXT NOT NULL,              -- where the rows go; empty for contact histories
    fingerprint TEXT NOT NULL,          -- of file, list and options: the same import again resumes or repeats
    file_name TEXT NOT NULL,            -- as the person called it
    format TEXT NOT NULL,               -- recognized or chosen
    state TEXT NOT NULL,                -- running, done or failed
    rows_done BIGINT NOT NULL,          -- rows committed
    counts TEXT NOT NULL,               -- JSON: the report so far
    started_at BIGINT NOT NULL,         -- milliseconds since 1970
    finished_at BIGINT                  -- milliseconds since 1970
);
CREATE INDEX import_fingerprint ON import (fingerprint);

CREATE TABLE import_reject (
    import_id TEXT NOT NULL,            -- the import
    line BIGINT NOT NULL,               -- line of the file
    column_name TEXT NOT NULL,          -- may be empty
    reason TEXT NOT NULL,               -- plain words, no content of the row
    PRIMARY KEY (import_id, line, column_name)
);

CREATE TABLE suppression (
    suppression_id TEXT PRIMARY KEY,    -- base32, random
    person_id TEXT,                     -- whom it concerns, where it is a person of a list
    point_id TEXT,                      -- what it concerns, where it is a contact point
    channels BIGINT NOT NULL,           -- bits: 1 door, 2 phone, 4 text, 8 email
    deceased BIGINT NOT NULL,           -- 1: said to have died
    reason TEXT NOT NULL,               -- do_not_contact, opt_out, defect, moved, deceased
    source TEXT NOT NULL,               -- import id, desk or cli
    since BIGINT NOT NULL,              -- milliseconds since 1970
    withdrawn_at BIGINT,                -- milliseconds since 1970
    told TEXT,                          -- entry that told the coalition
    withdrawal_told TEXT                -- entry that told the withdrawal
);
CREATE INDEX suppression_person ON suppression (person_id);
CREATE INDEX suppression_point ON suppression (point_id);

CREATE TABLE contact (
    contact_id TEXT PRIMARY KEY,        -- base32 of a hash of its facts: the same attempt twice is one
    person_id TEXT,                     -- where the file's id led to a person of a list
    point_id TEXT,                      -- the contact point that was tried
    channel TEXT,                       -- door, phone, text, email; absent where unknown
    at BIGINT NOT NULL,                 -- milliseconds since 1970
    whole_day BIGINT NOT NULL,          -- 1: only the day is known
    effect TEXT NOT NULL,               -- effect class
    result TEXT NOT NULL,               -- the file's own word
    flagged BIGINT NOT NULL,            -- 1: an unknown result, for a person to look at
    committee TEXT NOT NULL,            -- who made it, as the file says
    own BIGINT NOT NULL,                -- 1: this organization's own attempt
    import_id TEXT NOT NULL,            -- where it came from
    told TEXT                           -- entry that reported it
);
CREATE INDEX contact_person ON contact (person_id);
CREATE INDEX contact_untold ON contact (told, own);

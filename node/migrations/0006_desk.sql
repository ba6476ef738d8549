-- The desk: sign-in links and sessions. Only hashes are stored: who reads the database cannot sign in.

CREATE TABLE desk_link (
    token_hash TEXT PRIMARY KEY,        -- SHA-256 of the link's token
    expires_at BIGINT NOT NULL,         -- milliseconds since 1970
    used_at BIGINT                      -- a link is good once
);

CREATE TABLE desk_session (
    session_hash TEXT PRIMARY KEY,      -- SHA-256 of the session's id
    created_at BIGINT NOT NULL,         -- milliseconds since 1970
    expires_at BIGINT NOT NULL          -- milliseconds since 1970
);

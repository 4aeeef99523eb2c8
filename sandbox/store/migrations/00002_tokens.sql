-- Tokens are kept as SHA-256 digests. Times are microseconds since 1970 UTC.

-- +goose Up
CREATE TABLE access_tokens (
    digest     BLOB    PRIMARY KEY,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

CREATE INDEX access_tokens_expires_at ON access_tokens (expires_at);

CREATE TABLE refresh_tokens (
    digest   BLOB    PRIMARY KEY,
    replaced INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1))
) WITHOUT ROWID, STRICT;

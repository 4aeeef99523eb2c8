-- Authorization codes of users who consented, as SHA-256 digests. Times are microseconds since 1970 UTC.

-- +goose Up
CREATE TABLE codes (
    digest       BLOB    PRIMARY KEY,
    redirect_uri TEXT    NOT NULL,
    expires_at   INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

-- +goose Down
DROP TABLE codes;

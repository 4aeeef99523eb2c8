-- Users, details of accounts, mail and the integration log. Times are microseconds since 1970 UTC.

-- +goose Up
CREATE TABLE users (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    first_name TEXT NOT NULL,
    last_name  TEXT NOT NULL,
    contact_id INTEGER REFERENCES contacts (id)
) STRICT;

ALTER TABLE accounts ADD COLUMN website TEXT;
ALTER TABLE accounts ADD COLUMN is_individual INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN owner_id INTEGER REFERENCES users (id);
ALTER TABLE accounts ADD COLUMN postal_addresses TEXT NOT NULL DEFAULT '[]'; -- JSON
ALTER TABLE accounts ADD COLUMN changed INTEGER NOT NULL DEFAULT 0; -- 1 if the API changed the account after the catalogue wrote the account
ALTER TABLE opportunities ADD COLUMN owner_id INTEGER REFERENCES users (id);

-- Merged accounts, because the catalogue must not create a merged account again.
CREATE TABLE merged_accounts (
    id        INTEGER PRIMARY KEY,
    merged_to INTEGER NOT NULL REFERENCES accounts (id)
) STRICT;

CREATE TABLE sending_addresses (
    id       INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL,
    address  TEXT    NOT NULL,
    verified INTEGER NOT NULL CHECK (verified IN (0, 1))
) STRICT;

CREATE TABLE communication_templates (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL,
    subject TEXT NOT NULL,
    body    TEXT NOT NULL
) STRICT;

CREATE TABLE mails (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    sending_address_id INTEGER NOT NULL REFERENCES sending_addresses (id),
    contact_id         INTEGER NOT NULL REFERENCES contacts (id),
    address            TEXT    NOT NULL,
    cc                 TEXT    NOT NULL DEFAULT '[]', -- JSON
    subject            TEXT    NOT NULL,
    body               TEXT    NOT NULL,
    event_id           INTEGER REFERENCES events (id),
    sent_at            INTEGER NOT NULL
) STRICT;

CREATE TABLE external_logs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    origin      TEXT    NOT NULL,
    node_id     TEXT    NOT NULL,
    message     TEXT    NOT NULL,
    status      TEXT    NOT NULL CHECK (status IN ('success', 'failed', 'partial')),
    payload     TEXT,
    category    TEXT,
    subcategory TEXT,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX external_logs_node ON external_logs (node_id);

-- +goose StatementBegin
CREATE TRIGGER external_logs_stay BEFORE DELETE ON external_logs BEGIN
    SELECT raise(ABORT, 'entries of the log cannot be deleted');
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE external_logs;
DROP TABLE mails;
DROP TABLE communication_templates;
DROP TABLE sending_addresses;
DROP TABLE merged_accounts;
ALTER TABLE opportunities DROP COLUMN owner_id;
ALTER TABLE accounts DROP COLUMN changed;
ALTER TABLE accounts DROP COLUMN postal_addresses;
ALTER TABLE accounts DROP COLUMN owner_id;
ALTER TABLE accounts DROP COLUMN is_individual;
ALTER TABLE accounts DROP COLUMN website;
DROP TABLE users;

-- The creation times and change times of accounts and contacts, and further details of contacts.

-- +goose Up
ALTER TABLE accounts ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN middle_name TEXT;
ALTER TABLE contacts ADD COLUMN is_instructor INTEGER NOT NULL DEFAULT 0 CHECK (is_instructor IN (0, 1));
ALTER TABLE contacts ADD COLUMN is_staff INTEGER NOT NULL DEFAULT 0 CHECK (is_staff IN (0, 1));

-- +goose Down
ALTER TABLE contacts DROP COLUMN is_staff;
ALTER TABLE contacts DROP COLUMN is_instructor;
ALTER TABLE contacts DROP COLUMN middle_name;
ALTER TABLE contacts DROP COLUMN updated_at;
ALTER TABLE contacts DROP COLUMN created_at;
ALTER TABLE accounts DROP COLUMN updated_at;
ALTER TABLE accounts DROP COLUMN created_at;

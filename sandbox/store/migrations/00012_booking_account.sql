-- The account for which an event is held, and the tenant's notes. A later merge of the account does not change
-- booking_account_id: queries look the account up in merged_accounts.

-- +goose Up
ALTER TABLE events ADD COLUMN booking_account_id INTEGER;
ALTER TABLE events ADD COLUMN internal_notes TEXT;

-- +goose Down
ALTER TABLE events DROP COLUMN internal_notes;
ALTER TABLE events DROP COLUMN booking_account_id;

-- Who an event is run for, and what the tenant's people note about it. An account that was merged since is not followed
-- here: whoever reads looks it up in merged_accounts.

-- +goose Up
ALTER TABLE events ADD COLUMN booking_account_id INTEGER;
ALTER TABLE events ADD COLUMN internal_notes TEXT;

-- +goose Down
ALTER TABLE events DROP COLUMN internal_notes;
ALTER TABLE events DROP COLUMN booking_account_id;

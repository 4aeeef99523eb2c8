-- Which interests had reserved places that are booked now, to distinguish them from interests that never reserved any.

-- +goose Up
ALTER TABLE interests ADD COLUMN consumed INTEGER NOT NULL DEFAULT 0 CHECK (consumed IN (0, 1));

-- +goose Down
ALTER TABLE interests DROP COLUMN consumed;

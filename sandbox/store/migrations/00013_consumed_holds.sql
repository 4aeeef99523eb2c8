-- Which interests held places that are booked by now, so that they can be told from those that never held any.

-- +goose Up
ALTER TABLE interests ADD COLUMN consumed INTEGER NOT NULL DEFAULT 0 CHECK (consumed IN (0, 1));

-- +goose Down
ALTER TABLE interests DROP COLUMN consumed;

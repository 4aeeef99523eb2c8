-- consumed is 1 for an interest whose reserved places became booked places. Such an interest differs from an interest
-- that never reserved places.

-- +goose Up
ALTER TABLE interests ADD COLUMN consumed INTEGER NOT NULL DEFAULT 0 CHECK (consumed IN (0, 1));

-- +goose Down
ALTER TABLE interests DROP COLUMN consumed;

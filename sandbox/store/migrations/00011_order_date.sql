-- When a registration was ordered, where that was said; microseconds since 1970 UTC.

-- +goose Up
ALTER TABLE registrations ADD COLUMN ordered_at INTEGER;

-- +goose Down
ALTER TABLE registrations DROP COLUMN ordered_at;

-- When a registration was ordered, if the request had a time; microseconds since 1970 UTC.

-- +goose Up
ALTER TABLE registrations ADD COLUMN ordered_at INTEGER;

-- +goose Down
ALTER TABLE registrations DROP COLUMN ordered_at;

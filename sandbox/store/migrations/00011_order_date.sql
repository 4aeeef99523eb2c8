-- The order time of a registration in microseconds since 1970 UTC, or NULL if the request had no order time.

-- +goose Up
ALTER TABLE registrations ADD COLUMN ordered_at INTEGER;

-- +goose Down
ALTER TABLE registrations DROP COLUMN ordered_at;

-- Details of events. starts and ends contain the local times starts_at and ends_at as microseconds since 1970 UTC, or NULL without a time zone.

-- +goose Up
ALTER TABLE events ADD COLUMN type TEXT NOT NULL DEFAULT 'public' CHECK (type IN ('public', 'private'));
ALTER TABLE events ADD COLUMN learning_mode TEXT NOT NULL DEFAULT 'classroom';
ALTER TABLE events ADD COLUMN min_places INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN registration_deadline TEXT;
ALTER TABLE events ADD COLUMN price INTEGER;
ALTER TABLE events ADD COLUMN currency_code TEXT REFERENCES currencies (code);
ALTER TABLE events ADD COLUMN starts INTEGER;
ALTER TABLE events ADD COLUMN ends INTEGER;
ALTER TABLE events ADD COLUMN created_at INTEGER;
ALTER TABLE events ADD COLUMN updated_at INTEGER;

-- +goose Down
ALTER TABLE events DROP COLUMN updated_at;
ALTER TABLE events DROP COLUMN created_at;
ALTER TABLE events DROP COLUMN ends;
ALTER TABLE events DROP COLUMN starts;
ALTER TABLE events DROP COLUMN currency_code;
ALTER TABLE events DROP COLUMN price;
ALTER TABLE events DROP COLUMN registration_deadline;
ALTER TABLE events DROP COLUMN min_places;
ALTER TABLE events DROP COLUMN learning_mode;
ALTER TABLE events DROP COLUMN type;

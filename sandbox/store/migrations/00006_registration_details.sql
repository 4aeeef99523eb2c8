-- The price of a registration, the custom fields of a learner, and which access tokens came from a user's consent.

-- +goose Up
ALTER TABLE registrations ADD COLUMN amount INTEGER;
ALTER TABLE registrations ADD COLUMN financial_unit TEXT; -- the code of a currency, or the key of a training token type
ALTER TABLE learners ADD COLUMN custom_fields TEXT NOT NULL DEFAULT '[]'; -- JSON
ALTER TABLE access_tokens ADD COLUMN consented INTEGER NOT NULL DEFAULT 0 CHECK (consented IN (0, 1));

-- +goose Down
ALTER TABLE access_tokens DROP COLUMN consented;
ALTER TABLE learners DROP COLUMN custom_fields;
ALTER TABLE registrations DROP COLUMN financial_unit;
ALTER TABLE registrations DROP COLUMN amount;

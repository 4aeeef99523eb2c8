-- Times are microseconds since 1970 UTC; local times are text without a zone; amounts are hundredths.

-- +goose Up
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE stages (
    id       INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL,
    state    TEXT    NOT NULL CHECK (state IN ('Open', 'Won', 'Lost', 'Archived'))
) STRICT;

CREATE TABLE steps (
    id       INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL,
    stage_id INTEGER NOT NULL REFERENCES stages (id),
    entry    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE transitions (
    from_step_id INTEGER NOT NULL REFERENCES steps (id),
    to_step_id   INTEGER NOT NULL REFERENCES steps (id),
    PRIMARY KEY (from_step_id, to_step_id),
    CHECK (from_step_id <> to_step_id)
) WITHOUT ROWID, STRICT;

CREATE TABLE currencies (
    code   TEXT PRIMARY KEY,
    name   TEXT NOT NULL,
    symbol TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE regions (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    currency_code TEXT NOT NULL REFERENCES currencies (code)
) WITHOUT ROWID, STRICT;

CREATE INDEX regions_name ON regions (name);

CREATE TABLE accounts (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL,
    email_address TEXT
) STRICT;

CREATE INDEX accounts_name ON accounts (name);

CREATE TABLE contacts (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id    INTEGER REFERENCES accounts (id),
    first_name    TEXT NOT NULL,
    last_name     TEXT NOT NULL,
    email_address TEXT
) STRICT;

CREATE INDEX contacts_account ON contacts (account_id);
CREATE INDEX contacts_email_address ON contacts (email_address);

CREATE TABLE course_templates (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    code            TEXT NOT NULL,
    title           TEXT NOT NULL,
    lifecycle_state TEXT NOT NULL CHECK (lifecycle_state IN ('draft', 'published'))
) STRICT;

CREATE INDEX course_templates_code ON course_templates (code);

CREATE TABLE events (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    course_template_id INTEGER REFERENCES course_templates (id),
    region_id          TEXT REFERENCES regions (id),
    code               TEXT    NOT NULL,
    title              TEXT    NOT NULL,
    lifecycle_state    TEXT    NOT NULL CHECK (lifecycle_state IN ('draft', 'published', 'cancelled')),
    starts_at          TEXT,
    ends_at            TEXT,
    time_zone_name     TEXT,
    max_places         INTEGER NOT NULL,
    booked_places      INTEGER NOT NULL
) STRICT;

CREATE INDEX events_code ON events (code);
CREATE INDEX events_course_template ON events (course_template_id);

CREATE TABLE learning_paths (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    code            TEXT NOT NULL,
    name            TEXT NOT NULL,
    lifecycle_state TEXT NOT NULL CHECK (lifecycle_state IN ('draft', 'published'))
) STRICT;

CREATE INDEX learning_paths_code ON learning_paths (code);

CREATE TABLE training_token_types (
    id   TEXT PRIMARY KEY,
    code TEXT,
    name TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE opportunities (
    id                       INTEGER PRIMARY KEY AUTOINCREMENT,
    name                     TEXT    NOT NULL,
    region_id                TEXT    NOT NULL REFERENCES regions (id),
    account_id               INTEGER REFERENCES accounts (id),
    currency_code            TEXT    NOT NULL REFERENCES currencies (code),
    step_id                  INTEGER NOT NULL REFERENCES steps (id),
    reservations_valid_until INTEGER,
    created_at               INTEGER NOT NULL,
    updated_at               INTEGER NOT NULL
) STRICT;

CREATE INDEX opportunities_name ON opportunities (name);
CREATE INDEX opportunities_region ON opportunities (region_id);
CREATE INDEX opportunities_account ON opportunities (account_id);
CREATE INDEX opportunities_step ON opportunities (step_id);
CREATE INDEX opportunities_created_at ON opportunities (created_at);
CREATE INDEX opportunities_updated_at ON opportunities (updated_at);

CREATE TABLE opportunity_attributes (
    opportunity_id INTEGER NOT NULL REFERENCES opportunities (id),
    definition_key TEXT    NOT NULL,
    value          TEXT    NOT NULL,
    PRIMARY KEY (opportunity_id, definition_key)
) WITHOUT ROWID, STRICT;

CREATE TABLE interests (
    id                     INTEGER PRIMARY KEY AUTOINCREMENT,
    opportunity_id         INTEGER NOT NULL REFERENCES opportunities (id),
    course_template_id     INTEGER REFERENCES course_templates (id),
    event_id               INTEGER REFERENCES events (id),
    learning_path_id       INTEGER REFERENCES learning_paths (id),
    training_token_type_id TEXT REFERENCES training_token_types (id),
    quantity               INTEGER NOT NULL CHECK (quantity > 0),
    unit_amount            INTEGER NOT NULL,
    total_amount           INTEGER NOT NULL GENERATED ALWAYS AS (quantity * unit_amount) STORED,
    reserve                INTEGER NOT NULL,
    tax_id                 TEXT,
    expires_at             TEXT,
    CHECK ((course_template_id IS NOT NULL) + (event_id IS NOT NULL) + (learning_path_id IS NOT NULL) +
           (training_token_type_id IS NOT NULL) = 1)
) STRICT;

-- These two indices contain all columns from which SQLite computes grandTotal and the reserved places of an event.
CREATE INDEX interests_opportunity ON interests (opportunity_id, reserve, total_amount);
CREATE INDEX interests_event ON interests (event_id, reserve, opportunity_id, quantity) WHERE event_id IS NOT NULL;

CREATE TABLE interest_learners (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    interest_id   INTEGER NOT NULL REFERENCES interests (id),
    contact_id    INTEGER REFERENCES contacts (id),
    first_name    TEXT    NOT NULL,
    last_name     TEXT    NOT NULL,
    email_address TEXT
) STRICT;

CREATE INDEX interest_learners_interest ON interest_learners (interest_id);

-- +goose Down
DROP TABLE interest_learners;
DROP TABLE interests;
DROP TABLE opportunity_attributes;
DROP TABLE opportunities;
DROP TABLE training_token_types;
DROP TABLE learning_paths;
DROP TABLE events;
DROP TABLE course_templates;
DROP TABLE contacts;
DROP TABLE accounts;
DROP TABLE regions;
DROP TABLE currencies;
DROP TABLE transitions;
DROP TABLE steps;
DROP TABLE stages;
DROP TABLE settings;

-- Requirements and triggers of transitions, registrations, learners, tokens, invoices.
-- Times are microseconds since 1970 UTC; local times are text without a zone; amounts are hundredths.

-- +goose Up
CREATE TABLE transition_requirements (
    from_step_id INTEGER NOT NULL,
    to_step_id   INTEGER NOT NULL,
    attribute    TEXT    NOT NULL,
    PRIMARY KEY (from_step_id, to_step_id, attribute),
    FOREIGN KEY (from_step_id, to_step_id) REFERENCES transitions (from_step_id, to_step_id) ON DELETE CASCADE
) WITHOUT ROWID, STRICT;

CREATE TABLE transition_triggers (
    from_step_id INTEGER NOT NULL,
    to_step_id   INTEGER NOT NULL,
    kind         TEXT    NOT NULL CHECK (kind IN ('account', 'contact', 'registration', 'token', 'invoice')),
    PRIMARY KEY (from_step_id, to_step_id, kind),
    FOREIGN KEY (from_step_id, to_step_id) REFERENCES transitions (from_step_id, to_step_id) ON DELETE CASCADE
) WITHOUT ROWID, STRICT;

-- registered counts the active learners; changed is 1 if the API changed the event after the catalogue wrote the event.
ALTER TABLE events ADD COLUMN registered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN cancelled_at INTEGER;

ALTER TABLE opportunities ADD COLUMN contact_id INTEGER REFERENCES contacts (id);

CREATE TABLE registrations (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id       INTEGER NOT NULL REFERENCES events (id),
    account_id     INTEGER REFERENCES accounts (id),
    opportunity_id INTEGER REFERENCES opportunities (id),
    created_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX registrations_event ON registrations (event_id);
CREATE INDEX registrations_account ON registrations (account_id);
CREATE INDEX registrations_opportunity ON registrations (opportunity_id);

CREATE TABLE learners (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    registration_id INTEGER NOT NULL REFERENCES registrations (id),
    event_id        INTEGER NOT NULL REFERENCES events (id),
    contact_id      INTEGER REFERENCES contacts (id),
    cancelled       INTEGER NOT NULL DEFAULT 0 CHECK (cancelled IN (0, 1)),
    notes           TEXT,
    updated_at      INTEGER NOT NULL
) STRICT;

CREATE INDEX learners_registration ON learners (registration_id);
CREATE INDEX learners_event ON learners (event_id, cancelled);
CREATE INDEX learners_contact ON learners (contact_id);

ALTER TABLE interests ADD COLUMN registration_id INTEGER REFERENCES registrations (id);

CREATE TABLE token_issues (
    id                     INTEGER PRIMARY KEY AUTOINCREMENT,
    opportunity_id         INTEGER NOT NULL REFERENCES opportunities (id),
    interest_id            INTEGER NOT NULL UNIQUE REFERENCES interests (id),
    account_id             INTEGER NOT NULL REFERENCES accounts (id),
    training_token_type_id TEXT    NOT NULL REFERENCES training_token_types (id),
    quantity               INTEGER NOT NULL,
    expires_at             TEXT
) STRICT;

CREATE INDEX token_issues_account ON token_issues (account_id);
CREATE INDEX token_issues_opportunity ON token_issues (opportunity_id);

CREATE TABLE invoices (
    id                       INTEGER PRIMARY KEY AUTOINCREMENT,
    opportunity_id           INTEGER NOT NULL REFERENCES opportunities (id),
    account_id               INTEGER NOT NULL REFERENCES accounts (id),
    region_id                TEXT    NOT NULL REFERENCES regions (id),
    currency_code            TEXT    NOT NULL REFERENCES currencies (code),
    lifecycle_state          TEXT    NOT NULL DEFAULT 'Draft' CHECK (lifecycle_state IN ('Draft', 'Final', 'Void')),
    comments                 TEXT,
    purchase_order_reference TEXT,
    created_at               INTEGER NOT NULL,
    finalised_at             INTEGER
) STRICT;

CREATE INDEX invoices_opportunity ON invoices (opportunity_id);
CREATE INDEX invoices_account ON invoices (account_id);

CREATE TABLE invoice_lines (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    invoice_id  INTEGER NOT NULL REFERENCES invoices (id),
    interest_id INTEGER NOT NULL REFERENCES interests (id),
    learner_id  INTEGER REFERENCES learners (id),
    quantity    INTEGER NOT NULL,
    unit_amount INTEGER NOT NULL
) STRICT;

CREATE INDEX invoice_lines_invoice ON invoice_lines (invoice_id);

-- +goose Down
DROP TABLE invoice_lines;
DROP TABLE invoices;
DROP TABLE token_issues;
ALTER TABLE interests DROP COLUMN registration_id;
DROP TABLE learners;
DROP TABLE registrations;
ALTER TABLE opportunities DROP COLUMN contact_id;
ALTER TABLE events DROP COLUMN cancelled_at;
ALTER TABLE events DROP COLUMN changed;
ALTER TABLE events DROP COLUMN registered;
DROP TABLE transition_triggers;
DROP TABLE transition_requirements;

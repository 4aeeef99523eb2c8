-- What a tenant wants to know of records beside what the API knows itself.

-- +goose Up
CREATE TABLE custom_field_definitions (
    id    INTEGER PRIMARY KEY,
    type  TEXT NOT NULL, -- of the records that have it: Opportunity, Event and so on
    label TEXT NOT NULL,
    kind  TEXT NOT NULL
) STRICT;

-- +goose Down
DROP TABLE custom_field_definitions;

-- Further fields that a tenant has defined for records.

-- +goose Up
CREATE TABLE custom_field_definitions (
    id    INTEGER PRIMARY KEY,
    type  TEXT NOT NULL, -- of the records that have it: Opportunity, Event and so on
    label TEXT NOT NULL,
    kind  TEXT NOT NULL
) STRICT;

-- +goose Down
DROP TABLE custom_field_definitions;

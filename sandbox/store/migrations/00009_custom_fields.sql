-- The custom fields that a tenant has defined for types of records.

-- +goose Up
CREATE TABLE custom_field_definitions (
    id    INTEGER PRIMARY KEY,
    type  TEXT NOT NULL, -- the type of the records that have the custom field, such as Opportunity
    label TEXT NOT NULL,
    kind  TEXT NOT NULL
) STRICT;

-- +goose Down
DROP TABLE custom_field_definitions;

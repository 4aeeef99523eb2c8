-- Commit markers: the committed mutations by request; the transaction of the mutation writes the marker.

-- +goose Up
CREATE TABLE marks (
    request     INTEGER NOT NULL,
    alias       TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    opportunity TEXT    NOT NULL,
    PRIMARY KEY (request, alias)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE marks;

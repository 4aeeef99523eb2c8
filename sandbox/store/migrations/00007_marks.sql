-- Which mutations of which requests have committed; each is written in the transaction that it is about.

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

package store

import (
	"context"
	"database/sql"
	"errors"
)

// CommitMarker identifies a committed mutation of a request. The transaction of the mutation writes
// the commit marker, so the commit marker exists only if the mutation took effect.
type CommitMarker struct {
	Request     int64
	Alias, Name string
	// Opportunity is the id of the opportunity that the mutation names or creates.
	Opportunity string
}

type commitMarkerKey struct{}

// WithCommitMarker returns a context with which a mutation writes the commit marker m.
func WithCommitMarker(ctx context.Context, m CommitMarker) context.Context {
	return context.WithValue(ctx, commitMarkerKey{}, &m)
}

// setMarkerOpportunity sets the opportunity of the commit marker in the context; a nil opportunity
// changes nothing.
func setMarkerOpportunity(ctx context.Context, o *Opportunity) {
	if m, ok := ctx.Value(commitMarkerKey{}).(*CommitMarker); ok && o != nil {
		m.Opportunity = o.GlobalID()
	}
}

// writeCommitMarker writes the commit marker in the context; without a commit marker,
// writeCommitMarker does nothing. If a mutation uses several transactions, the first transaction
// writes the commit marker.
func writeCommitMarker(ctx context.Context, tx *sql.Tx) error {
	m, ok := ctx.Value(commitMarkerKey{}).(*CommitMarker)
	if !ok {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO marks (request, alias, name, opportunity) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		m.Request, m.Alias, m.Name, m.Opportunity)
	return err
}

// CommitMarkers returns all commit markers, ordered by request.
func (s *Store) CommitMarkers(ctx context.Context) (marks []CommitMarker, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT request, alias, name, opportunity FROM marks ORDER BY request, alias`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m CommitMarker
		if err := rows.Scan(&m.Request, &m.Alias, &m.Name, &m.Opportunity); err != nil {
			return nil, err
		}
		marks = append(marks, m)
	}
	return marks, rows.Err()
}

// DeleteCommitMarkers removes all commit markers.
func (s *Store) DeleteCommitMarkers(ctx context.Context) error {
	return s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM marks`)
		return err
	})
}

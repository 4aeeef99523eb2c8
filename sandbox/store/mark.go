package store

import (
	"context"
	"database/sql"
	"errors"
)

// Mark identifies a committed mutation of a request. It is written in the transaction of the mutation. So it exists if
// and only if the mutation took effect, even when the process died before it could report that.
type Mark struct {
	Request     int64
	Alias, Name string
	// Opportunity is the id of the mutation's opportunity, from the input or newly created.
	Opportunity string
}

type markKey struct{}

// WithMark makes changes in the context write the mark.
func WithMark(ctx context.Context, m Mark) context.Context {
	return context.WithValue(ctx, markKey{}, &m)
}

// markAbout sets the opportunity of the mark once it is known.
func markAbout(ctx context.Context, o *Opportunity) {
	if m, ok := ctx.Value(markKey{}).(*Mark); ok && o != nil {
		m.Opportunity = o.GlobalID()
	}
}

// writeMark writes the mark of the context, if there is one. A mutation may use several transactions; the first one
// writes the mark.
func writeMark(ctx context.Context, tx *sql.Tx) error {
	m, ok := ctx.Value(markKey{}).(*Mark)
	if !ok {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO marks (request, alias, name, opportunity) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		m.Request, m.Alias, m.Name, m.Opportunity)
	return err
}

// Marks returns all marks, by request. They are kept until ForgetMarks.
func (s *Store) Marks(ctx context.Context) (marks []Mark, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT request, alias, name, opportunity FROM marks ORDER BY request, alias`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m Mark
		if err := rows.Scan(&m.Request, &m.Alias, &m.Name, &m.Opportunity); err != nil {
			return nil, err
		}
		marks = append(marks, m)
	}
	return marks, rows.Err()
}

// ForgetMarks removes all marks.
func (s *Store) ForgetMarks(ctx context.Context) error {
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM marks`)
		return err
	})
}

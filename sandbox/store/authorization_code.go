package store

import (
	"context"
	"database/sql"
	"time"
)

// AddCode stores an authorization code. The code is valid for the duration life.
func (s *Store) AddCode(ctx context.Context, code, redirect string, life time.Duration) error {
	return s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		now := s.now()
		if _, err := tx.ExecContext(ctx, `DELETE FROM codes WHERE expires_at <= ?`, now.UnixMicro()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO codes (digest, redirect_uri, expires_at) VALUES (?, ?, ?)`, tokenDigest(code), redirect, now.Add(life).UnixMicro())
		return err
	})
}

// ExchangeCode issues an access token and a refresh token if the code is valid, and reports whether
// the code was valid. An exchange makes the code invalid. If redirect is not "", redirect must be
// the address to which the code was sent.
func (s *Store) ExchangeCode(ctx context.Context, code, redirect string, e Exchange) (good bool, err error) {
	err = s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		used, err := tx.ExecContext(ctx, `DELETE FROM codes WHERE digest = ? AND expires_at > ? AND (? = '' OR redirect_uri = ?)`,
			tokenDigest(code), s.now().UnixMicro(), redirect, redirect)
		if err != nil {
			return err
		}
		n, err := used.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		good = true
		return s.storeExchange(ctx, tx, e)
	})
	return good && err == nil, err
}

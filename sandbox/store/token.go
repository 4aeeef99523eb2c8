package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"
)

// settingRefreshToken holds the newest refresh token, in the clear: it is what the sandbox tells a client to begin with.
const settingRefreshToken = "refresh_token"

// IssueAccessToken makes the access token good for the time given.
func (s *Store) IssueAccessToken(ctx context.Context, token string, life time.Duration) error {
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error { return s.issue(ctx, tx, token, life, false) })
}

// issue also forgets tokens that have expired. consented says that a user's consent gave it.
func (s *Store) issue(ctx context.Context, tx *sql.Tx, token string, life time.Duration, consented bool) error {
	now := s.now()
	if _, err := tx.ExecContext(ctx, `DELETE FROM access_tokens WHERE expires_at <= ?`, now.UnixMicro()); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO access_tokens (digest, expires_at, consented) VALUES (?, ?, ?)`,
		digest(token), now.Add(life).UnixMicro(), consented)
	return err
}

// ExpireAccessTokens ends every access token that is good.
func (s *Store) ExpireAccessTokens(ctx context.Context) error {
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE access_tokens SET expires_at = min(expires_at, ?)`, s.now().UnixMicro())
		return err
	})
}

// AccessTokenGood reports whether the access token was issued and has not expired.
func (s *Store) AccessTokenGood(ctx context.Context, token string) (bool, error) {
	var expires int64
	err := s.read.QueryRowContext(ctx, `SELECT expires_at FROM access_tokens WHERE digest = ?`, digest(token)).Scan(&expires)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil && s.now().UnixMicro() < expires, err
}

// RefreshToken answers the newest refresh token, "" if there is none yet.
func (s *Store) RefreshToken(ctx context.Context) (string, error) {
	return s.Setting(ctx, settingRefreshToken)
}

// AddRefreshToken makes the refresh token good and the newest one. One that is known already, replaced or not, stays
// as it is.
func (s *Store) AddRefreshToken(ctx context.Context, token string) error {
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error { return addRefreshToken(ctx, tx, token) })
}

func addRefreshToken(ctx context.Context, tx *sql.Tx, token string) error {
	added, err := tx.ExecContext(ctx, `INSERT INTO refresh_tokens (digest) VALUES (?) ON CONFLICT DO NOTHING`, digest(token))
	if err != nil {
		return err
	}
	if n, err := added.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return setSetting(ctx, tx, settingRefreshToken, token)
}

// Exchange is what is given for a refresh token.
type Exchange struct {
	AccessToken  string
	Life         time.Duration // of the access token
	RefreshToken string        // the next one
	// Once says that the refresh token that is given away is good for nothing more.
	Once bool
}

// ExchangeRefreshToken issues both tokens if the refresh token is good, and reports whether it was. Of several at the
// same time with one token that is good once, one succeeds.
func (s *Store) ExchangeRefreshToken(ctx context.Context, token string, e Exchange) (good bool, err error) {
	err = s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		// With Once it is replaced, else it stays good.
		found, err := tx.ExecContext(ctx, `UPDATE refresh_tokens SET replaced = ? WHERE digest = ? AND replaced = 0`, e.Once, digest(token))
		if err != nil {
			return err
		}
		n, err := found.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		good = true
		return s.exchange(ctx, tx, e)
	})
	return good && err == nil, err
}

// exchange gives both tokens of an exchange.
func (s *Store) exchange(ctx context.Context, tx *sql.Tx, e Exchange) error {
	if err := s.issue(ctx, tx, e.AccessToken, e.Life, true); err != nil {
		return err
	}
	return addRefreshToken(ctx, tx, e.RefreshToken)
}

// RevokeConsent ends every token that a user's consent gave, access and refresh tokens alike; codes, too.
func (s *Store) RevokeConsent(ctx context.Context) error {
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, statement := range []string{`DELETE FROM access_tokens WHERE consented = 1`, `UPDATE refresh_tokens SET replaced = 1`, `DELETE FROM codes`} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

func digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

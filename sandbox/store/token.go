package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"
)

// settingRefreshToken is the name of the setting that contains the newest refresh token as plain
// text.
const settingRefreshToken = "refresh_token"

// IssueAccessToken makes the access token valid for the duration life.
func (s *Store) IssueAccessToken(ctx context.Context, token string, life time.Duration) error {
	return s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error { return s.storeAccessToken(ctx, tx, token, life, false) })
}

// storeAccessToken stores an access token and deletes the access tokens that have expired.
// consented says that a user's consent led to the access token.
func (s *Store) storeAccessToken(ctx context.Context, tx *sql.Tx, token string, life time.Duration, consented bool) error {
	now := s.now()
	if _, err := tx.ExecContext(ctx, `DELETE FROM access_tokens WHERE expires_at <= ?`, now.UnixMicro()); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO access_tokens (digest, expires_at, consented) VALUES (?, ?, ?)`,
		tokenDigest(token), now.Add(life).UnixMicro(), consented)
	return err
}

// ExpireAccessTokens ends every valid access token.
func (s *Store) ExpireAccessTokens(ctx context.Context) error {
	return s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE access_tokens SET expires_at = min(expires_at, ?)`, s.now().UnixMicro())
		return err
	})
}

// IsAccessTokenValid reports whether the access token was issued and has not expired.
func (s *Store) IsAccessTokenValid(ctx context.Context, token string) (bool, error) {
	var expires int64
	err := s.read.QueryRowContext(ctx, `SELECT expires_at FROM access_tokens WHERE digest = ?`, tokenDigest(token)).Scan(&expires)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil && s.now().UnixMicro() < expires, err
}

// RefreshToken returns the newest refresh token, or "" if no refresh token exists.
func (s *Store) RefreshToken(ctx context.Context) (string, error) {
	return s.Setting(ctx, settingRefreshToken)
}

// AddRefreshToken stores token as a valid refresh token and as the newest refresh token. If token
// was added before, AddRefreshToken changes nothing, even if token is no longer valid.
func (s *Store) AddRefreshToken(ctx context.Context, token string) error {
	return s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error { return addRefreshToken(ctx, tx, token) })
}

func addRefreshToken(ctx context.Context, tx *sql.Tx, token string) error {
	added, err := tx.ExecContext(ctx, `INSERT INTO refresh_tokens (digest) VALUES (?) ON CONFLICT DO NOTHING`, tokenDigest(token))
	if err != nil {
		return err
	}
	if n, err := added.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return setSetting(ctx, tx, settingRefreshToken, token)
}

// Exchange describes the tokens that an exchange of a code or of a refresh token issues.
type Exchange struct {
	AccessToken  string
	Lifetime     time.Duration // of the access token
	RefreshToken string
	// SingleUse says that the exchange makes the exchanged refresh token invalid.
	SingleUse bool
}

// ExchangeRefreshToken reports whether token is a valid refresh token. For a valid refresh token,
// ExchangeRefreshToken issues the access token and the refresh token of e. If several exchanges use
// a single-use token at the same time, exactly one exchange succeeds.
func (s *Store) ExchangeRefreshToken(ctx context.Context, token string, e Exchange) (good bool, err error) {
	err = s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		found, err := tx.ExecContext(ctx, `UPDATE refresh_tokens SET replaced = ? WHERE digest = ? AND replaced = 0`, e.SingleUse, tokenDigest(token))
		if err != nil {
			return err
		}
		n, err := found.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		good = true
		return s.storeExchange(ctx, tx, e)
	})
	return good && err == nil, err
}

func (s *Store) storeExchange(ctx context.Context, tx *sql.Tx, e Exchange) error {
	if err := s.storeAccessToken(ctx, tx, e.AccessToken, e.Lifetime, true); err != nil {
		return err
	}
	return addRefreshToken(ctx, tx, e.RefreshToken)
}

// RevokeConsent invalidates every access token, refresh token and code that came from a user's
// consent.
func (s *Store) RevokeConsent(ctx context.Context) error {
	return s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, statement := range []string{`DELETE FROM access_tokens WHERE consented = 1`, `UPDATE refresh_tokens SET replaced = 1`, `DELETE FROM codes`} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

func tokenDigest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

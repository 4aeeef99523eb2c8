package payload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/jwt"

	"github.com/oppflow/oppflow/settings"
)

const (
	// jwksInterval is the shortest time between two reads of the JSON Web Key Set, which contains
	// the keys that sign access tokens.
	jwksInterval = time.Minute
	jwksTimeout  = 10 * time.Second
	maxJWKSBytes = 1 << 20
	// clockSkew is the accepted difference between the clock of the issuer and the clock of this
	// machine.
	clockSkew = time.Minute
)

// Authorizer returns a function for HandlerOptions.Authorize, which accepts the token in the
// settings and every valid access token of the issuer in the settings. The returned function is nil
// if the settings contain no authentication. Authorizer returns an error if the issuer's keys
// cannot be read.
func Authorizer(ctx context.Context, s settings.CodecServer) (func(*http.Request, string) bool, error) {
	if !s.HasAuthentication() {
		return nil, nil //nolint:nilnil // no authentication is no error
	}
	var signed *accessTokens
	if s.JWKS != "" {
		var err error
		if signed, err = newAccessTokens(ctx, s); err != nil {
			return nil, fmt.Errorf("--jwks %s: %w", s.JWKS, err)
		}
	}
	want := sha256.Sum256([]byte(s.Token.Reveal()))
	return func(r *http.Request, token string) bool {
		got := sha256.Sum256([]byte(token))
		if !s.Token.Empty() && subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			return true
		}
		return signed != nil && signed.accept(r.Context(), token)
	}, nil
}

// accessTokens verifies the access tokens of an OpenID Connect issuer.
type accessTokens struct {
	source    string
	validator *jwt.Validator

	mu       sync.Mutex
	verifier jwt.Verifier
	readAt   time.Time
}

func newAccessTokens(ctx context.Context, s settings.CodecServer) (*accessTokens, error) {
	validator, err := jwt.NewValidator(&jwt.ValidatorOpts{
		ExpectedIssuer: &s.Issuer, ExpectedAudience: &s.Audience, IgnoreTypeHeader: true, ClockSkew: clockSkew,
	})
	if err != nil {
		return nil, err
	}
	a := &accessTokens{source: s.JWKS, validator: validator}
	if err := a.read(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

// If a token is not valid, accept reads the issuer's keys again, at most once a minute, because the
// issuer may have new keys.
func (a *accessTokens) accept(ctx context.Context, token string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := a.verifier.VerifyAndDecode(token, a.validator); err == nil {
		return true
	}
	if time.Since(a.readAt) < jwksInterval || a.read(ctx) != nil {
		return false
	}
	_, err := a.verifier.VerifyAndDecode(token, a.validator)
	return err == nil
}

func (a *accessTokens) read(ctx context.Context) error {
	a.readAt = time.Now()
	content, err := readJWKS(ctx, a.source)
	if err != nil {
		return err
	}
	if content, err = signatureKeys(content); err != nil {
		return err
	}
	keys, err := jwt.JWKSetToPublicKeysetHandle(content)
	if err != nil {
		return fmt.Errorf("the JSON Web Key Set cannot be used: %w", err)
	}
	verifier, err := jwt.NewVerifier(keys)
	if err != nil {
		return fmt.Errorf("the JSON Web Key Set cannot be used: %w", err)
	}
	a.verifier = verifier
	return nil
}

func readJWKS(ctx context.Context, source string) ([]byte, error) {
	if !strings.Contains(source, "://") {
		return os.ReadFile(source) //nolint:gosec // the user names the file
	}
	if !strings.HasPrefix(source, "https://") {
		return nil, errors.New("must be a file or an https URL")
	}
	ctx, cancel := context.WithTimeout(ctx, jwksTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxJWKSBytes))
}

// signatureKeys keeps only the keys that verify signatures, because an issuer may also publish keys
// for encryption. signatureKeys adds the usual algorithm to a key that has no algorithm.
func signatureKeys(content []byte) ([]byte, error) {
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.NewDecoder(bytes.NewReader(content)).Decode(&set); err != nil {
		return nil, errors.New("the content is not a JSON Web Key Set")
	}
	usual := map[any]string{"RSA": "RS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
	var kept []map[string]any
	for _, key := range set.Keys {
		if use, ok := key["use"]; ok && use != "sig" {
			continue
		}
		if key["alg"] == nil {
			kind := key["kty"]
			if kind == "EC" {
				kind = key["crv"]
			}
			key["alg"] = usual[kind]
		}
		kept = append(kept, key)
	}
	if len(kept) == 0 {
		return nil, errors.New("the JSON Web Key Set has no key that verifies signatures")
	}
	return json.Marshal(map[string]any{"keys": kept})
}

// Package sandbox is a local Core GraphQL API of the Administrate TMS, for development,
// demonstration and tests. The sandbox covers the API documentation (Sales Opportunities), and
// keeps its data in SQLite.
//
// The package implements the API documentation independently of the client. The sandbox shares no
// code and no types with the client, so tests can find a mistake in either. Behaviour that is
// neither documented nor observed is in the table of sandbox/assumptions.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/catalogue"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/graph"
	"github.com/oppflow/oppflow/sandbox/requestlog"
	"github.com/oppflow/oppflow/sandbox/store"
)

//go:generate go tool -modfile=../tools/go.mod gqlgen generate --config gqlgen.yml

// Options are the options of a sandbox. The zero value is a sandbox in memory with the default
// catalogue, a random token, and a random client id and secret.
type Options struct {
	// Data is the path of the SQLite file; "" keeps all data in memory, until Close.
	Data string
	// Catalogue is the path of a catalogue file. "" is the embedded default. If the data file was
	// written from a catalogue file, "" keeps the catalogue of the data file.
	Catalogue string
	// Token is a Bearer token that is accepted and never expires. "" is the token in the data file, or a new random
	// token, which the data file then keeps.
	Token string
	// ClientID and ClientSecret identify the client of the token endpoint. "" is the value in the data file, or a
	// new random text, which the data file then keeps.
	ClientID, ClientSecret string
	// RefreshToken is a refresh token of a user who has consented. "" is the newest refresh token
	// in the data file, or a new random text, which the data file then keeps.
	RefreshToken string
	// RedirectURIs are the allowed values of redirect_uri. An empty list allows every address of
	// this machine.
	RedirectURIs []string
	// Rate is the rate limit; the zero value is the rate limit of the API.
	Rate Rate
	// RequestLogEntries is the number of requests that the request log keeps; 0 is 1,000,000. With Data the request
	// log is in a file next to the data file.
	RequestLogEntries int
	// NoRequestLog switches the request log off.
	NoRequestLog bool
	// TokenLifetime is the lifetime of the token endpoint's access tokens; 0 is DefaultTokenLifetime.
	TokenLifetime time.Duration
	// NoAuth accepts requests without a token, and with any token.
	NoAuth bool
	// Assumptions chooses values of the table in sandbox/assumptions, by the names of its rows.
	Assumptions map[string]string
	// Now is the clock for reservations and tokens; nil is time.Now.
	Now func() time.Time
	// Logger gets the failures of the sandbox itself; nil is slog.Default. Requests and their data are not logged.
	Logger *slog.Logger
}

// Rate is the number of requests that one client address may make. Further requests get 429. The zero value is the
// documented limit: 6,000 in 5 minutes, without Retry-After.
type Rate struct {
	// Off switches the limit off.
	Off      bool
	Requests int
	Per      time.Duration
	// Fixed counts in fixed windows instead of a sliding window.
	Fixed bool
	// RetryAfter adds the header Retry-After, with the seconds until the next request is accepted.
	RetryAfter bool
}

// Sandbox is a running API. A Sandbox is safe for concurrent use.
type Sandbox struct {
	store                         *store.Store
	token, clientID, clientSecret string
	choices                       assumptions.Choices
	faults                        *fault.Injector
	requestLog                    *requestlog.Log
	handler                       http.Handler
}

const settingToken = "token"

// Open starts a sandbox. ctx bounds the start only. Close stops the sandbox.
func Open(ctx context.Context, o Options) (*Sandbox, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.TokenLifetime == 0 {
		o.TokenLifetime = DefaultTokenLifetime
	}
	// Choices and catalogue are checked first, so a mistake in them creates no data file.
	choices, err := assumptions.ParseChoices(o.Assumptions)
	if err != nil {
		return nil, err
	}
	schema, err := schemaFor(choices)
	if err != nil {
		return nil, fmt.Errorf("chosen assumptions: %w", err)
	}
	var chosen *catalogue.Catalogue
	if o.Catalogue != "" {
		if chosen, err = catalogue.Load(o.Catalogue); err != nil {
			return nil, err
		}
	}
	s := &Sandbox{choices: choices, faults: &fault.Injector{}}
	if s.store, err = store.Open(ctx, o.Data, o.Now, choices); err != nil {
		return nil, err
	}
	if err = s.seed(ctx, chosen); err == nil {
		s.token, err = s.persistedSetting(ctx, settingToken, o.Token)
	}
	if err == nil {
		err = s.setClient(ctx, &o)
	}
	if err == nil && !o.NoRequestLog {
		if s.requestLog, err = openRequestLog(o); err == nil && o.Data != "" {
			err = s.recoverRequestLog(ctx)
		}
	}
	if err == nil {
		s.handler, err = s.routes(&o, &graph.Resolver{Store: s.store, Choices: choices}, schema)
	}
	if err != nil {
		return nil, errors.Join(err, s.requestLog.Close(), s.store.Close())
	}
	return s, nil
}

// seed writes the chosen catalogue. If chosen is nil, it writes the default catalogue, unless the
// data file was written from a catalogue file.
func (s *Sandbox) seed(ctx context.Context, chosen *catalogue.Catalogue) error {
	if chosen != nil {
		return s.store.Seed(ctx, chosen, "file")
	}
	before, err := s.store.SeededFrom(ctx)
	if err != nil || before == "file" {
		return err
	}
	if chosen, err = defaultCatalogue(); err != nil {
		return err
	}
	return s.store.Seed(ctx, chosen, "default")
}

// defaultCatalogue parses the default catalogue once in a process. Callers must not change the
// catalogue.
var defaultCatalogue = sync.OnceValues(catalogue.Default)

// Handler returns the handler of POST /graphql, POST /oauth/token and GET /healthz.
func (s *Sandbox) Handler() http.Handler { return s.handler }

// Token returns the Bearer token that is accepted and never expires.
func (s *Sandbox) Token() string { return s.token }

// Faults returns the injector of the faults.
func (s *Sandbox) Faults() *fault.Injector { return s.faults }

// RequestLog returns the log of requests and their outcomes; nil with NoRequestLog.
func (s *Sandbox) RequestLog() *requestlog.Log { return s.requestLog }

// Outbox returns the sent mail in the order of sending. The sandbox does not deliver mail.
func (s *Sandbox) Outbox(ctx context.Context) ([]store.Mail, error) { return s.store.Outbox(ctx) }

// RevokeConsent ends all access and refresh tokens that came from the user's consent. The user must consent again.
func (s *Sandbox) RevokeConsent(ctx context.Context) error { return s.store.RevokeConsent(ctx) }

// ExpireTokens ends every access token that the token endpoint has issued.
func (s *Sandbox) ExpireTokens(ctx context.Context) error { return s.store.ExpireAccessTokens(ctx) }

// Close stops the sandbox. The caller must first stop the server that uses Handler.
func (s *Sandbox) Close() error {
	s.faults.Close()
	return errors.Join(s.requestLog.Close(), s.store.Close())
}

// defaultRequestLogEntries is the default number of requests that the request log keeps.
const defaultRequestLogEntries = 1_000_000

func openRequestLog(o Options) (*requestlog.Log, error) {
	limit := o.RequestLogEntries
	if limit <= 0 {
		limit = defaultRequestLogEntries
	}
	if o.Data == "" {
		return requestlog.Open("", limit)
	}
	return requestlog.Open(o.Data+".requests", limit)
}

// recoverRequestLog adds to the request log the mutations that were committed for requests in progress when the
// process died.
func (s *Sandbox) recoverRequestLog(ctx context.Context) error {
	marks, err := s.store.CommitMarkers(ctx)
	if err != nil || len(marks) == 0 {
		return err
	}
	committed := make(map[int64][]requestlog.Field)
	for _, m := range marks {
		committed[m.Request] = append(committed[m.Request], requestlog.Field{Alias: m.Alias, Name: m.Name, Opportunity: m.Opportunity, Outcome: requestlog.Committed})
	}
	for number, fields := range committed {
		s.requestLog.AddCommitted(number, fields)
	}
	return s.store.DeleteCommitMarkers(ctx)
}

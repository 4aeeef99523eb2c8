// Package sandbox implements the Core GraphQL API of the Administrate TMS locally, for development,
// demonstration and tests.
//
// The sandbox shares no code and no types with Oppflow's client, so tests can find a mistake in the
// sandbox or in the client. For behaviour that is neither documented nor observed, package
// sandbox/assumptions lists the possible values. A comment such as "Documented (API notes 4.1):"
// refers to a section of the API notes, which the comment of package administrate explains.
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
	// Data is the path of the SQLite file; "" means that the sandbox keeps all data in memory until
	// Close.
	Data string
	// Catalogue is the path of a catalogue file. "" means the embedded default catalogue. If the
	// data file already contains the entries of a catalogue file, "" changes no entries.
	Catalogue string
	// Token is a Bearer token that is accepted and never expires. "" means the token in the data
	// file, or else a new random token, which the sandbox stores in the data file.
	Token string
	// ClientID and ClientSecret identify the client of the token endpoint. "" means the value in
	// the data file, or else a new random value, which the sandbox stores in the data file.
	ClientID, ClientSecret string
	// RefreshToken is a refresh token of a user who has consented. "" means the newest refresh
	// token in the data file, or else a new random token, which the sandbox stores in the data
	// file.
	RefreshToken string
	// RedirectURIs are the allowed values of redirect_uri. An empty list allows every redirect
	// address on this machine.
	RedirectURIs []string
	// Rate is the rate limit; the zero value is the rate limit of the API.
	Rate Rate
	// RequestLogEntries is the number of requests that the request log keeps; 0 means 1,000,000. If
	// Data is set, the request log is in a file next to the data file.
	RequestLogEntries int
	// NoRequestLog switches the request log off.
	NoRequestLog bool
	// TokenLifetime is the lifetime of the token endpoint's access tokens; 0 means
	// DefaultTokenLifetime.
	TokenLifetime time.Duration
	// If NoAuth is true, the sandbox accepts every request, with any token or without a token.
	NoAuth bool
	// Assumptions maps names of the assumptions in package sandbox/assumptions to the chosen
	// values.
	Assumptions map[string]string
	// Now is the clock for reservations and tokens; nil means time.Now.
	Now func() time.Time
	// Logger gets the internal failures of the sandbox; nil means slog.Default. The sandbox does
	// not log requests or their data.
	Logger *slog.Logger
}

// Rate is the number of requests that one client address may make. Further requests get the status
// 429. The zero value is the documented limit: 6,000 requests in 5 minutes, without the header
// Retry-After.
type Rate struct {
	// Off switches the limit off.
	Off      bool
	Requests int
	Per      time.Duration
	// Fixed counts the requests in fixed windows instead of a sliding window.
	Fixed bool
	// RetryAfter adds the header Retry-After, with the number of seconds until the next request is
	// accepted.
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

// Open starts a sandbox. ctx can cancel only the start.
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
	// Open checks the assumptions and the catalogue first, so an invalid option creates no data
	// file.
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

// Callers must not change the catalogue.
var defaultCatalogue = sync.OnceValues(catalogue.Default)

// Handler returns the handler of all endpoints, such as POST /graphql, POST /oauth/token and GET
// /healthz.
func (s *Sandbox) Handler() http.Handler { return s.handler }

// Token returns the Bearer token that is accepted and never expires.
func (s *Sandbox) Token() string { return s.token }

// Faults returns the injector that applies the faults of this sandbox.
func (s *Sandbox) Faults() *fault.Injector { return s.faults }

// RequestLog returns the log of requests and their outcomes, or nil with Options.NoRequestLog.
func (s *Sandbox) RequestLog() *requestlog.Log { return s.requestLog }

// Outbox returns the sent mail in the order of sending.
func (s *Sandbox) Outbox(ctx context.Context) ([]store.Mail, error) { return s.store.Outbox(ctx) }

// RevokeConsent invalidates all access and refresh tokens that came from the user's consent.
func (s *Sandbox) RevokeConsent(ctx context.Context) error { return s.store.RevokeConsent(ctx) }

// ExpireTokens invalidates every access token of the token endpoint.
func (s *Sandbox) ExpireTokens(ctx context.Context) error { return s.store.ExpireAccessTokens(ctx) }

// Close stops the sandbox. Before Close, the caller must stop the server that uses Handler.
func (s *Sandbox) Close() error {
	s.faults.Close()
	return errors.Join(s.requestLog.Close(), s.store.Close())
}

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

// recoverRequestLog adds committed mutations to the request log, for requests that were in progress
// when the process died.
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

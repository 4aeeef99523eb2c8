// Package sandbox is the Core GraphQL API of the Administrate TMS run locally, as far as the API documentation (Sales
// Opportunities) goes: for development, demonstration and tests. It keeps what it is told in SQLite.
//
// It is a second, independent reading of the API: it shares no code and no types with the client, so that the two can
// contradict each other. What neither the documentation says nor anyone observed stands in
// the table of sandbox/assume.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/oppflow/oppflow/sandbox/assume"
	"github.com/oppflow/oppflow/sandbox/catalogue"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/graph"
	"github.com/oppflow/oppflow/sandbox/ledger"
	"github.com/oppflow/oppflow/sandbox/store"
)

//go:generate go tool -modfile=../tools/go.mod gqlgen generate --config gqlgen.yml

// Options say how a sandbox runs. The zero value is a sandbox in memory with the default catalogue, a random token and
// a random client of the token endpoint.
type Options struct {
	// Data is the path of the SQLite file; "" keeps all in memory, until Close.
	Data string
	// Catalogue is the path of a catalogue file. "" is the embedded default, or, for a data file that was written from
	// another catalogue, what it holds.
	Catalogue string
	// Token is a Bearer token that is accepted and never expires. "" is the one the data file has, else a random one, which the data
	// file keeps.
	Token string
	// ClientID and ClientSecret are what the token endpoint knows its client by. "" is what the data file has, else
	// random text, which the data file keeps.
	ClientID, ClientSecret string
	// RefreshToken is one of a user who has consented. "" is the newest one the data file has, else random text, which
	// the data file keeps.
	RefreshToken string
	// RedirectURIs are where a user who consents may be sent back to; none is any address of this machine.
	RedirectURIs []string
	// Rate is the limit of requests; the zero value is that of the API.
	Rate Rate
	// LedgerEntries is how many requests the ledger remembers; 0 is 1,000,000. With Data it is kept in a file beside it.
	LedgerEntries int
	// NoLedger writes no requests down.
	NoLedger bool
	// TokenLife is how long the access tokens of the token endpoint are good; 0 is DefaultTokenLife.
	TokenLife time.Duration
	// NoAuth accepts requests without a token, and with any.
	NoAuth bool
	// Assume chooses values of the table in sandbox/assume, by the names of its rows.
	Assume map[string]string
	// Now is the clock that reservations lapse and tokens expire by; nil is time.Now.
	Now func() time.Time
	// Logger takes failures of the sandbox itself; nil is slog.Default. Requests and their data are not logged.
	Logger *slog.Logger
}

// Rate is how many requests one client address may make; more are answered 429. The zero value is what is documented:
// 6,000 in 5 minutes, and no word on when to come back.
type Rate struct {
	// Off takes the limit away.
	Off      bool
	Requests int
	Per      time.Duration
	// Fixed counts in fixed windows rather than in a sliding one.
	Fixed bool
	// RetryAfter says in a header how many seconds are left.
	RetryAfter bool
}

// Sandbox is a running API. It is safe for concurrent use.
type Sandbox struct {
	store                         *store.Store
	token, clientID, clientSecret string
	assume                        assume.Choices
	faults                        *fault.Plan
	ledger                        *ledger.Ledger
	handler                       http.Handler
}

const settingToken = "token"

// Open starts a sandbox. ctx bounds the start only; Close ends it.
func Open(ctx context.Context, o Options) (*Sandbox, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.TokenLife == 0 {
		o.TokenLife = DefaultTokenLife
	}
	// Choices and catalogue first: bad ones leave no data file behind.
	choices, err := assume.Choose(o.Assume)
	if err != nil {
		return nil, err
	}
	schema, err := schemaOf(choices)
	if err != nil {
		return nil, fmt.Errorf("the choice of assumptions: %w", err)
	}
	var chosen *catalogue.Catalogue
	if o.Catalogue != "" {
		if chosen, err = catalogue.Load(o.Catalogue); err != nil {
			return nil, err
		}
	}
	s := &Sandbox{assume: choices, faults: &fault.Plan{}}
	if s.store, err = store.Open(ctx, o.Data, o.Now, choices); err != nil {
		return nil, err
	}
	if err = s.seed(ctx, chosen); err == nil {
		s.token, err = s.keep(ctx, settingToken, o.Token)
	}
	if err == nil {
		err = s.chooseClient(ctx, &o)
	}
	if err == nil && !o.NoLedger {
		if s.ledger, err = openLedger(o); err == nil && o.Data != "" {
			err = s.mendLedger(ctx)
		}
	}
	if err == nil {
		s.handler, err = s.routes(&o, &graph.Resolver{Store: s.store, Assume: choices}, schema)
	}
	if err != nil {
		return nil, errors.Join(err, s.ledger.Close(), s.store.Close())
	}
	return s, nil
}

// seed writes the catalogue that was chosen, or the default one unless the data file has another.
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

// defaultCatalogue is read once in a process. Nobody changes it.
var defaultCatalogue = sync.OnceValues(catalogue.Default)

// Handler answers POST /graphql, POST /oauth/token and GET /healthz.
func (s *Sandbox) Handler() http.Handler { return s.handler }

// Token returns the Bearer token that is accepted and never expires.
func (s *Sandbox) Token() string { return s.token }

// Faults are the bad days that requests meet.
func (s *Sandbox) Faults() *fault.Plan { return s.faults }

// Ledger is what was asked of the sandbox and what became of it; nil with NoLedger.
func (s *Sandbox) Ledger() *ledger.Ledger { return s.ledger }

// Outbox returns the mail that was sent, in order; the sandbox delivers none.
func (s *Sandbox) Outbox(ctx context.Context) ([]store.Mail, error) { return s.store.Outbox(ctx) }

// RevokeConsent ends everything that the user's consent gave: access and refresh tokens. The user must consent again.
func (s *Sandbox) RevokeConsent(ctx context.Context) error { return s.store.RevokeConsent(ctx) }

// ExpireTokens ends every access token that the token endpoint has given.
func (s *Sandbox) ExpireTokens(ctx context.Context) error { return s.store.ExpireAccessTokens(ctx) }

// Close ends the sandbox; the server in front of Handler must have stopped before.
func (s *Sandbox) Close() error {
	s.faults.Close()
	return errors.Join(s.ledger.Close(), s.store.Close())
}

// defaultLedger is how many requests the ledger remembers.
const defaultLedger = 1_000_000

func openLedger(o Options) (*ledger.Ledger, error) {
	limit := o.LedgerEntries
	if limit <= 0 {
		limit = defaultLedger
	}
	if o.Data == "" {
		return ledger.Open("", limit)
	}
	return ledger.Open(o.Data+".ledger", limit)
}

// mendLedger writes down what was committed by requests that were under way when the process died.
func (s *Sandbox) mendLedger(ctx context.Context) error {
	marks, err := s.store.Marks(ctx)
	if err != nil || len(marks) == 0 {
		return err
	}
	committed := make(map[int64][]ledger.Field)
	for _, m := range marks {
		committed[m.Request] = append(committed[m.Request], ledger.Field{Alias: m.Alias, Name: m.Name, Opportunity: m.Opportunity, Outcome: ledger.Committed})
	}
	for number, fields := range committed {
		s.ledger.Mend(number, fields)
	}
	return s.store.ForgetMarks(ctx)
}

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/explorer"
	"github.com/oppflow/oppflow/sandbox/graph"
	"github.com/oppflow/oppflow/sandbox/ratelimit"
	"github.com/oppflow/oppflow/sandbox/store"
)

func (s *Sandbox) routes(o *Options, r *graph.Resolver, schema *schema) (http.Handler, error) {
	api := s.graphqlServer(r, o.Logger, schema)
	if !o.NoAuth {
		api = s.requireToken(o.Logger, api)
	}
	var limit *ratelimit.Limiter
	if !o.Rate.Off {
		limit = ratelimit.New(ratelimit.Limit{
			Requests: o.Rate.Requests, Per: o.Rate.Per, Fixed: o.Rate.Fixed, CountRefused: s.choices.Is(assumptions.RateCountsRefused, "counted"),
		})
	}
	size := int64(maxRequestBody)
	if s.choices.Is(assumptions.RequestSize, "128KiB") {
		size = maxSmallRequestBody
	}
	guard := func(next http.Handler, limit *ratelimit.Limiter, reads func([]byte) requestInfo) http.Handler {
		return &gateway{sandbox: s, limit: limit, retryAfter: o.Rate.RetryAfter, commitMarkers: o.Data != "" && !o.NoRequestLog, now: o.Now, next: next, maxBody: size, describe: reads}
	}
	mux := http.NewServeMux()
	mux.Handle("POST /graphql", guard(api, limit, documentInfo))
	mux.HandleFunc("/graphql", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", http.MethodPost)
		writeError(w, http.StatusMethodNotAllowed, "the API accepts only POST requests")
	})
	limitOfTokens := limit
	if s.choices.Is(assumptions.RateTokens, "free") {
		limitOfTokens = nil
	}
	mux.Handle("POST "+tokenPath, guard(tokenEndpoint{sandbox: s, lifetime: o.TokenLifetime, log: o.Logger}, limitOfTokens, tokenRequestInfo))
	mux.Handle("GET "+authorizePath, authorizeEndpoint{sandbox: s, redirects: o.RedirectURIs, log: o.Logger})
	mux.Handle(adminPath, admin{s}.handler(o.NoAuth))
	about := explorer.Options{URL: "/graphql", Token: s.token}
	if o.NoAuth {
		about.Token = ""
	}
	page, assets, err := explorer.Handler(about)
	if err != nil {
		return nil, err
	}
	mux.Handle("GET /{$}", page)
	mux.Handle("GET "+explorer.Assets, assets)
	mux.HandleFunc(tokenPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", http.MethodPost)
		writeError(w, http.StatusMethodNotAllowed, "the token endpoint accepts only POST requests")
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if err := s.store.Ping(r.Context()); err != nil {
			http.Error(w, "the database does not respond", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "This path does not exist. This server is a sandbox of the Administrate Core GraphQL API: send POST requests to /graphql, or open / in a browser.", http.StatusNotFound)
	})
	return mux, nil
}

// The handler has no document cache, because ScalarChecker and Renamer change documents.
func (s *Sandbox) graphqlServer(r *graph.Resolver, log *slog.Logger, schema *schema) http.Handler {
	server := executor.New(graph.NewExecutableSchema(graph.Config{Resolvers: r, Schema: schema.visible}))
	server.Use(introspection{})
	server.Use(&graph.ScalarChecker{InterestTypeByItem: s.choices.Is(assumptions.InterestType, "by-kind")})
	server.Use(schema.renamer)
	server.Use(graph.MutationObserver{
		InOrder: s.choices.Is(assumptions.NamespaceOrder, "document"), SingleLabel: s.choices.Is(assumptions.ErrorLabels, "plain"),
		StopAfterFailure: s.choices.Is(assumptions.FailedMutationResponse, "stops"),
	})
	server.SetErrorPresenter(func(ctx context.Context, err error) *gqlerror.Error { return presentError(ctx, log, err) })
	server.SetRecoverFunc(func(ctx context.Context, reason any) error {
		log.ErrorContext(ctx, "the sandbox panicked", "reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
		return errInternal
	})
	e := endpoint{
		exec: server, nullOnFailure: !s.choices.Is(assumptions.FailedMutationResponse, "field-null"),
		rejectedWithNullData: s.choices.Is(assumptions.RejectedDocument, "null"), rejectedStatus: http.StatusOK,
		emptyErrors: s.choices.Is(assumptions.EmptyErrors, "shown"),
	}
	if s.choices.Is(assumptions.RejectedDocument, "status-400") {
		e.rejectedStatus = http.StatusBadRequest
	}
	return e
}

// introspection is an extension of the GraphQL server that lets requests read the schema, as the API does.
type introspection struct{}

var (
	_ graphql.HandlerExtension        = introspection{}
	_ graphql.OperationContextMutator = introspection{}
)

func (introspection) ExtensionName() string { return "Introspection" }

func (introspection) Validate(graphql.ExecutableSchema) error { return nil }

func (introspection) MutateOperationContext(_ context.Context, o *graphql.OperationContext) *gqlerror.Error {
	o.DisableIntrospection = false
	return nil
}

var errInternal = errors.New("internal error of the sandbox; the log of the sandbox has the details")

// presentError returns an error about a mistake in the request unchanged. presentError logs an
// internal failure and hides the text of the failure from the client.
func presentError(ctx context.Context, log *slog.Logger, err error) *gqlerror.Error {
	shown := graphql.DefaultErrorPresenter(ctx, err)
	var request *store.RequestError
	var library *gqlerror.Error
	switch {
	case errors.As(err, &request):
		shown.Message = request.Message
	case errors.Is(err, errInternal):
	case errors.Is(err, graph.ErrNotRun):
	case errors.Is(err, errInjected):
		shown.Message = "an unexpected error"
	case errors.Is(err, context.Canceled), ctx.Err() != nil:
		shown.Message = "the request was cancelled"
	case errors.As(err, &library) && library.Unwrap() == nil: // an error of the GraphQL library about the document
	default:
		log.ErrorContext(ctx, "a request failed", "path", shown.Path.String(), "error", err)
		shown.Message = errInternal.Error()
	}
	return shown
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/schemacheck"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/worker/host"
)

// maxResponse is the largest size of a response of the API, in bytes; a schema has some megabytes.
const maxResponse = 64 << 20

// readerFlags binds the API settings of a command that only reads, and hides the flags that concern
// changes.
func readerFlags(fs *pflag.FlagSet, api *settings.API) {
	api.AddFlags(fs)
	for _, irrelevant := range []string{"read-only", "reference-tag", "reservation-length", "send-window", "response-time", "settle-time", "quiet-time", "scan-period", "adopted-since"} {
		_ = fs.MarkHidden(irrelevant)
	}
}

func (p *program) withAPI(ctx context.Context, s *settings.API, timeout time.Duration, work func(context.Context, *administrate.Client) error) error {
	concerns := &deferredWarnings{}
	client, err := apiClient(s, slog.New(concerns))
	if err != nil {
		return err
	}
	ctx, cancel := withTimeout(ctx, timeout)
	defer cancel()
	err = explainAPI(ctx, s.URL, work(ctx, client))
	concerns.write(p.stderr, err)
	return err
}

// The client logs a warning to logger if a person must inspect the credentials.
func apiClient(s *settings.API, logger *slog.Logger) (*administrate.Client, error) {
	if err := s.Resolve(); err != nil {
		return nil, &usageError{text: err.Error()}
	}
	tokens, err := host.Credentials(*s, logger)
	if err != nil {
		return nil, &usageError{text: err.Error()}
	}
	client, err := administrate.New(administrate.Options{Options: transport.Options{
		URL: s.URL, Tokens: tokens, RequestsPerSecond: s.Rate, MaxResponseBytes: maxResponse,
	}, ReadOnly: s.ReadOnly})
	if err != nil {
		return nil, &usageError{text: err.Error()}
	}
	return client, nil
}

func explainAPI(ctx context.Context, url string, err error) error {
	var refused *administrate.RefusedError
	var notSent *administrate.NotSentError
	var invalid *administrate.InvalidError
	var hidden *schemacheck.IntrospectionDisabledError
	var token *oauth.TokenError
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return errors.New(host.Reason(ctx.Err()))
	case errors.As(err, &invalid):
		return &usageError{text: invalid.Error()}
	case errors.As(err, &hidden):
		said := ""
		if len(hidden.Messages) > 0 {
			said = fmt.Sprintf(" (errors of the API: %s)", strings.Join(hidden.Messages, "; "))
		}
		return fmt.Errorf("the API at %s does not show its schema%s; oppflow check needs introspection, which this API does not allow", url, said)
	case errors.As(err, &refused) && len(refused.Messages) > 0:
		// The request contains only data that the user typed, so the error may quote the API's
		// message.
		return fmt.Errorf("the API refused the request: %s", refused.Messages[0])
	case errors.As(err, &token):
		return token
	case errors.As(err, &notSent) && notSent.Reason == administrate.Unreachable:
		why := errors.Unwrap(notSent)
		if why == nil {
			why = notSent
		}
		return fmt.Errorf("cannot reach the API at %s (set --api-url or ADMINISTRATE_URL): %w", url, why)
	case errors.As(err, &notSent) && notSent.Reason == administrate.Authentication:
		return fmt.Errorf("the API at %s rejects the token; set a valid token with ADMINISTRATE_TOKEN or --api-token-file", url)
	}
	return err
}

// deferredWarnings is a log handler that collects the warnings until the command ends. The command
// does not write a warning that its own error already contains.
type deferredWarnings struct {
	mu    sync.Mutex
	texts []string
}

func (c *deferredWarnings) write(w io.Writer, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range c.texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			_, _ = fmt.Fprintln(w, "oppflow: "+oneLine(text))
		}
	}
}

// Enabled implements slog.Handler.
func (c *deferredWarnings) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}

// Handle implements slog.Handler.
func (c *deferredWarnings) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text = a.Value.String(); return true }) // the attribute describes the problem
	c.mu.Lock()
	defer c.mu.Unlock()
	c.texts = append(c.texts, text)
	return nil
}

// WithAttrs implements slog.Handler.
func (c *deferredWarnings) WithAttrs([]slog.Attr) slog.Handler { return c }

// WithGroup implements slog.Handler.
func (c *deferredWarnings) WithGroup(string) slog.Handler { return c }

package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/oppflow/oppflow/settings"
)

// SettingsError says that a setting is wrong: a flag, a variable, a file they name. Nothing has been done yet.
type SettingsError struct{ cause error }

// Error says which setting and what would be right.
func (e *SettingsError) Error() string { return e.cause.Error() }

// Unwrap gives the cause.
func (e *SettingsError) Unwrap() error { return e.cause }

// Connect connects to the Temporal service the settings name and returns once it has answered; namespace is the one
// the client works in. A nil logger drops what the SDK logs. Further changes of the client's options are made in the
// order given. A mistake in the settings is a SettingsError; any other error is one line that names the address.
func Connect(ctx context.Context, t settings.Temporal, logger *slog.Logger, change ...func(*client.Options)) (c client.Client, namespace string, err error) {
	options, err := t.ClientOptions()
	if err != nil {
		return nil, "", &SettingsError{cause: err}
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	options.Logger = log.NewStructuredLogger(logger)
	for _, c := range change {
		c(&options)
	}
	onTheWire(&options)
	c, err = client.DialContext(ctx, options)
	if err != nil {
		return nil, "", fmt.Errorf("cannot reach Temporal at %s (set --temporal-address or TEMPORAL_ADDRESS): %s", options.HostPort, Reason(err))
	}
	return c, options.Namespace, nil
}

// Reason tells in a few words and one line what an error of the connection to Temporal says. The wrappings of gRPC
// and of the SDK are left out.
func Reason(err error) string {
	var cancelled *serviceerror.Canceled
	var deadline *serviceerror.DeadlineExceeded
	switch code := status.Code(err); {
	case errors.Is(err, context.Canceled), errors.As(err, &cancelled), code == codes.Canceled:
		return "interrupted"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &deadline), code == codes.DeadlineExceeded:
		return "no answer in time"
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	for _, wrapping := range []string{"connection error: desc = ", "transport: Error while dialing: ", "transport: "} {
		if _, inner, found := strings.Cut(text, wrapping); found {
			text = strings.Trim(inner, `"`)
		}
	}
	return strings.TrimPrefix(text, "failed reaching server: ")
}

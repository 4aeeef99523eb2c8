package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/oppflow/oppflow/payload"
	"github.com/oppflow/oppflow/settings"
)

// SettingsError says that a setting is wrong: a flag, an environment variable, or a file that a
// flag or a variable names. The program reports a SettingsError before the program changes
// anything.
type SettingsError struct{ cause error }

// Error names the wrong setting and says what would be right.
func (e *SettingsError) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *SettingsError) Unwrap() error { return e.cause }

// Connect connects to the Temporal service in the settings and returns as soon as the service has
// responded. With a nil logger the SDK logs nothing. Connect applies the functions in change to the
// client's options, in the order of the functions. If the settings name a file with encryption
// keys, the client encrypts payloads. If a setting is wrong, Connect returns a SettingsError. Any
// other error of Connect is one line that names the address of the Temporal service.
func Connect(ctx context.Context, t settings.Temporal, logger *slog.Logger, change ...func(*client.Options)) (c client.Client, namespace string, err error) {
	keys, err := OpenKeys(ctx, t, logger)
	if err != nil {
		return nil, "", err
	}
	return connect(ctx, t, keys, noop.Meter{}, logger, change...)
}

// OpenKeys reads the encryption keys of the settings, or returns nil when the settings name no file
// with keys. The error of OpenKeys is a SettingsError.
func OpenKeys(ctx context.Context, t settings.Temporal, logger *slog.Logger) (*payload.KeyRing, error) {
	path := t.KeyFile()
	if path == "" {
		return nil, nil //nolint:nilnil // no keys are no error
	}
	keys, err := payload.OpenKeyRing(ctx, payload.FileSource{Path: path}, logger)
	if err != nil {
		return nil, &SettingsError{cause: fmt.Errorf("--encryption-keys or OPPFLOW_ENCRYPTION_KEYS: %w", err)}
	}
	return keys, nil
}

func connect(ctx context.Context, t settings.Temporal, keys *payload.KeyRing, meter metric.Meter, logger *slog.Logger, change ...func(*client.Options)) (c client.Client, namespace string, err error) {
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
	addGRPCInterceptors(&options)
	// A client without keys also needs the encryption, because a task with an encrypted payload
	// must not reach the worker.
	encryption, err := payload.NewEncryption(keys, logger)
	if err != nil {
		return nil, "", err
	}
	if err := encryption.CountIn(meter); err != nil {
		return nil, "", err
	}
	encryption.AddTo(&options)
	c, err = client.DialContext(ctx, options)
	if err != nil {
		return nil, "", fmt.Errorf("cannot reach Temporal at %s (set --temporal-address or TEMPORAL_ADDRESS): %s", options.HostPort, Reason(err))
	}
	return c, options.Namespace, nil
}

// Reason returns the cause of an error of the connection to Temporal, as a short text of one line.
func Reason(err error) string {
	var cancelled *serviceerror.Canceled
	var deadline *serviceerror.DeadlineExceeded
	switch code := status.Code(err); {
	case errors.Is(err, context.Canceled), errors.As(err, &cancelled), code == codes.Canceled:
		return "interrupted"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &deadline), code == codes.DeadlineExceeded:
		return "no response in time"
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	for _, wrapping := range []string{"connection error: desc = ", "transport: Error while dialing: ", "transport: "} {
		if _, inner, found := strings.Cut(text, wrapping); found {
			text = strings.Trim(inner, `"`)
		}
	}
	return strings.TrimPrefix(text, "failed reaching server: ")
}

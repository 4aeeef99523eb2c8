// Package telemetry exports the traces and metrics of a program of Oppflow, if the OTEL_* variables
// configure an export. One trace contains the spans of the client that sends a message, of the
// workflow, of the activity and of the HTTP request to the API.
//
// Package telemetry does not export the texts of errors, or the content of messages, queries and
// variables. Package telemetry exports only names from Oppflow's code, ids, and the attributes of
// an allow-list. Package telemetry sets no global provider, propagator or error handler. The
// package may import only package settings.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	nooptrace "go.opentelemetry.io/otel/trace/noop"
	"go.temporal.io/sdk/client"
	temporalotel "go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"

	"github.com/oppflow/oppflow/settings"
)

// instrumentationScope is the name under which the spans and metrics of Temporal's SDK are recorded.
const instrumentationScope = "github.com/oppflow/oppflow/telemetry"

// flushTimeout is the longest time of the last export when a program ends; briefFlushTimeout is
// this time with Brief.
const (
	flushTimeout      = 5 * time.Second
	briefFlushTimeout = 1500 * time.Millisecond
)

// Options says which data is exported, and for which program.
type Options struct {
	// Settings say where traces and metrics are exported. The caller must have called Resolve on
	// Settings; the zero value of Settings exports nothing.
	Settings settings.Telemetry
	// Service is the name of the program in traces and metrics, unless OTEL_SERVICE_NAME or
	// OTEL_RESOURCE_ATTRIBUTES sets another name.
	Service string
	// Requests contains functions that find the requests that an activity executes. With the zero
	// value of Requests, an activity is in the trace that contains the start of its workflow.
	Requests Requests
	// Logger logs failed exports, at most once a minute. If Logger is nil, failed exports are not
	// logged.
	Logger *slog.Logger
	// Console is the writer of the console exporters; nil means standard error. Only one exporter
	// writes at a time.
	Console io.Writer
	// Brief is true for a command that ends soon. With Brief, only traces are exported. A program
	// with Brief does not wait for a missing collector, and waits at most 1.5 s for a slow
	// collector.
	Brief bool
}

// Telemetry records and exports the traces and metrics of a program. A zero Telemetry and a nil
// *Telemetry record nothing.
type Telemetry struct {
	traces         *sdktrace.TracerProvider
	metrics        *sdkmetric.MeterProvider
	server         *metricsServer
	interceptor    interceptor.Interceptor
	metricsHandler client.MetricsHandler
	propagator     propagation.TextMapPropagator
	endExports     func() // ends all exports that still run
	flushWithin    time.Duration
}

// Start creates the exporters. Start does not connect to a collector, so a missing collector causes
// no error of Start. The address at which Prometheus fetches metrics must be free when Start is
// called.
func Start(ctx context.Context, o Options) (*Telemetry, error) {
	if o.Brief {
		o.Settings.Metrics = settings.ExportNothing
	}
	if !o.Settings.On() {
		return &Telemetry{}, nil
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Console == nil {
		o.Console = os.Stderr
	}
	o.Console = &lockedWriter{writer: o.Console}
	t := &Telemetry{flushWithin: flushTimeout}
	if o.Brief {
		t.flushWithin = briefFlushTimeout
	}
	about, err := newResource(ctx, o.Service)
	if err != nil {
		return nil, err
	}
	if t.propagator, err = propagator(o.Settings.Propagators); err != nil {
		return nil, err
	}
	over := make(chan struct{})
	t.endExports = sync.OnceFunc(func() { close(over) })
	ends := &exportLifetime{ended: over, logger: o.Logger}
	if o.Settings.Traces != settings.ExportNothing {
		exporter, err := spanExporter(ctx, o)
		if err != nil {
			t.endExports()
			return nil, fmt.Errorf("cannot export traces (OTEL_TRACES_EXPORTER, OTEL_EXPORTER_OTLP_*): %w", err)
		}
		t.traces = sdktrace.NewTracerProvider(sdktrace.WithResource(about),
			sdktrace.WithBatcher(&spanFilter{next: exporter, exportLifetime: ends}))
		if t.interceptor, err = newTracing(t.traces.Tracer(instrumentationScope), o.Requests); err != nil {
			return nil, errors.Join(err, t.Shutdown(ctx))
		}
	}
	if o.Settings.Metrics != settings.ExportNothing {
		var reader sdkmetric.Reader
		if reader, t.server, err = metricReader(ctx, o, ends); err != nil {
			return nil, errors.Join(err, t.Shutdown(ctx))
		}
		t.metrics = sdkmetric.NewMeterProvider(sdkmetric.WithResource(about), sdkmetric.WithReader(reader))
		t.metricsHandler = temporalotel.NewMetricsHandler(temporalotel.MetricsHandlerOptions{
			Meter: t.metrics.Meter(instrumentationScope), UseMonotonicCounters: true,
			OnError: func(err error) { ends.logFailure("metrics", err) }, // the default of OnError panics
		})
	}
	return t, nil
}

// On reports whether anything is recorded.
func (t *Telemetry) On() bool { return t != nil && (t.traces != nil || t.metrics != nil) }

// ClientOptions adds tracing and metrics to a Temporal client and to the workers of this client.
// The interceptor of the Telemetry comes before all other interceptors.
func (t *Telemetry) ClientOptions(o *client.Options) {
	if t == nil {
		return
	}
	if t.interceptor != nil {
		o.Interceptors = append([]interceptor.ClientInterceptor{t.interceptor}, o.Interceptors...)
	}
	if t.metricsHandler != nil {
		o.MetricsHandler = t.metricsHandler
	}
}

// Shutdown exports the remaining data and stops the Telemetry, within at most 5 s, or 1.5 s with
// Brief. Shutdown exports even if ctx has ended, because the context of a stopping program has
// usually ended.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	if t == nil || t.endExports == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.flushWithin)
	defer cancel()
	defer t.endExports()
	done := make(chan error, 1)
	go func() {
		var err error
		if t.metrics != nil {
			err = t.metrics.Shutdown(ctx)
		}
		done <- err
	}()
	var err error
	if t.traces != nil {
		err = t.traces.Shutdown(ctx)
	}
	err = errors.Join(err, <-done)
	if t.server != nil {
		err = errors.Join(err, t.server.close(ctx))
	}
	return err
}

func (t *Telemetry) tracerProvider() trace.TracerProvider {
	if t.traces == nil {
		return nooptrace.NewTracerProvider()
	}
	return t.traces
}

// Meter returns the meter for the metrics that Oppflow's own packages record. Without an export of
// metrics, the meter records nothing.
func (t *Telemetry) Meter() metric.Meter { return t.meterProvider().Meter(instrumentationScope) }

func (t *Telemetry) meterProvider() metric.MeterProvider {
	if t.metrics == nil {
		return noopmetric.NewMeterProvider()
	}
	return t.metrics
}

// The resource contains no data about the host and no command line.
func newResource(ctx context.Context, service string) (*resource.Resource, error) {
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", service), attribute.String("service.instance.id", uuid.NewString())),
		resource.WithFromEnv()) // last, so that the environment has priority
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES or OTEL_SERVICE_NAME: %w", err)
	}
	return about, nil
}

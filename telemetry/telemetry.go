// Package telemetry exports traces and metrics of a program of Oppflow, if the OTEL_* variables
// ask for an export. The client that sends a message, the workflow, the activity and the HTTP
// request to the API are in one trace.
//
// This package, not the libraries that record data, decides what is exported. The texts of
// errors, the content of messages, queries and variables are not exported. Only names of
// Oppflow, ids, and the attributes of an allow-list are exported. The package sets nothing for
// the whole process (no global provider, propagator or error handler). The package may import
// settings only.
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

// flushTimeout, or briefFlushTimeout with Brief, is the longest time of the last export when a
// program ends.
const (
	flushTimeout      = 5 * time.Second
	briefFlushTimeout = 1500 * time.Millisecond
)

// Options say what is exported, and for which program.
type Options struct {
	// Settings say where telemetry goes. The Settings must have been resolved; the zero value
	// exports nothing.
	Settings settings.Telemetry
	// Service is the program's name, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES sets another
	// name.
	Service string
	// Requests find the requests that an activity executes. With the zero value, activities are in
	// the trace of the start of the workflow.
	Requests Requests
	// Logger logs failed exports, at most once a minute; with nil, nothing is logged.
	Logger *slog.Logger
	// Console is what the console exporters write to, one write at a time; nil is the standard error output.
	Console io.Writer
	// Brief is for a command that ends soon. With Brief, only traces are exported. A command with
	// Brief does not wait for a missing collector, and waits at most 1.5 s for a slow collector.
	Brief bool
}

// Telemetry records the traces and metrics of a program. The zero value and nil record nothing.
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

// Start creates the exporters. Start connects to no collector yet, so a missing collector
// causes no error. Only the address for fetching metrics must be free.
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

// ClientOptions adds traces and metrics to a client of Temporal, and to the workers made with
// the client. The interceptor of the Telemetry comes before all others; when the Telemetry is
// off, ClientOptions changes nothing.
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

// Shutdown exports the remaining data and stops, within at most 5 s, or 1.5 s with Brief. Shutdown
// also exports if ctx has ended, because the context of a stopping program has usually ended. The
// error says what could not be exported.
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

func (t *Telemetry) meterProvider() metric.MeterProvider {
	if t.metrics == nil {
		return noopmetric.NewMeterProvider()
	}
	return t.metrics
}

// newResource returns the resource of the program. newResource adds no data about the host and no
// command line.
func newResource(ctx context.Context, service string) (*resource.Resource, error) {
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", service), attribute.String("service.instance.id", uuid.NewString())),
		resource.WithFromEnv()) // last, so that the environment has priority
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES or OTEL_SERVICE_NAME: %w", err)
	}
	return about, nil
}

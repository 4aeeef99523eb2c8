// Package telemetry makes traces and metrics of a program of Oppflow go out, where the OTEL_* variables ask for it: the
// client that sends a message, the workflow, the activity and the HTTP request to the API stand in one trace.
//
// What leaves is decided here and not by the libraries that record it: no text of an error, no content of a message, no
// query and no variable, only names of ours, ids, and what an allow-list of attributes holds. It sets nothing for the whole
// process (no global provider, propagator or error handler), and it may import settings only.
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

// scope names what the spans and metrics of Temporal's SDK are recorded by.
const scope = "github.com/oppflow/oppflow/telemetry"

// How long the last export may take when a program ends.
const (
	flushTimeout      = 5 * time.Second
	briefFlushTimeout = 1500 * time.Millisecond
)

// Options say what is exported and for whom.
type Options struct {
	// Settings say where it goes. They must have been resolved; the zero value exports nothing.
	Settings settings.Telemetry
	// Service is the program's name, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES says otherwise.
	Service string
	// Requests tell whose request an activity carries out. The zero value knows of none: then activities stand in the
	// trace of whoever started the workflow.
	Requests Requests
	// Logger is told that an export fails, at most once a minute; nil drops it.
	Logger *slog.Logger
	// Console takes what the console exporters write, one write at a time; nil is the standard error output.
	Console io.Writer
	// Brief is for a command that ends soon: it has traces only, and waits neither for a collector that is not there
	// nor longer than 1.5 s for one that is slow.
	Brief bool
}

// Telemetry is what a program records with. The zero value and nil record nothing and cost nothing.
type Telemetry struct {
	traces     *sdktrace.TracerProvider
	metrics    *sdkmetric.MeterProvider
	server     *metricsServer
	intercept  interceptor.Interceptor
	handler    client.MetricsHandler
	propagator propagation.TextMapPropagator
	end        func() // ends whatever still exports
	flush      time.Duration
}

// Start makes the exporters. It connects to no collector yet, so that one that is not there fails nothing; only an
// address at which metrics are to be fetched must be free.
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
	o.Console = &oneAtATime{to: o.Console}
	t := &Telemetry{flush: flushTimeout}
	if o.Brief {
		t.flush = briefFlushTimeout
	}
	about, err := describe(ctx, o.Service)
	if err != nil {
		return nil, err
	}
	if t.propagator, err = propagator(o.Settings.Propagators); err != nil {
		return nil, err
	}
	over := make(chan struct{})
	t.end = sync.OnceFunc(func() { close(over) })
	ends := &ending{over: over, logger: o.Logger}
	if o.Settings.Traces != settings.ExportNothing {
		exporter, err := spanExporter(ctx, o)
		if err != nil {
			t.end()
			return nil, fmt.Errorf("cannot export traces (OTEL_TRACES_EXPORTER, OTEL_EXPORTER_OTLP_*): %w", err)
		}
		t.traces = sdktrace.NewTracerProvider(sdktrace.WithResource(about),
			sdktrace.WithBatcher(&spanFilter{to: exporter, ending: ends}))
		if t.intercept, err = newTracing(t.traces.Tracer(scope), o.Requests); err != nil {
			return nil, errors.Join(err, t.Shutdown(ctx))
		}
	}
	if o.Settings.Metrics != settings.ExportNothing {
		var reader sdkmetric.Reader
		if reader, t.server, err = metricReader(ctx, o, ends); err != nil {
			return nil, errors.Join(err, t.Shutdown(ctx))
		}
		t.metrics = sdkmetric.NewMeterProvider(sdkmetric.WithResource(about), sdkmetric.WithReader(reader))
		t.handler = temporalotel.NewMetricsHandler(temporalotel.MetricsHandlerOptions{
			Meter: t.metrics.Meter(scope), UseMonotonicCounters: true,
			OnError: func(err error) { ends.complain("metrics", err) }, // its default panics
		})
	}
	return t, nil
}

// On reports whether anything is recorded.
func (t *Telemetry) On() bool { return t != nil && (t.traces != nil || t.metrics != nil) }

// ClientOptions has a client of Temporal, and the workers made with it, traced and measured. Its interceptor comes
// before all others. Of a Telemetry that is off it changes nothing.
func (t *Telemetry) ClientOptions(o *client.Options) {
	if t == nil {
		return
	}
	if t.intercept != nil {
		o.Interceptors = append([]interceptor.ClientInterceptor{t.intercept}, o.Interceptors...)
	}
	if t.handler != nil {
		o.MetricsHandler = t.handler
	}
}

// Shutdown exports what is left and stops. It takes 5 s at the most, 1.5 s for what is Brief, and also when ctx has
// ended: then nothing else would be exported. Its error says what could not be.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	if t == nil || t.end == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.flush)
	defer cancel()
	defer t.end()
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

// describe tells who records. It looks at neither host nor command line.
func describe(ctx context.Context, service string) (*resource.Resource, error) {
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", service), attribute.String("service.instance.id", uuid.NewString())),
		resource.WithFromEnv()) // last: it wins
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES or OTEL_SERVICE_NAME: %w", err)
	}
	return about, nil
}

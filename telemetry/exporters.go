package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/oppflow/oppflow/settings"
)

// This package creates the exporters without the library autoexport, for three reasons. autoexport
// passes no options to an exporter, so a short command could not turn off the retries of an
// exporter. The metric reader of autoexport gives no access to its exporter, so a failed export
// would call the error handler of the whole process. The console exporters of autoexport write to
// the standard output, where the output of a command must be.

func spanExporter(ctx context.Context, o Options) (sdktrace.SpanExporter, error) {
	switch {
	case o.Settings.Traces == settings.ExportConsole:
		return stdouttrace.New(stdouttrace.WithWriter(o.Console))
	case o.Settings.TracesProtocol == settings.ProtocolGRPC:
		var more []otlptracegrpc.Option
		if o.Brief {
			more = append(more, otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: false}))
		}
		return otlptracegrpc.New(ctx, more...)
	}
	var more []otlptracehttp.Option
	if o.Brief {
		more = append(more, otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}))
	}
	return otlptracehttp.New(ctx, more...)
}

// lockedWriter lets the exporters of traces and of metrics write to the same writer.
type lockedWriter struct {
	mu     sync.Mutex
	writer io.Writer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writer.Write(p)
}

// metricReader creates the reader of the metrics and, if the settings require it, the server from
// which Prometheus fetches the metrics.
func metricReader(ctx context.Context, o Options, ends *exportLifetime) (sdkmetric.Reader, *metricsServer, error) {
	if o.Settings.Metrics == settings.ExportPrometheus {
		server, err := serveMetrics(ctx, o.Settings.PrometheusAddress, ends)
		if err != nil {
			return nil, nil, err
		}
		return server.reader, server, nil
	}
	var exporter sdkmetric.Exporter
	var err error
	switch {
	case o.Settings.Metrics == settings.ExportConsole:
		exporter, err = stdoutmetric.New(stdoutmetric.WithWriter(o.Console))
	case o.Settings.MetricsProtocol == settings.ProtocolGRPC:
		exporter, err = otlpmetricgrpc.New(ctx)
	default:
		exporter, err = otlpmetrichttp.New(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	return sdkmetric.NewPeriodicReader(&metricExporter{Exporter: exporter, exportLifetime: ends}), nil, nil
}

// metricExporter does not report a failed export to the error handler of the process.
// metricExporter ends a slow export when the program stops.
type metricExporter struct {
	sdkmetric.Exporter
	*exportLifetime
}

func (s *metricExporter) Export(ctx context.Context, metrics *metricdata.ResourceMetrics) error {
	ctx, cancel := s.withLifetime(ctx)
	defer cancel()
	s.logFailure("metrics", s.Exporter.Export(ctx, metrics))
	return nil
}

// exportLifetime ends the exports when the program ends. exportLifetime logs failed exports, at
// most once a minute for traces and once a minute for metrics.
type exportLifetime struct {
	ended  <-chan struct{} // closed when the program ends its exports
	logger *slog.Logger

	mu         sync.Mutex
	lastLogged map[string]time.Time
}

const logInterval = time.Minute

func (e *exportLifetime) withLifetime(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-e.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

func (e *exportLifetime) logFailure(what string, err error) {
	if err == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if last, ok := e.lastLogged[what]; ok && time.Since(last) < logInterval {
		return
	}
	if e.lastLogged == nil {
		e.lastLogged = map[string]time.Time{}
	}
	e.lastLogged[what] = time.Now()
	e.logger.Warn("the "+what+" could not be exported; all other work goes on", "error", strings.Join(strings.Fields(err.Error()), " "))
}

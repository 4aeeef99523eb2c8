package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/settings"
)

// otel sets the variables in the environment of the process, and removes all other variables of
// OpenTelemetry. The OpenTelemetry libraries read the environment of the process.
func otel(t *testing.T, pairs ...string) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "")
		}
	}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
}

func TestTelemetry(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"
	for _, test := range []struct {
		name            string
		env             []string
		traces, metrics settings.Exporter
	}{
		{"nothing set", nil, "", ""},
		{"what alone sends nothing", []string{"OTEL_SERVICE_NAME=s", "OTEL_TRACES_SAMPLER=always_on", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, "", ""},
		{"empty", []string{"OTEL_TRACES_EXPORTER=", "OTEL_EXPORTER_OTLP_ENDPOINT="}, "", ""},
		{"none", []string{"OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none"}, "", ""},
		{"a collector", []string{endpoint}, "otlp", "otlp"},
		{"a collector of traces", []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:1/v1/traces"}, "otlp", ""},
		{"a collector of metrics", []string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://127.0.0.1:1/v1/metrics"}, "", "otlp"},
		{"a collector, but no metrics", []string{endpoint, "OTEL_METRICS_EXPORTER=none"}, "otlp", ""},
		{"the collector of this machine", []string{"OTEL_TRACES_EXPORTER=otlp"}, "otlp", ""},
		{"metrics fetched", []string{"OTEL_METRICS_EXPORTER=prometheus"}, "", "prometheus"},
		{"console", []string{"OTEL_TRACES_EXPORTER=console", "OTEL_METRICS_EXPORTER=console"}, "console", "console"},
		{"disabled", []string{endpoint, "OTEL_TRACES_EXPORTER=nonsense", "OTEL_SDK_DISABLED=true"}, "", ""},
		{"not disabled", []string{endpoint, "OTEL_SDK_DISABLED=false"}, "otlp", "otlp"},
	} {
		t.Run(test.name, func(t *testing.T) {
			otel(t, test.env...)
			for _, from := range []settings.Environment{nil, os.Environ()} {
				got := settings.Telemetry{Environment: from}
				if err := got.Resolve(); err != nil {
					t.Fatal(err)
				}
				if got.Traces != test.traces || got.Metrics != test.metrics || got.On() != (test.traces != "" || test.metrics != "") {
					t.Errorf("traces to %q, metrics to %q, on %v", got.Traces, got.Metrics, got.On())
				}
			}
		})
	}
}

func TestTelemetryDetails(t *testing.T) {
	otel(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/protobuf",
		"OTEL_PROPAGATORS=tracecontext, b3", "OTEL_EXPORTER_PROMETHEUS_HOST=::1", "OTEL_EXPORTER_PROMETHEUS_PORT=9999")
	var got settings.Telemetry
	if err := got.Resolve(); err != nil {
		t.Fatal(err)
	}
	want := settings.Telemetry{
		Traces: "otlp", Metrics: "otlp", TracesProtocol: "grpc", MetricsProtocol: "http/protobuf",
		Propagators: []string{"tracecontext", "b3"}, PrometheusAddress: "[::1]:9999",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	otel(t, "OTEL_TRACES_EXPORTER=otlp")
	got = settings.Telemetry{}
	if err := got.Resolve(); err != nil {
		t.Fatal(err)
	}
	want = settings.Telemetry{Traces: "otlp", TracesProtocol: "http/protobuf", MetricsProtocol: "http/protobuf", PrometheusAddress: "localhost:9464"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults: %s", diff)
	}
}

func TestTelemetryRefuses(t *testing.T) {
	secret := "s3cret"
	for _, wrong := range []string{
		"OTEL_SDK_DISABLED=perhaps",
		"OTEL_TRACES_EXPORTER=zipkin",
		"OTEL_TRACES_EXPORTER=prometheus",
		"OTEL_TRACES_EXPORTER=otlp,console",
		"OTEL_METRICS_EXPORTER=statsd",
		"OTEL_EXPORTER_OTLP_PROTOCOL=http/json",
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http",
		"OTEL_EXPORTER_OTLP_ENDPOINT=localhost:4317",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://user:" + secret + "@ local",
		"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://",
		"OTEL_EXPORTER_OTLP_HEADERS=" + secret,
		"OTEL_EXPORTER_OTLP_HEADERS=key=%" + secret,
		"OTEL_EXPORTER_OTLP_TIMEOUT=10s",
		"OTEL_EXPORTER_OTLP_COMPRESSION=zstd",
		"OTEL_EXPORTER_OTLP_CERTIFICATE=" + filepath.Join(t.TempDir(), "nowhere.pem"),
		"OTEL_TRACES_SAMPLER=sometimes",
		"OTEL_TRACES_SAMPLER_ARG=2",
		"OTEL_TRACES_SAMPLER_ARG=NaN",
		"OTEL_PROPAGATORS=tracecontext,pigeon",
		"OTEL_RESOURCE_ATTRIBUTES=deployment",
		"OTEL_BSP_SCHEDULE_DELAY=0",
		"OTEL_METRIC_EXPORT_INTERVAL=-1",
		"OTEL_EXPORTER_PROMETHEUS_PORT=70000",
	} {
		t.Run(wrong, func(t *testing.T) {
			otel(t, "OTEL_TRACES_EXPORTER=console", wrong)
			variable, value, _ := strings.Cut(wrong, "=")
			var got settings.Telemetry
			err := got.Resolve()
			if err == nil || !strings.Contains(err.Error(), variable) || !strings.Contains(err.Error(), "must ") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v", err)
			}
			if shows := strings.Contains(err.Error(), value); strings.Contains(err.Error(), secret) || !shows && !strings.HasPrefix(variable, "OTEL_EXPORTER_OTLP_") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTelemetryOfAnotherEnvironment(t *testing.T) {
	given := settings.Environment{"OTEL_TRACES_EXPORTER=console", "OTEL_TRACES_SAMPLER=always_off"}
	for _, process := range [][]string{
		{"OTEL_TRACES_EXPORTER=console"},
		{"OTEL_TRACES_EXPORTER=console", "OTEL_TRACES_SAMPLER=always_off", "OTEL_SERVICE_NAME=other"},
	} {
		otel(t, process...)
		got := settings.Telemetry{Environment: given}
		if err := got.Resolve(); err == nil || !strings.Contains(err.Error(), "OTEL_") || !strings.Contains(err.Error(), "environment of the process") {
			t.Errorf("got %v", err)
		}
		// If Environment sets no variable, nothing is exported, even if the environment of the process
		// sets variables.
		got = settings.Telemetry{Environment: settings.Environment{}}
		if err := got.Resolve(); err != nil || got.On() {
			t.Errorf("on %v, %v", got.On(), err)
		}
	}
}

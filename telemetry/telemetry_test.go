package telemetry_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/telemetry"
	"github.com/oppflow/oppflow/telemetry/telemetrytest"
)

// otelVariables sets the variables in the environment of the process, which the OpenTelemetry
// libraries read, and removes all other variables of OpenTelemetry.
func otelVariables(t *testing.T, pairs ...string) {
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

func start(t *testing.T, o telemetry.Options) *telemetry.Telemetry {
	t.Helper()
	if err := o.Settings.Resolve(); err != nil {
		t.Fatal(err)
	}
	if o.Service == "" {
		o.Service = "tested"
	}
	started, err := telemetry.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return started
}

func post(t *testing.T, through http.RoundTripper, url, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := through.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

func exportGoroutines() int {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	n := 0
	for one := range strings.SplitSeq(string(stacks), "\n\n") {
		// The text go.opentelemetry.io/otel does not match the goroutines of the tests, although the path
		// of package telemetry also contains the word telemetry.
		if strings.Contains(one, "go.opentelemetry.io/otel") {
			n++
		}
	}
	return n
}

func eventually(t *testing.T, within time.Duration, what string, ask func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !ask() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
		<-ticker.C
	}
}

func TestOffCostsNothing(t *testing.T) {
	for name, variables := range map[string][]string{
		"nothing set": nil,
		"disabled":    {"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_SDK_DISABLED=true"},
		"none":        {"OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none"},
	} {
		t.Run(name, func(t *testing.T) {
			otelVariables(t, variables...)
			before := exportGoroutines()
			for _, off := range []*telemetry.Telemetry{start(t, telemetry.Options{}), {}, nil} {
				var options client.Options
				off.ClientOptions(&options)
				transport := &http.Transport{}
				if off.On() || options.Interceptors != nil || options.MetricsHandler != nil {
					t.Errorf("on %v, options %+v", off.On(), options)
				}
				if off.WrapTransport(transport) != http.RoundTripper(transport) {
					t.Error("requests pass something although nothing is recorded")
				}
				if err := off.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
			}
			// A goroutine of another test may have ended since the first count.
			if now := exportGoroutines(); now > before {
				t.Errorf("%d goroutines of OpenTelemetry run, %d before", now, before)
			}
		})
	}
}

func TestArrives(t *testing.T) {
	answers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if lower := strings.ToLower(name); strings.Contains(lower, "trace") || strings.Contains(lower, "baggage") || strings.HasPrefix(lower, "x-") {
				w.WriteHeader(http.StatusTeapot)
			}
		}
	}))
	defer answers.Close()
	for _, protocol := range []string{"grpc", "http/protobuf", ""} {
		for _, brief := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, brief %v", protocol, brief), func(t *testing.T) {
				collector := telemetrytest.Start(t)
				endpoint := collector.URL
				if protocol == "grpc" {
					endpoint = collector.GRPC
				}
				otelVariables(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL="+protocol,
					"OTEL_EXPORTER_OTLP_COMPRESSION=gzip", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment=test")
				before := exportGoroutines()
				on := start(t, telemetry.Options{Service: "one", Brief: brief})
				eventually(t, 5*time.Second, "something of OpenTelemetry runs, and is counted", func() bool { return exportGoroutines() > before })
				post(t, on.WrapTransport(http.DefaultTransport), answers.URL+"/graphql?key=s3cret", `{"query":"mutation AddInterest($m0_id: ID!) {\n m0","variables":{"m0_id":"Melissa"}}`)
				if err := on.Shutdown(t.Context()); err != nil {
					t.Fatal(err)
				}
				spans := collector.Spans()
				if len(spans) != 1 {
					t.Fatalf("%d spans: %+v", len(spans), spans)
				}
				got := spans[0]
				if got.Name != "mutation AddInterest" || got.Service != "one" || got.Failed || got.Attributes["graphql.operation.name"] != "AddInterest" ||
					got.Attributes["http.request.method"] != "POST" || got.Attributes["server.address"] != "127.0.0.1" || !strings.Contains(got.Attributes["http.response.status_code"], "200") {
					t.Errorf("span %+v", got)
				}
				for _, text := range []string{"s3cret", "Melissa", "m0_id", "url.full"} {
					if collector.Contains(text) {
						t.Errorf("%q was exported", text)
					}
				}
				if !collector.Contains("deployment.environment") {
					t.Error("OTEL_RESOURCE_ATTRIBUTES is left out")
				}
				if _, measured := collector.Metrics()["http.client.request.duration"]; measured == brief {
					t.Errorf("brief %v; metrics %v", brief, collector.Metrics())
				}
				http.DefaultTransport.(*http.Transport).CloseIdleConnections()
				eventually(t, 5*time.Second, "everything of OpenTelemetry has ended", func() bool { return exportGoroutines() <= before })
			})
		}
	}
}

// Requests to the API have the trace headers that OTEL_PROPAGATORS names, and no other trace
// headers.
func TestPropagators(t *testing.T) {
	var got http.Header
	answers := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer answers.Close()
	for names, want := range map[string][]string{"": nil, "none": nil, "tracecontext": {"Traceparent"}, "tracecontext,b3": {"B3", "Traceparent"}} {
		otelVariables(t, "OTEL_TRACES_EXPORTER=console", "OTEL_PROPAGATORS="+names)
		on := start(t, telemetry.Options{Console: io.Discard})
		post(t, on.WrapTransport(http.DefaultTransport), answers.URL, `{}`)
		var sent []string
		for name := range got {
			if name == "Traceparent" || name == "Tracestate" || name == "B3" || name == "Baggage" || strings.HasPrefix(name, "X-") {
				sent = append(sent, name)
			}
		}
		if slices.Sort(sent); !slices.Equal(sent, want) {
			t.Errorf("%q: headers %q, want %q", names, sent, want)
		}
		if err := on.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestStandardVariables(t *testing.T) {
	answers := httptest.NewServer(http.NotFoundHandler())
	defer answers.Close()
	collector := telemetrytest.Start(t)
	otelVariables(t, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+collector.URL+"/v1/traces", "OTEL_SERVICE_NAME=renamed")
	on := start(t, telemetry.Options{})
	post(t, on.WrapTransport(http.DefaultTransport), answers.URL, `{}`)
	if err := on.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := collector.Spans(); len(got) != 1 || got[0].Service != "renamed" || got[0].Name != "HTTP POST" || !got[0].Failed || len(collector.Metrics()) != 0 {
		t.Errorf("spans %+v, metrics %v", got, collector.Metrics())
	}

	otelVariables(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, "OTEL_TRACES_SAMPLER=always_off")
	on = start(t, telemetry.Options{})
	post(t, on.WrapTransport(http.DefaultTransport), answers.URL, `{}`)
	if err := on.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := collector.Spans(); len(got) != 1 || collector.Metrics()["http.client.request.duration"] == nil {
		t.Errorf("not sampled: spans %+v, metrics %v", got, collector.Metrics())
	}
}

// If the collector cannot be reached or does not respond, Shutdown takes hardly longer than the
// time flush of the test case. The failed export is logged once.
func TestBrokenCollector(t *testing.T) {
	release := make(chan struct{})
	hung := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hung.Close()
	defer close(release)
	const refused = "http://127.0.0.1:1"
	answers := httptest.NewServer(http.NotFoundHandler())
	defer answers.Close()
	for _, test := range []struct {
		name, endpoint, protocol string
		brief                    bool
		flush                    time.Duration // how long the last export may take
		hangs                    bool          // the export takes the whole time
	}{
		{"refused, brief", refused, "http/protobuf", true, 1500 * time.Millisecond, false},
		{"refused, brief, grpc", refused, "grpc", true, 1500 * time.Millisecond, false},
		{"hung, brief", hung.URL, "http/protobuf", true, 1500 * time.Millisecond, true},
		{"hung, brief, grpc", hung.URL, "grpc", true, 1500 * time.Millisecond, true},
		{"refused", refused, "grpc", false, 5 * time.Second, true}, // the export is tried again
		{"hung", hung.URL, "http/protobuf", false, 5 * time.Second, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			otelVariables(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+test.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL="+test.protocol)
			var log lockedBuilder
			var heard atomic.Bool
			ofProcess := otel.GetErrorHandler()
			otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) { heard.Store(true) }))
			defer otel.SetErrorHandler(ofProcess)
			before := exportGoroutines()
			on := start(t, telemetry.Options{Brief: test.brief, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if on.Flush() != test.flush {
				t.Errorf("the last export may take %s; want %s", on.Flush(), test.flush)
			}
			within := time.Second // less than test.flush, because Shutdown does not wait after a failed export
			if test.hangs {
				flush := testrun.Pick(t, test.flush/5, test.flush)
				on.FlushWithin(flush)
				within = flush + time.Second
				if test.brief {
					within = flush + 500*time.Millisecond
				}
			}
			post(t, on.WrapTransport(http.DefaultTransport), answers.URL, `{}`)
			ended, cancel := context.WithCancel(t.Context())
			cancel() // a program that is stopping has an ended context
			began := time.Now()
			_ = on.Shutdown(ended)
			if took := time.Since(began); took > within {
				t.Errorf("the end took %s; want %s at most", took, within)
			}
			eventually(t, 5*time.Second, "everything of OpenTelemetry has ended", func() bool {
				http.DefaultTransport.(*http.Transport).CloseIdleConnections()
				return exportGoroutines() <= before
			})
			if lines := strings.Count(log.String(), "traces could not be exported"); lines != 1 || heard.Load() {
				t.Errorf("told the process %v, logged:\n%s", heard.Load(), log.String())
			}
		})
	}
}

// lockedBuilder collects text that several goroutines write.
type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuilder) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuilder) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestConsole(t *testing.T) {
	answers := httptest.NewServer(http.NotFoundHandler())
	defer answers.Close()
	otelVariables(t, "OTEL_TRACES_EXPORTER=console", "OTEL_METRICS_EXPORTER=console")
	var written strings.Builder
	on := start(t, telemetry.Options{Console: &written})
	post(t, on.WrapTransport(http.DefaultTransport), answers.URL+"/?s3cret", `{"query":"query Hello {\n  hello\n}\n"}`)
	if err := on.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := written.String(); !strings.Contains(text, `"query Hello"`) || !strings.Contains(text, "http.client.request.duration") || strings.Contains(text, "s3cret") {
		t.Errorf("wrote\n%s", text)
	}
}

func TestPrometheus(t *testing.T) {
	answers := httptest.NewServer(http.NotFoundHandler())
	defer answers.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	otelVariables(t, "OTEL_METRICS_EXPORTER=prometheus", "OTEL_EXPORTER_PROMETHEUS_HOST=127.0.0.1", "OTEL_EXPORTER_PROMETHEUS_PORT="+port)
	var taken settings.Telemetry
	if err := taken.Resolve(); err != nil {
		t.Fatal(err)
	}
	_, err = telemetry.Start(t.Context(), telemetry.Options{Settings: taken})
	if err == nil || !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "OTEL_EXPORTER_PROMETHEUS_PORT") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a port that is taken: %v", err)
	}
	// A command with Brief does not serve metrics, so the command does not need the address for
	// metrics.
	brief, err := telemetry.Start(t.Context(), telemetry.Options{Settings: taken, Brief: true})
	if err != nil || brief.On() {
		t.Errorf("brief: on %v, %v", brief.On(), err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}

	on := start(t, telemetry.Options{})
	var options client.Options
	on.ClientOptions(&options)
	options.MetricsHandler.WithTags(map[string]string{"operation": "tested"}).Counter("temporal_request").Inc(1)
	post(t, on.WrapTransport(http.DefaultTransport), answers.URL, `{}`)
	fetch := func() (string, error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
		if err != nil {
			return "", err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return "", err
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		return string(text), err
	}
	text, err := fetch()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`temporal_request_total{operation="tested"`, "# TYPE temporal_request_total counter", "http_client_request_duration_seconds_count"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if err := on.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := fetch(); err == nil {
		t.Error("the metrics are still served after the end")
	}
}

func TestNothingGlobal(t *testing.T) {
	tracers, meters := otel.GetTracerProvider(), otel.GetMeterProvider()
	otelVariables(t, "OTEL_TRACES_EXPORTER=console", "OTEL_METRICS_EXPORTER=console", "OTEL_PROPAGATORS=tracecontext")
	on := start(t, telemetry.Options{Console: io.Discard})
	if otel.GetTracerProvider() != tracers || otel.GetMeterProvider() != meters || len(otel.GetTextMapPropagator().Fields()) != 0 {
		t.Error("a provider or propagator of the process was set")
	}
	if err := on.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

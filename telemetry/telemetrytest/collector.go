// Package telemetrytest contains an OpenTelemetry collector for tests. The collector receives the
// data of exporters over HTTP and over gRPC, and returns the data to the test.
package telemetrytest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	metricsservice "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	traceservice "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Span is a span that the collector received, with its ids in hexadecimal and its attributes as
// text.
type Span struct {
	Name, Trace, ID, Parent string
	Service                 string // the program that created the span
	Kind                    trace.Span_SpanKind
	Failed                  bool
	Attributes              map[string]string
	Links                   []string // the linked traces
}

// Collector receives the data of exporters. Several goroutines may use a Collector at the same
// time.
type Collector struct {
	// URL is the URL at which the collector receives OTLP over HTTP.
	URL string
	// GRPC is the URL at which the collector receives OTLP over gRPC.
	GRPC string

	mu       sync.Mutex
	spans    []Span
	metrics  map[string][]string // the attributes of each metric's points
	services map[string]bool
	raw      bytes.Buffer
	requests int
}

// Start starts a collector on the loopback interface, and stops the collector when the test ends.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{metrics: map[string][]string{}, services: map[string]bool{}}
	over := httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(over.Close)
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	traceservice.RegisterTraceServiceServer(server, &traces{collector: c})
	metricsservice.RegisterMetricsServiceServer(server, &metrics{collector: c})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		// A test may end before the gRPC server has started, and then Serve returns ErrServerStopped.
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Error(err)
		}
	})
	c.URL, c.GRPC = over.URL, "http://"+listener.Addr().String()
	return c
}

// Spans returns the spans that the collector has received.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Find returns the received spans that have the name.
func (c *Collector) Find(name string) []Span {
	var found []Span
	for _, s := range c.Spans() {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// Await waits until the collector has received a span with the name, and returns the first span
// with the name.
func (c *Collector) Await(t testing.TB, name string, within time.Duration) Span {
	t.Helper()
	deadline := time.Now().Add(within)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		if found := c.Find(name); len(found) > 0 {
			return found[0]
		}
		if time.Now().After(deadline) {
			var names []string
			for _, s := range c.Spans() {
				names = append(names, s.Name)
			}
			t.Fatalf("no span %q was received within %s; the names of the received spans are %q", name, within, names)
		}
		<-ticker.C
	}
}

// Metrics returns the names of the received metrics, each with the attributes of its data points.
func (c *Collector) Metrics() map[string][]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string][]string, len(c.metrics))
	for name, attributes := range c.metrics {
		out[name] = append([]string(nil), attributes...)
	}
	return out
}

// Requests returns how many requests the collector has received.
func (c *Collector) Requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}

// Contains reports whether the text occurs anywhere in the received data: in names, attributes,
// events or the resource.
func (c *Collector) Contains(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Contains(c.raw.Bytes(), []byte(text))
}

// Services returns the names of the programs that have sent data to the collector.
func (c *Collector) Services() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for name := range c.services {
		names = append(names, name)
	}
	return names
}

func (c *Collector) serve(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = unpacked
	}
	raw, err := io.ReadAll(body)
	var answer proto.Message
	if err == nil {
		switch r.URL.Path {
		case "/v1/traces":
			request := new(traceservice.ExportTraceServiceRequest)
			if err = proto.Unmarshal(raw, request); err == nil {
				c.addTraces(request)
			}
			answer = new(traceservice.ExportTraceServiceResponse)
		case "/v1/metrics":
			request := new(metricsservice.ExportMetricsServiceRequest)
			if err = proto.Unmarshal(raw, request); err == nil {
				c.addMetrics(request)
			}
			answer = new(metricsservice.ExportMetricsServiceResponse)
		default:
			http.NotFound(w, r)
			return
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out, err := proto.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(out)
}

type traces struct {
	traceservice.UnimplementedTraceServiceServer
	collector *Collector
}

func (t *traces) Export(_ context.Context, r *traceservice.ExportTraceServiceRequest) (*traceservice.ExportTraceServiceResponse, error) {
	t.collector.addTraces(r)
	return new(traceservice.ExportTraceServiceResponse), nil
}

type metrics struct {
	metricsservice.UnimplementedMetricsServiceServer
	collector *Collector
}

func (m *metrics) Export(_ context.Context, r *metricsservice.ExportMetricsServiceRequest) (*metricsservice.ExportMetricsServiceResponse, error) {
	m.collector.addMetrics(r)
	return new(metricsservice.ExportMetricsServiceResponse), nil
}

func (c *Collector) recordRaw(message proto.Message) {
	c.requests++
	raw, _ := proto.Marshal(message) // the message was unmarshalled just before
	c.raw.Write(raw)
}

func (c *Collector) addTraces(request *traceservice.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recordRaw(request)
	for _, of := range request.GetResourceSpans() {
		service := c.service(of.GetResource())
		for _, scope := range of.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				span := Span{
					Name: s.GetName(), Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()),
					Parent: hex.EncodeToString(s.GetParentSpanId()), Service: service, Kind: s.GetKind(),
					Failed: s.GetStatus().GetCode() == trace.Status_STATUS_CODE_ERROR, Attributes: attributeTexts(s.GetAttributes()),
				}
				for _, link := range s.GetLinks() {
					span.Links = append(span.Links, hex.EncodeToString(link.GetTraceId()))
				}
				c.spans = append(c.spans, span)
			}
		}
	}
}

func (c *Collector) addMetrics(request *metricsservice.ExportMetricsServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recordRaw(request)
	for _, of := range request.GetResourceMetrics() {
		c.service(of.GetResource())
		for _, scope := range of.GetScopeMetrics() {
			for _, m := range scope.GetMetrics() {
				points := c.metrics[m.GetName()]
				note := func(attributes []*common.KeyValue) {
					for key, value := range attributeTexts(attributes) {
						points = append(points, key+"="+value)
					}
				}
				for _, p := range m.GetSum().GetDataPoints() {
					note(p.GetAttributes())
				}
				for _, p := range m.GetGauge().GetDataPoints() {
					note(p.GetAttributes())
				}
				for _, p := range m.GetHistogram().GetDataPoints() {
					note(p.GetAttributes())
				}
				c.metrics[m.GetName()] = points
			}
		}
	}
}

// service returns the name of the program that the resource describes, and records that the program
// has sent data.
func (c *Collector) service(r *resource.Resource) string {
	name := attributeTexts(r.GetAttributes())["service.name"]
	c.services[name] = true
	return name
}

func attributeTexts(attributes []*common.KeyValue) map[string]string {
	out := make(map[string]string, len(attributes))
	for _, a := range attributes {
		switch value := a.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			out[a.GetKey()] = value.StringValue
		default:
			out[a.GetKey()] = a.GetValue().String()
		}
	}
	return out
}

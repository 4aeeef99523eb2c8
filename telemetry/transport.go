package telemetry

import (
	"io"
	"net/http"
	"regexp"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// WrapTransport returns a transport that sends requests through next and records each request in
// spans and metrics. The returned transport sends each request once, and changes only the headers
// that OTEL_PROPAGATORS names. The span of a GraphQL request has the name of the GraphQL operation.
func (t *Telemetry) WrapTransport(next http.RoundTripper) http.RoundTripper {
	if !t.On() {
		return next
	}
	if next == nil {
		next = http.DefaultTransport
	}
	return otelhttp.NewTransport(spanNamer{next},
		otelhttp.WithTracerProvider(t.tracerProvider()),
		otelhttp.WithMeterProvider(t.meterProvider()),
		otelhttp.WithPropagators(t.propagator))
}

// By default, the propagator writes no headers.
func propagator(names []string) (propagation.TextMapPropagator, error) {
	return autoprop.TextMapPropagator(names...)
}

type spanNamer struct{ next http.RoundTripper }

func (n spanNamer) RoundTrip(r *http.Request) (*http.Response, error) {
	span := trace.SpanFromContext(r.Context())
	if r.Body != nil && r.Body != http.NoBody && span.IsRecording() {
		r = r.WithContext(r.Context()) // a copy: a transport must not change its request
		r.Body = &observedBody{ReadCloser: r.Body, span: span}
	}
	return n.next.RoundTrip(r)
}

// observedBody is the body of a request. observedBody inspects the bytes that the transport reads,
// and reads no bytes itself.
type observedBody struct {
	io.ReadCloser
	span    trace.Span
	checked bool
}

// operationPattern matches the kind and the name of the operation at the beginning of a GraphQL
// document. The kind and the name come from Oppflow's code, not from a user.
var operationPattern = regexp.MustCompile(`^\{"query":"(query|mutation) ([A-Za-z_][A-Za-z0-9_]{0,63})[ ({\\]`)

func (w *observedBody) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if n > 0 && !w.checked {
		w.checked = true
		if found := operationPattern.FindSubmatch(p[:min(n, 128)]); found != nil {
			kind, name := string(found[1]), string(found[2])
			w.span.SetName(kind + " " + name)
			w.span.SetAttributes(attribute.String("graphql.operation.type", kind), attribute.String("graphql.operation.name", name))
		}
	}
	return n, err
}

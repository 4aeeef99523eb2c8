package telemetry

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// exported lists the attributes a span may leave with. Everything else stays: an address with its query, the text of an
// error, whatever a later version of a library may think of.
var exported = map[attribute.Key]bool{
	// of Temporal's SDK
	"temporalWorkflowID": true,
	"temporalRunID":      true,
	"temporalActivityID": true,
	"temporalUpdateID":   true,
	// of HTTP, by OpenTelemetry's conventions
	"http.request.method":       true,
	"http.request.body.size":    true,
	"http.response.status_code": true,
	"http.response.body.size":   true,
	"network.protocol.name":     true,
	"network.protocol.version":  true,
	"server.address":            true,
	"server.port":               true,
	// of ours
	attributeError:           true,
	"graphql.operation.name": true,
	"graphql.operation.type": true,
}

const attributeError = attribute.Key("error.type")

// spanFilter hands spans on without what could be personal or secret.
type spanFilter struct {
	to sdktrace.SpanExporter
	*ending
}

// ExportSpans never fails: what the collector does is no concern of the program's, and the caller would tell the error
// handler of the whole process.
func (f *spanFilter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	ctx, cancel := f.bound(ctx)
	defer cancel()
	out := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = filtered{s}
	}
	f.complain("traces", f.to.ExportSpans(ctx, out))
	return nil
}

func (f *spanFilter) Shutdown(ctx context.Context) error { return f.to.Shutdown(ctx) }

// filtered is a span without free text.
type filtered struct{ sdktrace.ReadOnlySpan }

func (f filtered) Attributes() []attribute.KeyValue {
	return slices.DeleteFunc(slices.Clone(f.ReadOnlySpan.Attributes()), func(a attribute.KeyValue) bool { return !exported[a.Key] })
}

// Events are errors, with their text; their kind stands in an attribute.
func (f filtered) Events() []sdktrace.Event { return nil }

func (f filtered) Status() sdktrace.Status {
	return sdktrace.Status{Code: f.ReadOnlySpan.Status().Code}
}

func (f filtered) Links() []sdktrace.Link {
	links := slices.Clone(f.ReadOnlySpan.Links())
	for i := range links {
		links[i].Attributes = nil
	}
	return links
}

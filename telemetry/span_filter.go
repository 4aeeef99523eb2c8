package telemetry

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// exportedAttributes lists the attributes that an exported span may have. The type spanFilter
// removes all other attributes, such as a URL with its query, the text of an error, or an attribute
// of a later library version.
var exportedAttributes = map[attribute.Key]bool{
	// Attributes of Temporal's SDK
	"temporalWorkflowID": true,
	"temporalRunID":      true,
	"temporalActivityID": true,
	"temporalUpdateID":   true,
	// Attributes of HTTP, by OpenTelemetry's conventions
	"http.request.method":       true,
	"http.request.body.size":    true,
	"http.response.status_code": true,
	"http.response.body.size":   true,
	"network.protocol.name":     true,
	"network.protocol.version":  true,
	"server.address":            true,
	"server.port":               true,
	// Attributes of Oppflow
	attributeError:           true,
	"graphql.operation.name": true,
	"graphql.operation.type": true,
}

const attributeError = attribute.Key("error.type")

// spanFilter passes spans to an exporter without the data that could be personal or secret.
type spanFilter struct {
	next sdktrace.SpanExporter
	*exportLifetime
}

// ExportSpans logs a failed export and returns nil. If ExportSpans returned an error, the caller
// would call the error handler of the whole process.
func (f *spanFilter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	ctx, cancel := f.withLifetime(ctx)
	defer cancel()
	out := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = filteredSpan{s}
	}
	f.logFailure("traces", f.next.ExportSpans(ctx, out))
	return nil
}

func (f *spanFilter) Shutdown(ctx context.Context) error { return f.next.Shutdown(ctx) }

type filteredSpan struct{ sdktrace.ReadOnlySpan }

func (f filteredSpan) Attributes() []attribute.KeyValue {
	return slices.DeleteFunc(slices.Clone(f.ReadOnlySpan.Attributes()), func(a attribute.KeyValue) bool { return !exportedAttributes[a.Key] })
}

// Events returns no events of the span, because a span's events contain the texts of errors.
func (f filteredSpan) Events() []sdktrace.Event { return nil }

func (f filteredSpan) Status() sdktrace.Status {
	return sdktrace.Status{Code: f.ReadOnlySpan.Status().Code}
}

func (f filteredSpan) Links() []sdktrace.Link {
	links := slices.Clone(f.ReadOnlySpan.Links())
	for i := range links {
		links[i].Attributes = nil
	}
	return links
}

package telemetry

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// quietSpan keeps the text of errors out of the record, because the text may quote a sender or an answer of
// the API.
type quietSpan struct {
	trace.Span
	notFailed bool // the end is not a failure
}

func startSpan(ctx context.Context, t trace.Tracer, name string, options ...trace.SpanStartOption) trace.Span {
	_, started := t.Start(ctx, name, options...)
	return &quietSpan{Span: started}
}

// RecordError records the kind of the error.
func (s *quietSpan) RecordError(err error, _ ...trace.EventOption) {
	var next *workflow.ContinueAsNewError
	switch {
	case err == nil:
	case errors.As(err, &next):
		s.notFailed = true
	default:
		s.SetAttributes(attributeError.String(errorKind(err)))
	}
}

func (s *quietSpan) SetStatus(code codes.Code, _ string) {
	if !s.notFailed || code != codes.Error {
		s.Span.SetStatus(code, "")
	}
}

// errorKind returns the type that an error was given, or its Go type.
func errorKind(err error) string {
	var application *temporal.ApplicationError
	if errors.As(err, &application) && identifierPattern.MatchString(application.Type()) {
		return application.Type()
	}
	return fmt.Sprintf("%T", err)
}

// identifierPattern matches names of the program itself; the sender chooses the name of a message.
var identifierPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

const otherSpanName = "other"

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

// quietSpan does not record the text of errors, because the text may quote a message or a
// response of the API.
type quietSpan struct {
	trace.Span
	notFailed bool // the span did not end with a failure
}

func startSpan(ctx context.Context, t trace.Tracer, name string, options ...trace.SpanStartOption) trace.Span {
	_, started := t.Start(ctx, name, options...)
	return &quietSpan{Span: started}
}

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

// errorKind returns the type of an application error, or the Go type of any other error.
func errorKind(err error) string {
	var application *temporal.ApplicationError
	if errors.As(err, &application) && identifierPattern.MatchString(application.Type()) {
		return application.Type()
	}
	return fmt.Sprintf("%T", err)
}

// identifierPattern matches identifiers, such as the names of activities and messages in Oppflow. A
// name that does not match is not exported, because a sender may send a message with any name.
var identifierPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

const otherSpanName = "other"

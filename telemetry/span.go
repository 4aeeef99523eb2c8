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

// span keeps the text of errors out of what is recorded: it may quote what somebody sent or what the API answered.
type span struct {
	trace.Span
	calm bool // what ended it is no failure
}

// startSpan starts the spans of Temporal's SDK.
func startSpan(ctx context.Context, t trace.Tracer, name string, options ...trace.SpanStartOption) trace.Span {
	_, started := t.Start(ctx, name, options...)
	return &span{Span: started}
}

// RecordError notes what kind of error it is.
func (s *span) RecordError(err error, _ ...trace.EventOption) {
	var next *workflow.ContinueAsNewError
	switch {
	case err == nil:
	case errors.As(err, &next):
		s.calm = true
	default:
		s.SetAttributes(attributeError.String(kindOf(err)))
	}
}

// SetStatus sets the status without its text.
func (s *span) SetStatus(code codes.Code, _ string) {
	if !s.calm || code != codes.Error {
		s.Span.SetStatus(code, "")
	}
}

// kindOf is the type an error was given, or its Go type.
func kindOf(err error) string {
	var application *temporal.ApplicationError
	if errors.As(err, &application) && plainName.MatchString(application.Type()) {
		return application.Type()
	}
	return fmt.Sprintf("%T", err)
}

// plainName is what a name of ours looks like. A message's name is whatever its sender wrote.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

const otherName = "other"

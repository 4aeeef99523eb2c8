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

// span keeps the text of errors out of the record, because the text may quote a sender or an answer of
// the API.
type span struct {
	trace.Span
	calm bool // the end is not a failure
}

func startSpan(ctx context.Context, t trace.Tracer, name string, options ...trace.SpanStartOption) trace.Span {
	_, started := t.Start(ctx, name, options...)
	return &span{Span: started}
}

// RecordError records the kind of the error.
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

func (s *span) SetStatus(code codes.Code, _ string) {
	if !s.calm || code != codes.Error {
		s.Span.SetStatus(code, "")
	}
}

// kindOf returns the type that an error was given, or its Go type.
func kindOf(err error) string {
	var application *temporal.ApplicationError
	if errors.As(err, &application) && plainName.MatchString(application.Type()) {
		return application.Type()
	}
	return fmt.Sprintf("%T", err)
}

// plainName matches names of the program itself; the sender chooses the name of a message.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

const otherName = "other"

package administrate

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/oppflow/oppflow/administrate/transport"
)

// A request fails with one of five error types, which errors.As finds: RejectedError, NotSentError,
// RefusedError, UnknownError and InvalidError. (A read by id may also fail with NotFoundError.) The
// error texts contain no token, no value of a variable and no part of a response's body.
// RejectedError is the one exception: its text contains the label and message of each payload
// error, which the API writes for users.

type (
	// NotSentError says that the request was provably not executed.
	NotSentError = transport.NotSentError
	// RefusedError says that the API refused the document as a whole, before execution.
	RefusedError = transport.RefusedError
	// UnknownError says that the request may or may not have been executed.
	UnknownError = transport.UnknownError
	// InvalidError says that the request could not be built from the caller's input.
	InvalidError = transport.InvalidError
	// Reason says why a request was not sent, or was rejected before it could be executed.
	Reason = transport.Reason
)

// The reasons of a NotSentError.
const (
	Unreachable        = transport.Unreachable
	Authentication     = transport.Authentication
	RateLimited        = transport.RateLimited
	SendDeadlinePassed = transport.SendDeadlinePassed
	Throttled          = transport.Throttled
	Cancelled          = transport.Cancelled
	NotPermitted       = transport.NotPermitted
	NotReady           = transport.NotReady
)

// PayloadError is one entry of a mutation payload's "errors" list, verbatim
// (documented: label, message, value).
type PayloadError struct {
	Label   string          `json:"label"`
	Message string          `json:"message"`
	Value   json.RawMessage `json:"value,omitempty"` // nil when the API gave null or nothing
}

// RejectedError says that the API executed the mutation and rejected it. Nothing of the
// mutation took effect, and repeating the mutation unchanged is pointless. With
// Options.ReadOnly the Client itself rejects the mutation.
type RejectedError struct {
	Operation string         // the mutation field, such as "progress"
	Errors    []PayloadError // at least one
}

// Error shows label and message of every payload error.
func (e *RejectedError) Error() string {
	shown := make([]string, len(e.Errors))
	for i, p := range e.Errors {
		switch {
		case p.Label == "" && p.Message == "":
			shown[i] = "the API returned no label and no message for the error"
		case p.Message == "":
			shown[i] = p.Label
		case p.Label == "":
			shown[i] = p.Message
		default:
			shown[i] = p.Label + ": " + p.Message
		}
	}
	return fmt.Sprintf("administrate: the mutation %s was rejected: %s", e.Operation, strings.Join(shown, "; "))
}

// NotFoundError says that no record has the id of a read.
type NotFoundError struct {
	RecordKind string // such as "opportunity"
	ID         string // as requested; opaque, not shown by Error
}

// Error names the kind of record.
func (e *NotFoundError) Error() string {
	return "administrate: no " + e.RecordKind + " has the given id"
}

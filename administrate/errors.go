package administrate

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/oppflow/oppflow/administrate/transport"
)

// A request fails with one of five error types, which errors.As can distinguish: RejectedError,
// NotSentError, RefusedError, UnknownError and InvalidError. A read by id may also fail with
// NotFoundError. The texts of all these errors contain no token, no value of a variable and no part
// of a response's body. Only the text of RejectedError contains the label and the message of each
// payload error, which the API writes for users.

type (
	// NotSentError says that the API provably did not execute the request.
	NotSentError = transport.NotSentError
	// RefusedError says that the API refused the whole document before it executed any part of the
	// document.
	RefusedError = transport.RefusedError
	// UnknownError says that it is unknown whether the API executed the request.
	UnknownError = transport.UnknownError
	// InvalidError says that the client could not build the request from the caller's input.
	InvalidError = transport.InvalidError
	// Reason says why the client did not send a request, or why the API refused a request before
	// execution.
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
	NotJoined          = transport.NotJoined
)

// PayloadError is one unchanged entry of the list "errors" in the payload of a mutation
// (documented: label, message, value).
type PayloadError struct {
	Label   string          `json:"label"`
	Message string          `json:"message"`
	Value   json.RawMessage `json:"value,omitempty"` // nil when the API gave null or nothing
}

// RejectedError says that the API executed the mutation field and returned errors in the payload of
// the mutation. A rejected mutation changed nothing, and the API would reject the same mutation
// again. If Options.ReadOnly is true, the Client itself returns a RejectedError for every mutation.
type RejectedError struct {
	Operation string         // the mutation field, such as "progress"
	Errors    []PayloadError // at least one
}

// Error returns a text with the label and the message of every payload error.
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

// NotFoundError says that no record has the id that the client wanted to read.
type NotFoundError struct {
	RecordKind string // such as "opportunity"
	ID         string // the id that the caller requested; Error does not show the id
}

// Error names the kind of record.
func (e *NotFoundError) Error() string {
	return "administrate: no " + e.RecordKind + " has the given id"
}

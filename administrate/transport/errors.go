package transport

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/oppflow/oppflow/administrate/http1"
	"github.com/oppflow/oppflow/administrate/oauth"
)

// Reason says why a request was not sent, or was refused before its execution.
type Reason string

// The reasons of a NotSentError.
const (
	// Unreachable has three causes. No connection was made (refused, no such host, TLS). The
	// connection ended before it took a byte of the document. The token endpoint returned no usable
	// response.
	Unreachable Reason = "unreachable"
	// Authentication means that the API returned 401, or that there was no token.
	Authentication Reason = "authentication"
	// RateLimited means that the API returned 429.
	RateLimited Reason = "rate limited"
	// SendDeadlinePassed means that the time of WithSendDeadline passed before anything was
	// written.
	SendDeadlinePassed Reason = "expired"
	// Throttled means that the request got no turn before the context's end or the time of
	// WithSendDeadline. The cause is the client's own bucket, its pace or its back-off after a 429.
	Throttled Reason = "throttled"
	// Cancelled means that the context ended before anything was written.
	Cancelled Reason = "cancelled"
	// NotPermitted means that Options.Permitted did not permit the request.
	NotPermitted Reason = "withheld"
	// NotReady means that Options.Permitted does not permit the request yet, because the process
	// does not know which rules are in force.
	NotReady Reason = "unready"
)

// NotSentError says that the request was provably not executed. Either no byte of the document left
// this process, or the API returned 401 or 429 before execution. The caller may repeat the request.
type NotSentError struct {
	Operation string // the document's operation name
	Reason    Reason
	// RetryAfter is the waiting time that the API requested with a 429. RetryAfter is 0 when the
	// API named no time; the documented API never names one.
	RetryAfter time.Duration

	cause error
}

// Error shows the reason. Error shows the cause only for a failed connection, a missing token, or a
// request that is not permitted or not yet permitted.
func (e *NotSentError) Error() string {
	text := "administrate: the API request " + e.Operation + " was not executed: " + string(e.Reason)
	var token *oauth.TokenError
	if errors.As(e.cause, &token) {
		text += ": " + token.Error()
	} else if (e.Reason == NotPermitted || e.Reason == NotReady) && e.cause != nil {
		text += ": " + e.cause.Error()
	} else if cause := http1.NetworkCause(e.cause); cause != nil && e.Reason == Unreachable {
		text += ": " + cause.Error()
	}
	if e.RetryAfter > 0 {
		text += "; repeat the request after " + e.RetryAfter.String()
	}
	return text
}

// Unwrap returns the cause, such as the error of the network, of the context or of the token
// source, or nil. The token source decides the text of its own error.
func (e *NotSentError) Unwrap() error { return e.cause }

// RefusedError says that the API refused the document as a whole, before execution (a GraphQL
// request error). None of the mutations in the document was executed.
type RefusedError struct {
	Operation string
	// DocumentNames are the names in the sent document at the error locations that the API
	// reported. An example is "regions" when the tenant's schema has no field regions.
	DocumentNames []string
	// Messages are the API's own, verbatim. Do not log Messages, because the messages may quote
	// values of variables, including personal data.
	Messages []string
}

// Error shows DocumentNames, never the API's messages.
func (e *RefusedError) Error() string {
	return "administrate: the API refused the whole GraphQL document " + e.Operation + atNames(e.DocumentNames) +
		"; no part of the document was executed"
}

func atNames(near []string) string {
	if len(near) == 0 {
		return ""
	}
	quoted := make([]string, len(near))
	for i, name := range near {
		quoted[i] = strconv.Quote(name)
	}
	return "; the API reported an error at " + strings.Join(quoted, ", ")
}

// UnknownError says that the request may or may not have been executed. A part of the request or
// all of it may have been sent, and no response shows the outcome. Before you repeat a mutation, read
// the record back. You may repeat a read at once.
type UnknownError struct {
	Operation string
	// Cause is a text of this package, such as "the API did not respond in time".
	Cause string
	// Status is the HTTP status of the response, 0 when there was none.
	Status int
	// HasGraphQLErrors says that the API returned a GraphQL response with top-level errors. A
	// repeated read is likely to fail in the same way.
	HasGraphQLErrors bool
	// DocumentNames are the names in the sent document at the locations of the API's top-level
	// errors.
	DocumentNames []string
	// Messages are the messages of the API's top-level errors, verbatim. Do not log Messages,
	// because the messages may quote values of variables, including personal data.
	Messages []string

	cause error
}

// Error shows Cause, DocumentNames and Status, never the API's messages.
func (e *UnknownError) Error() string {
	text := "administrate: the outcome of the API request " + e.Operation + " is unknown: " + e.Cause + atNames(e.DocumentNames)
	if e.Status != 0 {
		text += " (HTTP " + strconv.Itoa(e.Status) + ")"
	}
	return text
}

// Unwrap returns the error of the context or of the network, or nil.
func (e *UnknownError) Unwrap() error { return e.cause }

// InvalidError says that the request could not be built from the caller's input. Nothing
// was sent and no turn of the bucket was spent.
type InvalidError struct {
	Where   string // such as "mutation 3: AddInterest.ExpiresAt"
	Problem string // the problem and the right form, without the value
}

// Error shows Where and Problem.
func (e *InvalidError) Error() string { return "administrate: " + e.Where + ": " + e.Problem }

package transport

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/oppflow/oppflow/administrate/http1"
	"github.com/oppflow/oppflow/administrate/oauth"
)

// Reason says why a request was not executed: the client did not send the request, or the API
// returned 401 or 429.
type Reason string

// The reasons of a NotSentError.
const (
	// Unreachable has three possible causes. The client could not open a connection to the API
	// (connection refused, unknown host, or TLS error). The connection to the API broke before the
	// client had written a byte of the document. The token endpoint returned no usable response.
	Unreachable Reason = "unreachable"
	// Authentication means that the API returned 401, or that the client had no usable access
	// token.
	Authentication Reason = "authentication"
	// RateLimited means that the API returned 429.
	RateLimited Reason = "rate limited"
	// SendDeadlinePassed means that the send deadline passed before the client wrote a byte of the
	// document.
	SendDeadlinePassed Reason = "expired"
	// Throttled means that the client's own rate limit would have delayed the request beyond the
	// send deadline or the end of the context. The client's rate limit consists of the rate limit
	// bucket, the Pace and the back-off after a 429.
	Throttled Reason = "throttled"
	// Cancelled means that the context ended before the client wrote a byte of the document.
	Cancelled Reason = "cancelled"
	// NotPermitted means that the function Options.Permitted returned an error.
	NotPermitted Reason = "withheld"
	// NotReady means that the process does not yet know the tenant's current playbook, so
	// Options.Permitted permits no request yet.
	NotReady Reason = "unready"
	// NotJoined means that the API refused a document that contains several mutations, before it
	// executed any of them, or that the document would be too large. Each mutation may be sent alone.
	NotJoined Reason = "not joined"
)

// NotSentError says that the API provably did not execute the request, so the caller may repeat the
// request.
type NotSentError struct {
	Operation string // the operation name of the document
	Reason    Reason
	// RetryAfter is the waiting time that the API requested with the header Retry-After of a 429.
	// RetryAfter is 0 if there was no such header; according to the API documentation, the API
	// never sends this header.
	RetryAfter time.Duration

	cause error
}

// Error returns a text with the reason. The text contains the text of the cause only for the
// reasons Unreachable, NotPermitted and NotReady, and if the cause is a TokenError.
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

// Unwrap returns the cause, such as an error of the network, the context or the token source. If
// the token source returned the cause, the text of the cause comes from the token source.
func (e *NotSentError) Unwrap() error { return e.cause }

// RefusedError says that the API refused the whole document before execution (in GraphQL: a request
// error).
type RefusedError struct {
	Operation string
	// DocumentNames are the names in the sent document at which the API reported errors.
	DocumentNames []string
	// Messages are the API's error messages, unchanged. Callers must not log Messages, because the
	// messages may quote values of variables, including personal data.
	Messages []string
}

// Error returns a text with DocumentNames and without Messages.
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

// UnknownError says that it is unknown whether the API executed the request. A caller must read the
// record before the caller repeats a mutation. A caller may repeat a query at once.
type UnknownError struct {
	Operation string
	// Cause says in words of the client what happened, such as "the API did not respond in time";
	// Cause quotes nothing from the API.
	Cause string
	// Status is the HTTP status of the response, or 0 if the client received no response.
	Status int
	// HasGraphQLErrors says that the API returned a GraphQL response with top-level errors. If
	// HasGraphQLErrors is true, a repeated query is likely to fail in the same way.
	HasGraphQLErrors bool
	// DocumentNames are the names in the sent document at which the API reported top-level errors.
	DocumentNames []string
	// Messages are the messages of the API's top-level errors, unchanged. Callers must not log
	// Messages, because the messages may quote values of variables, including personal data.
	Messages []string

	cause error
}

// Error returns a text with Cause, DocumentNames and Status, and without Messages.
func (e *UnknownError) Error() string {
	text := "administrate: the outcome of the API request " + e.Operation + " is unknown: " + e.Cause + atNames(e.DocumentNames)
	if e.Status != 0 {
		text += " (HTTP " + strconv.Itoa(e.Status) + ")"
	}
	return text
}

// Unwrap returns the error of the context or of the network that caused the UnknownError, or nil if
// there is no such error.
func (e *UnknownError) Unwrap() error { return e.cause }

// InvalidError says that the client could not build the request from the caller's input. When a
// call returns an InvalidError, the client sent nothing and took nothing from the rate limit
// bucket.
type InvalidError struct {
	Where   string // such as "mutation 3: AddInterest.ExpiresAt"
	Problem string // what is wrong and what would be right, without the value
}

// Error returns a text with Where and Problem.
func (e *InvalidError) Error() string { return "administrate: " + e.Where + ": " + e.Problem }

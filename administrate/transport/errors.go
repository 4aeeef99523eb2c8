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
	// Unreachable: no connection was made (refused, no such host, TLS), or the connection ended
	// before it took a byte of the document, or the token endpoint gave no usable answer.
	Unreachable Reason = "unreachable"
	// Authentication: the API answered 401, or there was no token.
	Authentication Reason = "authentication"
	// RateLimited: the API answered 429.
	RateLimited Reason = "rate limited"
	// SendDeadlinePassed: the time given by WithSendDeadline passed before anything was written.
	SendDeadlinePassed Reason = "expired"
	// Throttled: the client's own bucket, its pace or its back-off after a 429 allowed no turn
	// before the context's end or the time given by WithSendDeadline.
	Throttled Reason = "throttled"
	// Cancelled: the context ended before anything was written.
	Cancelled Reason = "cancelled"
	// NotPermitted: Options.Permitted did not permit the request.
	NotPermitted Reason = "withheld"
	// NotReady: Options.Permitted did not permit the request for now, because the process does
	// not know which rules are in force.
	NotReady Reason = "unready"
)

// NotSentError says that the request was provably not executed. Either no byte of the
// document left this process, or the API answered 401 or 429 before execution. The
// request may be repeated.
type NotSentError struct {
	Operation string // the document's operation name
	Reason    Reason
	// RetryAfter is how long the API asked to wait with a 429. It is 0 when the API did not
	// say, which is the documented behaviour.
	RetryAfter time.Duration

	cause error
}

// Error shows the reason. It shows the cause only of a failed connection, of a missing token
// and of a request that was not permitted.
func (e *NotSentError) Error() string {
	text := "administrate: " + e.Operation + " not sent: " + string(e.Reason)
	var token *oauth.TokenError
	if errors.As(e.cause, &token) {
		text += ": " + token.Error()
	} else if (e.Reason == NotPermitted || e.Reason == NotReady) && e.cause != nil {
		text += ": " + e.cause.Error()
	} else if cause := http1.NetworkCause(e.cause); cause != nil && e.Reason == Unreachable {
		text += ": " + cause.Error()
	}
	if e.RetryAfter > 0 {
		text += ", to be repeated after " + e.RetryAfter.String()
	}
	return text
}

// Unwrap returns the cause, if one is known: the network's, the context's or the token
// source's error. The text of the last is up to the token source.
func (e *NotSentError) Unwrap() error { return e.cause }

// RefusedError says that the API refused the document as a whole, before execution (a
// GraphQL request error). With several mutations in the document none was executed.
type RefusedError struct {
	Operation string
	// DocumentNames are the names in our own document at the API's locations, such as "regions"
	// when the tenant's schema has no such field.
	DocumentNames []string
	// Messages are the API's own, verbatim. They may quote values of
	// variables, personal data included: not for logs.
	Messages []string
}

// Error shows the names in our document, never the API's messages.
func (e *RefusedError) Error() string {
	return "administrate: the API refused the document " + e.Operation + " as a whole" + atNames(e.DocumentNames) +
		"; nothing was executed"
}

func atNames(near []string) string {
	if len(near) == 0 {
		return ""
	}
	quoted := make([]string, len(near))
	for i, name := range near {
		quoted[i] = strconv.Quote(name)
	}
	return ", at " + strings.Join(quoted, ", ")
}

// UnknownError says that the request may or may not have been executed. A part of the request
// or all of it may have been sent, and no answer shows the outcome. Read a mutation back before
// repeating it. A read may simply be repeated.
type UnknownError struct {
	Operation string
	// Cause is in our words, such as "no answer in time" or "data is null".
	Cause string
	// Status is the HTTP status of the answer, 0 when there was none.
	Status int
	// HasGraphQLErrors says that the API did answer, in GraphQL's form, and reported top-level
	// errors: a repeated read is likely to fail in the same way.
	HasGraphQLErrors bool
	// DocumentNames are the names in our own document at the locations of the API's top-level errors.
	DocumentNames []string
	// Messages are the messages of the API's top-level errors, verbatim. They may quote
	// values of variables, personal data included: not for logs.
	Messages []string

	cause error
}

// Error shows the cause in our words.
func (e *UnknownError) Error() string {
	text := "administrate: outcome of " + e.Operation + " unknown: " + e.Cause + atNames(e.DocumentNames)
	if e.Status != 0 {
		text += " (HTTP " + strconv.Itoa(e.Status) + ")"
	}
	return text
}

// Unwrap returns the context's error or the network's, if that was the cause.
func (e *UnknownError) Unwrap() error { return e.cause }

// InvalidError says that the request could not be built from the caller's input. Nothing
// was sent and no turn of the bucket was spent.
type InvalidError struct {
	Where   string // such as "mutation 3: AddInterest.ExpiresAt"
	Problem string // the problem and the right form, without the value
}

// Error shows the place and the problem.
func (e *InvalidError) Error() string { return "administrate: " + e.Where + ": " + e.Problem }

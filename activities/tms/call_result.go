package tms

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// If an error does not prove what the API did, the status is unknown.
func callResult(err error) activities.CallResult {
	var notSent *administrate.NotSentError
	var rejected *administrate.RejectedError
	var refused *administrate.RefusedError
	var invalid *administrate.InvalidError
	switch {
	case err == nil:
		return activities.CallResult{Status: exchange.StatusDone}
	case errors.As(err, &notSent):
		return activities.CallResult{Status: exchange.StatusNotSent, Reason: notSentReason(notSent.Reason), RetryAfter: notSent.RetryAfter}
	case errors.As(err, &rejected):
		return activities.CallResult{Status: exchange.StatusRejected, Error: rejectionError(rejected)}
	case errors.As(err, &refused):
		return activities.CallResult{Status: exchange.StatusRejected, Error: &opportunity.Error{
			Type: opportunity.Rejected, Label: "Request Refused", Message: refusalMessage(refused),
		}}
	case errors.As(err, &invalid):
		return activities.CallResult{Status: exchange.StatusRejected, Error: opportunity.Invalidf("%s: %s", invalid.Where, invalid.Problem)}
	}
	return activities.CallResult{
		Status: exchange.StatusUnknown, ServerError: isServerError(err), Error: &opportunity.Error{Type: opportunity.Undecided, Message: err.Error()},
	}
}

func isServerError(err error) bool {
	var unknown *administrate.UnknownError
	return errors.As(err, &unknown) && (unknown.HasGraphQLErrors || unknown.Status >= http.StatusInternalServerError)
}

func notPermitted(err error) activities.CallResult {
	var notSent *administrate.NotSentError
	if errors.As(err, &notSent) {
		return callResult(notSent)
	}
	return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonWrongTenant}
}

func notSentReason(reason administrate.Reason) activities.Reason {
	switch reason {
	case administrate.Authentication:
		return activities.ReasonAuthentication
	case administrate.RateLimited, administrate.Throttled:
		return activities.ReasonRateLimit
	case administrate.SendDeadlinePassed, administrate.Cancelled:
		return activities.ReasonSendDeadlinePassed
	case administrate.NotPermitted:
		return activities.ReasonWrongTenant
	case administrate.NotReady:
		return activities.ReasonPlaybookUnavailable
	case administrate.NotJoined:
		return activities.ReasonNotJoined
	}
	return activities.ReasonUnreachable
}

// transitionNotFound is the documented label of a rejected transition.
const transitionNotFound = "Transition Not Found"

func rejectionError(err *administrate.RejectedError) *opportunity.Error {
	if len(err.Errors) == 0 {
		return &opportunity.Error{Type: opportunity.Rejected, Message: err.Error()}
	}
	first := err.Errors[0]
	out := &opportunity.Error{Type: opportunity.Rejected, Label: first.Label, Message: first.Message, Value: valueText(first.Value)}
	if first.Label == transitionNotFound {
		out.Type = opportunity.TransitionNotFound
	}
	for _, further := range err.Errors[1:] {
		out.Message += "; " + strings.TrimPrefix(further.Label+": "+further.Message, ": ")
	}
	return out
}

func valueText(value json.RawMessage) string {
	var text *string
	if len(value) == 0 {
		return ""
	}
	if err := json.Unmarshal(value, &text); err != nil {
		return string(value)
	}
	if text == nil {
		return ""
	}
	return *text
}

// The caller sees the API's own message, because only that message says which value was wrong.
func refusalMessage(err *administrate.RefusedError) string {
	if len(err.Messages) == 0 {
		return err.Error()
	}
	return err.Messages[0]
}

// Temporal does not retry a read of a missing object or a read that the API refuses, but retries a
// read after every other error. The type of a retried error is an [activities.Reason], which says
// what the workflow waits for.
func readError(err error) error {
	var missing *administrate.NotFoundError
	var refused *administrate.RefusedError
	var invalid *administrate.InvalidError
	var notSent *administrate.NotSentError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing):
		return temporal.NewNonRetryableApplicationError(missing.Error(), string(opportunity.NotFound), nil)
	case errors.As(err, &refused), errors.As(err, &invalid):
		return temporal.NewNonRetryableApplicationError(err.Error(), string(opportunity.Rejected), nil)
	case errors.As(err, &notSent) && notSent.RetryAfter > 0:
		return temporal.NewApplicationErrorWithOptions(err.Error(), string(notSentReason(notSent.Reason)), temporal.ApplicationErrorOptions{
			NextRetryDelay: notSent.RetryAfter, Category: temporal.ApplicationErrorCategoryBenign,
		})
	case errors.As(err, &notSent):
		return temporal.NewApplicationError(err.Error(), string(notSentReason(notSent.Reason)))
	case isServerError(err):
		return temporal.NewApplicationError(err.Error(), string(activities.ReasonServerErrors))
	}
	return temporal.NewApplicationError(err.Error(), string(activities.ReasonUnreachable))
}

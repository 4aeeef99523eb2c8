package tms

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// sending returns the fate of a request that changes something, from the client's error.
// Everything that is not proven is unknown.
func sending(err error) activities.Sending {
	var notSent *administrate.NotSentError
	var rejected *administrate.RejectedError
	var refused *administrate.RefusedError
	var invalid *administrate.InvalidError
	switch {
	case err == nil:
		return activities.Sending{Fate: opportunity.FateDone}
	case errors.As(err, &notSent):
		return activities.Sending{Fate: opportunity.FateNotSent, Reason: reasonOf(notSent.Reason), RetryAfter: notSent.RetryAfter}
	case errors.As(err, &rejected):
		return activities.Sending{Fate: opportunity.FateRejected, Error: rejection(rejected)}
	case errors.As(err, &refused):
		return activities.Sending{Fate: opportunity.FateRejected, Error: &opportunity.Error{
			Type: opportunity.Rejected, Label: "Request Refused", Message: refusal(refused),
		}}
	case errors.As(err, &invalid):
		return activities.Sending{Fate: opportunity.FateRejected, Error: opportunity.Invalidf("%s: %s", invalid.Where, invalid.Problem)}
	}
	return activities.Sending{
		Fate: opportunity.FateUnknown, Failing: failing(err), Error: &opportunity.Error{Type: opportunity.Undecided, Message: err.Error()},
	}
}

// failing reports whether the API returned an error of its own.
func failing(err error) bool {
	var unknown *administrate.UnknownError
	return errors.As(err, &unknown) && (unknown.Answered || unknown.Status >= http.StatusInternalServerError)
}

// withheld returns the fate of a request that is not permitted.
func withheld(err error) activities.Sending {
	var notSent *administrate.NotSentError
	if errors.As(err, &notSent) {
		return sending(notSent)
	}
	return activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonTenant}
}

func reasonOf(reason administrate.Reason) activities.Reason {
	switch reason {
	case administrate.Authentication:
		return activities.ReasonAuthentication
	case administrate.RateLimited, administrate.Throttled:
		return activities.ReasonRate
	case administrate.Expired, administrate.Cancelled:
		return activities.ReasonLate
	case administrate.Withheld:
		return activities.ReasonTenant
	case administrate.Unready:
		return activities.ReasonPlaybook
	}
	return activities.ReasonUnreachable
}

// transitionNotFound is the documented label of a refused move.
const transitionNotFound = "Transition Not Found"

// rejection returns an error that keeps the API's own words.
func rejection(err *administrate.RejectedError) *opportunity.Error {
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

// valueText formats the value of a payload error: text unchanged, null as nothing,
// anything else as JSON.
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

// refusal returns why a request was refused as a whole. The caller sees the API's words,
// since only they say which value was wrong.
func refusal(err *administrate.RefusedError) string {
	if len(err.Messages) == 0 {
		return err.Error()
	}
	return err.Messages[0]
}

// reading returns the error of a read as an error that Temporal repeats or does not
// repeat. A read that the API refuses stays refused; every other error may pass. The type
// of an error that may pass is the [activities.Reason], which tells the workflow what it
// waits for.
func reading(err error) error {
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
		return temporal.NewApplicationErrorWithOptions(err.Error(), string(reasonOf(notSent.Reason)), temporal.ApplicationErrorOptions{
			NextRetryDelay: notSent.RetryAfter, Category: temporal.ApplicationErrorCategoryBenign,
		})
	case errors.As(err, &notSent):
		return temporal.NewApplicationError(err.Error(), string(reasonOf(notSent.Reason)))
	case failing(err):
		return temporal.NewApplicationError(err.Error(), string(activities.ReasonErrors))
	}
	return temporal.NewApplicationError(err.Error(), string(activities.ReasonUnreachable))
}

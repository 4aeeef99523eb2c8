package workflows

import (
	"errors"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Anybody who may operate the namespace can complete an activity with any result, or make the
// activity fail. A result counts only if the result proves that it belongs to the input of the
// activity. If a result does not prove that it belongs to the input, the run repeats a read, and
// reads a change back.

// isCompletedByHand reports whether the error of a read is an error that no activity returns. Either
// the result cannot be decoded, or somebody made the activity fail.
func isCompletedByHand(err error) bool {
	if temporal.IsCanceledError(err) {
		return false
	}
	var failed *temporal.ActivityError
	if !errors.As(err, &failed) {
		return true
	}
	var application *temporal.ApplicationError
	return errors.As(err, &application) && application.NonRetryable() && !isActivityRejection(application.Type())
}

// isActivityRejection reports whether typ is the type of an error with which an activity that reads
// can fail.
func isActivityRejection(typ string) bool {
	switch opportunity.ErrorType(typ) {
	case opportunity.NotFound, opportunity.Rejected, opportunity.Invalid:
		return true
	}
	return false
}

// executeChange runs once an activity that changes something. proves reports whether the result
// proves the status of the change. If no result proves the status, the status is unknown, and the
// function of makes the returned value from this status.
func executeChange[R any](ctx workflow.Context, r *run, name string, input any, proves func(R) bool, of func(activities.CallResult) R) R {
	defer r.trackRequest(ctx)()
	r.forgetInspections()
	asking, stop := workflow.WithCancel(ctx)
	defer stop()
	var result R
	answer := workflow.ExecuteActivity(asking, name, input)
	if awaitLost(ctx, answer, workflow.GetActivityOptions(ctx), neverCut) {
		return of(activities.CallResult{Status: exchange.StatusUnknown, Reason: activities.ReasonAttemptNotEnded})
	}
	if err := answer.Get(ctx, &result); err != nil {
		return of(resultOfError(err))
	}
	if !proves(result) && hasChange(ctx, changeProof) {
		return of(activities.CallResult{Status: exchange.StatusUnknown, Reason: activities.ReasonAttemptNotEnded})
	}
	return result
}

// If a result does not prove to which change it belongs, the change status becomes unknown.
func provenResults(ctx workflow.Context, batch []exchange.Change, answers []exchange.ChangeResult) (judged []exchange.ChangeResult, reason activities.Reason) {
	judged = slices.Clone(answers)
	for i := range judged {
		if i < len(batch) && !activities.ProvesChange(judged[i], batch[i]) && hasChange(ctx, changeProof) {
			judged[i], reason = exchange.ChangeResult{Status: exchange.StatusUnknown}, activities.ReasonAttemptNotEnded
		}
	}
	return judged, reason
}

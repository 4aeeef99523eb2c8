package workflows

import (
	"errors"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// Anybody who may operate the namespace can complete an activity or have it fail, with
// whatever result. A result that does not prove to be the answer to what was asked is
// unknown: a read is done again, and a change is read back.

// byHand reports whether the error of a read is one that no activity returns: the
// result cannot be decoded, or somebody had the activity fail.
func byHand(err error) bool {
	if temporal.IsCanceledError(err) {
		return false
	}
	var failed *temporal.ActivityError
	if !errors.As(err, &failed) {
		return true
	}
	var application *temporal.ApplicationError
	return errors.As(err, &application) && application.NonRetryable() && !ownRefusal(application.Type())
}

// ownRefusal reports whether an activity that reads fails with errors of the type.
func ownRefusal(typ string) bool {
	switch opportunity.ErrorType(typ) {
	case opportunity.NotFound, opportunity.Rejected, opportunity.Invalid:
		return true
	}
	return false
}

// change has an activity change something, once. proves reports whether the result
// says what became of it; where it does not, that is unknown. of makes the result of
// what alone is known then.
func change[R any](ctx workflow.Context, r *run, name string, input any, proves func(R) bool, of func(activities.Sending) R) R {
	defer r.begin(ctx)()
	asking, stop := workflow.WithCancel(ctx)
	defer stop()
	var result R
	answer := workflow.ExecuteActivity(asking, name, input)
	if isLost(ctx, answer, workflow.GetActivityOptions(ctx), never) {
		return of(activities.Sending{Fate: opportunity.FateUnknown, Reason: activities.ReasonAttempt})
	}
	if err := answer.Get(ctx, &result); err != nil {
		return of(lost(err))
	}
	if !proves(result) && since(ctx, changeProof) {
		return of(activities.Sending{Fate: opportunity.FateUnknown, Reason: activities.ReasonAttempt})
	}
	return result
}

// proven returns the answers to a batch, of which those are unknown that do not
// prove themselves. Where there are any, the reason says so.
func proven(ctx workflow.Context, batch []opportunity.Mutation, answers []opportunity.Answer) (judged []opportunity.Answer, reason activities.Reason) {
	judged = slices.Clone(answers)
	for i := range judged {
		if i < len(batch) && !activities.AnswerProves(judged[i], batch[i]) && since(ctx, changeProof) {
			judged[i], reason = opportunity.Answer{Fate: opportunity.FateUnknown}, activities.ReasonAttempt
		}
	}
	return judged, reason
}

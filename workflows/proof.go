package workflows

import (
	"errors"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// Anybody who may operate the namespace can complete an activity or make it fail, with any result.
// A result is unknown when it does not prove that it belongs to the input of the activity; a read
// is then done again, and a change is read back.

// byHand reports whether the error of a read is an error that no activity returns: the result
// cannot be decoded, or somebody made the activity fail.
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

// ownRefusal reports whether an activity that reads can fail with an error of the type.
func ownRefusal(typ string) bool {
	switch opportunity.ErrorType(typ) {
	case opportunity.NotFound, opportunity.Rejected, opportunity.Invalid:
		return true
	}
	return false
}

// change runs an activity that changes something, once. proves reports whether the result shows the
// fate of the change. Without this proof the fate is unknown. of makes a result when only the fate
// is known.
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

// proven returns the answers to a batch. Answers that do not prove themselves become unknown, and
// the reason says so.
func proven(ctx workflow.Context, batch []opportunity.Mutation, answers []opportunity.Answer) (judged []opportunity.Answer, reason activities.Reason) {
	judged = slices.Clone(answers)
	for i := range judged {
		if i < len(batch) && !activities.AnswerProves(judged[i], batch[i]) && since(ctx, changeProof) {
			judged[i], reason = opportunity.Answer{Fate: opportunity.FateUnknown}, activities.ReasonAttempt
		}
	}
	return judged, reason
}

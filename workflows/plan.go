package workflows

import (
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// planMove finds out which effects go with the move that is next.
func (r *run) planMove(ctx workflow.Context, request, to string) {
	result, err := r.plans(ctx, activities.PlanInput{Occasion: opportunity.Occasion{Kind: opportunity.OccasionMove}, Step: to},
		activities.ToRead("plan the effects of the move"))
	switch {
	case r.interrupted(ctx), err == nil && r.noticed(ctx, result.Run):
		return
	case err != nil && !lasting(err):
		_ = r.backOff(ctx, activities.Sending{Reason: activities.ReasonUnreachable})
		return
	case err != nil:
		// Whoever asked for the move gets the API's own answer to it.
		result.Plan = opportunity.Plan{Problems: []string{"the effects of a move could not be planned: " + reasonOf(err)}}
	default:
		r.state.Ruled(&result.Rules)
	}
	r.state.MovePlanned(request, result.Plan, workflow.Now(ctx))
}

// planAhead looks at the record and plans the follow-ups of the step it stands in,
// and what is to be done about what happened outside since it was looked at. It
// reports whether the API answered; where it did not, it is to be asked again.
func (r *run) planAhead(ctx workflow.Context) bool {
	options := activities.ToSweep("plan the follow-ups")
	result, err := r.plans(ctx, activities.PlanInput{}, options)
	switch {
	case r.interrupted(ctx), err == nil && r.noticed(ctx, result.Run):
		return false
	case err != nil && !lasting(err):
		_ = r.backOff(ctx, activities.Sending{Reason: activities.ReasonUnreachable})
		return false
	case err != nil:
		r.state.Unplannable(reasonOf(err), workflow.Now(ctx))
		return false
	}
	r.state.Ruled(&result.Rules)
	var cancelled, soldOut []opportunity.ID
	for _, news := range result.Events {
		if news.Cancelled {
			cancelled = append(cancelled, news.Event)
		}
		if news.SoldOut {
			soldOut = append(soldOut, news.Event)
		}
	}
	r.state.PlannedFor(result.Plan, result.Record, cancelled, soldOut, workflow.Now(ctx))
	return true
}

// planFor plans the effects of something that happened outside.
func (r *run) planFor(ctx workflow.Context, occasion opportunity.Occasion) {
	result, err := r.plans(ctx, activities.PlanInput{Occasion: occasion}, activities.ToSweep("plan what to do about what happened"))
	switch {
	case r.interrupted(ctx), err == nil && r.noticed(ctx, result.Run):
		return
	case err != nil && !lasting(err):
		_ = r.backOff(ctx, activities.Sending{Reason: activities.ReasonUnreachable})
		return
	case err != nil:
		result.Plan = opportunity.Plan{Problems: []string{"what to do about what happened could not be planned: " + reasonOf(err)}}
	}
	r.state.Happened(result.Plan, workflow.Now(ctx))
}

// plans asks what the playbook says, until it succeeds or the opportunity is closed.
func (r *run) plans(ctx workflow.Context, input activities.PlanInput, options workflow.ActivityOptions) (activities.PlanResult, error) {
	s := r.state
	input.Reference, input.Opportunity, input.Known, input.Done = s.Reference, s.ID, s.Interests, s.Done
	input.Region = s.Details.Region
	input.Entered, input.LastActivity, input.Now = s.Entered, s.LastActivity, workflow.Now(ctx)
	var result activities.PlanResult
	var err error
	r.unlessClosed(ctx, func(ctx workflow.Context) {
		ctx = workflow.WithActivityOptions(ctx, options)
		result, err = ask(ctx, activities.PlanOpportunity, input, func(result activities.PlanResult) bool { return result.Proves(input) })
	})
	if err == nil && !r.interrupted(ctx) {
		r.recovered()
	}
	return result, err
}

// lasting reports whether asking again would not help: the API refuses to answer.
func lasting(err error) bool {
	var application *temporal.ApplicationError
	return errors.As(err, &application) && application.NonRetryable()
}

// unlessClosed does something that may take long, as long as the opportunity is
// neither cancelled nor closed.
func (r *run) unlessClosed(ctx workflow.Context, do func(workflow.Context)) {
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	done := false
	workflow.GoNamed(ctx, "look", func(ctx workflow.Context) {
		do(ctx)
		done = true
	})
	// A cancellation ends the wait; the caller looks at the context itself.
	_ = workflow.Await(ctx, func() bool { return done || r.interrupted(ctx) })
}

// interrupted reports whether the opportunity was cancelled or closed while it still
// ran.
func (r *run) interrupted(ctx workflow.Context) bool {
	return ctx.Err() != nil || r.state.Closing != nil && !r.ending
}

// noticed accounts for a reset that an activity told of, and reports whether it did.
func (r *run) noticed(ctx workflow.Context, told string) bool {
	r.told = told
	if !r.wasReset() {
		return false
	}
	r.accountForReset(ctx, r.state.Step.ID)
	return true
}

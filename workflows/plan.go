package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// planMove plans the effects that go with the next move.
func (r *run) planMove(ctx workflow.Context, request, to string) {
	result, err := r.plans(ctx, activities.PlanInput{Occasion: opportunity.Occasion{Kind: opportunity.OccasionMove}, Step: to},
		activities.ToRead("plan the effects of the move"))
	switch {
	case r.interrupted(ctx), unanswered(err), err == nil && r.noticed(ctx, result.Run):
		return
	case err != nil:
		// The caller who asked for the move gets the API's own answer to it.
		result.Plan = opportunity.Plan{Problems: []string{"the effects of a move could not be planned: " + reasonOf(err)}}
	default:
		r.state.Ruled(&result.Rules, workflow.Now(ctx))
		if r.state.Lacks(result.Record) && since(ctx, changeFacts) {
			r.state.Looked(result.Record, workflow.Now(ctx))
		}
	}
	r.state.MovePlanned(request, result.Plan, workflow.Now(ctx))
}

// planAhead looks at the record and plans the follow-ups of its step. It also notes the external
// changes since the last look; their effects are planned, too. It reports whether the API answered.
// When the API did not answer, or a command came in the meantime, the run must ask again.
func (r *run) planAhead(ctx workflow.Context) bool {
	result, err := r.plansAside(ctx, activities.PlanInput{}, "plan the follow-ups")
	switch {
	case r.interrupted(ctx), unanswered(err), err == nil && r.noticed(ctx, result.Run):
		return false
	case err != nil:
		r.state.Unplannable(reasonOf(err), workflow.Now(ctx))
		return false
	}
	r.state.Ruled(&result.Rules, workflow.Now(ctx))
	var cancelled, soldOut []opportunity.ID
	for _, news := range result.Events {
		if news.Cancelled {
			cancelled = append(cancelled, news.Event)
		}
		if news.SoldOut {
			soldOut = append(soldOut, news.Event)
		}
	}
	moved := result.Record.Step.ID != r.state.Step.ID
	r.state.PlannedFor(result.Plan, result.Record, cancelled, soldOut, workflow.Now(ctx))
	if moved && since(ctx, changeEntry) {
		r.state.PlanDue = true // the plan was made for the time in another step
	}
	return true
}

// planFor plans the effects of an external change.
func (r *run) planFor(ctx workflow.Context, occasion opportunity.Occasion) {
	result, err := r.plansAside(ctx, activities.PlanInput{Occasion: occasion}, "plan what to do about what happened")
	switch {
	case r.interrupted(ctx), unanswered(err), err == nil && r.noticed(ctx, result.Run):
		return
	case err != nil:
		result.Plan = opportunity.Plan{Problems: []string{"what to do about what happened could not be planned: " + reasonOf(err)}}
	}
	r.state.Happened(result.Plan, workflow.Now(ctx))
}

// plans asks for the playbook's plan, until it succeeds or the opportunity is closed.
func (r *run) plans(ctx workflow.Context, input activities.PlanInput, options workflow.ActivityOptions) (activities.PlanResult, error) {
	var result activities.PlanResult
	var err error
	r.unlessClosed(ctx, func(ctx workflow.Context) {
		l, proves := r.plan(ctx, input, options)
		result, err = lookFor(ctx, r, l, proves)
	})
	if err == nil && (r.foreign(ctx, result.Foreign) || r.outdated(ctx, result.Rules, r.cutsPause)) {
		return result, errCut // it is planned again after the pause
	}
	if err == nil && !r.interrupted(ctx) {
		r.recovered()
	}
	return result, err
}

// longestOverruled is the longest wait before a plan of a lower version of the playbook is made
// again.
const longestOverruled = 10 * time.Minute

// outdated reports whether the plan is of a lower version of the playbook than the run has seen.
// Such a plan does not count, and outdated waits before the next plan; cut ends the wait early.
func (r *run) outdated(ctx workflow.Context, rules activities.Rules, cut func() bool) bool {
	if rules.Version >= r.state.Rules.Version || !since(ctx, changePlaybook) {
		r.overruled = 0
		return false
	}
	r.overruled++
	out := outageFor(activities.ReasonPlaybook)
	out.text = fmt.Sprintf("a worker plans by version %d of the playbook, and version %d was seen before; it is planned again", rules.Version, r.state.Rules.Version)
	r.waitFor(ctx, out, opportunity.PlanRequest, time.Time{})
	if r.overruled >= tellAfter {
		r.attend(ctx, out, opportunity.PlanRequest)
	}
	r.show(ctx)
	// A cancellation ends the wait; the caller looks at the context itself.
	_, _ = workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout:      min(firstPause<<min(r.overruled-1, 12), longestOverruled),
		TimerOptions: workflow.TimerOptions{Summary: "wait before planning again: " + string(activities.ReasonPlaybook)},
	}, cut)
	return true
}

// plansAside is plans for one round, as background work that gives way to commands.
func (r *run) plansAside(ctx workflow.Context, input activities.PlanInput, why string) (activities.PlanResult, error) {
	var result activities.PlanResult
	err := errCut
	if !r.aside(ctx, func(ctx workflow.Context) {
		l, proves := r.plan(ctx, input, activities.ToSweep(why))
		result, err = lookOnce(ctx, r, l, proves, r.planRounds)
	}) {
		return result, errCut
	}
	switch {
	case err == nil && (r.foreign(ctx, result.Foreign) || r.outdated(ctx, result.Rules, func() bool { return r.cutsPause() || r.isAsked() })):
		return result, errCut // it is planned again after the pause
	case unanswered(err):
		r.planRounds++
	case err == nil && !r.interrupted(ctx):
		r.planRounds = 0
		r.recovered()
	}
	return result, err
}

// plan returns the look that asks for the playbook's plan, and the function that proves its result.
func (r *run) plan(ctx workflow.Context, input activities.PlanInput, options workflow.ActivityOptions) (look, func(activities.PlanResult) bool) {
	s := r.state
	input.Reference, input.Opportunity, input.Known, input.Done = s.Reference, s.ID, s.Interests, s.Done
	input.Region, input.Version = s.Details.Region, s.Rules.Version
	input.Entered, input.LastActivity, input.Now = s.Entered, s.LastActivity, workflow.Now(ctx)
	input.Adopted = s.AdoptedAt
	return look{activity: activities.PlanOpportunity, input: input, options: options, about: opportunity.PlanRequest},
		func(result activities.PlanResult) bool { return result.Proves(input) }
}

// lasting reports whether the API refuses to answer, so that asking again would not help.
func lasting(err error) bool {
	var application *temporal.ApplicationError
	return errors.As(err, &application) && application.NonRetryable()
}

// unlessClosed calls do, which may take long, and returns early when the opportunity is cancelled
// or closed.
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

// aside calls do, which is background work, and reports whether do was completed. A command that
// comes in the meantime goes first, and so does everything else that reaches the run.
func (r *run) aside(ctx workflow.Context, do func(workflow.Context)) bool {
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	done := false
	workflow.GoNamed(ctx, "aside", func(ctx workflow.Context) {
		do(ctx)
		done = true
	})
	// A cancellation ends the wait; the caller looks at the context itself.
	_ = workflow.Await(ctx, func() bool { return done || r.interrupted(ctx) || r.isAsked() })
	if !done && !r.interrupted(ctx) && !since(ctx, changeAside) {
		_ = workflow.Await(ctx, func() bool { return done || r.interrupted(ctx) })
	}
	return done
}

// isAsked reports whether anything waits that somebody asked for.
func (r *run) isAsked() bool {
	return r.arrivals.waiting() || r.state.IsAsked()
}

// interrupted reports whether the opportunity was cancelled or closed while it still ran.
func (r *run) interrupted(ctx workflow.Context) bool {
	return ctx.Err() != nil || r.state.Closing != nil && !r.ending
}

// noticed accounts for a reset that an activity reported, and reports whether there was a reset.
func (r *run) noticed(ctx workflow.Context, told string) bool {
	r.told = told
	if !r.wasReset() {
		return false
	}
	r.accountForReset(ctx, r.state.Step.ID)
	return true
}

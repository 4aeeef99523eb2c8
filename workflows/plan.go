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

// planMove finds out which effects go with the move that is next.
func (r *run) planMove(ctx workflow.Context, request, to string) {
	result, err := r.plans(ctx, activities.PlanInput{Occasion: opportunity.Occasion{Kind: opportunity.OccasionMove}, Step: to},
		activities.ToRead("plan the effects of the move"))
	switch {
	case r.interrupted(ctx), unanswered(err), err == nil && r.noticed(ctx, result.Run):
		return
	case err != nil:
		// Whoever asked for the move gets the API's own answer to it.
		result.Plan = opportunity.Plan{Problems: []string{"the effects of a move could not be planned: " + reasonOf(err)}}
	default:
		r.state.Ruled(&result.Rules, workflow.Now(ctx))
		if r.state.Lacks(result.Record) && since(ctx, changeFacts) {
			r.state.Looked(result.Record, workflow.Now(ctx))
		}
	}
	r.state.MovePlanned(request, result.Plan, workflow.Now(ctx))
}

// planAhead looks at the record and plans the follow-ups of the step it stands in,
// and what is to be done about what happened outside since it was looked at. It
// reports whether the API answered; where it did not, or where a command came
// meanwhile, it is to be asked again.
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

// planFor plans the effects of something that happened outside.
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

// plans asks what the playbook says, until it succeeds or the opportunity is closed.
func (r *run) plans(ctx workflow.Context, input activities.PlanInput, options workflow.ActivityOptions) (activities.PlanResult, error) {
	var result activities.PlanResult
	var err error
	r.unlessClosed(ctx, func(ctx workflow.Context) {
		l, proves := r.plan(ctx, input, options)
		result, err = lookFor(ctx, r, l, proves)
	})
	if err == nil && (r.foreign(ctx, result.Foreign) || r.outdated(ctx, result.Rules, r.cutsPause)) {
		return result, errCut // it is planned after the pause
	}
	if err == nil && !r.interrupted(ctx) {
		r.recovered()
	}
	return result, err
}

// longestOverruled is the longest wait before a plan of a lower version of the playbook
// is made again.
const longestOverruled = 10 * time.Minute

// outdated waits, until cut, where the plan is of a lower version of the playbook than
// was seen, and reports whether it is: what is planned by it does not count.
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

// plansAside asks like plans, for one round, and gives way to commands. Nobody waits
// for what it asks.
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
		return result, errCut // it is planned after the pause
	case unanswered(err):
		r.planRounds++
	case err == nil && !r.interrupted(ctx):
		r.planRounds = 0
		r.recovered()
	}
	return result, err
}

// plan is the look that tells what the playbook says, and what proves its answer.
func (r *run) plan(ctx workflow.Context, input activities.PlanInput, options workflow.ActivityOptions) (look, func(activities.PlanResult) bool) {
	s := r.state
	input.Reference, input.Opportunity, input.Known, input.Done = s.Reference, s.ID, s.Interests, s.Done
	input.Region, input.Version = s.Details.Region, s.Rules.Version
	input.Entered, input.LastActivity, input.Now = s.Entered, s.LastActivity, workflow.Now(ctx)
	return look{activity: activities.PlanOpportunity, input: input, options: options, about: opportunity.PlanRequest},
		func(result activities.PlanResult) bool { return result.Proves(input) }
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

// aside does something that nobody waits for, and reports whether it was done: a
// command that comes meanwhile goes first, and so does whatever else reaches the run.
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

// isAsked reports whether something waits that somebody asked for.
func (r *run) isAsked() bool {
	return r.arrivals.waiting() || r.state.IsAsked()
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

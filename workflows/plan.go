package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func (r *run) planTransition(ctx workflow.Context, request, to string) {
	input := activities.PlanInput{PlanFor: exchange.PlanCause{Kind: exchange.CauseTransition}, TargetStep: to}
	if known, is := r.state.KnownRecord(workflow.Now(ctx)); is {
		input.Known, input.KnownAt = &known, r.state.RecordSeenAt
	}
	result, err := r.awaitPlan(ctx, input, activities.ReadOptions("plan the effects of the transition"))
	switch {
	case r.isInterrupted(ctx), isUnanswered(err), err == nil && r.handleReset(ctx, result.RunID):
		return
	case err != nil:
		// The run sends the transition without effects, and the caller receives the API's response
		// for the transition.
		result.Plan = exchange.Plan{Problems: []string{"the effects of the transition could not be planned: " + readFailureText(err)}}
	case result.FromKnown:
		r.state.SetPlaybook(&result.PlaybookFeatures, workflow.Now(ctx))
	default:
		r.state.SetPlaybook(&result.PlaybookFeatures, workflow.Now(ctx))
		if r.noteManualTransition(ctx, result.Record) {
			r.state.ApplySnapshot(result.Record, workflow.Now(ctx))
			return // the effects of the transition by hand come before the effects of this transition
		}
		if r.state.HasLostInterest(result.Record) && hasChange(ctx, changeForgetGoneInterests) {
			r.state.ApplySnapshot(result.Record, workflow.Now(ctx))
		}
		r.state.ApplyInterestValues(result.Record, workflow.Now(ctx))
		r.state.ConfirmRecord(&result.Record, nil, workflow.Now(ctx))
	}
	r.state.ApplyTransitionPlan(request, result.Plan, result.FromKnown, workflow.Now(ctx))
}

// planFollowUps reads the record and plans the follow-ups of its step. planFollowUps also records
// the external changes since the last read, so that the run plans their effects. planFollowUps
// reports whether the plan was made. The run must plan again when the API did not respond, or when
// a command arrived during the planning.
func (r *run) planFollowUps(ctx workflow.Context) bool {
	if r.applyReadRecord(ctx) {
		return true
	}
	result, err := r.planInBackground(ctx, activities.PlanInput{}, "plan the follow-ups")
	switch {
	case r.isInterrupted(ctx), isUnanswered(err), err == nil && r.handleReset(ctx, result.RunID):
		return false
	case err != nil:
		r.state.ApplyPlanFailure(readFailureText(err), workflow.Now(ctx))
		return false
	}
	r.state.SetPlaybook(&result.PlaybookFeatures, workflow.Now(ctx))
	r.noteManualTransition(ctx, result.Record)
	cancelled, soldOut := r.noteEvents(result.Events)
	moved, active := result.Record.Step.ID != r.state.Step.ID, r.state.LastActivity
	r.state.ApplyPlan(result.Plan, result.Record, cancelled, soldOut, workflow.Now(ctx))
	if moved && hasChange(ctx, changeReplanForFoundStep) {
		r.state.PlanDue = true // the plan was made with the entry time of another step
	} else if !r.state.LastActivity.Equal(active) && hasChange(ctx, changeReplanForActivity) {
		r.state.PlanDue = true // the plan was made before the run noticed that a person changed the record
	}
	return true
}

func (r *run) noteEvents(events []activities.EventChange) (cancelled, soldOut []opportunity.ID) {
	for _, news := range events {
		if news.Cancelled {
			cancelled = append(cancelled, news.Event)
		}
		if news.SoldOut {
			soldOut = append(soldOut, news.Event)
		}
		if news.FreePlaces != nil && *news.FreePlaces >= 0 {
			r.state.ClearOverbooked(news.Event)
		}
	}
	return cancelled, soldOut
}

// applyReadRecord applies the record that was read together with the last effects, if a plan could
// contain no follow-ups.
func (r *run) applyReadRecord(ctx workflow.Context) bool {
	read, now := r.inspections.record, workflow.Now(ctx)
	r.inspections.record = nil
	if read == nil || now.Sub(r.inspections.at) > maxInspectionAge || !r.state.PlansOnlyReactions() || read.Record.Step.ID != r.state.Step.ID {
		return false
	}
	cancelled, soldOut := r.noteEvents(read.Events)
	r.state.ApplyExternalChanges(read.Record, cancelled, soldOut, now)
	return true
}

// noteManualTransition reports whether a read of the record shows a transition that a person made
// by hand. The run keeps such a transition until the effects of the transition are planned. Call
// noteManualTransition before the record is stored.
func (r *run) noteManualTransition(ctx workflow.Context, record exchange.Snapshot) bool {
	if !r.state.ShowsManualTransition(record.Step) || !hasChange(ctx, changeManualTransitions) {
		return false
	}
	r.state.AddManualTransition(record.Step, workflow.Now(ctx))
	return true
}

// planManualTransition plans the effects of a transition that a person made by hand. Commands
// interrupt the planning, unless a progress command waits for the plan. When the record has left
// the target step, the next plan is for the step of the record.
func (r *run) planManualTransition(ctx workflow.Context, next entity.PlanManualTransition) {
	const why = "plan the effects of a transition by hand"
	var result activities.PlanResult
	var err error
	if input := (activities.PlanInput{PlanFor: next.Cause}); next.BeforeCommand {
		result, err = r.awaitPlan(ctx, input, activities.ReadOptions(why))
	} else {
		result, err = r.planInBackground(ctx, input, why)
	}
	switch {
	case r.isInterrupted(ctx), isUnanswered(err), err == nil && r.handleReset(ctx, result.RunID):
		return
	case err != nil:
		result.Plan = exchange.Plan{Problems: []string{"the effects of a transition by hand could not be planned: " + readFailureText(err)}}
	default:
		r.state.SetPlaybook(&result.PlaybookFeatures, workflow.Now(ctx))
		moved := r.noteManualTransition(ctx, result.Record)
		if r.state.ApplySnapshot(result.Record, workflow.Now(ctx)); moved {
			return
		}
	}
	r.state.ApplyManualTransitionPlan(result.Plan, workflow.Now(ctx))
}

func (r *run) planReaction(ctx workflow.Context, change exchange.PlanCause) {
	result, err := r.planInBackground(ctx, activities.PlanInput{PlanFor: change}, "plan the reaction to an external change")
	switch {
	case r.isInterrupted(ctx), isUnanswered(err), err == nil && r.handleReset(ctx, result.RunID):
		return
	case err != nil:
		result.Plan = exchange.Plan{Problems: []string{"the reaction to an external change could not be planned: " + readFailureText(err)}}
	}
	r.state.ApplyReactionPlan(result.Plan, workflow.Now(ctx))
}

// awaitPlan requests the plan of the playbook until a request succeeds or the opportunity is
// closed.
func (r *run) awaitPlan(ctx workflow.Context, input activities.PlanInput, options workflow.ActivityOptions) (activities.PlanResult, error) {
	var result activities.PlanResult
	var err error
	r.runUntilClosed(ctx, func(ctx workflow.Context) {
		l, proves := r.planRead(ctx, input, options)
		result, err = readUntilAnswered(ctx, r, l, proves)
	})
	if err == nil && (r.askIfTaggedByOther(ctx, result.TaggedByOther) || r.isOutdatedPlan(ctx, result.PlaybookFeatures, r.isBackOffCut)) {
		return result, errRoundCut // the plan is made again after the pause or the wait
	}
	if err == nil && !r.isInterrupted(ctx) {
		r.resetBackOff()
	}
	return result, err
}

// maxOutdatedPlanWait is the longest wait between an outdated plan and the next request for a plan.
// An outdated plan is of a lower version of the playbook than the opportunity has seen.
const maxOutdatedPlanWait = 10 * time.Minute

// isOutdatedPlan reports whether the plan is of a lower version of the playbook than a version that
// the run has seen. The caller discards an outdated plan. isOutdatedPlan therefore waits before the
// next plan is made, and cut or a cancellation ends the wait early.
func (r *run) isOutdatedPlan(ctx workflow.Context, rules activities.PlaybookFeatures, cut func() bool) bool {
	if rules.Version >= r.state.Playbook.Version || !hasChange(ctx, changeLatestPlaybook) {
		r.outdatedPlans = 0
		return false
	}
	r.outdatedPlans++
	out := outageForReason(activities.ReasonPlaybookUnavailable)
	out.text = fmt.Sprintf("a worker planned with version %d of the playbook, but the opportunity has already used the later version %d; Oppflow makes the plan again", rules.Version, r.state.Playbook.Version)
	r.setWait(ctx, out, opportunity.PlanRequestID, time.Time{})
	if r.outdatedPlans >= attentionAfter {
		r.raiseAttention(ctx, out, opportunity.PlanRequestID)
	}
	r.publish(ctx)
	_, _ = workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout:      min(firstPause<<min(r.outdatedPlans-1, 12), maxOutdatedPlanWait),
		TimerOptions: workflow.TimerOptions{Summary: "wait before planning again: the worker has an older version of the playbook"},
	}, cut)
	return true
}

// planInBackground requests the plan of the playbook for one round. Commands interrupt
// planInBackground.
func (r *run) planInBackground(ctx workflow.Context, input activities.PlanInput, why string) (activities.PlanResult, error) {
	var result activities.PlanResult
	err, revision := errRoundCut, r.revision
	if !r.runInBackground(ctx, func(ctx workflow.Context) {
		l, proves := r.planRead(ctx, input, activities.BackgroundReadOptions(why))
		result, err = readOneRound(ctx, r, l, proves, r.planRounds)
	}) {
		return result, errRoundCut
	}
	switch {
	case err == nil && r.revision != revision && hasChange(ctx, changeRevisions):
		return result, errRoundCut // the plan was made from an earlier revision of the state
	case err == nil && (r.askIfTaggedByOther(ctx, result.TaggedByOther) || r.isOutdatedPlan(ctx, result.PlaybookFeatures, func() bool { return r.isBackOffCut() || r.hasPendingInput() })):
		return result, errRoundCut // the plan is made again after the pause or the wait
	case isUnanswered(err):
		r.planRounds++
	case err == nil && !r.isInterrupted(ctx):
		r.planRounds = 0
		r.resetBackOff()
	}
	return result, err
}

// planRead returns the read that requests the plan of the playbook. planRead also returns the
// function that checks whether a result belongs to the read.
func (r *run) planRead(ctx workflow.Context, input activities.PlanInput, options workflow.ActivityOptions) (apiRead, func(activities.PlanResult) bool) {
	s := r.state
	input.Reference, input.Opportunity, input.KnownInterests, input.DoneFollowUps = s.Reference, s.ID, s.Interests, s.DoneFollowUps
	input.Region, input.MinPlaybookVersion = s.Details.Region, s.Playbook.Version
	input.Entered, input.LastActivity, input.Now = s.Entered, s.LastActivity, workflow.Now(ctx)
	input.AdoptedAt = s.AdoptedAt
	return apiRead{activity: activities.PlanOpportunity, input: input, options: options, attentionKey: opportunity.PlanRequestID},
		func(result activities.PlanResult) bool { return result.Proves(input) }
}

// isPermanent reports whether the error is a rejection by the API, which a repetition of the read
// cannot change.
func isPermanent(err error) bool {
	var application *temporal.ApplicationError
	return errors.As(err, &application) && application.NonRetryable()
}

// runUntilClosed calls do and waits for the end of do. A cancellation or a close ends the wait
// early.
func (r *run) runUntilClosed(ctx workflow.Context, do func(workflow.Context)) {
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	done := false
	workflow.GoNamed(ctx, "look", func(ctx workflow.Context) {
		do(ctx)
		done = true
	})
	_ = workflow.Await(ctx, func() bool { return done || r.isInterrupted(ctx) })
}

// runInBackground calls do, which is background work, and reports whether do was completed. A
// pending command or signal, a cancellation or a close ends the wait for do.
func (r *run) runInBackground(ctx workflow.Context, do func(workflow.Context)) bool {
	return r.runInBackgroundSince(ctx, changeBackgroundYields, do)
}

// runInBackgroundSince calls do as runInBackground does. In a run without the given change,
// commands and signals do not interrupt do.
func (r *run) runInBackgroundSince(ctx workflow.Context, change string, do func(workflow.Context)) bool {
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	done := false
	workflow.GoNamed(ctx, "aside", func(ctx workflow.Context) {
		do(ctx)
		done = true
	})
	_ = workflow.Await(ctx, func() bool { return done || r.isInterrupted(ctx) || r.hasPendingInput() })
	if !done && !r.isInterrupted(ctx) && !hasChange(ctx, change) {
		_ = workflow.Await(ctx, func() bool { return done || r.isInterrupted(ctx) })
	}
	return done
}

func (r *run) hasPendingInput() bool {
	return r.signals.hasNext() || r.state.HasCommandWork()
}

// isInterrupted reports whether the context was cancelled or an operator closed the opportunity.
// isInterrupted ignores a close when the run is already stopping.
func (r *run) isInterrupted(ctx workflow.Context) bool {
	return ctx.Err() != nil || r.state.Closing != nil && !r.stopping
}

func (r *run) handleReset(ctx workflow.Context, runID string) bool {
	r.actualRunID = runID
	if !r.hasUnhandledReset() {
		return false
	}
	r.forgetInspections()
	r.readBackAfterReset(ctx, r.state.Step.ID)
	return true
}

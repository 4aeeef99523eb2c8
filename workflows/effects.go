package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// ensure works on an effect. It looks for the parts that the effect lacks, or that must be undone,
// and makes at most one request for them. The next call looks again, so the run never relies on an
// answer alone.
func (r *run) ensure(ctx workflow.Context, job opportunity.Job) {
	key := job.Effect.Key
	if r.withdrawn(ctx, job) {
		return
	}
	found, err := r.inspect(ctx, job)
	switch {
	case r.interrupted(ctx):
		return
	case unanswered(err):
		r.state.Unanswered(key) // commands go before the next round
		return
	case err != nil:
		found = activities.InspectResult{Error: opportunity.Failf(opportunity.Rejected, "%s", reasonOf(err)), Trace: job.Trace}
	case r.noticed(ctx, found.Run):
		return
	}
	act := r.state.Found(key, opportunity.Finding{
		Act: found.Act, Again: found.Again, Aside: found.Aside, Error: found.Error, Trace: found.Trace, Contacts: found.Contacts,
		Reservation: found.Reservation,
	}, workflow.Now(ctx))
	if act == nil {
		return
	}
	job.Trace = found.Trace
	if r.withdrawn(ctx, job) {
		return
	}
	if act.Kind == opportunity.ActCall && !r.ending && since(ctx, changeCalls) {
		r.callAside(ctx, job, *act)
		return
	}
	result := r.carryOut(ctx, job, *act)
	if result.Fate == opportunity.FateNotSent {
		r.notSent(ctx, key, *act, result.Sending)
		return
	}
	if result.Fate == opportunity.FateUnknown {
		// The wait goes on when the workflow is cancelled: an earlier look could miss the effect of
		// the request.
		settling, stop := workflow.NewDisconnectedContext(ctx)
		defer stop()
		if r.settle(settling, result.Reason) != nil {
			return // cannot be cancelled
		}
	} else {
		r.recovered()
	}
	r.state.Acted(key, *act, opportunity.Answer{Fate: result.Fate, Error: result.Error}, result.Trace, result.Contacts, workflow.Now(ctx))
}

// withdrawn withdraws a follow-up when a command was accepted before anything of the follow-up was
// done. The follow-up is decided again after the command. withdrawn reports whether it withdrew the
// follow-up.
func (r *run) withdrawn(ctx workflow.Context, job opportunity.Job) bool {
	if job.Number == 0 || job.Touched || !r.overtaken(ctx) {
		return false
	}
	r.state.Withdraw(job.Effect.Key, workflow.Now(ctx))
	return true
}

// callAside calls a service of the tenant, while everything else goes on. A service that does not
// respond delays only the effects after the call in its own chain.
func (r *run) callAside(ctx workflow.Context, job opportunity.Job, act opportunity.Act) {
	key := job.Effect.Key
	r.state.Calling(key)
	r.calls++
	workflow.GoNamed(ctx, "call "+key, func(ctx workflow.Context) {
		result := r.carryOut(ctx, job, act)
		r.calls--
		now := workflow.Now(ctx)
		switch {
		case result.Fate == opportunity.FateNotSent && result.Reason == activities.ReasonReset:
			r.told = result.Run // the next request to the API accounts for the reset
			r.state.Unserved(key, "", result.Fate, now)
			r.unserved = since(ctx, changeCallAgain)
		case result.Fate == opportunity.FateDone, result.Fate == opportunity.FateRejected:
			r.state.Acted(key, act, opportunity.Answer{Fate: result.Fate, Error: result.Error}, result.Trace, result.Contacts, now)
		default:
			r.state.Unserved(key, serviceText(job, result.Sending), result.Fate, now)
			r.unserved = since(ctx, changeCallAgain)
		}
		r.show(ctx)
	})
}

// serviceText says which service does not respond, and how.
func serviceText(job opportunity.Job, sending activities.Sending) string {
	name := "the service"
	if call := job.Effect.Call; call != nil {
		name = "the service " + call.Service
	}
	switch {
	case sending.Reason == activities.ReasonQueue:
		return name + " is not called: no worker takes activities in time"
	case sending.Fate == opportunity.FateNotSent:
		return name + " cannot be reached"
	case sending.Error != nil:
		return sending.Error.Message
	}
	return name + " did not answer"
}

// notSent waits before a request for an effect that was not sent is made again. After a reset it
// accounts for the reset instead; a request whose effect the API never shows then has an unknown
// fate.
func (r *run) notSent(ctx workflow.Context, key string, act opportunity.Act, sending activities.Sending) {
	if sending.Reason != activities.ReasonReset {
		// A cancellation ends the wait; the caller looks at the context itself.
		_ = r.backOff(ctx, sending)
		return
	}
	if r.noticed(ctx, sending.Run); !act.Kind.IsSeen() {
		r.state.Acted(key, act, opportunity.Answer{Fate: opportunity.FateUnknown}, opportunity.Trace{}, nil, workflow.Now(ctx))
	}
}

// inspect looks at the effect for one round, or until the opportunity is closed. A later round of
// an effect after a move gives way to commands.
func (r *run) inspect(ctx workflow.Context, job opportunity.Job) (activities.InspectResult, error) {
	why := "look at the effect: " + string(job.Effect.Kind)
	if job.Undoes() {
		why = "look what is left to take back: " + string(job.Effect.Kind)
	}
	var found activities.InspectResult
	var err error
	input := r.effectInput(ctx, job)
	l := look{activity: activities.InspectEffect, input: input, options: priority(job, activities.ToRead(why)), about: job.Effect.Key}
	ask := func(ctx workflow.Context) {
		found, err = lookOnce(ctx, r, l, func(found activities.InspectResult) bool { return found.Proves(input) }, job.Rounds)
	}
	if job.Rounds == 0 || job.Stage != opportunity.JobAfter {
		r.unlessClosed(ctx, ask)
		return found, err
	}
	if !r.aside(ctx, ask) {
		err = errCut
	}
	return found, err
}

// carryOut makes one request for the effect, once.
func (r *run) carryOut(ctx workflow.Context, job opportunity.Job, act opportunity.Act) activities.CarryOutResult {
	// The request is completed even when the workflow is cancelled in the meantime.
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	input := r.effectInput(ctx, job)
	input.Act, input.Run = &act, r.own
	ctx = workflow.WithActivityOptions(ctx, priority(job, r.toChange(act.Kind.Summary())))
	return change(ctx, r, activities.CarryOutEffect, input, func(result activities.CarryOutResult) bool { return result.Proves(input) },
		func(s activities.Sending) activities.CarryOutResult { return activities.CarryOutResult{Sending: s} })
}

func (r *run) effectInput(ctx workflow.Context, job opportunity.Job) activities.EffectInput {
	input := activities.EffectInput{
		Reference: r.state.Reference, Opportunity: r.state.ID, Effect: job.Effect, Undo: job.Undoes(), Trace: job.Trace,
		Interests: r.state.Interests, Number: job.Number, Of: job.Of, Now: workflow.Now(ctx),
		Region: r.state.Details.Region,
	}
	switch job.Effect.Kind {
	case opportunity.EffectContacts, opportunity.EffectRegister, opportunity.EffectCancelRegistrations:
		input.Attendees = r.state.Attendees // no other effect needs to know who the learners are
	}
	return input
}

// priority lets commands go before follow-ups.
func priority(job opportunity.Job, options workflow.ActivityOptions) workflow.ActivityOptions {
	if job.Number > 0 {
		return activities.AsFollowUp(options)
	}
	return options
}

// maxUndos is how often a run that ends looks for effects to undo; with a minute between two
// requests, this takes about three hours.
const maxUndos = 180

// takeBack undoes the effects of moves that will not be made, until nothing is left or the API has
// been out of reach for hours.
func (r *run) takeBack(ctx workflow.Context) {
	until := workflow.Now(ctx).Add(maxUndos * longestWait)
	for range maxUndos {
		if r.givesUp(ctx) {
			break
		}
		all := since(ctx, changeEnding)
		if all {
			r.state.EndPause() // also a pause that somebody asks for in the meantime
		}
		job, due := r.state.DueJob(workflow.Now(ctx))
		if next := r.state.JobsAt(workflow.Now(ctx)); !due && all && !next.IsZero() && next.Before(until) {
			if wait(ctx, next.Sub(workflow.Now(ctx)), "until an effect can be taken back") != nil {
				break // cannot be cancelled
			}
			continue
		}
		if !due {
			break
		}
		r.ensure(ctx, job)
	}
	r.state.AbandonUndo(workflow.Now(ctx))
}

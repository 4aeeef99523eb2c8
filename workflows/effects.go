package workflows

import (
	"errors"

	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// runEffect inspects which parts the effect lacks, or which parts must be undone, and sends the next
// requests for these parts. The next call of runEffect inspects the effect again, so the run never
// relies only on a response.
func (r *run) runEffect(ctx workflow.Context, active entity.ActiveEffect) {
	key, revision := active.Effect.Key, r.revision
	if r.withdrawIfOvertaken(ctx, active) {
		return
	}
	found, isKnown := r.takeInspection(ctx, key)
	var err error
	if !isKnown {
		found, err = r.inspectEffect(ctx, active)
	}
	switch {
	case r.isInterrupted(ctx):
		return
	case isUnanswered(err) && r.withdrawIfOvertaken(ctx, active):
		return
	case errors.Is(err, errRoundCut) && active.FailedInspections == 0:
		return // a command goes first; the next inspection starts again at the first round
	case isUnanswered(err):
		r.state.CountFailedInspection(key) // commands are sent before the next round
		return
	case err != nil:
		found = activities.InspectResult{Error: opportunity.Failf(opportunity.Rejected, "%s", readFailureText(err)), UndoEntry: active.UndoEntry}
	case r.handleReset(ctx, found.RunID), r.askIfTaggedByOther(ctx, found.Read != nil && found.Read.TaggedByOther), r.isOutdatedInspection(ctx, found.Read):
		return
	case found.Request != nil && r.isInspectionOutdated(ctx, active, revision):
		return // after what has changed, the effect is inspected again
	}
	act := r.state.ApplyInspection(key, inspectionOf(found), workflow.Now(ctx))
	if act == nil {
		return
	}
	active.UndoEntry = found.UndoEntry
	if r.withdrawIfOvertaken(ctx, active) {
		return
	}
	if act.Kind == exchange.RequestCall && !r.stopping && hasChange(ctx, changeBackgroundCalls) {
		r.callInBackground(ctx, active, *act)
		return
	}
	r.sendEffectRequests(ctx, effectRequest{active, *act}, revision)
}

func inspectionOf(found activities.InspectResult) entity.Inspection {
	return entity.Inspection{
		NextRequest: found.Request, RecheckAt: found.RecheckAt, NonBlocking: found.NonBlocking, Error: found.Error, UndoEntry: found.UndoEntry, Contacts: found.Contacts,
		Reservation: found.Reservation, Details: found.Details, PeopleInDoubt: found.PeopleInDoubt, Note: found.Note, Overbooked: found.Overbooked, Places: found.Places,
	}
}

// An inspection is outdated when an operator paused the opportunity during the inspection. For an
// effect after a transition, the inspection is also outdated when a message arrived after the given
// revision. The run then does not send the request that the inspection requires.
func (r *run) isInspectionOutdated(ctx workflow.Context, active entity.ActiveEffect, revision int) bool {
	yields := active.IsAfter() && (r.revision != revision || r.hasPendingInput())
	if r.stopping || !yields && !r.signals.hasNext() && !r.state.IsStopped() || !hasChange(ctx, changeRevisions) {
		return false
	}
	r.drainSignals(ctx) // a pause may have arrived as a signal
	return yields || r.state.IsStopped() || r.isInterrupted(ctx)
}

// isOutdatedInspection reports whether the record that was read together with the effects has other
// interests than the state. The run then inspects the effects again for the interests of the record.
func (r *run) isOutdatedInspection(ctx workflow.Context, read *activities.RecordRead) bool {
	if read == nil || read.Record.Step.ID != r.state.Step.ID || !r.state.HasOtherInterests(read.Record) {
		return false
	}
	r.state.ApplySnapshot(read.Record, workflow.Now(ctx))
	r.forgetInspections()
	return true
}

// withdrawIfOvertaken withdraws a follow-up when a command was accepted before any part of the
// follow-up was done. After the command, the run decides again whether the follow-up is due.
// withdrawIfOvertaken reports whether the follow-up was withdrawn.
func (r *run) withdrawIfOvertaken(ctx workflow.Context, active entity.ActiveEffect) bool {
	if active.Number == 0 || active.MayHaveApplied || !r.isOvertaken(ctx) {
		return false
	}
	r.state.WithdrawFollowUp(active.Effect.Key, workflow.Now(ctx))
	return true
}

// A service that does not respond delays only the effects that follow the call in the same chain.
func (r *run) callInBackground(ctx workflow.Context, active entity.ActiveEffect, act exchange.EffectRequest) {
	key := active.Effect.Key
	r.state.SetCalling(key)
	r.activeCalls++
	workflow.GoNamed(ctx, "call "+key, func(ctx workflow.Context) {
		result := r.executeEffects(ctx, []effectRequest{{active, act}})[0]
		r.activeCalls--
		r.revision++
		now := workflow.Now(ctx)
		switch {
		case result.Status == exchange.StatusNotSent && result.Reason == activities.ReasonReset:
			r.actualRunID = result.RunID // the next request to the API handles the reset
			r.state.ApplyCallFailure(key, "", result.Status, now)
			r.callFailed = hasChange(ctx, changeCallAgain)
		case result.Status == exchange.StatusDone, result.Status == exchange.StatusRejected:
			r.state.ApplyEffectRequestResult(key, act, exchange.ChangeResult{Status: result.Status, Error: result.Error, About: result.About}, result.UndoEntry, result.Contacts, now)
		default:
			r.state.ApplyCallFailure(key, serviceFailureText(active, result.CallResult), result.Status, now)
			r.callFailed = hasChange(ctx, changeCallAgain)
		}
		r.publish(ctx)
	})
}

func serviceFailureText(active entity.ActiveEffect, sending activities.CallResult) string {
	name := "the service"
	if call := exchange.SettingsOf[exchange.CallService](active.Effect.Settings); call != nil && call.Service != "" {
		name = "the service " + call.Service
	}
	switch {
	case sending.Reason == activities.ReasonNoWorker:
		return name + " is not called: no worker starts the activity in time"
	case sending.Status == exchange.StatusNotSent && sending.Reason != activities.ReasonUnreachable && sending.Reason != "":
		return name + " is not called: " + notSentText(sending)
	case sending.Status == exchange.StatusNotSent:
		return name + " cannot be reached"
	case sending.Error != nil:
		return sending.Error.Message
	}
	return name + " did not respond"
}

func notSentText(sending activities.CallResult) string {
	text := outageForReason(sending.Reason).text
	if sending.Error != nil {
		text += ": " + sending.Error.Message
	}
	return text
}

// If a request for an effect was not sent, handleNotSent waits before the run makes the request
// again. After a reset, handleNotSent handles the reset instead of waiting. The API does not show
// some effects, such as a sent mail. After a reset, the status of a request for such an effect is
// unknown.
func (r *run) handleNotSent(ctx workflow.Context, active entity.ActiveEffect, act exchange.EffectRequest, sending activities.CallResult) {
	key := active.Effect.Key
	if sending.Reason == activities.ReasonUnknownEffectKind && active.IsAfter() && hasChange(ctx, changeEffectsYield) {
		r.state.PostponeEffect(key, notSentText(sending), workflow.Now(ctx))
		return
	}
	if sending.Reason != activities.ReasonReset {
		_ = r.backOff(ctx, sending)
		return
	}
	if r.handleReset(ctx, sending.RunID); !act.Kind.IsVerifiable() {
		r.state.ApplyEffectRequestResult(key, act, exchange.ChangeResult{Status: exchange.StatusUnknown}, exchange.UndoEntry{}, nil, workflow.Now(ctx))
	}
}

// inspectEffect inspects the effect for one round, or until the opportunity is closed. Commands
// interrupt the inspection of an effect after a transition.
func (r *run) inspectEffect(ctx workflow.Context, active entity.ActiveEffect) (activities.InspectResult, error) {
	ahead, revision := r.effectsAhead(ctx, active), r.revision
	input := r.inspectInput(ctx, active, ahead)
	why := inspectSummary(active, ahead)
	var found activities.InspectResult
	var err error
	l := apiRead{activity: activities.InspectEffect, input: input, options: withEffectPriority(active, activities.ReadOptions(why)), attentionKey: active.Effect.Key}
	ask := func(ctx workflow.Context) {
		found, err = readOneRound(ctx, r, l, func(found activities.InspectResult) bool { return found.Proves(input) }, active.FailedInspections)
	}
	if !active.IsAfter() {
		r.runUntilClosed(ctx, ask)
		r.keepInspections(ctx, revision, ahead, found, err)
		return found, err
	}
	change := changeBackgroundYields
	if active.FailedInspections == 0 {
		change = changeEffectsYield
	}
	if !r.runInBackgroundSince(ctx, change, ask) {
		err = errRoundCut
	}
	r.keepInspections(ctx, revision, ahead, found, err)
	return found, err
}

func (r *run) effectInput(ctx workflow.Context, active entity.ActiveEffect) activities.EffectInput {
	input := activities.EffectInput{
		Reference: r.state.Reference, Opportunity: r.state.ID, Effect: active.Effect, Undo: active.IsUndo(), UndoEntry: active.UndoEntry,
		Interests: r.state.Interests, Number: active.Number, Of: active.Of, Now: workflow.Now(ctx),
		Region: r.state.Details.Region, Account: r.state.Details.Account.ID,
	}
	if needsAttendees(active.Effect) {
		input.Attendees = r.state.Attendees
	}
	return input
}

func needsAttendees(effect exchange.Effect) bool {
	switch effect.Kind {
	case opportunity.EffectContacts, opportunity.EffectRegister, opportunity.EffectCancelRegistrations:
		return true
	case opportunity.EffectEmail:
		mail := exchange.SettingsOf[exchange.SendEmail](effect.Settings)
		return mail != nil && mail.To == exchange.ToLearners
	}
	return false
}

func withEffectPriority(active entity.ActiveEffect, options workflow.ActivityOptions) workflow.ActivityOptions {
	if active.Number > 0 {
		return activities.WithFollowUpPriority(options)
	}
	return options
}

// maxUndos is how many times an ending run checks for effects to undo. With a minute between two
// checks, maxUndos checks take about three hours.
const maxUndos = 180

// undoEffects undoes the effects of transitions that will not be made. undoEffects stops when no
// effect is left to undo, or when the API has been unreachable for hours.
func (r *run) undoEffects(ctx workflow.Context) {
	until := workflow.Now(ctx).Add(maxUndos * longestPause)
	for range maxUndos {
		if r.shouldGiveUp(ctx) {
			break
		}
		all := hasChange(ctx, changeCompleteShutdown)
		if all {
			r.state.EndPause() // also ends a pause that somebody requests during undoEffects
		}
		active, due := r.state.DueEffect(workflow.Now(ctx))
		if next := r.state.NextInspectionAt(workflow.Now(ctx)); !due && all && !next.IsZero() && next.Before(until) {
			if wait(ctx, next.Sub(workflow.Now(ctx)), "wait until an effect can be undone") != nil {
				break // cannot be cancelled
			}
			continue
		}
		if !due {
			break
		}
		r.runEffect(ctx, active)
	}
	r.state.AbandonUndo(workflow.Now(ctx))
}

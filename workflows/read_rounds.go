package workflows

import (
	"errors"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// apiRead is an activity that changes nothing at the API. The run makes an apiRead in rounds.
// Within a round, the server repeats the activity. Between two rounds, the run shows in the view
// why the run waits. Later rounds are longer, so that a day without the API adds few history
// events.
type apiRead struct {
	activity string
	input    any
	options  workflow.ActivityOptions
	// attentionKey is the key of the attention that is raised when the API fails only at this read.
	// For the inspection of an effect, attentionKey is the key of the effect.
	attentionKey string
	// isProbe says that a response to this read does not end the wait. Such a response does not show
	// that the waiting request would succeed.
	isProbe bool
}

// readUntilAnswered repeats a read until the API responds, or until an ending run gives up. proves
// reports whether a result belongs to the input of the read. The error is the API's rejection, a
// cancellation, or the error of the last round before the run gave up.
func readUntilAnswered[R any](ctx workflow.Context, r *run, l apiRead, proves func(R) bool) (R, error) {
	for round := 0; ; round++ {
		result, err := readOneRound(ctx, r, l, proves, round)
		if err == nil || !isUnanswered(err) || r.isPastGiveUp(ctx) {
			return result, err
		}
	}
}

// When the API does not respond, the run shows the reason in the view. readOneRound raises
// attention after a failed attempt, and in every round but the first.
func readOneRound[R any](ctx workflow.Context, r *run, l apiRead, proves func(R) bool, round int) (R, error) {
	result, err := readProven(ctx, r, l, proves, round)
	switch {
	case (err == nil || isPermanent(err)) && !l.isProbe: // a rejection is also a response
		r.clearWait(ctx, l.attentionKey)
	case isUnanswered(err) && !errors.Is(err, errRoundCut):
		out := outageFromError(err)
		r.setWait(ctx, out, l.attentionKey, time.Time{})
		if out.attempted || round > 0 {
			r.raiseAttention(ctx, out, l.attentionKey)
		}
		r.publish(ctx)
	}
	return result, err
}

// readProven runs the activity again when the result does not belong to the input, because somebody
// may have completed the activity by hand. The error of readProven is errRoundCut, a cancellation,
// or an error of the activity.
func readProven[R any](ctx workflow.Context, r *run, l apiRead, proves func(R) bool, round int) (R, error) {
	for setbacks := 1; ; setbacks++ {
		var result R
		err := r.executeRead(ctx, l, round, &result)
		if err == nil && proves(result) || err != nil && (errors.Is(err, errRoundCut) || !isCompletedByHand(err)) {
			return result, err
		}
		if !hasChange(ctx, changeProof) {
			return result, err
		}
		pause := backOffBefore(setbacks, activities.CallResult{}, "")
		if err := wait(ctx, pause, "the activity returned the result of another read: wait before the next read"); err != nil {
			var none R
			return none, err
		}
	}
}

// Every round after the first round ends when the run is cancelled or closed. After the
// cancellation or the close, the run makes shorter rounds until giveUpAt.
func (r *run) executeRead(ctx workflow.Context, l apiRead, round int, result any) error {
	options := activities.WithRound(l.options, round)
	if !r.giveUpAt.IsZero() {
		options.ScheduleToCloseTimeout = max(min(options.ScheduleToCloseTimeout, r.giveUpAt.Sub(workflow.Now(ctx))), activities.RoundTimeout(0))
	}
	asking, stop := workflow.WithCancel(workflow.WithActivityOptions(ctx, r.withFairness(options)))
	defer stop()
	defer r.trackRequest(asking)()
	var input []any
	if l.input != nil {
		input = append(input, l.input)
	}
	answer := workflow.ExecuteActivity(asking, l.activity, input...)
	mayCut := round > 0 && !r.isEnding()
	if awaitLost(ctx, answer, options, func() bool { return mayCut && r.isEnding() }) {
		return errActivityLost
	}
	if mayCut {
		// A run without changeGiveUpLostActivities continues to wait for a lost activity.
		_ = workflow.Await(ctx, func() bool { return answer.IsReady() || r.isEnding() })
		if !answer.IsReady() {
			return errRoundCut
		}
	}
	return answer.Get(ctx, result)
}

// errRoundCut is the error of a round that the run ended early, or of a round whose result the run
// discards.
var errRoundCut = errors.New("the run ended the read before the read returned a result")

func (r *run) isEnding() bool { return r.rootContext.Err() != nil || r.state.Closing != nil }

// isUnanswered reports whether an activity ended without a response of the API.
func isUnanswered(err error) bool {
	return err != nil && !isPermanent(err) && !temporal.IsCanceledError(err)
}

// outage is the reason why the API did not respond, or why the worker could not send a request.
type outage struct {
	reason activities.Reason
	kind   opportunity.AttentionKind
	text   string
	// attempted says that a worker made an attempt and the attempt failed. If attempted is false,
	// it is possible that no worker received the activity.
	attempted bool
}

func outageFromError(err error) outage {
	var application *temporal.ApplicationError
	if errors.As(err, &application) {
		out := outageForReason(activities.Reason(application.Type()))
		out.text += ": " + application.Message()
		return out
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) && timeout.TimeoutType() == enums.TIMEOUT_TYPE_START_TO_CLOSE {
		out := outageForReason(activities.ReasonUnreachable)
		out.text += ": the API did not respond in time"
		return out
	}
	return outageForReason(activities.ReasonNoWorker)
}

func outageForReason(reason activities.Reason) outage {
	out := outage{reason: reason, kind: opportunity.AttentionAPI, text: "the API cannot be reached", attempted: true}
	switch reason {
	case activities.ReasonAuthentication:
		out.kind, out.text = opportunity.AttentionCredentials, "the TMS rejects the worker's credentials"
	case activities.ReasonWrongTenant:
		out.kind, out.text = opportunity.AttentionCredentials, "the worker's credentials are for another tenant than the tenant of the namespace"
	case activities.ReasonServerErrors:
		out.kind, out.text = opportunity.AttentionOperation, "the API responds with server errors"
	case activities.ReasonRateLimit:
		out.kind, out.text = opportunity.AttentionLimit, "the API's request limit is reached"
	case activities.ReasonNamespaceBusy:
		out.kind, out.text = opportunity.AttentionLimit, "Temporal is too busy to list the earlier runs of the reference"
	case activities.ReasonSendDeadlinePassed:
		out.kind = opportunity.AttentionClock
		out.text = "the send window had passed before the worker could send the request: the worker's clock differs from the Temporal server's clock, or the worker is overloaded"
	case activities.ReasonUnknownEffectKind:
		out.kind, out.text = opportunity.AttentionOperation, "a worker does not support the kind of an effect; update all workers to the latest version"
	case activities.ReasonPlaybookUnavailable:
		out.kind, out.text = opportunity.AttentionOperation, "the worker cannot use the playbook in force; the worker's log and /readyz show the reason"
	case activities.ReasonNoWorker:
		out.text = fmt.Sprintf("no worker starts the activities of the task queue %s in time: no worker runs, or too many activities wait", activities.TaskQueue)
		out.attempted = false
	}
	return out
}

func (r *run) setWait(ctx workflow.Context, out outage, about string, until time.Time) {
	if r.state.SetWait(opportunity.WaitInfo{Kind: out.kind, Reason: out.text, Request: about, Until: until, Since: workflow.Now(ctx)}) {
		workflow.GetLogger(ctx).Warn("the run waits", "for", out.kind, "reason", out.text)
	}
}

// For attention of the kind "operation", the parameter about is the key. Attention of any other
// kind concerns the whole opportunity and has no key.
func (r *run) raiseAttention(ctx workflow.Context, out outage, about string) {
	if out.kind != opportunity.AttentionOperation {
		about = ""
	}
	r.state.RaiseAttention(out.kind, about, r.state.Wait.Reason, workflow.Now(ctx))
}

func (r *run) clearWait(ctx workflow.Context, about string) {
	r.withoutWorker = 0
	if r.state.EndWait(about) {
		workflow.GetLogger(ctx).Info("the API responds again")
	}
}

// giveUpAfter is how long a cancelled or closed run may continue while the API does not respond.
// After giveUpAfter, the run turns changes of unknown status into questions. After giveUpAfter, the
// run also no longer releases reservations and no longer undoes effects.
const giveUpAfter = 3 * time.Hour

func (r *run) isPastGiveUp(ctx workflow.Context) bool {
	if !r.isEnding() {
		return false
	}
	now := workflow.Now(ctx)
	if r.giveUpAt.IsZero() {
		r.giveUpAt = now.Add(giveUpAfter)
	}
	return !now.Before(r.giveUpAt)
}

func (r *run) shouldGiveUp(ctx workflow.Context) bool {
	return r.isPastGiveUp(ctx) && hasChange(ctx, changeOutages)
}

// When the server reports that no worker received the activity, nothing was sent. After every other
// error the status is unknown. An activity that changes something never returns an error. If such
// an activity failed without a time-out, somebody ended the activity by hand.
func resultOfError(err error) activities.CallResult {
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) && timeout.TimeoutType() == enums.TIMEOUT_TYPE_SCHEDULE_TO_START {
		return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonNoWorker}
	}
	if timeout == nil {
		return activities.CallResult{Status: exchange.StatusUnknown, Reason: activities.ReasonAttemptNotEnded}
	}
	return activities.CallResult{Status: exchange.StatusUnknown}
}

// After each consecutive activity that no worker received, the next activity waits longer for a
// worker.
func (r *run) changeOptions(summary string) workflow.ActivityOptions {
	o := r.options.Times.ChangeOptions(summary)
	o.ScheduleToStartTimeout = activities.ScheduleToStartTimeout(r.withoutWorker)
	return r.withFairness(o)
}

func (r *run) withFairness(o workflow.ActivityOptions) workflow.ActivityOptions {
	if r.state.IsUrgent() {
		o = activities.WithUrgentPriority(o)
	}
	return activities.WithFairnessKey(r.state.FairnessKey(), o)
}

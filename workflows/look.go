package workflows

import (
	"errors"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// A look is an activity that changes nothing at the API. The run asks for a look in rounds: within
// a round the server repeats the activity, and between two rounds the run shows what it waits for.
// Later rounds are longer, so that an outage of a day fits into one run.
type look struct {
	activity string
	input    any
	options  workflow.ActivityOptions
	// about is the key of the attention when the API fails at this look alone, for example the key
	// of an effect.
	about string
	// probes says that an answer to this look proves nothing for the waiting work, so that the wait
	// goes on.
	probes bool
}

// lookFor repeats a look until the API answers or the run has to end. proves reports whether a
// result belongs to the input of the look. The error is the API's refusal, or says that the run
// ends.
func lookFor[R any](ctx workflow.Context, r *run, l look, proves func(R) bool) (R, error) {
	for round := 0; ; round++ {
		result, err := lookOnce(ctx, r, l, proves, round)
		if err == nil || !unanswered(err) || r.mustEnd(ctx) {
			return result, err
		}
	}
}

// lookOnce makes a look for one round. When the API does not answer, the run waits from then on:
// the view shows the reason, and attention follows.
func lookOnce[R any](ctx workflow.Context, r *run, l look, proves func(R) bool, round int) (R, error) {
	result, err := ask(ctx, r, l, proves, round)
	switch {
	case (err == nil || lasting(err)) && !l.probes: // a refusal is an answer, too
		r.answered(ctx, l.about)
	case unanswered(err) && !errors.Is(err, errCut):
		out := outageOf(err)
		r.waitFor(ctx, out, l.about, time.Time{})
		if out.known || round > 0 {
			r.attend(ctx, out, l.about)
		}
		r.show(ctx)
	}
	return result, err
}

// ask runs the activity of a look for one round. It runs the activity again when the result does
// not belong to the input, since somebody may have completed the activity by hand. Its error is
// errCut, a cancellation, or an error of the activity's own.
func ask[R any](ctx workflow.Context, r *run, l look, proves func(R) bool, round int) (R, error) {
	for setbacks := 1; ; setbacks++ {
		var result R
		err := r.execute(ctx, l, round, &result)
		if err == nil && proves(result) || err != nil && (errors.Is(err, errCut) || !byHand(err)) {
			return result, err
		}
		if !since(ctx, changeProof) {
			return result, err
		}
		pause := pauseBefore(setbacks, activities.Sending{}, "")
		if err := wait(ctx, pause, "the result of the read is no answer: read again"); err != nil {
			var none R
			return none, err
		}
	}
}

// execute runs the activity for one round. A later round ends when the run is cancelled or closed,
// since the remaining time is for shorter rounds.
func (r *run) execute(ctx workflow.Context, l look, round int, result any) error {
	options := activities.InRound(l.options, round)
	if !r.endBy.IsZero() {
		options.ScheduleToCloseTimeout = max(min(options.ScheduleToCloseTimeout, r.endBy.Sub(workflow.Now(ctx))), activities.RoundOf(0))
	}
	asking, stop := workflow.WithCancel(workflow.WithActivityOptions(ctx, r.fairly(options)))
	defer stop()
	defer r.begin(asking)()
	var input []any
	if l.input != nil {
		input = append(input, l.input)
	}
	answer := workflow.ExecuteActivity(asking, l.activity, input...)
	mayCut := round > 0 && !r.ends()
	if isLost(ctx, answer, options, func() bool { return mayCut && r.ends() }) {
		return errLost
	}
	if mayCut {
		// A run from before changeLost does not give the activity up: it waits on.
		_ = workflow.Await(ctx, func() bool { return answer.IsReady() || r.ends() })
		if !answer.IsReady() {
			return errCut
		}
	}
	return answer.Get(ctx, result)
}

// errCut is the error of a round that was cut short before its answer came.
var errCut = errors.New("the round was cut short")

// ends reports whether the run was cancelled or closed.
func (r *run) ends() bool { return r.root.Err() != nil || r.state.Closing != nil }

// unanswered reports whether an activity ended without an answer of the API; the next attempt may
// get one.
func unanswered(err error) bool {
	return err != nil && !lasting(err) && !temporal.IsCanceledError(err)
}

// An outage is the reason why the API did not answer, or why nothing could be sent.
type outage struct {
	reason activities.Reason
	word   opportunity.Word
	text   string
	// known says that an attempt was made and failed; otherwise, perhaps no worker took the
	// activity.
	known bool
}

// outageOf returns the outage behind the error of an activity.
func outageOf(err error) outage {
	var application *temporal.ApplicationError
	if errors.As(err, &application) {
		out := outageFor(activities.Reason(application.Type()))
		out.text += ": " + application.Message()
		return out
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) && timeout.TimeoutType() == enums.TIMEOUT_TYPE_START_TO_CLOSE {
		out := outageFor(activities.ReasonUnreachable)
		out.text += ": no answer in time"
		return out
	}
	return outageFor(activities.ReasonQueue)
}

// outageFor returns the outage of a reason, with its attention word and its text.
func outageFor(reason activities.Reason) outage {
	out := outage{reason: reason, word: opportunity.AttentionAPI, text: "the API cannot be reached", known: true}
	switch reason {
	case activities.ReasonAuthentication:
		out.word, out.text = opportunity.AttentionCredentials, "the TMS refuses the worker's credentials"
	case activities.ReasonTenant:
		out.word, out.text = opportunity.AttentionCredentials, "the worker's credentials reach another tenant than the one the namespace belongs to"
	case activities.ReasonErrors:
		out.word, out.text = opportunity.AttentionOperation, "the API answers with errors of its own"
	case activities.ReasonRate:
		out.word, out.text = opportunity.AttentionLimit, "the API's limit of requests is reached"
	case activities.ReasonNamespace:
		out.word, out.text = opportunity.AttentionLimit, "Temporal is asked too much to answer whether there was an opportunity of this reference before"
	case activities.ReasonLate:
		out.word = opportunity.AttentionClock
		out.text = "the time to send had passed when the worker came to it: the worker's clock differs from the Temporal server's, or the worker is overloaded"
	case activities.ReasonVersion:
		out.word, out.text = opportunity.AttentionOperation, "what is to be done is not known to the workers"
	case activities.ReasonPlaybook:
		out.word, out.text = opportunity.AttentionOperation, "the worker does not know the playbook in force, or cannot work by it; its log and /readyz say why"
	case activities.ReasonQueue:
		out.text = fmt.Sprintf("no worker takes activities of the task queue %s in time: none runs, or too much waits there", activities.TaskQueue)
		out.known = false
	}
	return out
}

// waitFor sets the reason of the wait that begins.
func (r *run) waitFor(ctx workflow.Context, out outage, about string, until time.Time) {
	if r.state.WaitFor(opportunity.Wait{Word: out.word, Reason: out.text, Request: about, Until: until, Since: workflow.Now(ctx)}) {
		workflow.GetLogger(ctx).Warn("waiting", "for", out.word, "reason", out.text)
	}
}

// attend raises attention for an outage that the run waits for. Attention with the word operation
// has the key about; every other attention concerns everything, and has no key.
func (r *run) attend(ctx workflow.Context, out outage, about string) {
	if out.word != opportunity.AttentionOperation {
		about = ""
	}
	r.state.Attend(out.word, about, r.state.Waits.Reason, workflow.Now(ctx))
}

// answered notes that the API answers.
func (r *run) answered(ctx workflow.Context, about string) {
	r.queued = 0
	if r.state.Answered(about) {
		workflow.GetLogger(ctx).Info("the API answers again")
	}
}

// endWithin is how long a cancelled or closed run may go on while the API does not answer. After
// that time, changes of unknown fate become questions, places lapse, and effects stay as they are.
const endWithin = 3 * time.Hour

// mustEnd reports whether a run that is cancelled or closed has tried for long enough.
func (r *run) mustEnd(ctx workflow.Context) bool {
	if !r.ends() {
		return false
	}
	now := workflow.Now(ctx)
	if r.endBy.IsZero() {
		r.endBy = now.Add(endWithin)
	}
	return !now.Before(r.endBy)
}

// givesUp reports whether a run that ends has tried for long enough, so that it leaves things as
// they are.
func (r *run) givesUp(ctx workflow.Context) bool { return r.mustEnd(ctx) && since(ctx, changeOutages) }

// lost returns the fate of a change whose activity ended with an error. When the server reports
// that no worker took the activity, it is proven that nothing was sent. After every other error the
// fate is unknown. An activity that changes something never fails, so an activity that did not time
// out was ended by hand.
func lost(err error) activities.Sending {
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) && timeout.TimeoutType() == enums.TIMEOUT_TYPE_SCHEDULE_TO_START {
		return activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonQueue}
	}
	if timeout == nil {
		return activities.Sending{Fate: opportunity.FateUnknown, Reason: activities.ReasonAttempt}
	}
	return activities.Sending{Fate: opportunity.FateUnknown}
}

// toChange returns the options of an activity that changes something. Each time that no worker took
// the last such activity, the next one may wait for a worker for longer.
func (r *run) toChange(summary string) workflow.ActivityOptions {
	o := r.options.Times.ToChange(summary)
	o.ScheduleToStartTimeout = activities.StartWithin(r.queued)
	return r.fairly(o)
}

// fairly adds to the options for whom the run works, and whether the run is urgent.
func (r *run) fairly(o workflow.ActivityOptions) workflow.ActivityOptions {
	if r.state.Urgent() {
		o = activities.Urgently(o)
	}
	return activities.For(r.state.Origin(), o)
}

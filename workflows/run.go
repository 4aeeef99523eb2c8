package workflows

import (
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// run is what one run of the workflow holds beside the state that it carries on.
type run struct {
	options  Options
	state    *opportunity.State
	arrivals *arrivals
	alarms   alarms
	// names are the meanings of the names and codes that this run has looked up.
	names   map[opportunity.Name]opportunity.Resolved
	answers answers
	// own is the run id by which this run knows itself. told is the run id that the server knows,
	// "" until an activity reported it. The two differ after a reset; the run must then read back
	// the requests of the run before.
	own, told string
	// owner says whose mark the record carried when it was last read.
	owner activities.Owner
	// root is the context that a cancellation of the workflow reaches. endBy is the time at which a
	// cancelled or closed run gives up, zero before.
	root  workflow.Context
	endBy time.Time
	// setbacks counts the requests in a row that could not be sent, queued those among them that no
	// worker took.
	setbacks, queued int
	// planRounds and refreshRounds count the background rounds in a row without an answer of the
	// API.
	planRounds, refreshRounds int
	// overruled counts the plans in a row of a lower version of the playbook than the run has seen.
	overruled int
	// underWay holds the requests that are under way, the oldest first.
	underWay []*opportunity.Wait
	// calls counts the services of the tenant that are being called. unserved says that a call had
	// no answer since the run began to rest.
	calls    int
	unserved bool
	// changed is when a record that is adopted was last changed before it was marked; zero where
	// that is not known.
	changed time.Time
	// rivals counts the waits for other references that adopt the same record.
	rivals int
	// failed says why the record cannot be created.
	failed error
	// ending says that the run has stopped taking commands.
	ending bool
}

// newRun reads the input. Its error is a mistake of the caller, and ends the workflow; a mistake of
// the worker only fails the task.
func newRun(ctx workflow.Context, options Options, a arguments) (*run, error) {
	info := workflow.GetInfo(ctx)
	r := &run{
		options: options, arrivals: arrivalsOf(ctx), root: ctx,
		names: make(map[opportunity.Name]opportunity.Resolved), answers: answers{waiting: make(map[string]time.Time)},
		own: info.OriginalRunID,
	}
	if r.arrivals == nil {
		failTask("the worker lacks workflows.Interceptor")
	}
	// A caller cannot hand a state over: only a run that continues another run has a state.
	if info.ContinuedExecutionRunID != "" && info.CronSchedule == "" {
		if err := readRefusal(a.carried.raw); err != nil {
			return nil, err
		}
		if state := readState(a.carried.raw); state != nil {
			r.state = state
			r.state.NotCalling()
			r.state.Version = opportunity.StateVersion // the state is written in this version from now on
			r.inherit(info.ContinuedExecutionRunID)
			return r, nil
		}
	}
	reference, ok := lifecycle.ReferenceOf(info.WorkflowExecution.ID)
	if !ok {
		return nil, opportunity.Invalidf("workflow id: %q; it must be %q", info.WorkflowExecution.ID, lifecycle.WorkflowID("<reference>"))
	}
	if err := reference.Validate(); err != nil {
		return nil, err
	}
	state, err := admit(ctx, reference, a)
	if err != nil {
		return nil, err
	}
	r.state = state
	return r, nil
}

// readState reads the state that the run before handed over, nil when there was none. A worker that
// cannot read a state in full leaves the state to another worker.
func readState(carried converter.RawValue) *opportunity.State {
	if (sent{raw: carried}).isEmpty() {
		return nil
	}
	payload, err := typedJSON(carried)
	if err != nil {
		failTask("the state of the run before cannot be read: " + err.Error())
	}
	var written struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(payload, &written); err != nil {
		failTask("the state of the run before cannot be read: " + err.Error())
	}
	if written.Version > opportunity.StateVersion {
		failTask(fmt.Sprintf("the state is of version %d, this worker knows versions up to %d: deploy a newer worker",
			written.Version, opportunity.StateVersion))
	}
	var state opportunity.State
	if err := json.Unmarshal(payload, &state); err != nil {
		failTask("the state of the run before cannot be read: " + err.Error())
	}
	return &state
}

// failTask fails the workflow task; the server offers the task again until a worker comes that can
// do it. An error instead would end the workflow.
func failTask(why string) {
	panic(why) //nolint:forbidigo // the only way to fail a workflow task
}

// typedJSON returns the JSON of a payload that anybody may have sent.
func typedJSON(raw converter.RawValue) ([]byte, error) {
	payload := raw.Payload()
	if payload == nil {
		return nil, opportunity.Invalidf("no payload; a JSON object is wanted, such as {…}")
	}
	switch encoding := string(payload.GetMetadata()[converter.MetadataEncoding]); encoding {
	case converter.MetadataEncodingJSON:
	case EncodingTooLarge:
		return nil, opportunity.Invalidf("too large: with its headers a message has at most %d bytes, of which at most %d are JSON", opportunity.MaxUpdateBytes, opportunity.MaxCommandBytes)
	case EncodingElsewhere:
		return nil, opportunity.Invalidf("a reference to external storage; the JSON object itself is wanted")
	default:
		return nil, opportunity.Invalidf("the payload is encoded as %q; %q is wanted", encoding, converter.MetadataEncodingJSON)
	}
	return payload.GetData(), nil
}

// serve applies commands until the opportunity is over or the run should continue as new. Its error
// is the cancellation, or the reason why an operator closed the opportunity.
func (r *run) serve(ctx workflow.Context) error {
	for {
		r.takeSignals(ctx)
		r.show(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case r.state.Closing != nil:
			return r.state.Closing.Told()
		case r.isOver(ctx), r.mayContinue(ctx) && r.letsIn(ctx):
			r.ending = true
			return nil
		case r.mustShed(ctx):
			r.state.Shed(workflow.Now(ctx))
		default:
			if err := r.work(ctx); err != nil {
				return err
			}
		}
	}
}

// work does the next task.
func (r *run) work(ctx workflow.Context) error {
	switch next := r.next(ctx).(type) {
	case opportunity.ReadRecord:
		r.refresh(ctx)
	case opportunity.EnsureEffect:
		r.ensure(ctx, next.Job)
	case opportunity.PlanMove:
		r.planMove(ctx, next.Request, next.To)
	case opportunity.SendCommands:
		r.applyNext(ctx)
	case opportunity.PlanReaction:
		r.planFor(ctx, next.Occasion)
	case opportunity.PlanFollowUps:
		r.planAhead(ctx)
	case opportunity.DoFollowUp:
		r.followUp(ctx, next.FollowUp)
	case opportunity.Rest:
		return r.rest(ctx, next.Until)
	}
	return nil
}

func (r *run) next(ctx workflow.Context) opportunity.Task {
	return r.state.Next(workflow.Now(ctx), opportunity.Circumstances{Arriving: r.arrivals.waiting(), Unread: r.refreshRounds > 0})
}

// rest waits until there is a task; tasks that are due at a time share one timer, for the earliest
// time.
func (r *run) rest(ctx workflow.Context, until time.Time) error {
	r.unserved = false
	stirs := func() bool {
		if _, rests := r.next(ctx).(opportunity.Rest); !rests {
			return true
		}
		return r.unserved || r.arrivals.waiting() || r.state.Closing != nil || r.isOver(ctx) || r.mayContinue(ctx)
	}
	switch {
	case until.IsZero():
		return workflow.Await(ctx, stirs)
	case r.state.Rules.Quiet > 0:
		return r.alarms.rest(ctx, until, stirs)
	}
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: until.Sub(workflow.Now(ctx)), TimerOptions: workflow.TimerOptions{Summary: "until the next thing is due"},
	}, stirs)
	return err
}

// isOver reports whether the run may complete: nothing waits, and every caller has an answer.
func (r *run) isOver(ctx workflow.Context) bool {
	return r.state.IsOver() && !r.arrivals.waiting() && workflow.AllHandlersFinished(ctx)
}

// maxEvents is the length of history after which a run continues as new; the server suggests it at
// 4,096.
const maxEvents = 2000

// shouldContinue reports whether the history has grown long.
func (r *run) shouldContinue(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() > maxEvents
}

// mayContinue reports whether the run should continue as new and can. The waiting messages must fit
// into the input of the next run, or the run works them off first. No call of a service may be
// under way, and every caller must have an answer, since an update cannot be handed over.
func (r *run) mayContinue(ctx workflow.Context) bool {
	return (r.shouldContinue(ctx) || r.state.RenewsNow(workflow.Now(ctx))) && r.fits() && r.calls == 0 && workflow.AllHandlersFinished(ctx)
}

// letsIn lets the updates in that came with the task, and reports whether the run may still
// continue as new. An update that a run before accepted is delivered only once.
func (r *run) letsIn(ctx workflow.Context) bool {
	if since(ctx, changeReadmit) {
		breathe(ctx)
	}
	return r.mayContinue(ctx)
}

func (r *run) fits() bool { return r.state.WaitingBytes() <= opportunity.MaxCarriedBytes }

// The size of history after which waiting messages are no longer worked off, but shed; the server
// terminates a run at 51,200 events or 50 MiB.
const (
	lastEvents = 40_000
	lastBytes  = 40 << 20
)

// mustShed reports whether the history has grown so long that the run must continue as new although
// too much waits.
func (r *run) mustShed(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return (info.GetCurrentHistoryLength() > lastEvents || info.GetCurrentHistorySize() > lastBytes) && !r.fits()
}

// carryOn continues the workflow in a new run. Timers, handlers and the details shown in the Web UI
// do not survive; the new run sets them up again.
func (r *run) carryOn(ctx workflow.Context) error {
	r.takeSignals(ctx)
	r.state.Runs++
	r.state.Renewed = false
	r.state.Writer = r.own
	return workflow.NewContinueAsNewError(ctx, lifecycle.WorkflowType, nil, r.state)
}

// abandon ends a run that does not go on: it was cancelled or closed, or the record could not be
// created. Waiting messages are reported failed, and places are given back; the step in the TMS
// stays as it is.
func (r *run) abandon(ctx workflow.Context, reason error) (*opportunity.Ended, error) {
	cancelled := ctx.Err() != nil
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	var told *opportunity.Error
	switch {
	case cancelled:
		told = opportunity.Failf(opportunity.Closed, "the opportunity was cancelled before the request was carried out")
	case r.state.Closing != nil:
		told = r.state.Closing.Told()
	default:
		told = opportunity.Failf(opportunity.Closed, "the opportunity could not be created: %v", reason)
	}
	r.ending = true
	r.takeSignals(ctx)
	answersAll := since(ctx, changeEnding)
	if answersAll {
		breathe(ctx) // the SDK hands out updates that came with the task while the workflow waits
	}
	r.lookForReset(ctx)
	if answersAll && r.state.ID == "" && r.failed == nil {
		r.failed = told // for the callers that wait for the record
	}
	r.state.FailAll(told, workflow.Now(ctx))
	r.takeBack(ctx)
	r.releasePlaces(ctx)
	// FailAll wakes the handlers; the wait cannot be cancelled.
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	r.takeSignals(ctx)
	r.state.FailAll(told, workflow.Now(ctx))
	r.show(ctx)
	switch {
	case cancelled:
		return nil, reason
	case r.state.Closing != nil:
		ended := r.state.End()
		return &ended, nil
	}
	return nil, lifecycle.Fault(reason)
}

// maxReleases is how often the run tries to give places back; with a minute between two requests,
// this takes about three hours.
const maxReleases = 180

// releasePlaces gives the opportunity's places back, until the API confirms this or has been out of
// reach for hours. Places that were not given back lapse by themselves.
func (r *run) releasePlaces(ctx workflow.Context) {
	batch := r.state.ReleaseBatch()
	for tries := 0; len(batch) > 0 && tries < maxReleases && !r.givesUp(ctx); tries++ {
		r.send(ctx, batch)
		batch = r.state.ReleaseBatch()
	}
}

// refresh reads the record again, until the API answers or the opportunity is closed. After a round
// without an answer, commands go first.
func (r *run) refresh(ctx workflow.Context) {
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	var record opportunity.Snapshot
	var err error
	read := false
	options := activities.ToSweep("read the record again")
	if r.state.HasWork() { // the work waits for this read
		options = activities.ToRead("read the record again")
	}
	workflow.GoNamed(ctx, "refresh", func(ctx workflow.Context) {
		record, err = r.readOnce(ctx, r.state.ID, options, r.refreshRounds)
		read = true
	})
	cut := func() bool { return r.state.Closing != nil || r.refreshRounds > 0 && r.isAsked() }
	if workflow.Await(ctx, func() bool { return read || cut() }) != nil || !read {
		return // cancelled, closed, or something goes first
	}
	if unanswered(err) {
		r.refreshRounds++
		return
	}
	r.refreshRounds = 0
	if err != nil {
		r.state.Unreadable(reasonOf(err), workflow.Now(ctx))
		return
	}
	r.recovered()
	if r.wasReset() {
		r.accountForReset(ctx, r.state.Step.ID)
		return
	}
	r.state.Refreshed(record, workflow.Now(ctx))
}

// wait waits for a time; the summary of its timer says why.
func wait(ctx workflow.Context, d time.Duration, why string) error {
	return workflow.NewTimerWithOptions(ctx, d, workflow.TimerOptions{Summary: why}).Get(ctx, nil)
}

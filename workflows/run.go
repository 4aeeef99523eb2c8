package workflows

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// run contains the data of one workflow run that are not part of the state that the run carries
// over.
type run struct {
	options       Options
	state         *entity.State
	signals       *signalQueue
	wakeTimers    wakeTimers
	resolvedNames map[exchange.UnresolvedName]exchange.ResolvedName
	updateWaiters updateWaiters
	// believedRunID is the run id that this run knows as its own. actualRunID is the run id that
	// the server knows, or "" until an activity reports this run id. After a reset, believedRunID
	// and actualRunID differ, and the run must read back the requests of the run before the reset.
	believedRunID, actualRunID string
	// tagOwner says whose reference tag the record had when the record was last read.
	tagOwner activities.TagOwner
	// rootContext is the context that a cancellation of the workflow reaches. giveUpAt is the time at
	// which a cancelled or closed run gives up. giveUpAt is zero before the run is cancelled or
	// closed.
	rootContext workflow.Context
	giveUpAt    time.Time
	// failures counts the consecutive requests that could not be sent. withoutWorker counts how many
	// of these requests no worker received.
	failures, withoutWorker int
	// planRounds and refreshRounds count the consecutive background rounds without a response of
	// the API.
	planRounds, refreshRounds int
	// outdatedPlans counts the consecutive plans of a lower version of the playbook than a version
	// that the run has seen.
	outdatedPlans int
	// revision counts the changes of the state that come from outside the current task: an accepted
	// message, or the result of a call of a service. The run discards the result of background work
	// when the revision has changed since the work began.
	revision       int
	activeRequests []*opportunity.WaitInfo
	// activeCalls counts the calls of services that are under way. callFailed says that a call
	// failed after the run began to wait for work.
	activeCalls int
	callFailed  bool
	inspections inspections
	// separateEffects says that the API refused a request with the requests of several effects.
	separateEffects bool
	// adoptedLastChange is when an adopted record was last changed before the adoption tagged the
	// record, or zero when this time is unknown.
	adoptedLastChange time.Time
	// adoptionWaits counts the waits for other references that adopt the same record.
	adoptionWaits int
	// reservation is the state of the reservation before the last task.
	reservation opportunity.Reservation
	// createError says why the record cannot be created.
	createError error
	// stopping says that the run no longer accepts commands.
	stopping bool
}

// An error of newRun is a mistake of the caller and ends the workflow. A mistake of the worker only
// fails the workflow task.
func newRun(ctx workflow.Context, options Options, a arguments) (*run, error) {
	info := workflow.GetInfo(ctx)
	r := &run{
		options: options, signals: signalQueueOf(ctx), rootContext: ctx,
		resolvedNames: make(map[exchange.UnresolvedName]exchange.ResolvedName), updateWaiters: updateWaiters{deadlines: make(map[string]time.Time)},
		believedRunID: info.OriginalRunID,
	}
	if r.signals == nil {
		failTask("the worker lacks workflows.Interceptor")
	}
	// Only a run that continues an earlier run receives a state.
	if info.ContinuedExecutionRunID != "" && info.CronSchedule == "" {
		if err := readRejectedStart(a.carriedState.raw); err != nil {
			return nil, err
		}
		if state := readState(a.carriedState.raw); state != nil {
			r.state = state
			r.state.ClearCalling()
			r.state.Version = entity.StateVersion // the state is written in this version from now on
			r.detectMissedReset(info.ContinuedExecutionRunID)
			return r, nil
		}
	}
	reference, ok := lifecycle.ReferenceOf(info.WorkflowExecution.ID)
	if !ok {
		return nil, opportunity.Invalidf("workflow id: %q is given, but %q is required", info.WorkflowExecution.ID, lifecycle.WorkflowID("<reference>"))
	}
	if err := reference.Validate(); err != nil {
		return nil, err
	}
	state, err := admitStart(ctx, reference, a)
	if err != nil {
		return nil, err
	}
	r.state = state
	return r, nil
}

// readState reads the state that the previous run carried over, or returns nil when no state was
// carried over. A worker that cannot read all of a state fails the workflow task, so that another
// worker can read the state.
func readState(carried converter.RawValue) *entity.State {
	if (messagePayload{raw: carried}).isEmpty() {
		return nil
	}
	payload, err := payloadJSON(carried)
	if err != nil {
		failTask("the state of the previous run cannot be read: " + err.Error())
	}
	var written struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(payload, &written); err != nil {
		failTask("the state of the previous run cannot be read: " + err.Error())
	}
	if written.Version > entity.StateVersion {
		failTask(fmt.Sprintf("the state has version %d, but this worker knows versions up to %d only; deploy a newer worker",
			written.Version, entity.StateVersion))
	}
	var state entity.State
	if err := json.Unmarshal(payload, &state); err != nil {
		failTask("the state of the previous run cannot be read: " + err.Error())
	}
	return &state
}

// failTask fails the workflow task. The server then offers the task again until a worker can
// complete the task. An error that the workflow returned would end the workflow.
func failTask(why string) {
	panic(why) //nolint:forbidigo // the only way to fail a workflow task
}

// payloadJSON returns the JSON of a payload that anybody may have sent.
func payloadJSON(raw converter.RawValue) ([]byte, error) {
	payload := raw.Payload()
	if payload == nil {
		return nil, opportunity.Invalidf("no payload; a JSON object is expected, such as {…}")
	}
	switch encoding := string(payload.GetMetadata()[converter.MetadataEncoding]); encoding {
	case converter.MetadataEncodingJSON:
	case EncodingTooLarge:
		return nil, opportunity.Invalidf("the message is too large: a message has at most %d bytes with its headers, and at most %d bytes of JSON", opportunity.MaxUpdateBytes, opportunity.MaxCommandBytes)
	case EncodingExternalStorage:
		return nil, opportunity.Invalidf("the payload is a reference to external storage; the JSON object itself is expected")
	default:
		return nil, opportunity.Invalidf("the payload is encoded as %q; %q is expected", encoding, converter.MetadataEncodingJSON)
	}
	return payload.GetData(), nil
}

// The error of runTasks is the error of a cancellation, or the reason why an operator closed the
// opportunity.
func (r *run) runTasks(ctx workflow.Context) error {
	for {
		r.drainSignals(ctx)
		r.reportExpiredReservation(ctx)
		r.markBlocks(ctx)
		r.keepOpen(ctx)
		r.publish(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case r.state.Closing != nil:
			return r.state.Closing.RequestError()
		case r.isOver(ctx), r.canContinueAsNew(ctx) && r.canContinueAfterYield(ctx):
			r.stopping = true
			return nil
		case r.shouldShed(ctx):
			r.state.Shed(workflow.Now(ctx))
		default:
			if err := r.runTask(ctx); err != nil {
				return err
			}
		}
	}
}

// reportExpiredReservation raises attention when a task has found that the reservation has expired,
// and removes the attention when the attention no longer applies.
func (r *run) reportExpiredReservation(ctx workflow.Context) {
	before, now := r.reservation, workflow.Now(ctx)
	r.reservation = r.state.Reservation
	if r.state.HasReservationExpired(before, now) && hasChange(ctx, changeExpiredReservation) {
		r.state.RaiseExpiredReservation(before.Until, now)
	}
	r.state.ClearExpiredReservation(false)
}

// markBlocks stores the step in which mails and follow-ups began to wait for an operator.
func (r *run) markBlocks(ctx workflow.Context) {
	if r.state.HasUnmarkedBlock() && hasChange(ctx, changeBlockedFollowUps) {
		r.state.MarkBlocks(workflow.Now(ctx))
	}
}

// keepOpen stores the time until which the run takes messages after the end of the opportunity.
func (r *run) keepOpen(ctx workflow.Context) {
	now := workflow.Now(ctx)
	r.state.ApplyFinalState(now)
	until := r.state.UnnamedPlacesUntil()
	if !r.state.IsOver() || until.Equal(r.state.PlacesUntil) {
		return
	}
	if !until.After(now) || !until.After(r.state.KeepOpenUntil) || !hasChange(ctx, changeUnnamedPlaces) {
		until = time.Time{}
	}
	r.state.PlacesUntil = until
}

func (r *run) runTask(ctx workflow.Context) error {
	task := r.nextTask(ctx)
	if effect, is := task.(entity.EnsureEffect); is && effect.ActiveEffect.IsAfter() && r.hasPendingInput() {
		if r.withdrawIfOvertaken(ctx, effect.ActiveEffect) {
			return nil
		}
		if hasChange(ctx, changeEffectsYield) {
			task = r.state.Next(workflow.Now(ctx), r.conditions(true))
		}
	}
	switch next := task.(type) {
	case entity.ReadRecord:
		r.refresh(ctx)
	case entity.EnsureEffect:
		r.runEffect(ctx, next.ActiveEffect)
	case entity.PlanTransition:
		r.planTransition(ctx, next.Request, next.To)
	case entity.SendCommands:
		r.applyNext(ctx)
	case entity.PlanManualTransition:
		r.planManualTransition(ctx, next)
	case entity.PlanReaction:
		r.planReaction(ctx, next.ExternalChange)
	case entity.PlanFollowUps:
		r.planFollowUps(ctx)
	case entity.DoFollowUp:
		r.startFollowUp(ctx, next.FollowUp)
	case entity.WaitForWork:
		return r.waitForWork(ctx, next.Until)
	}
	return nil
}

func (r *run) nextTask(ctx workflow.Context) entity.Task {
	return r.state.Next(workflow.Now(ctx), r.conditions(false))
}

func (r *run) conditions(effectsYield bool) entity.Conditions {
	return entity.Conditions{MessagesArrived: r.signals.hasNext(), ReadFailed: r.refreshRounds > 0, EffectsYield: effectsYield}
}

// Tasks that are due at a certain time share one timer, which fires when the earliest task is due.
func (r *run) waitForWork(ctx workflow.Context, until time.Time) error {
	r.callFailed = false
	stirs := func() bool {
		if _, rests := r.nextTask(ctx).(entity.WaitForWork); !rests {
			return true
		}
		return r.callFailed || r.signals.hasNext() || r.state.Closing != nil || r.isOver(ctx) || r.canContinueAsNew(ctx)
	}
	switch {
	case until.IsZero():
		return workflow.Await(ctx, stirs)
	case r.state.Playbook.QuietTime > 0, !r.state.OpenUntil().IsZero():
		return r.wakeTimers.await(ctx, until, stirs)
	}
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: until.Sub(workflow.Now(ctx)), TimerOptions: workflow.TimerOptions{Summary: "wait until the next task is due"},
	}, stirs)
	return err
}

// isOver reports whether the run may complete: nothing waits, the run takes no more messages, and
// every update has returned.
func (r *run) isOver(ctx workflow.Context) bool {
	return r.state.CanEnd(workflow.Now(ctx)) && !r.signals.hasNext() && workflow.AllHandlersFinished(ctx)
}

// maxEvents is the number of history events after which a run continues as new. The server suggests
// continue as new at 4,096 events.
const maxEvents = 2000

func (r *run) shouldContinueAsNew(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() > maxEvents
}

// canContinueAsNew reports whether the run should continue as new and is able to continue as new.
// If the waiting messages do not fit into the input of the next run, the run first executes waiting
// messages. The run cannot continue as new during a call of a service. The run cannot continue as
// new before every update has returned, because an update cannot be carried over.
func (r *run) canContinueAsNew(ctx workflow.Context) bool {
	return (r.shouldContinueAsNew(ctx) || r.state.ShouldContinueForPlaybook(workflow.Now(ctx))) && r.fitsCarryLimit() && r.activeCalls == 0 && workflow.AllHandlersFinished(ctx)
}

// canContinueAfterYield first runs the handlers of the updates that came with the workflow task,
// and then reports whether the run may still continue as new. After a reset, the server delivers an
// update of the earlier run only once, so this run must handle the update before it continues as
// new.
func (r *run) canContinueAfterYield(ctx workflow.Context) bool {
	if hasChange(ctx, changeAcceptRedelivered) {
		yieldTurn(ctx)
	}
	return r.canContinueAsNew(ctx)
}

func (r *run) fitsCarryLimit() bool { return r.state.WaitingBytes() <= opportunity.MaxWaitingBytes }

// With a history above one of these limits, the run drops the waiting messages that do not fit into
// the input of the next run. The server terminates a run at 51,200 events or 50 MiB.
const (
	maxEventsBeforeShedding = 40_000
	maxBytesBeforeShedding  = 40 << 20
)

// shouldShed reports whether the history is too long or too large, and the waiting messages do not
// fit into the input of the next run. The run then drops messages and continues as new.
func (r *run) shouldShed(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return (info.GetCurrentHistoryLength() > maxEventsBeforeShedding || info.GetCurrentHistorySize() > maxBytesBeforeShedding) && !r.fitsCarryLimit()
}

// Timers, handlers and the current details are not carried over; the new run sets them up again.
func (r *run) continueAsNew(ctx workflow.Context) error {
	r.drainSignals(ctx)
	r.state.Runs++
	r.state.PlaybookChanged = false
	r.state.PreviousRunID = r.believedRunID
	return workflow.NewContinueAsNewError(ctx, lifecycle.WorkflowType, nil, r.state)
}

// shutDown ends a run that was cancelled or closed, or whose record could not be created. The
// waiting messages fail, and the run releases the reservation. The step in the TMS stays unchanged.
func (r *run) shutDown(ctx workflow.Context, reason error) (*opportunity.RunResult, error) {
	cancelled := ctx.Err() != nil
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	var failure *opportunity.Error
	switch {
	case cancelled:
		failure = opportunity.Failf(opportunity.Closed, "the opportunity was cancelled before the request was carried out")
	case r.state.Closing != nil:
		failure = r.state.Closing.RequestError()
	default:
		failure = opportunity.Failf(opportunity.Closed, "the opportunity could not be created: %v", reason)
	}
	r.stopping = true
	r.drainSignals(ctx)
	answersAll := hasChange(ctx, changeCompleteShutdown)
	if answersAll {
		yieldTurn(ctx) // the SDK runs the handlers of updates that came with the task while the workflow waits
	}
	r.detectReset(ctx)
	if answersAll && r.state.ID == "" && r.createError == nil {
		r.createError = failure // for the callers that wait for the record
	}
	r.state.FailAll(failure, workflow.Now(ctx))
	r.undoEffects(ctx)
	r.releaseReservation(ctx)
	// FailAll wakes the handlers, so the wait for the handlers ends even though a cancellation
	// cannot end this wait.
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	r.drainSignals(ctx)
	r.state.FailAll(failure, workflow.Now(ctx))
	r.state.ClearExpiredReservation(true)
	r.state.DropRecordQuestion()
	r.state.EndKeepOpen()
	r.publish(ctx)
	switch {
	case cancelled:
		return nil, reason
	case r.state.Closing != nil:
		ended := r.state.Result()
		return &ended, nil
	}
	return nil, lifecycle.ToTemporalError(reason)
}

// maxReleases is the maximum number of attempts to release the reservation. With a minute between
// two attempts, maxReleases attempts take about three hours.
const maxReleases = 180

// releaseReservation tries to release the opportunity's reservation until the API confirms the
// release or has been unreachable for hours. A reservation that was not released expires by itself.
func (r *run) releaseReservation(ctx workflow.Context) {
	batch := r.state.ReleaseBatch()
	for tries := 0; len(batch) > 0 && tries < maxReleases && !r.shouldGiveUp(ctx); tries++ {
		r.sendBatch(ctx, batch)
		batch = r.state.ReleaseBatch()
	}
}

// refresh reads the record again, until the API responds or the opportunity is closed. After a
// round without a response, commands interrupt the read.
func (r *run) refresh(ctx workflow.Context) {
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	var record exchange.Snapshot
	var err error
	read := false
	options := activities.BackgroundReadOptions("read the record again")
	if r.state.HasBatch() { // the batch waits for this read
		options = activities.ReadOptions("read the record again")
	}
	workflow.GoNamed(ctx, "refresh", func(ctx workflow.Context) {
		record, err = r.readRecordOnce(ctx, r.state.ID, options, r.refreshRounds)
		read = true
	})
	cut := func() bool { return r.state.Closing != nil || r.refreshRounds > 0 && r.hasPendingInput() }
	if workflow.Await(ctx, func() bool { return read || cut() }) != nil || !read {
		return // cancelled, closed, or interrupted by a command
	}
	if isUnanswered(err) {
		r.refreshRounds++
		return
	}
	r.refreshRounds = 0
	if err != nil {
		r.state.ApplyRefreshFailure(readFailureText(err), workflow.Now(ctx))
		if isPermanent(err) && !errors.Is(err, errTaggedByOther) && hasChange(ctx, changeRecordAttention) {
			r.state.RaiseRecordAttention(unreadableRecordText(err, r.state.ID), workflow.Now(ctx))
		}
		return
	}
	r.resetBackOff()
	if r.hasUnhandledReset() {
		r.readBackAfterReset(ctx, r.state.Step.ID)
		return
	}
	r.noteManualTransition(ctx, record)
	r.state.ApplyRefresh(record, workflow.Now(ctx))
}

func unreadableRecordText(err error, id opportunity.ID) string {
	var application *temporal.ApplicationError
	if errors.As(err, &application) && application.Type() == string(opportunity.NotFound) {
		return fmt.Sprintf("the TMS has no record %s any more: somebody deleted the record, or the worker has no permission to read the record. Make the record readable and send refresh, or end the run with close", id)
	}
	return fmt.Sprintf("the API refuses to show the record %s (%s). Make the record readable and send refresh, or end the run with close", id, readFailureText(err))
}

func wait(ctx workflow.Context, d time.Duration, why string) error {
	return workflow.NewTimerWithOptions(ctx, d, workflow.TimerOptions{Summary: why}).Get(ctx, nil)
}

package compare

import (
	"context"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/worker/host"
)

const (
	bareWorkflow = "Bare"
	bareCall     = "call"
	bareCreated  = "created"
	bareProgress = "progress"
	bareCreate   = "Create"
	bareRequest  = "Ask"
)

type bareState struct {
	Record string `json:"record"`
	// Done is the number of API calls that have taken effect. Waiting is the number of messages
	// whose API call has not taken effect yet.
	Done, Waiting int
}

// bareLifecycle is the shortest Temporal workflow that makes the API calls of the reference
// lifecycle. bareLifecycle makes one API call after the other, with one message and one activity
// for each API call. bareLifecycle ends when the opportunity is won. Unlike Oppflow, bareLifecycle
// does not recognise repeated messages, does not read back after a lost response, and has no view.
func bareLifecycle(ctx workflow.Context) error {
	once := workflow.ActivityOptions{
		TaskQueue: activities.TaskQueue, StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	}
	var state bareState
	over := false
	calls := workflow.GetSignalChannel(ctx, bareCall)
	turn := workflow.NewMutex(ctx)
	one := func(ctx workflow.Context, call Call) error {
		state.Waiting++
		defer func() { state.Waiting-- }()
		if err := turn.Lock(ctx); err != nil {
			return err
		}
		defer turn.Unlock()
		if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, once), bareRequest, state.Record, call).Get(ctx, nil); err != nil {
			return err
		}
		state.Done++
		over = over || call.Step != nil && call.Step.To == won
		return nil
	}
	if err := workflow.SetQueryHandler(ctx, bareProgress, func() (bareState, error) {
		shown := state
		shown.Waiting += calls.Len()
		return shown, nil
	}); err != nil {
		return err
	}
	if err := workflow.SetUpdateHandler(ctx, bareCall, one); err != nil {
		return err
	}
	if err := workflow.SetUpdateHandler(ctx, bareCreated, func(ctx workflow.Context) (string, error) {
		err := workflow.Await(ctx, func() bool { return state.Record != "" })
		return state.Record, err
	}); err != nil {
		return err
	}
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, once), bareCreate).Get(ctx, &state.Record); err != nil {
		return err
	}
	state.Done++
	for {
		if err := workflow.Await(ctx, func() bool { return calls.Len() > 0 || over && workflow.AllHandlersFinished(ctx) }); err != nil {
			return err
		}
		var call Call
		if !calls.ReceiveAsync(&call) {
			return nil
		}
		if err := one(ctx, call); err != nil {
			return err
		}
	}
}

type bareCalls struct{ api *administrate.Client }

func (b bareCalls) create(ctx context.Context) (string, error) { return create(ctx, b.api) }

func (b bareCalls) request(ctx context.Context, record string, call Call) error {
	return call.request(ctx, b.api, record)
}

// The workers of the bare workflow have the same task queues, rate limit and cache size as
// Oppflow's workers.
func bareWorkers(c client.Client, api *administrate.Client, perSecond float64) []worker.Worker {
	worker.SetStickyWorkflowCacheSize(host.DefaultCachedWorkflows)
	lives := worker.New(c, lifecycle.TaskQueue, worker.Options{LocalActivityWorkerOnly: true})
	lives.RegisterWorkflowWithOptions(bareLifecycle, workflow.RegisterOptions{Name: bareWorkflow})
	requests := worker.New(c, activities.TaskQueue, worker.Options{TaskQueueActivitiesPerSecond: perSecond, DisableWorkflowWorker: true})
	calls := bareCalls{api: api}
	requests.RegisterActivityWithOptions(calls.create, activity.RegisterOptions{Name: bareCreate})
	requests.RegisterActivityWithOptions(calls.request, activity.RegisterOptions{Name: bareRequest})
	return []worker.Worker{lives, requests}
}

// bare returns the Subject that plays the lifecycle with the bare workflow. If byUpdate is false,
// the driver sends signals and queries the bare workflow every 20 ms until all API calls have taken
// effect.
func bare(c client.Client, byUpdate bool) Subject {
	name := "bare, signals"
	if byUpdate {
		name = "bare, updates"
	}
	return Subject{Name: name, Temporal: c, begin: func(ctx context.Context, reference opportunity.Reference) (driver, error) {
		b := &bareDriver{temporal: c, id: lifecycle.WorkflowID(reference), byUpdate: byUpdate}
		err := b.begin(ctx)
		return b, err
	}}
}

type bareDriver struct {
	temporal  client.Client
	id        string
	byUpdate  bool
	recordID  string
	sentCalls int
}

func (b *bareDriver) begin(ctx context.Context) error {
	options := client.StartWorkflowOptions{ID: b.id, TaskQueue: lifecycle.TaskQueue}
	b.sentCalls = 1
	if b.byUpdate {
		id, err := startBare(ctx, b.temporal, options)
		b.recordID = id
		return err
	}
	if _, err := b.temporal.ExecuteWorkflow(ctx, options, bareWorkflow); err != nil {
		return err
	}
	state, err := b.done(ctx)
	b.recordID = state.Record
	return err
}

func startBare(ctx context.Context, c client.Client, options client.StartWorkflowOptions) (string, error) {
	options.WorkflowIDConflictPolicy = enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	handle, err := c.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: c.NewWithStartWorkflowOperation(options, bareWorkflow),
		UpdateOptions:          client.UpdateWorkflowOptions{WorkflowID: options.ID, UpdateName: bareCreated, WaitForStage: client.WorkflowUpdateStageCompleted},
	})
	if err != nil {
		return "", err
	}
	var id string
	err = handle.Get(ctx, &id)
	return id, err
}

func (b *bareDriver) record() string { return b.recordID }

func (b *bareDriver) state(ctx context.Context) (bareState, error) {
	var state bareState
	value, err := b.temporal.QueryWorkflow(ctx, b.id, "", bareProgress)
	if err == nil {
		err = value.Get(&state)
	}
	return state, err
}

func (b *bareDriver) done(ctx context.Context) (bareState, error) {
	var state bareState
	err := pollUntil(ctx, func() (bool, error) {
		var err error
		state, err = b.state(ctx)
		return err == nil && state.Done == b.sentCalls, err
	})
	return state, err
}

func (b *bareDriver) send(ctx context.Context, line CallGroup, sent func(n, of int) error) error {
	b.sentCalls += len(line.Calls)
	if b.byUpdate {
		return sendTogether(line.Calls, sent, func(call Call) error { return b.update(ctx, call) })
	}
	for n, call := range line.Calls {
		if err := b.temporal.SignalWorkflow(ctx, b.id, "", bareCall, call); err != nil {
			return err
		}
		if err := sent(n+1, len(line.Calls)); err != nil {
			return err
		}
	}
	_, err := b.done(ctx)
	return err
}

func (b *bareDriver) update(ctx context.Context, call Call) error {
	handle, err := b.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: b.id, UpdateName: bareCall, Args: []any{call}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return err
	}
	return handle.Get(ctx, nil)
}

func (b *bareDriver) waiting(ctx context.Context) (int, error) {
	state, err := b.state(ctx)
	return state.Waiting, err
}

func (b *bareDriver) end(ctx context.Context) error {
	return b.temporal.GetWorkflow(ctx, b.id, "").Get(ctx, nil)
}

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	activitypb "go.temporal.io/api/activity/v1"
	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/e2e/visibilityproxy"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/requestlog"
	"github.com/oppflow/oppflow/stack"
)

// commitThenHold lets the API make the change, and returns the HTTP status 504 after the channel
// released is closed.
func commitThenHold(done chan<- struct{}, released <-chan struct{}) func(http.Handler) http.Handler {
	return func(api http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			api.ServeHTTP(httptest.NewRecorder(), r)
			close(done)
			<-released
			w.WriteHeader(http.StatusGatewayTimeout)
		})
	}
}

// pendingChange returns the running activity that makes a change of the opportunity, or nil if no
// such activity is running.
func (p *parts) pendingChange(reference opportunity.Reference) *workflowpb.PendingActivityInfo {
	p.t.Helper()
	described, err := p.temporal.DescribeWorkflow(p.t.Context(), lifecycle.WorkflowID(reference), "")
	if err != nil {
		p.t.Fatal(err)
	}
	for _, pending := range described.RawResponse.GetPendingActivities() {
		if pending.GetActivityType().GetName() == activities.ApplyCommands {
			return pending
		}
	}
	return nil
}

// The API commits a change, and an operator uses an activity operation of Temporal while the change
// is under way. After the activity operation, the Temporal server may schedule the activity again.
// Oppflow sends no change twice, and the view agrees with the record.
func TestActivityOperationsDuringAChange(t *testing.T) {
	t.Parallel()
	g := newAPIProxy(t)
	p := startParts(t, stack.Options{
		WorkerArgs: append(harness.DefaultTimes(), "--api-rate", "5000"),
		WorkerEnv:  []string{"ADMINISTRATE_URL=" + g.URL + "/graphql"},
	})
	g.setTarget(t, p.APIURL())
	released := make(chan struct{})
	t.Cleanup(func() { close(released) })
	service := p.temporal.WorkflowService()
	type lever struct {
		*testing.T
		ctx       context.Context
		execution *commonpb.WorkflowExecution
		activity  string
	}
	must := func(l lever, err error) {
		l.Helper()
		if err != nil {
			l.Fatal(err)
		}
	}
	options := func(l lever, options *activitypb.ActivityOptions, paths ...string) {
		_, err := service.UpdateActivityOptions(l.ctx, &workflowservice.UpdateActivityOptionsRequest{
			Namespace: p.Namespace(), Execution: l.execution, Activity: &workflowservice.UpdateActivityOptionsRequest_Id{Id: l.activity},
			ActivityOptions: options, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths},
		})
		must(l, err)
	}
	reset := func(l lever) {
		_, err := service.ResetActivity(l.ctx, &workflowservice.ResetActivityRequest{
			Namespace: p.Namespace(), Execution: l.execution, Activity: &workflowservice.ResetActivityRequest_Id{Id: l.activity}, ResetHeartbeat: true,
		})
		must(l, err)
	}
	pause := func(l lever) {
		_, err := service.PauseActivity(l.ctx, &workflowservice.PauseActivityRequest{
			Namespace: p.Namespace(), Execution: l.execution, Activity: &workflowservice.PauseActivityRequest_Id{Id: l.activity},
		})
		must(l, err)
	}
	fail := func(l lever) {
		_, err := service.RespondActivityTaskFailedById(l.ctx, &workflowservice.RespondActivityTaskFailedByIdRequest{
			Namespace: p.Namespace(), WorkflowId: l.execution.GetWorkflowId(), RunId: l.execution.GetRunId(), ActivityId: l.activity,
		})
		must(l, err)
	}
	again := func(l lever, want string) {
		harness.Eventually(l.T, 30*time.Second, want, func() bool {
			pending := p.pendingChange(opportunity.Reference(l.execution.GetWorkflowId()[len("opportunity/"):]))
			return pending == nil || pending.GetAttempt() > 1
		})
	}
	for name, pull := range map[string]func(lever){
		"complete": func(l lever) {
			result := &commonpb.Payloads{Payloads: []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte("{}")}}}
			_, err := service.RespondActivityTaskCompletedById(l.ctx, &workflowservice.RespondActivityTaskCompletedByIdRequest{
				Namespace: p.Namespace(), WorkflowId: l.execution.GetWorkflowId(), RunId: l.execution.GetRunId(), ActivityId: l.activity, Result: result,
			})
			must(l, err)
		},
		"fail": fail,
		"update options": func(l lever) {
			options(l, &activitypb.ActivityOptions{
				StartToCloseTimeout: durationpb.New(2 * time.Second), RetryPolicy: &commonpb.RetryPolicy{MaximumAttempts: 3},
			}, "start_to_close_timeout", "retry_policy.maximum_attempts")
		},
		"update options and reset": func(l lever) {
			options(l, &activitypb.ActivityOptions{
				StartToCloseTimeout: durationpb.New(2 * time.Second),
				RetryPolicy:         &commonpb.RetryPolicy{MaximumAttempts: 3, InitialInterval: durationpb.New(3 * time.Second)},
			}, "start_to_close_timeout", "retry_policy.maximum_attempts", "retry_policy.initial_interval")
			again(l, "the server schedules the change again")
			reset(l)
		},
		"pause, fail, reset": func(l lever) { pause(l); fail(l); reset(l) },
		"reset, fail":        func(l lever) { reset(l); fail(l) },
		"pause, fail, unpause": func(l lever) {
			pause(l)
			fail(l)
			_, err := service.UnpauseActivity(l.ctx, &workflowservice.UnpauseActivityRequest{
				Namespace: p.Namespace(), Execution: l.execution, Activity: &workflowservice.UnpauseActivityRequest_Id{Id: l.activity},
				ResetAttempts: true, ResetHeartbeat: true,
			})
			must(l, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			reference := opportunity.Reference("lever " + name)
			opened, err := p.client.Start(ctx, reference, opportunity.Start{Name: "Lever", Region: "UK"})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			g.intercept(opened.Opportunity, commitThenHold(done, released))
			if err := p.client.Signal(ctx, reference, harness.Interests(1)); err != nil {
				t.Fatal(err)
			}
			select {
			case <-done:
			case <-ctx.Done():
				t.Fatal("the change was not sent")
			}
			run := p.Runs(reference)[0].Events[0].GetWorkflowExecutionStartedEventAttributes().GetOriginalExecutionRunId()
			pull(lever{t, ctx, &commonpb.WorkflowExecution{WorkflowId: lifecycle.WorkflowID(reference), RunId: run}, p.pendingChange(reference).GetActivityId()})
			harness.Eventually(t, 2*time.Minute, "the change status is known", func() bool {
				view, err := p.client.View(ctx, reference)
				return err == nil && len(view.Queue) == 0 && len(view.Interests) == 1 && len(view.Attention) == 0
			})
			if got := p.Opportunity(opened.Opportunity).InterestCount; got != 1 {
				t.Errorf("the record has %d interests; want the one interest that was sent once", got)
			}
		})
	}
}

// A run is reset while the opportunity is paused. After the reset, the server redelivers an update
// that the old run had handled, and the update takes effect once.
func TestResetBehindAPause(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{WorkerArgs: []string{"--api-rate", "5000"}})
	for name, end := range map[string]func(ctx context.Context, reference opportunity.Reference) error{
		"resume": nil,
		"close": func(ctx context.Context, reference opportunity.Reference) error {
			return p.client.Signal(ctx, reference, opportunity.Close{Reason: "entered twice"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			reference := opportunity.Reference("behind a pause " + name)
			opened, err := p.client.Start(ctx, reference, opportunity.Start{Name: "Pause", Region: "UK"})
			if err != nil {
				t.Fatal(err)
			}
			u1 := harness.Interests(1)
			u1.RequestID = "u1"
			if outcome, err := p.client.Update(ctx, reference, u1); err != nil || outcome.State != opportunity.Done {
				t.Fatalf("got %+v, %v", outcome, err)
			}
			if err := p.client.Signal(ctx, reference, opportunity.Pause{}); err != nil {
				t.Fatal(err)
			}
			harness.Eventually(t, time.Minute, "the opportunity is paused", func() bool {
				view, err := p.client.View(ctx, reference)
				return err == nil && view.Paused != nil
			})
			first := resetPoints(p.Runs(reference)[0])[0]
			if end != nil {
				// The worker process is suspended, so the worker does nothing before the run is
				// reset.
				if err := p.Worker().Pause(); err != nil {
					t.Fatal(err)
				}
				if err := end(ctx, reference); err != nil {
					t.Fatal(err)
				}
			}
			p.reset(ctx, reference, first)
			if end == nil {
				if _, err := p.client.Update(ctx, reference, opportunity.Resume{}); err != nil {
					t.Fatal(err)
				}
				if outcome, err := p.client.Update(ctx, reference, u1); err != nil || outcome.State != opportunity.Done {
					t.Errorf("the same update again: got %+v, %v", outcome, err)
				}
			} else if err := p.Worker().Continue(); err != nil {
				t.Fatal(err)
			}
			harness.Eventually(t, time.Minute, "the outcome of the update is done", func() bool {
				outcome, err := p.client.Outcome(ctx, reference, "u1")
				return err == nil && outcome.State == opportunity.Done
			})
			if got := p.Opportunity(opened.Opportunity).InterestCount; got != 1 {
				t.Errorf("the record has %d interests; want the one interest of the update", got)
			}
		})
	}
}

// A run is terminated while a request waits. The command line reports the termination.
func TestTerminatedRunWithAWaitingRequest(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("terminated")
	if _, err := p.client.Start(ctx, reference, opportunity.Start{Name: "Terminated", Region: "UK"}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.client.Update(ctx, reference, opportunity.Pause{}); err != nil {
		t.Fatal(err)
	}
	waits := harness.Interests(1)
	waits.RequestID = "waits"
	if err := p.client.Signal(ctx, reference, waits); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the request waits", func() bool {
		outcome, err := p.client.Outcome(ctx, reference, "waits")
		return err == nil && outcome.State == opportunity.Pending
	})
	if err := p.temporal.TerminateWorkflow(ctx, lifecycle.WorkflowID(reference), "", "an operator tries"); err != nil {
		t.Fatal(err)
	}
	s := p.cliRunner()
	if code, stdout, stderr := s.try("outcome", string(reference), "waits"); code != 1 || !strings.Contains(stdout+stderr, "terminated") || strings.Contains(stdout+stderr, "ask again") {
		t.Errorf("oppflow outcome: exit code %d, %s%s; want the request failed, because the run was terminated", code, stdout, stderr)
	}
	if code, stdout, stderr := s.try("show", string(reference)); code != 0 || !strings.Contains(stdout, "terminated") || strings.Contains(stdout, "resume") {
		t.Errorf("oppflow show: exit code %d, %s%s; want the end of the run, and no advice", code, stdout, stderr)
	}
}

// An opportunity is cancelled and started again at once, before visibility is up to date. An equal
// start finds the record. A different start is a conflict.
func TestStartedAgainAtOnce(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]map[string]any{
		"visibility is up to date": nil,
		"visibility lags":          {"history.visibilityProcessorMaxPollRPS": 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			restartAtOnce(t, startParts(t, stack.Options{DynamicConfig: config, WorkerArgs: []string{"--api-rate", "5000"}}))
		})
	}
}

func restartAtOnce(t *testing.T, p *parts) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	start := opportunity.Start{Name: "Again", Region: "UK", Interests: harness.Interests(1).Interests}
	renamed, moved := start, start
	renamed.Name, moved.Interests = "Something else", harness.Interests(2).Interests
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() {
			reference := opportunity.Reference(fmt.Sprintf("again %d", n))
			first, err := p.client.Start(ctx, reference, start)
			if err != nil {
				t.Error(err)
				return
			}
			for _, next := range []opportunity.Start{start, renamed, start, moved} {
				if err := p.temporal.CancelWorkflow(ctx, lifecycle.WorkflowID(reference), ""); err != nil {
					t.Error(err)
				}
				_, _ = p.client.Wait(ctx, reference) // the error is Closed
				opened, err := p.client.Start(ctx, reference, next)
				if next.Digest() == start.Digest() {
					if err != nil || opened.Opportunity != first.Opportunity {
						t.Errorf("%s: an equal start: got %+v, %v; want %s", reference, opened, err, first.Opportunity)
					}
					continue
				}
				wantError(t, err, opportunity.Conflict)
				// The run with the conflict failed before the run sent an API request.
				if opened, err := p.client.Start(ctx, reference, start); err != nil || opened.Opportunity != first.Opportunity {
					t.Errorf("%s: a repeated start after a conflict: got %+v, %v; want %s", reference, opened, err, first.Opportunity)
				}
			}
		})
	}
	all.Wait()
	if n := p.createdRecords(); n != 6 {
		t.Errorf("%d records were created; want 6", n)
	}
}

func (p *parts) createdRecords() int {
	p.T.Helper()
	n := 0
	for _, entry := range p.RequestLog() {
		for _, field := range entry.Fields {
			if field.Name == "opportunities.create" && field.Outcome == requestlog.Committed {
				n++
			}
		}
	}
	return n
}

// Visibility shows the new run, but not yet the run that created the record. Another worker
// executes the new run. An equal start finds the record. A different start is a conflict once
// visibility shows the earlier run.
func TestStartedAgainBeforeVisibilityShowsTheEarlierRun(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(ctx context.Context, c client.Client, id string) error{
		"cancelled": func(ctx context.Context, c client.Client, id string) error { return c.CancelWorkflow(ctx, id, "") },
		"terminated": func(ctx context.Context, c client.Client, id string) error {
			return c.TerminateWorkflow(ctx, id, "", "")
		},
	} {
		for how, options := range map[string]func(opportunity.Reference, opportunity.Start) client.StartWorkflowOptions{
			"through the client":   nil,
			"as the contract says": lifecycle.StartOptionsOf,
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				p := startParts(t, stack.Options{NoWorker: true})
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
				defer cancel()
				runs, err := visibilityproxy.Open(ctx, p.TemporalAddress())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(runs.Close)
				runs.SetMode(visibilityproxy.NewestOnly)
				start := opportunity.Start{Name: "Again", Region: "UK"}
				begin := func() opportunity.CreateOutcome {
					t.Helper()
					if options != nil {
						if _, err := p.temporal.ExecuteWorkflow(ctx, options("again", start), lifecycle.WorkflowType, start); err != nil {
							t.Fatal(err)
						}
					}
					opened, err := p.client.Start(ctx, "again", start)
					if err != nil {
						t.Fatal(err)
					}
					return opened
				}
				var opened []opportunity.ID
				for range 2 {
					w := p.AddWorker("--temporal-address", runs.Address())
					if err := w.Start(ctx); err != nil {
						t.Fatal(err)
					}
					opened = append(opened, begin().Opportunity)
					if err := end(ctx, p.temporal, lifecycle.WorkflowID("again")); err != nil {
						t.Fatal(err)
					}
					_, _ = p.client.Wait(ctx, "again") // the error is Closed
					if err := w.Stop(ctx); err != nil {
						t.Fatal(err)
					}
				}
				if opened[0] != opened[1] {
					t.Errorf("the first run changes record %s, the second run changes record %s", opened[0], opened[1])
				}
				if n := p.createdRecords(); n != 1 {
					t.Errorf("%d records were created; want 1", n)
				}
			})
		}
	}
}

// An old run of a chain is reset while the opportunity is paused. The changes of the old run and of
// the later runs take effect once.
func TestResetOfAnOldRunBehindAPause(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{
		DynamicConfig: map[string]any{"limit.historyCount.suggestContinueAsNew": 60}, WorkerArgs: []string{"--api-rate", "5000"},
	})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("old run")
	opened, err := p.client.Start(ctx, reference, opportunity.Start{Name: "Old run", Region: "UK"})
	if err != nil {
		t.Fatal(err)
	}
	var updates []opportunity.AddInterests
	var sent int
	for sent = 0; sent < 40 && len(p.Runs(reference)) < 3; sent++ {
		u := harness.Interests(sent + 1)
		u.RequestID = fmt.Sprintf("u%d", sent)
		updates = append(updates, u)
		if outcome, err := p.client.Update(ctx, reference, u); err != nil || outcome.State != opportunity.Done {
			t.Fatalf("got %+v, %v", outcome, err)
		}
	}
	if len(p.Runs(reference)) < 3 {
		t.Fatal("the run was not continued as new")
	}
	if err := p.client.Signal(ctx, reference, opportunity.Pause{}); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the opportunity is paused", func() bool {
		view, err := p.client.View(ctx, reference)
		return err == nil && view.Paused != nil
	})
	listed, err := p.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: p.Namespace(), Query: fmt.Sprintf("WorkflowId = '%s' AND ExecutionStatus = 'ContinuedAsNew'", lifecycle.WorkflowID(reference)),
	})
	if err != nil || len(listed.GetExecutions()) < 2 {
		t.Fatalf("got %v, %v; want the earlier runs", listed, err)
	}
	oldest := listed.GetExecutions()[len(listed.GetExecutions())-1].GetExecution()
	_, err = p.temporal.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: p.Namespace(), WorkflowExecution: oldest, Reason: "an operator tries", RequestId: "old-run", WorkflowTaskFinishEventId: 4,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.client.Update(ctx, reference, opportunity.Resume{}); err != nil {
		t.Fatal(err)
	}
	for _, u := range updates {
		if outcome, err := p.client.Update(ctx, reference, u); err != nil || outcome.State != opportunity.Done {
			t.Errorf("%s again: got %+v, %v", u.RequestID, outcome, err)
		}
	}
	if got := p.Opportunity(opened.Opportunity).InterestCount; got != sent {
		t.Errorf("the record has %d interests; want %d, each once", got, sent)
	}
}

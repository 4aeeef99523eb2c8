package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	enums "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/starter/cli"
)

// watchFrontend is a fake Temporal service with one opportunity. Each query returns the next view,
// and the run ends after the last view.
type watchFrontend struct {
	frontend
	mu      sync.Mutex
	views   []any // an opportunity.View, or an error
	end     *historypb.HistoryEvent
	ended   chan struct{}
	queried chan struct{} // closed at the first query, if not nil
}

func (s *watchFrontend) QueryWorkflow(ctx context.Context, r *workflowservice.QueryWorkflowRequest) (*workflowservice.QueryWorkflowResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	look := s.views[0]
	if len(s.views) > 1 {
		s.views = s.views[1:]
	} else if s.end != nil {
		select {
		case <-s.ended:
		default:
			close(s.ended)
		}
	}
	if s.queried != nil {
		close(s.queried)
		s.queried = nil
	}
	if err, failed := look.(error); failed {
		return nil, err
	}
	answer, err := converter.GetDefaultDataConverter().ToPayloads(look)
	return &workflowservice.QueryWorkflowResponse{QueryResult: answer}, err
}

// GetWorkflowExecutionHistory waits for the end of the run, as a long poll does.
func (s *watchFrontend) GetWorkflowExecutionHistory(ctx context.Context, _ *workflowservice.GetWorkflowExecutionHistoryRequest) (*workflowservice.GetWorkflowExecutionHistoryResponse, error) {
	if s.err != nil {
		return nil, s.err
	}
	select {
	case <-s.ended:
		return &workflowservice.GetWorkflowExecutionHistoryResponse{History: &historypb.History{Events: []*historypb.HistoryEvent{s.end}}}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func newWatchFrontend(end *historypb.HistoryEvent, looks ...any) *watchFrontend {
	return &watchFrontend{views: looks, end: end, ended: make(chan struct{})}
}

func completed(t *testing.T, ended opportunity.RunResult) *historypb.HistoryEvent {
	t.Helper()
	result, err := converter.GetDefaultDataConverter().ToPayloads(ended)
	if err != nil {
		t.Fatal(err)
	}
	return &historypb.HistoryEvent{
		EventType:  enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionCompletedEventAttributes{WorkflowExecutionCompletedEventAttributes: &historypb.WorkflowExecutionCompletedEventAttributes{Result: result}},
	}
}

func failedWith(failure *failurepb.Failure) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{
		EventType:  enums.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionFailedEventAttributes{WorkflowExecutionFailedEventAttributes: &historypb.WorkflowExecutionFailedEventAttributes{Failure: failure}},
	}
}

var (
	wasCancelled = &historypb.HistoryEvent{
		EventType:  enums.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionCanceledEventAttributes{WorkflowExecutionCanceledEventAttributes: &historypb.WorkflowExecutionCanceledEventAttributes{}},
	}
	wasTerminated = &historypb.HistoryEvent{
		EventType:  enums.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionTerminatedEventAttributes{WorkflowExecutionTerminatedEventAttributes: &historypb.WorkflowExecutionTerminatedEventAttributes{}},
	}
	hasTimedOut = &historypb.HistoryEvent{
		EventType:  enums.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionTimedOutEventAttributes{WorkflowExecutionTimedOutEventAttributes: &historypb.WorkflowExecutionTimedOutEventAttributes{}},
	}
)

func lifecycleViews() (proposed, waiting, won opportunity.View) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	step := func(name string, state opportunity.StageState) *opportunity.Step {
		return &opportunity.Step{Name: name, Stage: opportunity.Stage{Name: name, State: state}}
	}
	proposed = opportunity.View{Reference: "lead-1", Step: step("Proposed", opportunity.Open), Timeline: []opportunity.TimelineEntry{{At: at, Text: "start accepted"}, {At: at, Text: "created\nin step Proposed"}}}
	waiting = proposed
	waiting.Queue = []opportunity.QueuedMessage{{Request: "r-1", Summary: "progress to Won"}, {Request: "r-2", Summary: "add 1 interest"}}
	waiting.Attention = []opportunity.Attention{{Kind: opportunity.AttentionAPI, Reason: "out of reach", Since: at}, {Kind: opportunity.AttentionFailed, Reason: "a request failed", Since: at}}
	won = waiting
	won.Step, won.Queue, won.Attention = step("Won", opportunity.Won), nil, nil
	won.Timeline = append(append([]opportunity.TimelineEntry{}, proposed.Timeline...), opportunity.TimelineEntry{At: at.Add(time.Hour), Text: "in step Won"})
	return proposed, waiting, won
}

func runWatch(t *testing.T, s *watchFrontend, args ...string) result {
	t.Helper()
	return oppflow(t, s.serve(t), append([]string{"watch", "lead-1", "--every", "10ms"}, args...)...)
}

func (s *watchFrontend) serve(t *testing.T) []string { return serve(t, s) }

func TestWatchReportsChangesUntilTheEnd(t *testing.T) {
	proposed, waiting, won := lifecycleViews()
	ended := opportunity.RunResult{Reference: "lead-1", Opportunity: "O1", State: opportunity.Won, Step: *won.Step, Interests: 2, Currency: "GBP", FailedRequests: 1}
	got := runWatch(t, newWatchFrontend(completed(t, ended), proposed, proposed, waiting, waiting, won))
	got.wantDone(t)
	want := []string{
		"2026-03-01T12:00:00Z  start accepted",
		"2026-03-01T12:00:00Z  created in step Proposed",
		"step                  Proposed (stage Proposed, Open)",
		"waiting               2 requests, first: progress to Won",
		"attention             api: out of reach",
		"attention             failed: a request failed",
		"2026-03-01T13:00:00Z  in step Won",
		"step                  Won (stage Won, Won)",
		"waiting               nothing",
		"attention             none",
		"ended                 Won in step Won, 2 interests, total 0.00 GBP, 1 request failed",
	}
	if lines := strings.Split(strings.TrimSpace(got.stdout), "\n"); !equalLines(lines, want) {
		t.Errorf("told:\n%s\nwant:\n%s", got.stdout, strings.Join(want, "\n"))
	}
}

func equalLines(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }

func TestWatchWritesOneObjectPerLine(t *testing.T) {
	proposed, waiting, won := lifecycleViews()
	ended := opportunity.RunResult{Reference: "lead-1", Opportunity: "O1", State: opportunity.Won, Step: *won.Step}
	got := runWatch(t, newWatchFrontend(completed(t, ended), proposed, waiting, won), "--output", "json")
	got.wantDone(t)
	var events []string
	for line := range strings.Lines(got.stdout) {
		var read struct {
			Event, Reference, Status string
			At                       time.Time
			Ended                    *opportunity.RunResult
			Waiting                  *int
			Attention                *[]opportunity.Attention
		}
		if err := json.Unmarshal([]byte(line), &read); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		events = append(events, read.Event)
		if read.Reference != "lead-1" || read.At.IsZero() {
			t.Errorf("%s", line)
		}
		switch read.Event {
		case "ended":
			if read.Status != "completed" || read.Ended == nil || cmp.Diff(ended, *read.Ended) != "" {
				t.Errorf("%s", line)
			}
		case "waiting":
			if read.Waiting == nil {
				t.Errorf("%s", line)
			}
		case "attention":
			if read.Attention == nil {
				t.Errorf("%s", line)
			}
		}
	}
	if want := "entry entry step waiting attention entry step waiting attention ended"; strings.Join(events, " ") != want {
		t.Errorf("reported %v, want %s", events, want)
	}
}

func TestWatchOfAnEndedOpportunityReportsItsEnd(t *testing.T) {
	_, _, won := lifecycleViews()
	rejected := failureOf(&opportunity.Error{Type: opportunity.Rejected, Label: "No", Message: "not this one"})
	plain := &failurepb.Failure{Message: "boom", FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{}}}
	for name, test := range map[string]struct {
		end    *historypb.HistoryEvent
		status string
		want   string // text on standard error
	}{
		"completed":  {completed(t, opportunity.RunResult{State: opportunity.Won, CloseReason: "by phone"}), "completed", ""},
		"rejected":   {failedWith(rejected), "failed", "Rejected: No: not this one"},
		"failed":     {failedWith(plain), "failed", "opportunity lead-1 failed: boom"},
		"cancelled":  {wasCancelled, "cancelled", "opportunity lead-1 was cancelled"},
		"terminated": {wasTerminated, "terminated", "opportunity lead-1 was terminated"},
		"timed out":  {hasTimedOut, "timed-out", "opportunity lead-1 timed out"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, form := range []string{"table", "json"} {
				s := newWatchFrontend(test.end, won)
				close(s.ended)
				got := runWatch(t, s, "--output", form)
				if (got.code != 0) != (test.want != "") || !strings.Contains(got.stderr, test.want) || strings.Count(got.stderr, "\n") != got.code {
					t.Errorf("exit code %d, %q; want %q", got.code, got.stderr, test.want)
				}
				if !strings.Contains(got.stdout, "in step Won") {
					t.Errorf("the last view is not shown:\n%s", got.stdout)
				}
				if form == "json" && !strings.Contains(got.stdout, `"status":"`+test.status+`"`) || test.want == "" && !strings.Contains(got.stdout, "closed by an operator: by phone") {
					t.Errorf("the end is not reported:\n%s", got.stdout)
				}
			}
		})
	}
}

func TestWatchContinuesWithoutAResponse(t *testing.T) {
	proposed, _, won := lifecycleViews()
	nobody := serviceerror.NewFailedPrecondition("no poller seen for task queue recently, worker may be down")
	s := newWatchFrontend(completed(t, opportunity.RunResult{State: opportunity.Won}), nobody, nobody, proposed, nobody, nobody, nobody, won)
	got := runWatch(t, s)
	got.wantDone(t, "start accepted", "in step Won", "ended")
	for text, times := range map[string]int{"no worker responds; watch goes on": 2, "a worker responds again": 2, "start accepted": 1, "step   ": 2} {
		if strings.Count(got.stdout, text) != times {
			t.Errorf("%q is not reported %d times:\n%s", text, times, got.stdout)
		}
	}

	// Even if no query returns a response, the command watch reports how the run ended.
	s = newWatchFrontend(completed(t, opportunity.RunResult{State: opportunity.Lost}), nobody)
	runWatch(t, s).wantDone(t, "no worker responds", "ended", "Lost")
}

func TestInterruptedWatchPrintsNothingMore(t *testing.T) {
	proposed, _, _ := lifecycleViews()
	s := newWatchFrontend(nil, proposed)
	s.queried = make(chan struct{})
	asked := s.queried
	env := s.serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	var stdout, stderr bytes.Buffer
	if code := cli.Main(ctx, []string{"watch", "lead-1", "--every", "10ms"}, append(append([]string{}, bareEnv...), env...), &stdout, &stderr); code != 130 || stderr.Len() > 0 {
		t.Errorf("exit code %d, %q", code, stderr.String())
	}
}

func TestWatchEndsAfterItsTime(t *testing.T) {
	t.Parallel() // the test waits
	proposed, _, _ := lifecycleViews()
	got := runWatch(t, newWatchFrontend(nil, proposed), "--timeout", "300ms")
	got.wantFailure(t, "the run of lead-1 did not end within 300ms (--timeout)")
}

func TestWatchOfAnUnknownOpportunityIsOneLine(t *testing.T) {
	for want, err := range map[string]error{
		"NotFound: there is no opportunity lead-1; start the opportunity first": serviceerror.NewNotFound("workflow not found"),
		`no Temporal namespace "default"`:                                       serviceerror.NewNamespaceNotFound("default"),
		"not yours":                                                             serviceerror.NewPermissionDenied("not yours", ""),
	} {
		s := newWatchFrontend(nil, err)
		s.err = err
		runWatch(t, s).wantUsageError(t, 1, want)
	}
}

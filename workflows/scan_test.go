package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/workflows"
)

// scanFixture is a namespace with open runs whose records the scan compares.
type scanFixture struct {
	t *testing.T
	// runs is the number of open runs. The scan lists no runs that started during the pass.
	runs int
	// changed contains the numbers of the runs whose records differ from their search attributes.
	changed map[int]bool
	// fails returns the error of an attempt to compare a page of runs.
	fails func(now time.Time, in activities.CompareRunsInput) error
	// ended contains the workflow ids of the runs that take no messages.
	ended map[string]bool

	requests []time.Time // the times of the API requests
	attempts int
	messages []scanMessage
	carried  []lifecycle.ScanState // of the runs of the scan that continued as new
	last     *testsuite.TestWorkflowEnvironment
}

type scanMessage struct {
	to, name string
	at       time.Time
	refresh  opportunity.Refresh
}

func (f *scanFixture) compareRuns(_ context.Context, in activities.CompareRunsInput) (activities.CompareRunsResult, error) {
	now := f.last.Now()
	f.attempts++
	if f.fails != nil {
		if err := f.fails(now, in); err != nil {
			return activities.CompareRunsResult{}, err
		}
	}
	out := activities.CompareRunsResult{Pass: in.Pass, OpenRuns: f.runs}
	first := 0
	if len(in.PageToken) > 0 {
		first, _ = strconv.Atoi(string(in.PageToken))
	}
	if !in.StartedSince.IsZero() {
		return out, nil
	}
	f.requests = append(f.requests, now)
	for n := first; n < min(f.runs, first+lifecycle.ScanPageRuns); n++ {
		out.Runs++
		if f.changed[n] {
			out.Changed = append(out.Changed, fmt.Sprintf("opportunity/%d", n))
		}
	}
	if next := first + lifecycle.ScanPageRuns; next < f.runs {
		out.NextPageToken = []byte(strconv.Itoa(next))
	}
	return out, nil
}

// play runs the scan for the given time from the given state, and returns the state that the query
// returns at the end. The keys of the map at are the times at which the test environment calls the
// functions. After a continue as new, the next run of the scan begins at the same time with the
// carried state.
func (f *scanFixture) play(state lifecycle.ScanState, total time.Duration, at map[time.Duration]func(*testsuite.TestWorkflowEnvironment)) lifecycle.ScanState {
	f.t.Helper()
	begun := time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)
	now := begun
	for {
		env := newEnvironment(f.t, workflows.Interceptor(), &signalRecorder{f: f})
		env.SetStartTime(now)
		env.SetTestTimeout(time.Minute)
		f.last = env
		workflows.Register(env, workflows.Options{})
		env.RegisterActivityWithOptions(f.compareRuns, activity.RegisterOptions{Name: activities.CompareRuns})
		for after, do := range at {
			if left := begun.Add(after).Sub(now); left >= 0 {
				env.RegisterDelayedCallback(func() { do(env) }, left)
			}
		}
		env.RegisterDelayedCallback(env.CancelWorkflow, begun.Add(total).Sub(now))
		env.ExecuteWorkflow(lifecycle.ScanType, state)
		err := env.GetWorkflowError()
		var next *workflow.ContinueAsNewError
		if errors.As(err, &next) && next.WorkflowType.Name == lifecycle.ScanType {
			state = lifecycle.ScanState{}
			if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &state); err != nil {
				f.t.Fatal(err)
			}
			f.carried, now = append(f.carried, state), env.Now()
			continue
		}
		if err != nil && !temporal.IsCanceledError(err) {
			f.t.Fatalf("the scan ended with %v", err)
		}
		value, err := env.QueryWorkflow(lifecycle.ScanOf.Name)
		var shown lifecycle.ScanState
		if err == nil {
			err = value.Get(&shown)
		}
		if err != nil {
			f.t.Fatal(err)
		}
		return shown
	}
}

func (f *scanFixture) texts() []string {
	var texts []string
	for _, m := range f.messages {
		texts = append(texts, fmt.Sprintf("%s %s %s", m.at.Format("2 15:04"), m.name, m.to))
	}
	return texts
}

// signalRecorder records the signals to other workflows.
type signalRecorder struct {
	interceptor.WorkerInterceptorBase
	f *scanFixture
}

type signalRecorderIn struct {
	interceptor.WorkflowInboundInterceptorBase
	f *scanFixture
}

type signalRecorderOut struct {
	interceptor.WorkflowOutboundInterceptorBase
	f *scanFixture
}

func (r *signalRecorder) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &signalRecorderIn{f: r.f}
	in.Next = next
	return in
}

func (i *signalRecorderIn) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	out := &signalRecorderOut{f: i.f}
	out.Next = outbound
	return i.Next.Init(out)
}

func (o *signalRecorderOut) SignalExternalWorkflow(ctx workflow.Context, workflowID, _, signalName string, arg any) workflow.Future {
	future, settable := workflow.NewFuture(ctx)
	if o.f.ended[workflowID] {
		settable.SetError(&temporal.UnknownExternalWorkflowExecutionError{})
		return future
	}
	refresh, _ := arg.(opportunity.Refresh)
	o.f.messages = append(o.f.messages, scanMessage{to: workflowID, name: signalName, at: workflow.Now(ctx), refresh: refresh})
	settable.SetValue(nil)
	return future
}

func daily() lifecycle.ScanState {
	return lifecycle.ScanState{ScanSettings: lifecycle.ScanSettings{Period: 24 * time.Hour}}
}

// While no record differs, a scan of 250 runs costs three requests a day, distributed over the day, and
// sends no message. The first request comes after a day.
func TestScanWithoutChanges(t *testing.T) {
	t.Parallel()
	f := &scanFixture{t: t, runs: 250}
	const days = 10
	s := f.play(daily(), days*24*time.Hour, nil)
	if len(f.messages) != 0 || s.Problem != "" || s.LastPass.Runs != 250 || s.LastPass.Changed != 0 {
		t.Errorf("messages %v; %+v", f.texts(), s)
	}
	if n := len(f.requests); n > 3*days || n < 3*(days-1)-2 {
		t.Errorf("%d requests in %d days", n, days)
	}
	if first := f.requests[0].Format("2 15:04"); first != "1 06:00" {
		t.Errorf("the first request was sent at %s", first)
	}
	for i, at := range f.requests[1:] {
		if gap := at.Sub(f.requests[i]); gap < 7*time.Hour || gap > 9*time.Hour {
			t.Errorf("%s between two requests", gap)
		}
	}
}

// In a small namespace, the scan sends one request in each period.
func TestScanOfOnePage(t *testing.T) {
	t.Parallel()
	f := &scanFixture{t: t, runs: 7, changed: map[int]bool{3: true}}
	f.play(daily(), 73*time.Hour, nil)
	if len(f.requests) != 3 || f.attempts != 3 {
		t.Errorf("%d requests, %d attempts", len(f.requests), f.attempts)
	}
}

// Each run whose record differs receives one message in each pass, with the request id of the pass.
// A run that has ended receives no message.
func TestScanSendsRefresh(t *testing.T) {
	t.Parallel()
	f := &scanFixture{t: t, runs: 150, changed: map[int]bool{3: true, 120: true}, ended: map[string]bool{"opportunity/120": true}}
	s := f.play(daily(), 50*time.Hour, map[time.Duration]func(*testsuite.TestWorkflowEnvironment){
		37 * time.Hour: func(*testsuite.TestWorkflowEnvironment) { f.changed[5] = true },
	})
	if diff := cmp.Diff([]string{"1 06:00 refresh opportunity/3", "2 06:00 refresh opportunity/3", "2 06:00 refresh opportunity/5"}, f.texts()); diff != "" {
		t.Fatal(diff)
	}
	if s.LastPass.Changed != 2 || s.LastPass.Refreshes != 1 {
		t.Errorf("%+v", s.LastPass)
	}
	for _, m := range f.messages {
		if m.refresh.Source != "scan" || !strings.HasPrefix(m.refresh.RequestID, "scan-2026-12-0"+m.at.Format("2")) || m.refresh.Validate() != nil {
			t.Errorf("%+v", m.refresh)
		}
	}
	// In the previous pass, the record of run 5 was in the step of the run, but the record of run 3
	// differed.
	if got := f.messages[1].refresh.StepSeenAt; !got.IsZero() {
		t.Errorf("run 3 was seen at %s", got)
	}
	if got := f.messages[2].refresh.StepSeenAt.Format("2 15:04"); got != "1 06:00" {
		t.Errorf("run 5 was seen at %s", got)
	}
}

// While the API does not respond, the scan waits at the same page, and adds few history events. The
// scan continues when the API responds again.
func TestScanWaitsForTheAPI(t *testing.T) {
	t.Parallel()
	f := &scanFixture{t: t, runs: 250}
	var away, back time.Time
	var tokens []string
	f.fails = func(now time.Time, in activities.CompareRunsInput) error {
		if !slices.Contains(tokens, string(in.PageToken)) {
			tokens = append(tokens, string(in.PageToken))
		}
		if string(in.PageToken) != "100" || !back.IsZero() && !now.Before(back) {
			return nil
		}
		if away.IsZero() {
			away = now
		}
		if now.Sub(away) < 24*time.Hour {
			return temporal.NewApplicationError("no connection", string(activities.ReasonUnreachable))
		}
		back = now
		return nil
	}
	shown := lifecycle.ScanState{}
	s := f.play(daily(), 4*24*time.Hour, map[time.Duration]func(*testsuite.TestWorkflowEnvironment){
		40 * time.Hour: func(env *testsuite.TestWorkflowEnvironment) {
			if value, err := env.QueryWorkflow(lifecycle.ScanOf.Name); err != nil || value.Get(&shown) != nil {
				t.Error(err)
			}
		},
	})
	if !strings.Contains(shown.Problem, "no connection") || shown.Failures < 3 || shown.Failures > 40 {
		t.Errorf("while the API was away: %+v", shown)
	}
	if s.Problem != "" || s.LastPass.Runs != 250 {
		t.Errorf("at the end: %+v", s)
	}
	if late := back.Sub(away); late > 25*time.Hour {
		t.Errorf("the scan went on after %s", late)
	}
	if diff := cmp.Diff([]string{"", "100", "200"}, tokens); diff != "" {
		t.Errorf("pages: %s", diff)
	}
}

// A run of the scan that continues as new continues with the next page of the same pass.
func TestScanContinuesAsNew(t *testing.T) {
	t.Parallel()
	f := &scanFixture{t: t, runs: 350, changed: map[int]bool{20: true}}
	s := f.play(daily(), 4*24*time.Hour, map[time.Duration]func(*testsuite.TestWorkflowEnvironment){
		29 * time.Hour: func(env *testsuite.TestWorkflowEnvironment) { env.SetCurrentHistoryLength(1001) },
	})
	if len(f.carried) != 1 || string(f.carried[0].PageToken) != "200" || f.carried[0].Pass.Pages != 2 {
		t.Fatalf("carried %+v", f.carried)
	}
	if s.LastPass.Runs != 350 || len(f.messages) != 3 {
		t.Errorf("%+v, %v", s.LastPass, f.texts())
	}
	for i, at := range f.requests[1:] {
		if gap := at.Sub(f.requests[i]); gap < 5*time.Hour || gap > 7*time.Hour {
			t.Errorf("%s between two requests", gap)
		}
	}
}

// A signal changes the period of a waiting scan at once, and ends the scan.
func TestSettingsOfARunningScan(t *testing.T) {
	t.Parallel()
	f := &scanFixture{t: t, runs: 5}
	set := func(settings lifecycle.ScanSettings) func(*testsuite.TestWorkflowEnvironment) {
		return func(env *testsuite.TestWorkflowEnvironment) { env.SignalWorkflow(lifecycle.SetScan.Name, settings) }
	}
	s := f.play(lifecycle.ScanState{}, 100*time.Hour, map[time.Duration]func(*testsuite.TestWorkflowEnvironment){
		0:                 set(lifecycle.ScanSettings{Period: 24 * time.Hour}),
		3 * time.Hour:     set(lifecycle.ScanSettings{Period: 2 * time.Hour}),
		4 * time.Hour:     set(lifecycle.ScanSettings{}),
		330 * time.Minute: set(lifecycle.ScanSettings{Off: true}),
	})
	var times []string
	for _, at := range f.requests {
		times = append(times, at.Format("15:04"))
	}
	if diff := cmp.Diff([]string{"09:00", "11:00"}, times); diff != "" {
		t.Error(diff)
	}
	if !s.Off {
		t.Errorf("%+v", s)
	}
}

// A result that somebody sets by hand does not prove that the runs were compared, so the page is
// compared again.
func TestScanRepeatsAPageWithoutProof(t *testing.T) {
	t.Parallel()
	f := &scanFixture{t: t, runs: 5}
	env := newEnvironment(t, workflows.Interceptor())
	f.last = env
	workflows.Register(env, workflows.Options{})
	calls := 0
	env.RegisterActivityWithOptions(func(ctx context.Context, in activities.CompareRunsInput) (activities.CompareRunsResult, error) {
		if calls++; calls == 1 {
			return activities.CompareRunsResult{}, nil
		}
		return f.compareRuns(ctx, in)
	}, activity.RegisterOptions{Name: activities.CompareRuns})
	env.RegisterDelayedCallback(env.CancelWorkflow, 25*time.Hour)
	env.ExecuteWorkflow(lifecycle.ScanType, daily())
	value, err := env.QueryWorkflow(lifecycle.ScanOf.Name)
	var s lifecycle.ScanState
	if err == nil {
		err = value.Get(&s)
	}
	if err != nil || calls != 2 || s.LastPass.Runs != 5 {
		t.Errorf("%d calls, %+v, %v", calls, s, err)
	}
}

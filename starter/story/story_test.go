package story

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func TestReportListsEveryDifference(t *testing.T) {
	report := Report{Results: []Result{
		{Name: "create", Checks: []Check{{"name", "a", "a"}, {"region", "UK", "DR"}}},
		{Name: "won", Checks: []Check{{"state", "Won", ""}}},
	}}
	want := []string{
		`create: region: "DR", but the documentation says "UK"`,
		`won: state: "", but the documentation says "Won"`,
	}
	if diff := cmp.Diff(want, report.Mismatches()); diff != "" {
		t.Errorf("mismatches (-want +got):\n%s", diff)
	}
	if report.Compared() != 3 {
		t.Errorf("%d comparisons, want 3", report.Compared())
	}
}

// If an empty state met all expectations of a step, the step would test nothing.
func TestEveryStepExpectsSomethingThatIsNotThereBefore(t *testing.T) {
	names := map[string]bool{}
	for _, s := range steps() {
		if names[s.name] {
			t.Errorf("two steps have the name %s, which is also the request id", s.name)
		}
		names[s.name] = true
		empty := &session{}
		report := Report{Results: []Result{{Name: s.name, Checks: s.expect(empty)}}}
		if len(report.Mismatches()) == 0 {
			t.Errorf("an empty state meets the expectations of step %s", s.name)
		}
		if s.text(empty) == "" || s.description == "" {
			t.Errorf("step %s has no text", s.name)
		}
	}
}

// fakeTemporal is a fake Temporal service with an opportunity that ignores signals.
type fakeTemporal struct {
	client.Client

	mu         sync.Mutex
	signals    int
	view       opportunity.View
	carriesOut bool // whether the run carries out signals
	failures   int  // number of the next signals that fail
}

func (d *fakeTemporal) SignalWorkflow(context.Context, string, string, string, any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failures > 0 {
		d.failures--
		return serviceerror.NewUnavailable("not now")
	}
	d.signals++
	if d.carriesOut {
		d.view.Timeline = append(d.view.Timeline, opportunity.TimelineEntry{Text: "done"})
	}
	return nil
}

func (d *fakeTemporal) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(d.view)
	return client.NewValue(payloads), err
}

func (d *fakeTemporal) UpdateWorkflow(context.Context, client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	return nil, errors.New("an update was sent")
}

func signalTo(t *testing.T, d *fakeTemporal) error {
	t.Helper()
	s := &session{
		Connections: Connections{Temporal: d}, client: lifecycle.NewClient(d),
		options: Options{Reference: "lead-1", Send: BySignal},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	return s.signal(ctx, opportunity.Progress{RequestID: "r", To: "Won"}, opportunity.View{})
}

// The update for the outcome of a message also carries out the message. The story must therefore
// send the update only after the run has carried out the signal.
func TestLostSignalIsNotRepairedByItsOutcomeUpdate(t *testing.T) {
	lost := &fakeTemporal{}
	if err := signalTo(t, lost); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after a lost signal: %v", err)
	}
	if lost.signals != 1 {
		t.Errorf("sent %d times, want once", lost.signals)
	}
	queued := &fakeTemporal{carriesOut: true, view: opportunity.View{Queue: []opportunity.QueuedMessage{{Request: "r"}}}}
	if err := signalTo(t, queued); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while a signal waits: %v", err)
	}
	heard := &fakeTemporal{carriesOut: true, failures: 2}
	if err := signalTo(t, heard); err != nil || heard.signals != 1 {
		t.Errorf("after a signal that was carried out: %v, sent %d times", err, heard.signals)
	}
}

func TestTransientErrorsAreRetried(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		again bool
	}{
		"out of reach":      {serviceerror.NewUnavailable("down"), true},
		"not sent":          {&administrate.NotSentError{Operation: "x", Reason: administrate.Unreachable}, true},
		"the opportunity's": {opportunity.Failf(opportunity.Rejected, "no"), false},
		"no such record":    {&administrate.NotFoundError{RecordKind: "opportunity"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			tries := 0
			got, err := retry(t.Context(), func() (string, error) {
				tries++
				if tries < 3 {
					return "", test.err
				}
				return "there", nil
			})
			switch {
			case test.again && (err != nil || got != "there"):
				t.Errorf("%q, %v", got, err)
			case !test.again && (tries != 1 || !errors.Is(err, test.err)):
				t.Errorf("%d tries, %v", tries, err)
			}
		})
	}
}

func TestStepTimeoutSaysWhatItWaitedFor(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("not done within 50ms"))
	defer cancel()
	_, err := retry(ctx, func() (string, error) { return "", errors.New("the worker is gone") })
	if err == nil || !strings.Contains(err.Error(), "not done within 50ms") || !strings.Contains(err.Error(), "the worker is gone") {
		t.Errorf("%v", err)
	}
}

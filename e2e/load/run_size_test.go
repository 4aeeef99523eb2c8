package load_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/opportunity"
)

type runSize struct {
	events int
	bytes  int
	// input is the size of the state that the run received, 0 for the first run. queue is the size
	// of the commands within input.
	input, queue int
	signals      int
	requests     int
	state        *entity.State // nil in the first run
	// fails counts the workflow tasks that failed or timed out, by cause.
	retries int
	fails   map[string]int
	longest time.Duration
}

func (f runSize) String() string {
	text := fmt.Sprintf("%d events (%d signals), %.1f MB", f.events, f.signals, float64(f.bytes)/1e6)
	if f.state != nil {
		text += fmt.Sprintf("; received a state of %d KiB, of which %d KiB are commands", f.input>>10, f.queue>>10)
	}
	text += fmt.Sprintf("; longest workflow task %s", f.longest.Round(time.Millisecond))
	for _, cause := range slices.Sorted(maps.Keys(f.fails)) {
		text += fmt.Sprintf("; %d workflow tasks ended by %s", f.fails[cause], cause)
	}
	if f.retries > 0 {
		text += fmt.Sprintf("; %d workflow tasks were repeated", f.retries)
	}
	return text
}

// runSizes asserts that each run continued as new before the server ended it.
func (p *parts) runSizes(reference opportunity.Reference) []runSize {
	p.T.Helper()
	runs := p.Runs(reference)
	prints := make([]runSize, len(runs))
	for n, run := range runs {
		f := runSizeOf(p, run)
		prints[n] = f
		p.T.Logf("%s, run %d: %s", reference, n+1, f)
		where := fmt.Sprintf("run %d of %s", n+1, reference)
		last := run.Events[len(run.Events)-1].GetEventType()
		if ended := strings.HasPrefix(last.String(), "WorkflowExecution") && last != enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED; n < len(runs)-1 {
			if last != enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW {
				p.T.Errorf("%s ends with %s; want continue-as-new", where, last)
			}
		} else if ended && last != enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED && !strings.HasPrefix(last.String(), "WorkflowExecutionUpdate") {
			p.T.Errorf("%s, the last run, ended with %s", where, last)
		}
		if (f.state == nil) != (n == 0) {
			p.T.Errorf("%s: the run received a state from the previous run: %t", where, f.state != nil)
		}
		if f.state != nil {
			f.check(p, where)
		}
	}
	return prints
}

func runSizeOf(p *parts, run *historypb.History) runSize {
	p.T.Helper()
	f := runSize{events: len(run.Events), fails: map[string]int{}}
	var started time.Time
	for _, event := range run.Events {
		f.bytes += event.Size()
		switch event.GetEventType() {
		case enums.EVENT_TYPE_WORKFLOW_TASK_STARTED:
			started = event.GetEventTime().AsTime()
		case enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			f.longest = max(f.longest, event.GetEventTime().AsTime().Sub(started))
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
			f.signals++
		case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			if event.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName() == activities.ApplyCommands {
				f.requests++
			}
		case enums.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
			// When a workflow task fails repeatedly, only the first failure is a history event.
			f.retries += int(event.GetWorkflowTaskScheduledEventAttributes().GetAttempt()) - 1
		case enums.EVENT_TYPE_WORKFLOW_TASK_FAILED:
			f.fails[event.GetWorkflowTaskFailedEventAttributes().GetCause().String()]++
		case enums.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
			f.fails["time-out "+event.GetWorkflowTaskTimedOutEventAttributes().GetTimeoutType().String()]++
		}
	}
	input := run.Events[0].GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()
	if len(input) < 2 || len(input[1].GetData()) == 0 {
		return f
	}
	data := input[1].GetData()
	f.input = len(data)
	var members map[string]json.RawMessage
	f.state = new(entity.State)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(f.state); err != nil {
		p.T.Errorf("the state does not decode: %v", err)
	}
	if err := json.Unmarshal(data, &members); err != nil {
		p.T.Fatalf("the state is not a JSON object: %v", err)
	}
	if again, err := json.Marshal(f.state); err != nil || !bytes.Equal(again, data) {
		p.T.Errorf("the state changes when it is decoded and encoded again: %d bytes, %v; the original state has %d bytes", len(again), err, len(data))
	}
	f.queue = len(members["queue"])
	return f
}

func (f runSize) check(p *parts, where string) {
	p.T.Helper()
	s := f.state
	if s.Version != entity.StateVersion {
		p.T.Errorf("%s: state version %d; want %d", where, s.Version, entity.StateVersion)
	}
	outcomes := 0
	for _, kept := range s.Outcomes {
		outcomes += kept.Size
	}
	const maxAttention = 20
	for _, limit := range []struct {
		what        string
		got, atMost int
	}{
		{"bytes of state", f.input, opportunity.MaxStateBytes},
		{"bytes of commands", f.queue, opportunity.MaxWaitingBytes},
		{"interests", len(s.Interests), opportunity.MaxInterests},
		{"handled requests", s.DedupWindow.Len(), opportunity.MaxRememberedRequests},
		{"outcomes", len(s.Outcomes), opportunity.MaxOutcomes},
		{"bytes of outcomes", outcomes, opportunity.MaxOutcomeBytes},
		{"entries of the timeline", len(s.Timeline), opportunity.MaxTimeline},
		{"entries of attention", len(s.Attention), maxAttention},
	} {
		if limit.got > limit.atMost {
			p.T.Errorf("%s got %d %s from the previous run; at most %d are allowed", where, limit.got, limit.what, limit.atMost)
		}
	}
}

func largest(prints []runSize) int {
	most := 0
	for _, f := range prints {
		most = max(most, f.events)
	}
	return most
}

// wantSteady ignores workflow tasks that ended early because of a new message or a stopped worker.
func (p *parts) wantSteady(prints []runSize) {
	p.T.Helper()
	for n, f := range prints {
		bad := 0
		for cause, count := range f.fails {
			if cause != "UnhandledCommand" && cause != "time-out ScheduleToStart" {
				bad += count
			}
		}
		if bad > 3 || f.retries > 3 {
			p.T.Errorf("run %d: %d workflow tasks failed, %d were repeated", n+1, bad, f.retries)
		}
	}
}

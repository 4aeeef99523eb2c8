package compare

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"github.com/oppflow/oppflow/administrate"
)

// countActions counts as actions what Temporal Cloud bills. Each attempt of an activity is an
// action. A query is not counted as an action. The continue-as-new of a run is one action, and the
// start of the next run is not an additional action.
func TestCountActions(t *testing.T) {
	plain := func(typ enums.EventType) *historypb.HistoryEvent { return &historypb.HistoryEvent{EventType: typ} }
	started := func(continued string) *historypb.HistoryEvent {
		event := plain(enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
		event.Attributes = &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
			WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{ContinuedExecutionRunId: continued},
		}
		return event
	}
	attempt := func(n int32) *historypb.HistoryEvent {
		event := plain(enums.EVENT_TYPE_ACTIVITY_TASK_STARTED)
		event.Attributes = &historypb.HistoryEvent_ActivityTaskStartedEventAttributes{
			ActivityTaskStartedEventAttributes: &historypb.ActivityTaskStartedEventAttributes{Attempt: n},
		}
		return event
	}
	for name, c := range map[string]struct {
		events []*historypb.HistoryEvent
		want   Counts
	}{
		"nothing": {nil, Counts{}},
		"a start": {[]*historypb.HistoryEvent{started("")}, Counts{Events: 1, Actions: 1}},
		"a task": {[]*historypb.HistoryEvent{
			plain(enums.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED), plain(enums.EVENT_TYPE_WORKFLOW_TASK_STARTED), plain(enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED),
		}, Counts{Events: 3, Tasks: 1}},
		"an activity": {[]*historypb.HistoryEvent{
			plain(enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED), attempt(1), plain(enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED),
		}, Counts{Events: 3, Actions: 1}},
		"an activity that was tried three times": {[]*historypb.HistoryEvent{attempt(3)}, Counts{Events: 1, Actions: 3}},
		"messages": {[]*historypb.HistoryEvent{
			plain(enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED),
			plain(enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED), plain(enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED),
		}, Counts{Events: 3, Actions: 2}},
		"a timer, attributes, a mark": {[]*historypb.HistoryEvent{
			plain(enums.EVENT_TYPE_TIMER_STARTED), plain(enums.EVENT_TYPE_TIMER_FIRED), plain(enums.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES),
			plain(enums.EVENT_TYPE_MARKER_RECORDED),
		}, Counts{Events: 4, Actions: 2}},
		"a run continued by another": {[]*historypb.HistoryEvent{
			started(""), plain(enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW), started("the one before"),
		}, Counts{Events: 3, Actions: 2}},
	} {
		if diff := cmp.Diff(c.want, countActions(c.events)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTheLifecycleHasElevenCalls(t *testing.T) {
	calls, reserved := 1, 0 // the start
	for _, line := range CallGroups() {
		calls += len(line.Calls)
		for _, call := range line.Calls {
			if call.Interest != nil && call.Interest.Reserve {
				reserved++
			}
			if err := call.command().Validate(); err != nil {
				t.Errorf("%s: %v", line.Name, err)
			}
		}
	}
	if calls != Calls || reserved != 1 {
		t.Errorf("the lifecycle has %d calls, of which %d reserve places; want %d and 1", calls, reserved, Calls)
	}
	if err := (Call{}).request(t.Context(), new(administrate.Client), ""); err == nil {
		t.Error("an empty call was sent; want an error")
	}
}

func TestPercentiles(t *testing.T) {
	var all []time.Duration
	for n := 200; n > 0; n-- {
		all = append(all, time.Duration(n)*time.Millisecond)
	}
	want := Latency{What: "it", P50: 101 * time.Millisecond, P95: 191 * time.Millisecond, P99: 199 * time.Millisecond, N: 200}
	if diff := cmp.Diff(want, percentiles("it", all)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	one := percentiles("it", all[:1])
	if one.P50 != all[0] || one.P99 != all[0] {
		t.Errorf("the percentiles of one duration are %+v", one)
	}
	if diff := cmp.Diff(Latency{What: "it"}, percentiles("it", nil)); diff != "" {
		t.Errorf("the percentiles of no durations (-want +got):\n%s", diff)
	}
}

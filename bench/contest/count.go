package contest

import (
	"context"

	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/fault"
)

// Counts are the costs of a lifecycle. All but Bytes are exact: two runs have the same counts.
type Counts struct {
	// Requests is the number of requests that the API got.
	Requests int `json:"requests"`
	// Events and Bytes are the length of the history. Bytes differ a little from run to run, because the encoding of
	// times has no fixed length.
	Events int   `json:"events"`
	Bytes  int64 `json:"bytes"`
	// Tasks is the number of workflow tasks.
	Tasks int `json:"workflowTasks"`
	// Actions is the number of actions that Temporal Cloud bills, without queries and heartbeats: start, signal,
	// update, attempt of an activity, timer, upsert of search attributes, continue-as-new.
	Actions int `json:"actions"`
}

// tally counts the tasks and actions behind the events of a history.
func tally(events []*historypb.HistoryEvent) Counts {
	counts := Counts{Events: len(events)}
	for _, event := range events {
		switch event.GetEventType() {
		case enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			counts.Tasks++
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
			if event.GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId() == "" {
				counts.Actions++
			}
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
			enums.EVENT_TYPE_TIMER_STARTED, enums.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
			enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
			counts.Actions++
		case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
			counts.Actions += int(event.GetActivityTaskStartedEventAttributes().GetAttempt())
		}
	}
	return counts
}

// Counted is the counts of one lifecycle of a contestant.
type Counted struct {
	Contestant string `json:"contestant"`
	Counts
}

// Count plays one lifecycle of each contestant while nothing else runs, and counts. A lifecycle before that is not
// counted; it opens the connections.
func (g *Ground) Count(ctx context.Context, contestants []Contestant) ([]Counted, error) {
	var all []Counted
	for _, c := range contestants {
		if err := c.live(ctx, g.next(), func(int) {}, nil); err != nil {
			return all, err
		}
		counts, err := g.count(ctx, c, g.next())
		if err != nil {
			return all, err
		}
		all = append(all, Counted{Contestant: c.Name, Counts: counts})
	}
	return all, nil
}

// count plays one lifecycle while nothing else runs and returns its counts.
func (g *Ground) count(ctx context.Context, c Contestant, reference opportunity.Reference) (Counts, error) {
	before, err := g.requests(ctx)
	if err != nil {
		return Counts{}, err
	}
	if err := c.live(ctx, reference, func(int) {}, func(s sender, line Line) error { return g.held(ctx, c, s, line) }); err != nil {
		return Counts{}, err
	}
	var counts Counts
	if c.Temporal != nil {
		if counts, err = history(ctx, c.Temporal, reference); err != nil {
			return counts, err
		}
	}
	after, err := g.requests(ctx)
	counts.Requests = after - before
	return counts, err
}

// history returns the counts of the only run of a reference.
func history(ctx context.Context, c client.Client, reference opportunity.Reference) (Counts, error) {
	var events []*historypb.HistoryEvent
	id := lifecycle.WorkflowID(reference)
	for all := c.GetWorkflowHistory(ctx, id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); all.HasNext(); {
		event, err := all.Next()
		if err != nil {
			return Counts{}, err
		}
		events = append(events, event)
	}
	counts := tally(events)
	described, err := c.DescribeWorkflow(ctx, id, "")
	if err != nil {
		return counts, err
	}
	counts.Bytes = described.RawResponse.GetWorkflowExecutionInfo().GetHistorySizeBytes()
	return counts, nil
}

// held sends a line of several calls while the API holds back its answer to the first call. The answer is released
// once all messages are in the history. So the same messages wait together in every run.
func (g *Ground) held(ctx context.Context, c Contestant, s sender, line Line) error {
	if c.Temporal == nil {
		return s.send(ctx, line, nothing)
	}
	hold, err := g.sandbox.Set(ctx, fault.Rule{Kind: fault.HoldAfter, Operation: fault.AnyMutation, Mentions: s.record(), Times: 1})
	if err != nil {
		return err
	}
	defer func() { _ = g.sandbox.Remove(context.WithoutCancel(ctx), hold) }()
	return s.send(ctx, line, func(n, of int) error {
		err := until(ctx, func() (bool, error) {
			status, err := g.sandbox.Fault(ctx, hold)
			if err != nil || status.Held == 0 {
				return false, err
			}
			known, err := s.waiting(ctx)
			return known == n, err
		})
		if err != nil || n < of {
			return err
		}
		return g.sandbox.Release(ctx, hold)
	})
}

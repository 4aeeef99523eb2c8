package compare

import (
	"context"

	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/fault"
)

// Counts are the costs of one lifecycle. Without a playbook, all members except Bytes are exact:
// two measurements return the same numbers. With a playbook, Tasks also varies.
type Counts struct {
	Requests int `json:"requests"`
	// Events is the number of history events, and Bytes is the size of the history. Bytes differs
	// slightly between two measurements, because the encoding of times has no fixed length.
	Events int   `json:"events"`
	Bytes  int64 `json:"bytes"`
	Tasks  int   `json:"workflowTasks"`
	// Actions is the number of actions that Temporal Cloud bills, except queries and heartbeats.
	// Actions includes each start, signal, update, attempt of an activity, timer, upsert of search
	// attributes and continue-as-new.
	Actions int `json:"actions"`
}

func countActions(events []*historypb.HistoryEvent) Counts {
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

// SubjectCounts contains the Counts of one lifecycle of a subject.
type SubjectCounts struct {
	Subject string `json:"subject"`
	Counts
}

// Count plays one lifecycle of each subject, without other load, and returns the Counts. Before the
// counted lifecycle of a subject, Count plays an uncounted lifecycle in order to open the
// connections.
func (g *Environment) Count(ctx context.Context, contestants []Subject) ([]SubjectCounts, error) {
	var all []SubjectCounts
	for _, c := range contestants {
		if err := c.play(ctx, g.nextReference(), func(int) {}, nil); err != nil {
			return all, err
		}
		counts, err := g.count(ctx, c, g.nextReference())
		if err != nil {
			return all, err
		}
		all = append(all, SubjectCounts{Subject: c.Name, Counts: counts})
	}
	return all, nil
}

func (g *Environment) count(ctx context.Context, c Subject, reference opportunity.Reference) (Counts, error) {
	before, err := g.requests(ctx)
	if err != nil {
		return Counts{}, err
	}
	if err := c.play(ctx, reference, func(int) {}, func(s driver, line CallGroup) error { return g.sendHeld(ctx, c, s, line) }); err != nil {
		return Counts{}, err
	}
	var counts Counts
	if c.Temporal != nil {
		if counts, err = historyCounts(ctx, c.Temporal, reference); err != nil {
			return counts, err
		}
	}
	after, err := g.requests(ctx)
	counts.Requests = after - before
	return counts, err
}

// historyCounts returns the Counts from the history of the only run of a reference.
func historyCounts(ctx context.Context, c client.Client, reference opportunity.Reference) (Counts, error) {
	var events []*historypb.HistoryEvent
	id := lifecycle.WorkflowID(reference)
	for all := c.GetWorkflowHistory(ctx, id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); all.HasNext(); {
		event, err := all.Next()
		if err != nil {
			return Counts{}, err
		}
		events = append(events, event)
	}
	counts := countActions(events)
	described, err := c.DescribeWorkflow(ctx, id, "")
	if err != nil {
		return counts, err
	}
	counts.Bytes = described.RawResponse.GetWorkflowExecutionInfo().GetHistorySizeBytes()
	return counts, nil
}

// sendHeld sends a group of several API calls while the sandbox delays its response to the first
// API call. The sandbox sends the response when all messages of the group are in the history. So in
// every measurement the same messages wait together.
func (g *Environment) sendHeld(ctx context.Context, c Subject, s driver, line CallGroup) error {
	if c.Temporal == nil {
		return s.send(ctx, line, ignoreSent)
	}
	hold, err := g.sandbox.SetFault(ctx, fault.Rule{Kind: fault.HoldAfter, Operation: fault.AnyMutation, Contains: s.record(), Times: 1})
	if err != nil {
		return err
	}
	defer func() { _ = g.sandbox.RemoveFault(context.WithoutCancel(ctx), hold) }()
	return s.send(ctx, line, func(n, of int) error {
		err := pollUntil(ctx, func() (bool, error) {
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
		return g.sandbox.ReleaseFault(ctx, hold)
	})
}

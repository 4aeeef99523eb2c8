package load_test

import (
	"context"
	"fmt"
	"sync"

	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// Each caller sends one update that renames the record.
type callerGroup struct {
	parts     *parts
	reference opportunity.Reference
	done      sync.WaitGroup

	mu      sync.Mutex
	answers map[int]string // by caller: "" while the caller waits, then the outcome's state or the error
}

func (p *parts) newCallerGroup(reference opportunity.Reference) *callerGroup {
	return &callerGroup{parts: p, reference: reference, answers: map[int]string{}}
}

func callerID(n int) string   { return fmt.Sprintf("caller %02d", n) }
func callerName(n int) string { return fmt.Sprintf("name by caller %02d", n) }

func (c *callerGroup) add(ctx context.Context, n int) {
	c.recordAnswer(n, "")
	c.done.Go(func() {
		outcome, err := c.parts.update(ctx, c.reference, callerID(n), string(opportunity.MessageUpdateDetails), opportunity.UpdateDetails{Name: callerName(n)})
		answer := string(outcome.State)
		if err != nil {
			answer = err.Error()
		}
		c.recordAnswer(n, answer)
	})
}

func (c *callerGroup) recordAnswer(n int, answer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[n] = answer
}

func (c *callerGroup) hasArrived(n int) bool {
	c.mu.Lock()
	answer := c.answers[n]
	c.mu.Unlock()
	if answer != "" {
		return true
	}
	for _, run := range c.parts.Runs(c.reference) {
		for _, event := range run.Events {
			accepted := event.GetWorkflowExecutionUpdateAcceptedEventAttributes()
			if accepted.GetAcceptedRequest().GetMeta().GetUpdateId() == callerID(n) {
				return true
			}
		}
	}
	return false
}

func (c *callerGroup) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, answer := range c.answers {
		if answer == "" {
			n++
		}
	}
	return n
}

func (c *callerGroup) wait() { c.done.Wait() }

func (c *callerGroup) check() {
	c.parts.T.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	answers := map[string]int{}
	for n, answer := range c.answers {
		answers[answer]++
		if answer != string(opportunity.Done) && answer != string(opportunity.Pending) {
			c.parts.T.Errorf("caller %d got the outcome or error %q", n, answer)
		}
	}
	c.parts.T.Logf("the outcomes and errors of the callers: %v", answers)
}

// update sends an update by its name, as a caller in any language does.
func (p *parts) update(ctx context.Context, reference opportunity.Reference, id, name string, payload any) (opportunity.Outcome, error) {
	var outcome opportunity.Outcome
	handle, err := p.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		UpdateID: id, WorkflowID: lifecycle.WorkflowID(reference), UpdateName: name,
		Args: []any{payload}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, &outcome)
	}
	return outcome, err
}

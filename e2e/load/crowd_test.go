package load_test

import (
	"context"
	"fmt"
	"sync"

	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// crowd is many callers. Each caller sends one update that renames the record.
type crowd struct {
	p         *parts
	reference opportunity.Reference
	done      sync.WaitGroup

	mu     sync.Mutex
	answer map[int]string // by caller: "" while it waits, then the outcome's state or the error
}

func (p *parts) crowd(reference opportunity.Reference) *crowd {
	return &crowd{p: p, reference: reference, answer: map[int]string{}}
}

func callerID(n int) string   { return fmt.Sprintf("caller %02d", n) }
func callerName(n int) string { return fmt.Sprintf("name by caller %02d", n) }

// join makes another caller send its update and wait for the answer.
func (c *crowd) join(ctx context.Context, n int) {
	c.note(n, "")
	c.done.Go(func() {
		outcome, err := c.p.update(ctx, c.reference, callerID(n), lifecycle.UpdateDetails.Name, opportunity.UpdateDetails{Name: callerName(n)})
		answer := string(outcome.State)
		if err != nil {
			answer = err.Error()
		}
		c.note(n, answer)
	})
}

func (c *crowd) note(n int, answer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer[n] = answer
}

// arrived reports whether the caller has an answer or its update is accepted.
func (c *crowd) arrived(n int) bool {
	c.mu.Lock()
	answer := c.answer[n]
	c.mu.Unlock()
	if answer != "" {
		return true
	}
	for _, run := range c.p.Runs(c.reference) {
		for _, event := range run.Events {
			accepted := event.GetWorkflowExecutionUpdateAcceptedEventAttributes()
			if accepted.GetAcceptedRequest().GetMeta().GetUpdateId() == callerID(n) {
				return true
			}
		}
	}
	return false
}

// waiting counts the callers without an answer.
func (c *crowd) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, answer := range c.answer {
		if answer == "" {
			n++
		}
	}
	return n
}

// wait waits until every caller is answered.
func (c *crowd) wait() { c.done.Wait() }

// check asserts that every caller got done or pending.
func (c *crowd) check() {
	c.p.T.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	answers := map[string]int{}
	for n, answer := range c.answer {
		answers[answer]++
		if answer != string(opportunity.Done) && answer != string(opportunity.Pending) {
			c.p.T.Errorf("caller %d was answered %q", n, answer)
		}
	}
	c.p.T.Logf("the callers were answered %v", answers)
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

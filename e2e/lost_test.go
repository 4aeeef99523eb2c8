package e2e_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
)

// The API takes a request, freezes, and commits it long after the client has
// given up: the workflow asks nobody and sends nothing twice, it reads back.
func TestLateCommitIsFoundByReadingBack(t *testing.T) {
	p := bring(t, stack.Options{NoUI: true, WorkerArgs: []string{"--settle-time", "5s"}})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("late")
	opened, err := p.client.Start(ctx, reference, opportunity.Start{Name: "Late", Region: "UK"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Sandbox().Pause(); err != nil {
		t.Fatal(err)
	}
	if err := p.client.Signal(ctx, reference, interests(7)); err != nil {
		t.Fatal(err)
	}
	// The timer that lets the API settle shows that the answer was given up.
	eventually(t, 2*time.Minute, "the answer is given up", func() bool {
		for _, event := range p.runs(reference)[0].Events {
			if event.GetEventType() == enums.EVENT_TYPE_TIMER_STARTED && bytes.Contains(event.GetUserMetadata().GetSummary().GetData(), []byte("settle")) {
				return true
			}
		}
		return false
	})
	if err := p.Sandbox().Continue(); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the interest is known", func() bool {
		view, err := p.client.View(ctx, reference)
		if err != nil {
			t.Fatal(err)
		}
		return len(view.Queue) == 0 && len(view.Interests) == 1 && len(view.Attention) == 0
	})
	read := false
	for _, event := range p.runs(reference)[0].Events {
		read = read || event.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName() == activities.ReadOpportunity
	}
	if !read {
		t.Error("the record was not read back; the test shows nothing")
	}
	if got := p.opportunity(opened.Opportunity).InterestCount; got != 1 {
		t.Errorf("the record has %d interests; want the one that was sent once", got)
	}
	p.replay(reference, "late-commit")
}

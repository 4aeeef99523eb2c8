package load_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
)

// Twenty callers start opportunities without a pause, and so use the whole rate of the API. One
// more caller sends three updates, one after the other, to each of its opportunities. With a
// playbook the worker also plans follow-ups, and the updates take as long as without a playbook,
// because no update waits for a plan.
func TestUpdatesDoNotWaitForPlans(t *testing.T) {
	parallelIfShort(t)
	took := map[string][]time.Duration{}
	var mu sync.Mutex
	t.Run("both", func(t *testing.T) {
		for _, playbook := range []string{"none", "default"} {
			t.Run(playbook, func(t *testing.T) {
				t.Parallel() // so that both subtests run under the same load
				all := updateLatencies(t, playbook)
				mu.Lock()
				defer mu.Unlock()
				took[playbook] = all
			})
		}
	})
	plain, planned := took["none"], took["default"]
	t.Logf("update latencies without a playbook: %v; with a playbook: %v", roundedDurations(plain), roundedDurations(planned))
	if t.Failed() || !testrun.Long(t) { // in the short form other tests run, too, and may delay updates
		return
	}
	slices.Sort(plain)
	slices.Sort(planned)
	if got, median := planned[len(planned)/2], plain[len(plain)/2]; float64(got) > 1.1*float64(median) {
		t.Errorf("the median is %v with a playbook and %v without; want at most 1.1 times as much", got, median)
	}
	if got, most := planned[len(planned)-1], plain[len(plain)-1]; got > most+2*time.Second {
		t.Errorf("the slowest update took %v with a playbook and %v without; want at most 2s more", got, most)
	}
}

func updateLatencies(t *testing.T, playbook string) []time.Duration {
	args := append(harness.DefaultTimes(), "--api-rate", testrun.Pick(t, "12", "4"))
	if playbook != "none" {
		args = append(args, "--playbook", playbook)
	}
	p := startPartsWithoutRace(t, stack.Options{WorkerArgs: args})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	starting, stop := context.WithCancel(ctx)
	var callers sync.WaitGroup
	for caller := range 20 {
		callers.Go(func() {
			for n := 0; starting.Err() == nil; n++ {
				reference := opportunity.Reference(fmt.Sprintf("start %d of caller %d", n, caller))
				_, _ = p.Client.Start(starting, reference, opportunity.Start{Name: "Crowd", Region: "UK"}) // the start is load only
			}
		})
	}
	defer callers.Wait()
	defer stop()
	var all []time.Duration
	for n := range testrun.Pick(t, 3, 7) {
		reference := opportunity.Reference(fmt.Sprintf("probe %d", n))
		if _, err := p.Client.Start(ctx, reference, opportunity.Start{Name: "Probe", Region: "UK"}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"First", "Second", "Third"} {
			began := time.Now()
			outcome, err := p.Client.Update(ctx, reference, opportunity.UpdateDetails{Name: name})
			if err != nil || outcome.State != opportunity.Done {
				t.Fatalf("%s: %+v, %v", reference, outcome, err)
			}
			all = append(all, time.Since(began))
		}
		if before := p.requestsBeforeUpdate(reference); before != "" {
			t.Errorf("%s: %s", reference, before)
		}
	}
	return all
}

// requestsBeforeUpdate returns "" if the request of each update was scheduled in the same workflow
// task as the update.
func (p *parts) requestsBeforeUpdate(reference opportunity.Reference) string {
	waits := false
	for _, run := range p.Runs(reference) {
		for _, event := range run.Events {
			accepted := event.GetWorkflowExecutionUpdateAcceptedEventAttributes().GetAcceptedRequest().GetInput().GetName()
			switch activity := event.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName(); {
			case accepted == string(opportunity.MessageUpdateDetails):
				waits = true
			case activity == activities.ApplyCommands:
				waits = false
			case waits && event.GetEventType() == enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
				return fmt.Sprintf("the activity for an update was scheduled only in a later workflow task (history event %d)", event.GetEventId())
			}
		}
	}
	return ""
}

func roundedDurations(all []time.Duration) []time.Duration {
	var short []time.Duration
	for _, one := range all {
		short = append(short, one.Round(10*time.Millisecond))
	}
	return short
}

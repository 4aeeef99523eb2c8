package load_test

import (
	"context"
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
)

// The setting --api-rate limits the requests of all workers together. The limit of --api-rate holds
// while another worker starts and after a worker is killed. The limit of --api-rate also holds for
// activities that send several requests.
func TestTheRateHoldsOverAllWorkers(t *testing.T) {
	parallelIfShort(t)
	const second, minute = 10 * time.Second, time.Minute
	rate := testrun.Pick(t, 8, 4)
	p := startPartsWithoutRace(t, stack.Options{
		NoWorker:   true,
		WorkerArgs: append(harness.DefaultTimes(), "--api-rate", fmt.Sprint(rate), "--playbook", "default"),
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	for n := range testrun.Pick(t, 20, 80) {
		reference := opportunity.Reference(fmt.Sprint("rate ", n))
		// The activity that plans the effects of a transition reads the record and then the
		// record's events. The effects of a transition to a won step read several records each.
		start := opportunity.Start{Name: "Rate", Region: "UK", Account: "Administrate", Currency: "USD", Interests: opportunity.Interests{{
			Item: "ABC-123-01", Kind: opportunity.Event, Quantity: 1, UnitAmount: harness.Interests(1).Interests[0].UnitAmount,
		}}}
		if _, err := p.Temporal.ExecuteWorkflow(ctx, lifecycle.FirstStartOptions(reference, start), lifecycle.WorkflowType, start); err != nil {
			t.Fatal(err)
		}
		for _, step := range []string{"Opportunity", "Won"} {
			if err := p.Client.Signal(ctx, reference, opportunity.Progress{To: step}); err != nil {
				t.Fatal(err)
			}
		}
	}
	started := time.Now()
	sent := func(d time.Duration) {
		t.Helper()
		until := time.Now().Add(d)
		harness.Eventually(t, d+time.Minute, "requests are sent", func() bool { return time.Now().After(until) })
	}
	if err := p.Worker().Start(ctx); err != nil {
		t.Fatal(err)
	}
	sent(5 * time.Second)
	other := p.AddWorker()
	if err := other.Start(ctx); err != nil {
		t.Fatal(err)
	}
	sent(testrun.Pick(t, 12*time.Second, 70*time.Second))
	p.Worker().Kill()
	sent(testrun.Pick(t, 4*time.Second, 60*time.Second))

	var times []time.Time
	for _, entry := range p.RequestLog() {
		times = append(times, entry.Received)
	}
	sort.Slice(times, func(i, j int) bool { return times[i].Before(times[j]) })
	inSecond, inMinute := maxInWindow(times, second), maxInWindow(times, minute)
	t.Logf("%d requests in %v; at most %d in any %v and %d in any %v", len(times), time.Since(started).Round(time.Second), inSecond, second, inMinute, minute)
	if inSecond > rate*11 || inMinute > rate*60 {
		t.Errorf("the API got %d requests in one period of %v and %d requests in one period of %v; want at most %d and %d", inSecond, second, inMinute, minute, rate*11, rate*60)
	}
	if inSecond < rate*8 {
		t.Errorf("the API got at most %d requests in any %v; the workers do not use the allowed rate", inSecond, second)
	}
}

func maxInWindow(times []time.Time, window time.Duration) int {
	most, begin := 0, 0
	for end, at := range times {
		for at.Sub(times[begin]) >= window {
			begin++
		}
		most = max(most, end-begin+1)
	}
	return most
}

package e2e_test

import (
	"context"
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
	"go.temporal.io/sdk/client"
)

// The rate is one of requests over all workers: also while another one starts, and after one is
// killed, and with activities that send more than one request each.
func TestTheRateHoldsOverAllWorkers(t *testing.T) {
	const rate, second, minute = 4, 10 * time.Second, time.Minute
	p := bringAsTold(t, stack.Options{
		NoWorker:   true,
		WorkerArgs: append(timesOfATenant(), "--api-rate", fmt.Sprint(rate)),
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	for n := range testrun.Pick(t, 60, 200) {
		reference := opportunity.Reference(fmt.Sprint("rate ", n))
		o := client.StartWorkflowOptions{ID: lifecycle.WorkflowID(reference), TaskQueue: lifecycle.TaskQueue}
		// The names are looked up, and what an interest is about: requests of one activity.
		start := opportunity.Start{Name: "Rate", Region: "UK", Account: "Administrate", Currency: "USD"}
		if _, err := p.temporal.ExecuteWorkflow(ctx, o, lifecycle.WorkflowType, start); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if err := p.client.Signal(ctx, reference, interests(i+1)); err != nil {
				t.Fatal(err)
			}
			if err := p.client.Signal(ctx, reference, opportunity.Refresh{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	started := time.Now()
	sent := func(d time.Duration) {
		t.Helper()
		until := time.Now().Add(d)
		eventually(t, d+time.Minute, "requests are sent", func() bool { return time.Now().After(until) })
	}
	if err := p.Worker().Start(ctx); err != nil {
		t.Fatal(err)
	}
	sent(8 * time.Second)
	other := p.AddWorker()
	if err := other.Start(ctx); err != nil {
		t.Fatal(err)
	}
	sent(testrun.Pick(t, 15*time.Second, 70*time.Second))
	p.Worker().Kill()
	sent(testrun.Pick(t, 5*time.Second, 60*time.Second))

	var times []time.Time
	for _, entry := range p.ledger() {
		times = append(times, entry.Received)
	}
	sort.Slice(times, func(i, j int) bool { return times[i].Before(times[j]) })
	inSecond, inMinute := mostIn(times, second), mostIn(times, minute)
	t.Logf("%d requests in %v; at most %d in any %v and %d in any %v", len(times), time.Since(started).Round(time.Second), inSecond, second, inMinute, minute)
	if inSecond > rate*11 || inMinute > rate*60 {
		t.Errorf("%d requests in some %v and %d in some %v; want at most %d and %d", inSecond, second, inMinute, minute, rate*11, rate*60)
	}
	if inSecond < rate*8 {
		t.Errorf("at most %d requests in any %v; the rate is hardly used", inSecond, second)
	}
}

// mostIn returns the most of the times in any window.
func mostIn(times []time.Time, window time.Duration) int {
	most, begin := 0, 0
	for end, at := range times {
		for at.Sub(times[begin]) >= window {
			begin++
		}
		most = max(most, end-begin+1)
	}
	return most
}

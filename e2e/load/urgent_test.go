package load_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
)

// Hundreds of opportunities of one source start at once, and visibility allows only ten queries a
// second. An urgent start is done in seconds, while most of the others wait. A start of another
// source does not wait for all starts of the first source.
func TestAnUrgentStartGoesFirst(t *testing.T) {
	p := startPartsWithoutRace(t, stack.Options{
		DynamicConfig: map[string]any{"frontend.namespaceRPS.visibility": 10},
		WorkerArgs:    append(harness.DefaultTimes(), "--api-rate", "18"),
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	// The first start makes the worker resolve the names before the many opportunities start.
	if _, err := p.Client.Start(ctx, "first", opportunity.Start{Name: "First", Region: "UK"}); err != nil {
		t.Fatal(err)
	}
	starts := testrun.Pick(t, 100, 800)
	senders, sending := errgroup.WithContext(ctx)
	senders.SetLimit(16)
	for n := range starts {
		senders.Go(func() error {
			reference := opportunity.Reference(fmt.Sprint("crowd ", n))
			start := opportunity.Start{Name: "Crowd", Region: "UK", Source: "import"}
			_, err := p.Temporal.ExecuteWorkflow(sending, lifecycle.FirstStartOptions(reference, start), lifecycle.WorkflowType, start)
			return err
		})
	}
	if err := senders.Wait(); err != nil {
		t.Fatal(err)
	}
	crowd := func() (made int) {
		for _, entry := range p.RequestLog() {
			if len(entry.Fields) > 0 {
				made++
			}
		}
		return made
	}
	open := func(reference opportunity.Reference, start opportunity.Start) time.Duration {
		t.Helper()
		begun := time.Now()
		opened, err := p.Client.Start(ctx, reference, start)
		took, left := time.Since(begun), starts-crowd()
		t.Logf("%s: the response was %q after %v, while %d of %d starts still waited", reference, opened.State, took.Round(time.Millisecond), left, starts)
		if err != nil || opened.State != opportunity.Done {
			t.Errorf("%s: the response is %+v, %v after %v", reference, opened, err, took)
		}
		if left < starts/8 {
			t.Errorf("%s: only %d of %d starts still waited at the response; the test does not check the order of this message", reference, left, starts)
		}
		return took
	}
	// The first urgent start comes before visibility delays any start. The other urgent starts come
	// after the many starts have used the burst of queries that visibility allows.
	for n, after := range []int{0, starts / 4, starts / 2} {
		harness.Eventually(t, 5*time.Minute, fmt.Sprint(after, " records are created"), func() bool { return crowd() >= after })
		took := open(opportunity.Reference(fmt.Sprint("urgent ", n)), opportunity.Start{Name: "Urgent", Region: "UK", Source: "sales", Urgent: true})
		if took > 5*time.Second {
			t.Errorf("the urgent start took %v", took)
		}
		if after == starts/4 { // a start of another source goes before most of the starts that came earlier
			open("not urgent", opportunity.Start{Name: "Not urgent", Region: "UK", Source: "web shop"})
		}
	}
}

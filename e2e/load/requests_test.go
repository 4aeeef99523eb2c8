package load_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/requestlog"
	"github.com/oppflow/oppflow/stack"
)

var items = []string{
	"Q291cnNlVGVtcGxhdGU6MTE=", "Q291cnNlOjE=", "TGVhcm5pbmdQYXRoOjE=", "Q291cnNlVGVtcGxhdGU6MTI=",
	"VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2",
}

// One of the five interests reserves places.
func fiveInterests() opportunity.AddInterests {
	var all opportunity.AddInterests
	for n, item := range items {
		one := harness.Interests(n + 1).Interests[0]
		one.Item, one.Reserve = item, n == 1
		all.Interests = append(all.Interests, one)
	}
	return all
}

// The test asserts the exact number of requests, because --api-rate limits the requests.
func TestRequestsOfMessages(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{WorkerArgs: []string{"--api-rate", "5000"}})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	start := opportunity.Start{Name: "Counted", Region: "UmVnaW9uOlVL"} // the region is given by its id, so the worker looks up nothing
	began := len(p.RequestLog())                                        // the worker has already asked the API which tenant it reaches
	requests := func() int {
		all := len(p.RequestLog())
		n := all - began
		began = all
		return n
	}
	want := func(what string, most int, least int) {
		t.Helper()
		if n := requests(); n > most || n < least {
			t.Errorf("%s: %d requests; want %d", what, n, most)
		}
	}
	done := func(reference opportunity.Reference, command opportunity.Command) {
		t.Helper()
		if outcome, err := p.Client.Update(ctx, reference, command); err != nil || outcome.State != opportunity.Done {
			t.Fatalf("%s: %+v, %v", reference, outcome, err)
		}
	}
	opened, err := p.Client.Start(ctx, "counted", start)
	if err != nil {
		t.Fatal(err)
	}
	want("a start", 1, 1)
	done("counted", fiveInterests())
	want("five interests in one message, places among them", 1, 1)
	lone := harness.Interests(1)
	lone.RequestID = "lone"
	done("counted", lone)
	want("a lone message", 1, 1)
	done("counted", lone)
	if err := p.Client.Signal(ctx, "counted", lone); err != nil {
		t.Fatal(err)
	}
	done("counted", lone)
	want("a repeated request id", 0, 0)

	// Five messages arrive while the API still holds the response to the first message.
	hold, err := p.SandboxAdmin().SetFault(ctx, fault.Rule{Kind: fault.HoldAfter, Operation: fault.AnyMutation, Contains: string(opened.Opportunity), Times: 1})
	if err != nil {
		t.Fatal(err)
	}
	burst := fiveInterests()
	for n := range burst.Interests {
		one := opportunity.AddInterests{Interests: burst.Interests[n : n+1]}
		if err := p.Client.Signal(ctx, "counted", one); err != nil {
			t.Fatal(err)
		}
		harness.Eventually(t, time.Minute, "the first message is under way", func() bool {
			status, err := p.SandboxAdmin().Fault(ctx, hold)
			return err == nil && status.Held == 1
		})
	}
	harness.Eventually(t, time.Minute, "the run has received all five messages", func() bool {
		view, err := p.Client.View(ctx, "counted")
		return err == nil && len(view.Queue) == 5
	})
	if err := p.SandboxAdmin().ReleaseFault(ctx, hold); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "all five messages took effect", func() bool {
		view, err := p.Client.View(ctx, "counted")
		return err == nil && len(view.Queue) == 0 && len(view.Interests) == 11
	})
	// One of the waiting messages reserves places, and the opportunity already has a reservation. So the
	// worker reads the event before and after the change.
	want("five messages, of which four wait", 4, 2)

	start.Interests = fiveInterests().Interests
	if _, err := p.Client.Start(ctx, "counted too", start); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the view shows the interests of the start", func() bool {
		view, err := p.Client.View(ctx, "counted too")
		return err == nil && len(view.Queue) == 0 && len(view.Interests) == 5
	})
	want("a start with five interests", 2, 2)
	for _, entry := range p.RequestLog() {
		if entry.Status != http.StatusOK || slices.ContainsFunc(entry.Fields, func(f requestlog.Field) bool { return f.Outcome != requestlog.Committed }) {
			t.Errorf("request %d: %+v", entry.Number, entry)
		}
	}
}

// The worker reads many records again, and no caller waits for the reads. The worker sends the
// request of a command before the waiting reads.
func TestCommandsGoBeforeSweeps(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{WorkerArgs: []string{"--api-rate", "5"}})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	const swept = 40
	reference := func(n int) opportunity.Reference { return opportunity.Reference(fmt.Sprintf("swept %d", n)) }
	for n := range swept {
		if _, err := p.Client.Start(ctx, reference(n), opportunity.Start{Name: "Swept", Region: "UmVnaW9uOlVL"}); err != nil {
			t.Fatal(err)
		}
	}
	const apart = opportunity.Reference("apart")
	if _, err := p.Client.Start(ctx, apart, opportunity.Start{Name: "Apart", Region: "UmVnaW9uOlVL"}); err != nil {
		t.Fatal(err)
	}
	before := len(p.RequestLog())
	for n := range swept {
		if err := p.Client.Signal(ctx, reference(n), opportunity.Refresh{}); err != nil {
			t.Fatal(err)
		}
	}
	harness.Eventually(t, time.Minute, "the worker reads the records", func() bool { return len(p.RequestLog()) > before })
	if outcome, err := p.Client.Update(ctx, apart, harness.Interests(1)); err != nil || outcome.State != opportunity.Done {
		t.Fatalf("%+v, %v", outcome, err)
	}
	// A busy machine may handle the command late. The measured time therefore begins at the history
	// event that schedules the command's activity.
	runs := p.Runs(apart)
	var scheduled time.Time
	for _, event := range runs[len(runs)-1].Events {
		if event.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName() == activities.ApplyCommands {
			scheduled = event.GetEventTime().AsTime()
		}
	}
	early, late := 0, 0
	for _, entry := range p.RequestLog()[before:] {
		if len(entry.Fields) > 0 {
			break
		}
		if entry.Received.Before(scheduled) {
			early++
		} else {
			late++
		}
	}
	if left := swept - early; left < 4 || late > left/2 {
		t.Errorf("%d of the %d remaining records were read before the API got the command; without priorities the worker would send the command last", late, left)
	}
	harness.Eventually(t, time.Minute, "all records are read", func() bool { return len(p.RequestLog()) == before+1+swept })
}

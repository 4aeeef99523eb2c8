package load_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
)

// ringCatalogue returns a catalogue whose steps form a ring. The step names have the greatest
// allowed length.
func ringCatalogue(t *testing.T) (catalogue string, lap func(n int) string) {
	t.Helper()
	lap = func(n int) string { return padded(fmt.Sprintf("Lap %d ", n%ringSteps), 250) }
	data, err := os.ReadFile(filepath.Join("testdata", "ring.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for n := range ringSteps {
		text = strings.Replace(text, fmt.Sprintf("name: Lap %d,", n), fmt.Sprintf("name: %q,", lap(n)), 1)
	}
	catalogue = filepath.Join(t.TempDir(), "ring.yaml")
	if err := os.WriteFile(catalogue, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return catalogue, lap
}

const ringSteps = 7

// Eight senders send 8,000 messages of 400 bytes to one opportunity as fast as possible. Each
// message takes effect once, and the messages of a sender keep their order.
func TestEightThousandMessagesOfFourHundredBytes(t *testing.T) {
	parallelIfShort(t)
	catalogue, lap := ringCatalogue(t)
	p, r := startRecorded(t, stack.Options{SandboxArgs: []string{"--catalogue", catalogue}})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("eight thousand")
	opened, err := p.Client.Start(ctx, reference, opportunity.Start{Name: "Ring", Region: "UK", EntryStep: lap(0)})
	if err != nil {
		t.Fatal(err)
	}
	moves, names := scaled(t, 500), scaled(t, 7_500)
	move := func(n int) opportunity.Command {
		return opportunity.Progress{RequestID: padded(fmt.Sprintf("move %d ", n), 130), To: lap(n + 1)}
	}
	for _, command := range []opportunity.Command{namedUpdate(3, 1000), move(1000)} {
		if data, err := json.Marshal(command); err != nil || len(data) < 390 || len(data) > 420 {
			t.Errorf("a message has %d bytes, %v; want about 400", len(data), err)
		}
	}
	s := p.senders(ctx, reference, nil)
	// Each transition depends on the transition before, so one sender sends all transitions. A
	// transition that is repeated or out of order is not configured and fails.
	s.send(moves, move)
	sent := map[int]int{}
	for sender := range 7 {
		sent[sender] = names / 7
		s.send(sent[sender], func(n int) opportunity.Command { return namedUpdate(sender, n) })
	}
	s.wait()
	view := p.awaitMutations(ctx, r, reference, opened.Opportunity, moves+names/7*7)
	if last := r.wantNames(t, opened.Opportunity, sent); view.Details.Name != last || view.Step.Name != lap(moves) {
		t.Errorf("the view has the name %q and the step %q; want %q and %q", view.Details.Name, view.Step.Name, last, lap(moves))
	}
	if got := len(r.mutationsOf(opened.Opportunity, "progress")); got != moves {
		t.Errorf("the API got %d transitions; want %d", got, moves)
	}
	if record := p.Opportunity(opened.Opportunity); record.Name != view.Details.Name || record.Step.Name != view.Step.Name {
		t.Errorf("the record has the name %q and step %q; the view has the name %q and step %q", record.Name, record.Step.Name, view.Details.Name, view.Step.Name)
	}
	prints := p.runSizes(reference)
	if len(prints) < 2 {
		t.Error("the opportunity has only one run; the test does not check the state that a run passes to the next run")
	}
}

// The limits count the JSON size of the messages that wait. JSON writes some characters in six
// bytes, so a request id of such characters takes 1,200 bytes of the state that a run passes on.
func TestMessagesThatGrowAsJSON(t *testing.T) {
	parallelIfShort(t)
	p, r := startRecorded(t, stack.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("growing")
	opened, err := p.Client.Start(ctx, reference, opportunity.Start{Name: "Grows", Region: "UK"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Worker().Stop(ctx); err != nil { // so that all messages wait at once
		t.Fatal(err)
	}
	s := p.senders(ctx, reference, nil)
	sent := map[int]int{}
	for sender := range 4 {
		sent[sender] = scaled(t, 500)
		s.send(sent[sender], func(n int) opportunity.Command {
			id := fmt.Sprintf("%d/%d ", sender, n)
			return opportunity.UpdateDetails{RequestID: id + strings.Repeat("<", opportunity.MaxRequestIDLength-len(id)), Name: id + "<"}
		})
	}
	s.wait()
	if err := p.Worker().Start(ctx); err != nil {
		t.Fatal(err)
	}
	p.awaitMutations(ctx, r, reference, opened.Opportunity, 4*scaled(t, 500))
	r.wantNames(t, opened.Opportunity, sent)
	if prints := p.runSizes(reference); len(prints) < 2 {
		t.Error("the opportunity has only one run; the test does not check the state that a run passes to the next run")
	}
}

// Messages are sent while no worker runs. When the worker starts again, all messages are in one
// history, which is longer than the history at which a run continues as new.
func TestNineThousandMessagesWaitForTheWorker(t *testing.T) {
	parallelIfShort(t)
	p, r := startRecorded(t, stack.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("nine thousand")
	opened, err := p.Client.Start(ctx, reference, opportunity.Start{Name: "Waits", Region: "UK"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Worker().Stop(ctx); err != nil {
		t.Fatal(err)
	}
	s := p.senders(ctx, reference, nil)
	sent := map[int]int{}
	for sender := range 9 {
		sent[sender] = scaled(t, 1_000)
		s.send(sent[sender], func(n int) opportunity.Command { return namedUpdate(sender, n) })
	}
	s.wait()
	if err := p.Worker().Start(ctx); err != nil {
		t.Fatal(err)
	}
	view := p.awaitMutations(ctx, r, reference, opened.Opportunity, 9*scaled(t, 1_000))
	if last := r.wantNames(t, opened.Opportunity, sent); view.Details.Name != last || p.Opportunity(opened.Opportunity).Name != last {
		t.Errorf("named %q; want %q", view.Details.Name, last)
	}
	p.wantSteady(p.runSizes(reference))
}

// Transitions are sent while no worker runs. Each transition is a request of its own, so
// transitions make many more history events than other messages.
func TestTransitionsWaitForTheWorker(t *testing.T) {
	parallelIfShort(t)
	p, r := startRecorded(t, stack.Options{SandboxArgs: []string{"--catalogue", "testdata/ring.yaml"}})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("moves")
	opened, err := p.Client.Start(ctx, reference, opportunity.Start{Name: "Waits", Region: "UK", EntryStep: "Lap 0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Worker().Stop(ctx); err != nil {
		t.Fatal(err)
	}
	moves := scaled(t, 700)
	s := p.senders(ctx, reference, nil)
	s.send(moves, func(n int) opportunity.Command {
		return opportunity.Progress{To: fmt.Sprintf("Lap %d", (n+1)%ringSteps)}
	})
	s.wait()
	if err := p.Worker().Start(ctx); err != nil {
		t.Fatal(err)
	}
	view := p.awaitMutations(ctx, r, reference, opened.Opportunity, moves)
	if want := fmt.Sprintf("Lap %d", moves%ringSteps); view.Step.Name != want || p.Opportunity(opened.Opportunity).Step.Name != want {
		t.Errorf("the opportunity is in step %q; want %q", view.Step.Name, want)
	}
	prints := p.runSizes(reference)
	p.wantSteady(prints)
	if len(prints) < 2 {
		t.Error("the opportunity has only one run; the test does not check the state that a run passes to the next run")
	}

	if !testrun.Long(t) {
		return // too few transitions to extrapolate
	}
	// The test extrapolates to as many transitions as the number of signals that the server accepts
	// for one run. The first run makes transitions until the remaining transitions are small enough
	// for the state of the next run.
	const (
		most   = 9000
		longer = 40_000 // history events; the server ends a run at 51,200 events, and its waiting messages would be lost
	)
	events := 0
	for _, f := range prints {
		events += f.events - f.signals
	}
	perMove := float64(events) / float64(moves)
	t.Logf("%.2f history events for each transition, not counting its signal", perMove)
	carried, queue, left := 0, 0, moves // each transition is a request
	for _, f := range prints {
		if f.queue > queue {
			carried, queue = left, f.queue
		}
		left -= f.requests
	}
	if carried == 0 {
		t.Logf("no transitions were passed to the next run; the size of %d transitions is not measured", most)
		return
	}
	bytesPerMove := float64(queue) / float64(carried)
	fit := min(most, int(opportunity.MaxWaitingBytes/bytesPerMove))
	run := most + int(perMove*float64(most-fit))
	t.Logf("%.0f bytes for each transition passed to the next run, so %d transitions fit; %d transitions would make a first run of %d history events", bytesPerMove, fit, most, run)
	if run > longer {
		t.Errorf("%d transitions would make a run of %d history events; want at most %d", most, run, longer)
	}
}

// Runs stay short, whether messages come at a moderate pace or as fast as possible.
func TestRunsStayShort(t *testing.T) {
	parallelIfShort(t)
	p, r := startRecorded(t, stack.Options{})
	for _, load := range []struct {
		name   string
		pace   *rate.Limiter
		events int // the highest allowed number of events of a run
	}{
		{"at 200 messages a second", rate.NewLimiter(200, 8), testrun.Pick(t, 900, 5_000)},
		{"at full speed", nil, testrun.Pick(t, 900, 12_000)},
	} {
		t.Run(load.name, func(t *testing.T) {
			p := p.in(t)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			reference := opportunity.Reference(load.name)
			opened, err := p.Client.Start(ctx, reference, opportunity.Start{Name: "Long", Region: "UK"})
			if err != nil {
				t.Fatal(err)
			}
			s := p.senders(ctx, reference, load.pace)
			sent := map[int]int{}
			for sender := range 8 {
				sent[sender] = testrun.Pick(t, 60, 1_250)
				s.send(sent[sender], func(n int) opportunity.Command {
					return opportunity.UpdateDetails{Name: fmt.Sprintf("%d/%d of the training for Harbour Street", sender, n)}
				})
			}
			s.wait()
			view := p.awaitMutations(ctx, r, reference, opened.Opportunity, 8*sent[0])
			if last := r.wantNames(t, opened.Opportunity, sent); view.Details.Name != last {
				t.Errorf("named %q; want %q", view.Details.Name, last)
			}
			prints := p.runSizes(reference)
			if got := largest(prints); got > load.events {
				t.Errorf("a run has %d history events; want at most %d", got, load.events)
			}
			if len(prints) < 2 {
				t.Error("the opportunity has only one run; the test does not check several runs")
			}
		})
	}
}

// The API does not respond. The server allows a limited number of open updates for one run, and the
// test has more waiting callers than this number. An operator's message takes effect while the
// callers wait, and every caller's request takes effect once.
func TestWaitingCallersDoNotLockTheOperatorOut(t *testing.T) {
	parallelIfShort(t)
	// The long response time keeps the change under way until all callers have arrived, even on a
	// slow machine.
	p, r := startRecorded(t, stack.Options{WorkerArgs: harness.DefaultTimes()})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("crowded")
	opened, err := p.Client.Start(ctx, reference, opportunity.Start{Name: "Busy", Region: "UK"})
	if err != nil {
		t.Fatal(err)
	}
	const callers = 25
	r.hold()
	crowd := p.newCallerGroup(reference)
	var names []string
	for n := range callers {
		names = append(names, callerName(n))
		crowd.add(ctx, n)
		// The callers arrive one after the other. If many callers arrive at once, the server
		// rejects some of their updates for seconds.
		harness.Eventually(t, 15*time.Second, fmt.Sprintf("caller %d waits or has an outcome", n), func() bool { return crowd.hasArrived(n) })
	}
	if len(r.heldChanges()) == 0 || crowd.waiting() == 0 {
		t.Fatalf("%d callers wait and the API got the changes %v; the test does not check the pause", crowd.waiting(), r.heldChanges())
	}

	begin := time.Now()
	soon, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	_, err = p.update(soon, reference, "", "pause", map[string]any{"reason": "the API does not respond"})
	t.Logf("%d of %d callers wait; the operator got a response after %s", crowd.waiting(), callers, time.Since(begin).Round(time.Millisecond))
	if err != nil {
		t.Fatalf("the operator could not pause the opportunity: %v", err)
	}
	// After the pause, Oppflow sends no further change, and every waiting caller gets an outcome.
	under := len(r.heldChanges())
	r.release()
	crowd.wait()
	if got := r.mutationCount(opened.Opportunity); got != under {
		t.Errorf("the API got %d mutations of the paused opportunity; want only the %d mutations that were under way", got, under)
	}
	if _, err := p.update(ctx, reference, "", "resume", map[string]any{}); err != nil {
		t.Fatalf("the operator could not resume the opportunity: %v", err)
	}
	crowd.check()
	view := p.awaitMutations(ctx, r, reference, opened.Opportunity, callers)
	var got []string
	for _, c := range r.mutationsOf(opened.Opportunity, "update") {
		got = append(got, c.text("name"))
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("requests of the callers (-) and changes that the API got (+):\n%s", diff)
	}
	if want := callerName(callers - 1); view.Details.Name != want {
		t.Errorf("named %q; want %q", view.Details.Name, want)
	}
	p.runSizes(reference)
}

// Callers send the next update as soon as the previous update returns, so the run always has an
// open update.
func TestUpdatesBackToBack(t *testing.T) {
	parallelIfShort(t)
	p, r := startRecorded(t, stack.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("back to back")
	opened, err := p.Client.Start(ctx, reference, opportunity.Start{Name: "Long", Region: "UK"})
	if err != nil {
		t.Fatal(err)
	}
	const callers = 6
	each := scaled(t, 200)
	calls, calling := errgroup.WithContext(ctx)
	sent := map[int]int{}
	for caller := range callers {
		sent[caller] = each
		calls.Go(func() error {
			for n := range each {
				outcome, err := p.Client.Update(calling, reference, opportunity.UpdateDetails{Name: fmt.Sprintf("%d/%d ", caller, n)})
				if err != nil || outcome.State != opportunity.Done {
					return fmt.Errorf("update %d of caller %d returned %+v, %w", n, caller, outcome, err)
				}
			}
			return nil
		})
	}
	if err := calls.Wait(); err != nil {
		p.runSizes(reference)
		t.Fatal(err)
	}
	p.awaitMutations(ctx, r, reference, opened.Opportunity, callers*each)
	r.wantNames(t, opened.Opportunity, sent)
	events, prints := 0, p.runSizes(reference)
	for _, f := range prints {
		events += f.events
	}
	long := scaled(t, 4000)
	if events < long {
		t.Errorf("all runs have only %d history events; the test does not check continue-as-new", events)
	}
	if events > long && len(prints) < 2 {
		t.Errorf("one run has %d history events", events)
	}
}

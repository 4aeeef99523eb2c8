package e2e_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.temporal.io/api/serviceerror"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
)

// A person can try Oppflow on a tenant without writing to the tenant. A read-only worker adopts and
// shows records, and rejects every change.
func TestContractReadOnly(t *testing.T) {
	t.Parallel()
	// Without a reference tag, the adoption of a record writes nothing.
	p := startParts(t, stack.Options{WorkerArgs: []string{"--read-only", "--reference-tag", "none"}})
	c := p.caller(t)
	const reference = "read-only"
	want := jsonError{
		Type: "Rejected", Label: "read-only",
		Message: "nothing was sent, because this program is read-only; restart the program without --read-only (OPPFLOW_READ_ONLY) and repeat the request",
	}
	before := p.Records(seeded)

	outcome, err := c.open("new here", plainStart)
	if diff := cmp.Diff(want, wantFailure(t, "Rejected", outcome, err)); diff != "" {
		t.Errorf("a start (-want +got):\n%s", diff)
	}
	p.wantRunFailed("new here", "Rejected")

	outcome, err = c.open(reference, `{"adopt":"`+seeded+`"}`)
	if opened := succeeded[jsonCreateStatus](t, outcome, err); opened.State != "done" || opened.Opportunity != seeded {
		t.Fatalf("unexpected outcome of the adoption: %+v", opened)
	}
	if view := p.viewOf(reference); view.Details.Name != "Annual first aid refresher" || view.Step.Name != "Proposed" {
		t.Errorf("the view has wrong values: %+v", view)
	}
	failures := 0
	for _, by := range sendModes() {
		for _, command := range []struct{ name, members string }{
			{"addInterests", courses(1)},
			{"updateDetails", `"name":"Renamed"`},
			{"updateDetails", `"account":"Administrate"`},
			{"extendReservations", `"until":"` + time.Now().AddDate(0, 1, 0).Format(time.RFC3339) + `"`},
			{"progress", `"to":"Opportunity"`},
		} {
			got := by.send(c, reference, command.name, uuid.NewString(), command.members)
			failures++
			if diff := cmp.Diff(want, wantFailed(t, "Rejected", got)); diff != "" {
				t.Errorf("%s by %s (-want +got):\n%s", command.name, by.name, diff)
			}
		}
	}
	// Operators may send every message that writes nothing to the TMS.
	view := p.viewOf(reference)
	if view.Failures != failures || len(view.Queue) > 0 {
		t.Errorf("%d requests failed and %d requests wait; want %d failed and none waiting", view.Failures, len(view.Queue), failures)
	}
	for where, text := range map[string]string{
		"timeline": view.Timeline[len(view.Timeline)-1].Text, "attention": view.Attention[0].Reason, "card": p.Metadata(reference).GetCurrentDetails(),
	} {
		if !strings.Contains(text, "failed: read-only") {
			t.Errorf("the %s does not contain the text \"failed: read-only\": %s", where, text)
		}
	}
	if words := p.listedAttention(reference); !slices.Contains(words, "failed") {
		t.Errorf("the list shows attention %q; want failed", words)
	}
	for _, instruction := range []struct{ name, members string }{{"pause", ""}, {"resume", ""}, {"refresh", ""}, {"close", `"reason":"tried"`}} {
		if got := sendModes()[0].send(c, reference, instruction.name, uuid.NewString(), instruction.members); got.State != "done" {
			t.Errorf("%s: %+v", instruction.name, got)
		}
	}
	if ended, err := p.client.Wait(c.ctx, reference); err != nil || ended.CloseReason != "tried" {
		t.Errorf("unexpected result of the run: %+v, %v", ended, err)
	}
	if diff := cmp.Diff(before, p.Records(seeded)); diff != "" {
		t.Errorf("the record changed (-before +after):\n%s", diff)
	}
}

// The server accepts a limited number of signals for one run. At the limit the server rejects each
// signal with an error until a worker has handled some signals.
func TestContractBusy(t *testing.T) {
	t.Parallel()
	const (
		most      = 100 // the server's own limit is 10,000
		reference = "busy"
	)
	p := startParts(t, stack.Options{DynamicConfig: map[string]any{
		"history.maximumSignalsPerExecution":      most,
		"limit.historyCount.suggestContinueAsNew": most,
	}})
	c := p.caller(t)
	record := p.startProposed(reference)
	if err := p.Worker().Stop(c.ctx); err != nil {
		t.Fatal(err)
	}
	sent := 0
	var err error
	for ; sent <= most && err == nil; sent++ {
		err = c.signal(reference, "progress", plainJSON(`{"requestId":"the same","to":"Opportunity"}`))
	}
	sent--
	var refused *serviceerror.InvalidArgument
	if !errors.As(err, &refused) || sent != most {
		t.Fatalf("signal %d: %v; want %d signals accepted and the next signal refused as InvalidArgument", sent+1, err, most)
	}
	err = p.client.Signal(c.ctx, reference, opportunity.Progress{To: "Won"})
	wantError(t, err, opportunity.Busy)
	if err == nil || !strings.Contains(err.Error(), "later") {
		t.Errorf("the error Busy is %v; want the advice to repeat the message", err)
	}
	if err := p.Worker().Start(c.ctx); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the server accepts a signal again", func() bool {
		err := c.signal(reference, "progress", plainJSON(`{"requestId":"later","to":"Won"}`))
		if err != nil && !errors.As(err, &refused) {
			t.Fatal(err)
		}
		return err == nil
	})
	ended, err := p.client.Wait(c.ctx, reference)
	if err != nil || ended.State != opportunity.Won || ended.FailedRequests != 0 {
		t.Errorf("unexpected result of the run: %+v, %v", ended, err)
	}
	if got := p.Opportunity(record); got.Step.Name != "Won" {
		t.Errorf("the record is in step %q", got.Step.Name)
	}
	if runs := p.Runs(reference); len(runs) < 2 {
		t.Errorf("the server has %d runs of %s; want more than one run, because the limit forces continue-as-new", len(runs), lifecycle.WorkflowID(reference))
	}
}

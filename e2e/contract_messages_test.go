package e2e_test

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
)

// contractCommands sends each command in the form that docs/contract.md documents, and checks the
// record.
func (p *parts) contractCommands(by sendMode, reference string) {
	t, c := p.t, p.caller(p.t)
	record := p.startProposed(reference)
	send := func(name, members string) jsonOutcome {
		t.Helper()
		got := by.send(c, reference, name, name, members)
		if got.RequestID != name || got.State != "done" || got.Error != nil {
			t.Errorf("%s: the outcome is %+v with the error %+v; want done", name, got, got.Error)
		}
		return got
	}
	added := send("addInterests", `"interests":[
		{"item":"`+courseItem+`","kind":"course","quantity":1,"unitAmount":"199.90","learners":[{"firstName":"Melissa","lastName":"Green","email":"melissa@example.com"}]},
		{"item":"`+eventItem+`","quantity":2,"unitAmount":"199.90","reserve":true},
		{"item":"`+tokenItem+`","quantity":10,"unitAmount":"19.90","expiresAt":"2023-12-31T23:59:59"}]`)
	var items []string
	for n, result := range added.Results {
		items = append(items, result.Item)
		if result.Interest == "" || result.Error != nil || (result.ReservedUntil != "") != (n == 1) {
			t.Errorf("interest %d: %+v", n, result)
		}
	}
	if diff := cmp.Diff([]string{courseItem, eventItem, tokenItem}, items); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	send("updateDetails", `"name":"First Aid, spring","account":"Administrate","currency":"USD"`)
	until := time.Now().AddDate(0, 2, 0).Truncate(time.Second)
	send("extendReservations", `"until":"`+until.In(time.FixedZone("", 3600)).Format(time.RFC3339)+`"`)
	send("progress", `"to":"Opportunity"`)

	got := p.Opportunity(record)
	if got.InterestCount != 3 || got.Name != "First Aid, spring" || got.Account == nil || got.Account.Name != "Administrate" ||
		got.Currency == nil || got.Currency.Code != "USD" || got.Step.Name != "Opportunity" {
		t.Errorf("the record has wrong values: %+v", got)
	}
	if held := got.Reservations; !held.Valid || held.Until == nil || !held.Until.Equal(until) {
		t.Errorf("the reservations are %+v; want the places reserved until %s", held, until)
	}
	view := p.viewOf(reference)
	if view.Total.String() != "798.70" || len(view.Queue) > 0 || view.Failures > 0 || len(view.Attention) > 0 {
		t.Errorf("the view has wrong values: %+v", view)
	}
	// Members that a caller may rely on are always present, even when they are empty.
	data, err := c.query(reference, "view")
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{
		"reference", "opportunity", "details", "step", "interests", "total", "reservation", "queue", "attention", "failures", "timeline", "runs", "stateVersion",
	} {
		if value := string(members[member]); value == "" || value == "null" {
			t.Errorf("the view's %q is %q", member, value)
		}
	}
	p.Replay(opportunity.Reference(reference), "contract-"+strings.ReplaceAll(reference, " ", "-"))
}

func (p *parts) contractOperatorCommands(by sendMode, reference string) {
	t, c := p.t, p.caller(p.t)
	record := p.startProposed(reference)
	instruct := func(name, id, members string) {
		t.Helper()
		if got := by.send(c, reference, name, id, members); got.RequestID != id || got.State != "done" || got.Error != nil {
			t.Errorf("%s: the outcome is %+v with the error %+v; want done", name, got, got.Error)
		}
	}
	instruct("pause", "halt", `"reason":"stock-taking"`)
	if view := p.viewOf(reference); view.Paused == nil || view.Paused.Reason != "stock-taking" {
		t.Errorf("the view shows the wrong pause: %+v", view.Paused)
	}
	// While the opportunity is paused, a command that is sent as an update is refused, and a
	// command that is sent as a signal waits.
	outcome, err := c.update(reference, "progress", uuid.NewString(), `{"requestId":"refused","to":"Opportunity"}`)
	if told := wantFailure(t, "Paused", outcome, err); !strings.Contains(told.Message, "stock-taking") {
		t.Errorf("the error Paused has the message %q; want the reason of the pause", told.Message)
	}
	if _, err := c.outcome(reference, "refused"); err == nil {
		t.Error("the refused update has an outcome; want none")
	}
	if err := c.signal(reference, "progress", plainJSON(`{"requestId":"waits","to":"Opportunity"}`)); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the signal waits", func() bool { return len(p.viewOf(reference).Queue) == 1 })
	// While the opportunity is paused, queries and the other operator commands work.
	if got, err := c.outcome(reference, "waits"); err != nil || got.State != "pending" {
		t.Errorf("unexpected outcome of the waiting request: %+v, %v", got, err)
	}
	if got := p.Opportunity(record); got.Step.Name != "Proposed" {
		t.Errorf("the record moved to step %q while the opportunity was paused", got.Step.Name)
	}
	instruct("resume", "go on", "")
	if got := c.settled(reference, "waits"); got.State != "done" {
		t.Errorf("unexpected outcome of the waiting request: %+v", got)
	}
	if got := p.Opportunity(record); got.Step.Name != "Opportunity" {
		t.Errorf("after the pause the record is in step %q", got.Step.Name)
	}

	if _, err := p.api.UpdateOpportunity(c.ctx, administrate.UpdateOpportunity{ID: string(record), Name: "Renamed by hand"}); err != nil {
		t.Fatal(err)
	}
	instruct("refresh", "look again", "")
	harness.Eventually(t, time.Minute, "the view shows the change that was made by hand", func() bool { return p.viewOf(reference).Details.Name == "Renamed by hand" })
	if view := p.viewOf(reference); view.Failures > 0 || len(view.Attention) > 0 || view.Paused != nil {
		t.Errorf("the view has wrong values: %+v", view)
	}
	p.Replay(opportunity.Reference(reference), "contract-"+strings.ReplaceAll(reference, " ", "-"))
}

// contractClose closes a run while a message waits and places are reserved.
func (p *parts) contractClose(by sendMode, reference string) {
	t, c := p.t, p.caller(p.t)
	record := p.startProposed(reference)
	reserved := by.send(c, reference, "addInterests", "places", `"interests":[{"item":"`+eventItem+`","quantity":1,"unitAmount":"10","reserve":true}]`)
	if reserved.State != "done" || !p.Opportunity(record).Reservations.Valid {
		t.Fatalf("unexpected outcome of the interest with a reservation: %+v", reserved)
	}
	if got := by.send(c, reference, "pause", "halt", ""); got.State != "done" {
		t.Fatalf("unexpected outcome of pause: %+v", got)
	}
	if err := c.signal(reference, "progress", plainJSON(`{"requestId":"waits","to":"Opportunity"}`)); err != nil {
		t.Fatal(err)
	}
	if got := by.send(c, reference, "close", "end", `"reason":"sold elsewhere"`); got.State != "done" || got.RequestID != "end" {
		t.Errorf("unexpected outcome of close: %+v", got)
	}
	harness.Eventually(t, time.Minute, "the run ends", func() bool {
		return p.Status(opportunity.Reference(reference)) == enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	})
	told := wantFailed(t, "Closed", c.settled(reference, "waits"))
	if !strings.Contains(told.Message, "sold elsewhere") {
		t.Errorf("the waiting request failed with the message %q; want the reason of the close", told.Message)
	}
	if got := p.Opportunity(record); got.Reservations.Valid || got.Step.Name != "Proposed" {
		t.Errorf("the record has %+v and is in step %q; want the places released and the step unchanged", got.Reservations, got.Step.Name)
	}
	run := p.Runs(opportunity.Reference(reference))[0].Events
	result := run[len(run)-1].GetWorkflowExecutionCompletedEventAttributes().GetResult().GetPayloads()
	if len(result) != 1 {
		t.Fatalf("the run ended with %v", run[len(run)-1])
	}
	var ended struct {
		Reference, Opportunity, State, Closed, Total string
		Interests, Failed                            int
	}
	if err := json.Unmarshal(result[0].GetData(), &ended); err != nil {
		t.Fatal(err)
	}
	if ended.Reference != reference || ended.Opportunity != string(record) || ended.State != "Open" || ended.Closed != "sold elsewhere" ||
		ended.Interests != 1 || ended.Failed != 1 || ended.Total != "10.00" {
		t.Errorf("unexpected result of the run: %s", result[0].GetData())
	}
	// After the end of the run, queries return the last state of the run.
	var gone *serviceerror.NotFound
	if _, err := c.update(reference, "progress", uuid.NewString(), `{"to":"Opportunity"}`); !errors.As(err, &gone) {
		t.Errorf("an update to the ended run: %v; want NotFound of the service", err)
	}
	if err := c.signal(reference, "progress", plainJSON(`{"to":"Opportunity"}`)); !errors.As(err, &gone) {
		t.Errorf("a signal to the ended run: %v; want NotFound of the service", err)
	}
	if view := p.viewOf(reference); view.Closing == nil || view.Closing.Reason != "sold elsewhere" {
		t.Errorf("the view shows the closing %+v", view.Closing)
	}
	p.Replay(opportunity.Reference(reference), "contract-"+strings.ReplaceAll(reference, " ", "-"))
}

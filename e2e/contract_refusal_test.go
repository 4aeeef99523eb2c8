package e2e_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
)

// contractRefusals causes each error that a message can return.
func (p *parts) contractRefusals(reference string) {
	t, c := p.t, p.caller(p.t)
	record := p.startProposed(reference)
	before := len(p.Runs(opportunity.Reference(reference))[0].Events)
	update := func(name, payload string) (jsonOutcome, func(string) jsonError) {
		outcome, err := c.update(reference, name, uuid.NewString(), payload)
		if err == nil && outcome.GetFailure() == nil {
			return succeeded[jsonOutcome](t, outcome, err), nil
		}
		return jsonOutcome{}, func(want string) jsonError { return wantFailure(t, want, outcome, err) }
	}
	for _, wrong := range []struct{ name, payload, says string }{
		{"progress", `{"step":"Won"}`, `unknown member "step"`},
		{"progress", `{"to":"Won","to":"Lost"}`, `twice`},
		{"progress", `["Won"]`, "JSON object"},
		{"progress", `{"to":"` + courseItem + `"}`, "a step"},
		{"addInterests", `{"interests":[]}`, "at least one"},
		{"addInterests", `{"interests":[{"item":"` + courseItem + `","quantity":1,"unitAmount":199.90000001}]}`, "unitAmount"},
		{"addInterests", `{"interests":[{"item":"` + courseItem + `","quantity":1,"unitAmount":"1","reserve":true}]}`, "reserve"},
		{"updateDetails", `{}`, "name, account or currency"},
		{"extendReservations", `{"until":"2020-01-01T00:00:00Z"}`, "until"},
		{"extendReservations", `{"until":"tomorrow"}`, "offset"},
		{"pause", `{"because":"x"}`, `"because"`},
		{"close", `{}`, "reason"},
		{"retry", `{}`, "request"},
		{"skip", `{"request":"r"}`, "reason"},
		{"refresh", `{"requestId":"#1"}`, "requestId"},
		{"opened", `{"begin":{}}`, `"begin"`},
	} {
		_, failure := update(wrong.name, wrong.payload)
		if failure == nil {
			t.Errorf("%s %s was accepted", wrong.name, wrong.payload)
			continue
		}
		if told := failure("Invalid"); !strings.Contains(told.Message, wrong.says) {
			t.Errorf("%s %s: the message is %q; want a message with %q", wrong.name, wrong.payload, told.Message, wrong.says)
		}
	}
	for _, payload := range []string{`{"request":"nobody's"}`} {
		_, failure := update("retry", payload)
		if failure == nil {
			t.Fatal("retry without a question was accepted")
		}
		failure("NotFound")
	}
	if got := len(p.Runs(opportunity.Reference(reference))[0].Events); got != before {
		t.Errorf("refused updates increased the history from %d to %d history events", before, got)
	}

	// If the API returns an error, or if a name in the request does not exist, the request is
	// accepted and its outcome is failed.
	refused, _ := update("progress", `{"requestId":"too early","to":"Won"}`)
	want := jsonError{
		Type: "TransitionNotFound", Label: "Transition Not Found",
		Message: "Transition from step T3Bwb3J0dW5pdHlTdGVwOjM= to step T3Bwb3J0dW5pdHlTdGVwOjU= not found",
	}
	if diff := cmp.Diff(want, wantFailed(t, "TransitionNotFound", refused)); diff != "" {
		t.Errorf("TransitionNotFound (-documented +got):\n%s", diff)
	}
	nowhere, _ := update("progress", `{"to":"Nowhere"}`)
	if told := wantFailed(t, "NotFound", nowhere); !strings.Contains(told.Message, `"Nowhere"`) || !strings.Contains(told.Message, `"Proposed"`) {
		t.Errorf("the error NotFound has the message %q; want the requested name and the existing names", told.Message)
	}
	currency, _ := update("updateDetails", `{"currency":"ZZZ"}`)
	if told := wantFailed(t, "Rejected", currency); told.Label == "" || told.Message == "" {
		t.Errorf("the error Rejected is %+v; want the texts of the API", told)
	}
	mixed, _ := update("addInterests", `{"interests":[{"item":"Nothing","kind":"course","quantity":1,"unitAmount":"1"},{"item":"FA-1","kind":"course","quantity":1,"unitAmount":"1"}]}`)
	if mixed.State != "done" || len(mixed.Results) != 2 || mixed.Results[0].Error == nil || mixed.Results[0].Error.Type != "NotFound" || mixed.Results[1].Interest == "" {
		t.Errorf("unexpected outcome of a message with one unknown and one valid item: %+v", mixed)
	}
	lapsed, _ := update("extendReservations", `{"until":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}`)
	wantFailed(t, "Rejected", lapsed) // the opportunity has no reservation
	if got := p.Opportunity(record); got.Step.Name != "Proposed" || got.InterestCount != 1 || got.Reservations.Valid {
		t.Errorf("the record has wrong values: %+v", got)
	}

	_, err := c.outcome(reference, "never sent")
	contractFailure(t, "NotFound", queryFailure(err))
	_, err = c.query(reference, "outcome", plainJSON(`{"id":"too early"}`))
	contractFailure(t, "Invalid", queryFailure(err))
	_, err = c.query(reference, "outcome", plainJSON(`{}`))
	contractFailure(t, "Invalid", queryFailure(err))

	// The reference has no workflow, so the Temporal server returns the error.
	var missing *serviceerror.NotFound
	if _, err := c.update("nobody here", "progress", uuid.NewString(), `{"to":"Won"}`); !errors.As(err, &missing) {
		t.Errorf("an update: %v; want NotFound of the service", err)
	}
	if err := c.signal("nobody here", "progress", plainJSON(`{"to":"Won"}`)); !errors.As(err, &missing) {
		t.Errorf("a signal: %v; want NotFound of the service", err)
	}
	if _, err := c.query("nobody here", "view"); !errors.As(err, &missing) {
		t.Errorf("a query: %v; want NotFound of the service", err)
	}
}

// contractUnreadable sends signals that cannot be decoded, with personal data in unexpected places.
func (p *parts) contractUnreadable(output *harness.Output) {
	const reference = "unreadable signals"
	t, c := p.t, p.caller(p.t)
	record := p.startProposed(reference)
	for _, wrong := range []struct {
		name    string
		payload []*commonpb.Payload
	}{
		{"progress", []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("binary/plain")}, Data: []byte("Quillfeather")}}},
		{"progress", []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("binary/encrypted")}, Data: []byte("Quillfeather")}}},
		{"progress", []*commonpb.Payload{plainJSON(`{"to":"Won", Quillfeather`)}},
		{"progress", []*commonpb.Payload{plainJSON(`{"to":"Won","Quillfeather":"q.quillfeather@example.com"}`)}},
		{"progress", []*commonpb.Payload{plainJSON(`"Quillfeather"`)}},
		{"progress", nil},
		{"addInterests", []*commonpb.Payload{plainJSON(`{"interests":[{"item":"` + courseItem + `","quantity":1,"unitAmount":"1","learners":[{"firstName":"Quillfeather","lastName":"Quillfeather","email":"Quillfeather"}]}]}`)}},
		{"pause", []*commonpb.Payload{plainJSON(`{"because":"Quillfeather"}`)}},
		{"prgress", []*commonpb.Payload{plainJSON(`{"to":"Quillfeather"}`)}},
		{"q.quillfeather@example.com", []*commonpb.Payload{plainJSON(`{"to":"Won"}`)}},
		{"opened", []*commonpb.Payload{plainJSON(`{"start":{"name":"Quillfeather"}}`)}},
	} {
		failures := p.viewOf(reference).Failures
		if err := c.signal(reference, wrong.name, wrong.payload...); err != nil {
			t.Fatal(err)
		}
		harness.Eventually(t, time.Minute, "the signal "+wrong.name+" is a failed request", func() bool { return p.viewOf(reference).Failures == failures+1 })
		id := fmt.Sprintf("#%d", failures+1)
		got, err := c.outcome(reference, id)
		if err != nil {
			t.Fatal(err)
		}
		wantFailed(t, "Invalid", got)
	}
	if words := p.listedAttention(reference); !slices.Contains(words, "message") {
		t.Errorf("the list shows attention %q; want message", words)
	}
	if err := c.signal(reference, "progress", plainJSON(`{"requestId":"right","to":"Opportunity"}`)); err != nil {
		t.Fatal(err)
	}
	if got := c.settled(reference, "right"); got.State != "done" || p.Opportunity(record).Step.Name != "Opportunity" {
		t.Errorf("unexpected outcome of the next signal: %+v", got)
	}
	view, err := c.query(reference, "view")
	if err != nil {
		t.Fatal(err)
	}
	described, err := p.temporal.DescribeWorkflow(c.ctx, "opportunity/"+reference, "")
	if err != nil {
		t.Fatal(err)
	}
	log := output.Tail(10_000_000)
	if !strings.Contains(log, reference) {
		t.Error("the worker's log does not name the opportunity; the test does not check the log")
	}
	for where, text := range map[string]string{
		"view": string(view), "card": p.Metadata(reference).GetCurrentDetails(), "list": described.RawResponse.String(), "log": log,
	} {
		if text == "" {
			t.Errorf("the %s is empty", where)
		}
		if at := strings.Index(strings.ToLower(text), "quillfeather"); at >= 0 {
			t.Errorf("the %s shows personal data: %s", where, text[max(0, at-200):min(len(text), at+200)])
		}
	}
	p.Replay(reference, "contract-unreadable")
}

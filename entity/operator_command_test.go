package entity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

const adoptableID = "T3Bwb3J0dW5pdHk6MQ=="

func TestDecodeOperatorCommands(t *testing.T) {
	const (
		noTime   = "a time with its UTC offset (RFC 3339) is expected, such as 2026-12-31T17:00:00Z or 2026-12-31T17:00:00+01:00"
		noUntil  = "until: missing; give the new expiry time of the reservation, such as 2026-12-31T17:00:00Z"
		farUntil = "until: the year must have four digits"
		noID     = "adopt: the value is not the id of an Opportunity; give the id as the API returns the id, such as " + adoptableID
		alone    = "adopt: an adoption cannot be combined with name, region, account, currency, entryStep and interests; after the adoption, send these values as messages"
	)
	long := strings.Repeat("é", 256)
	for _, c := range []struct{ verb, payload, want string }{
		{"extendReservations", `{"until":"2026-12-31T17:00:00Z"}`, ""},
		{"extendReservations", `{"until":"2026-12-31T17:00:00.5+01:00","requestId":"r"}`, ""},
		{"extendReservations", `{}`, noUntil},
		{"extendReservations", `{"until":null}`, noUntil},
		{"extendReservations", `{"until":""}`, noTime},
		{"extendReservations", `{"until":"tomorrow"}`, noTime},
		{"extendReservations", `{"until":"2026-12-31"}`, noTime},
		{"extendReservations", `{"until":"2026-12-31T17:00:00"}`, noTime},
		{"extendReservations", `{"until":"2026-12-31 17:00:00Z"}`, noTime},
		{"extendReservations", `{"until":"2026-02-30T17:00:00Z"}`, noTime},
		{"extendReservations", `{"until":"2026-12-31T25:00:00Z"}`, noTime},
		{"extendReservations", `{"until":"10000-01-01T00:00:00Z"}`, noTime},
		{"extendReservations", `{"until":1798736400}`, noTime},
		{"extendReservations", `{"until":true}`, noTime},
		{"extendReservations", `{"until":{"to":"2026-12-31T17:00:00Z"}}`, noTime},
		{"extendReservations", `{"until":["2026-12-31T17:00:00Z"]}`, noTime},
		{"extendReservations", `{"until":"melissa@example.com"}`, noTime},
		{"extendReservations", `{"until":"0000-01-01T00:00:00Z"}`, farUntil},
		{"extendReservations", `{"until":"9999-12-31T23:59:59-01:00"}`, farUntil},
		{"extendReservations", `{"until":"2026-12-31T17:00:00Z","for":"all"}`, `unknown member "for"`},
		{"extendReservations", `{"until":"2026-12-31T17:00:00Z","until":"2027-12-31T17:00:00Z"}`, `member "until" appears twice`},
		{"extendReservations", `{"until":"2026-12-31T17:00:00Z","requestId":"#1"}`, `requestId: starts with "#"; only Oppflow itself generates such ids`},

		{"pause", `{}`, ""},
		{"pause", `{"reason":""}`, ""},
		{"pause", `{"reason":"audit","requestId":"r"}`, ""},
		{"pause", `{"reason":" "}`, "reason: missing"},
		{"pause", `{"reason":"` + long + `"}`, "reason: the text has 256 characters; the limit is 255 characters"},
		{"pause", `{"reason":"a\u0007"}`, "reason: the text contains a control character"},
		{"pause", `{"reason":5}`, "reason: a JSON number is given, but a string is expected"},
		{"pause", `{"requestId":"#1"}`, `requestId: starts with "#"; only Oppflow itself generates such ids`},
		{"pause", ``, "a JSON object is expected, such as {…}"},
		{"pause", `null`, "a JSON object is expected, such as {…}"},
		{"pause", `{}{}`, "the text contains more than one JSON object; give one JSON object"},
		{"resume", `{}`, ""},
		{"resume", `{"reason":"done"}`, `unknown member "reason"`},
		{"resume", `{"requestId":"a\u0000"}`, "requestId: the value contains a character that cannot be printed"},
		{"refresh", `{"requestId":"r"}`, ""},
		{"refresh", `{"step":"Won"}`, `unknown member "step"`},
		{"refresh", `{"requestId":"` + long + `"}`, "requestId: the value has 512 bytes; the limit is 200 bytes"},
		{"snooze", `{"followUp":"f","until":"2026-12-31T17:00:00Z"}`, ""},
		{"snooze", `{"followUp":"f","until":"2026-12-31T17:00:00+01:00","reason":"x","requestId":"r"}`, ""},
		{"snooze", `{"until":"2026-12-31T17:00:00Z"}`, "followUp: missing"},
		{"snooze", `{"followUp":"f"}`, "until: missing; give the time until which the follow-up is postponed, such as 2026-12-31T17:00:00Z"},
		{"snooze", `{"followUp":"f","until":"2026-12-31T17:00:00"}`, noTime},
		{"snooze", `{"followUp":"f","until":"9999-12-31T23:59:59-01:00"}`, farUntil},
		{"snooze", `{"followUp":"f","until":"2026-12-31T17:00:00Z","reason":" "}`, "reason: missing"},
		{"snooze", `{"followUp":"f","until":"2026-12-31T17:00:00Z","for":"2 days"}`, `unknown member "for"`},
		{"snooze", `{"followUp":"f","until":"2026-12-31T17:00:00Z","requestId":"#1"}`, `requestId: starts with "#"; only Oppflow itself generates such ids`},
		{"cancelFollowUp", `{"followUp":"f","reason":"x","requestId":"r"}`, ""},
		{"cancelFollowUp", `{"followUp":"f"}`, "reason: missing"},
		{"cancelFollowUp", `{"reason":"x"}`, "followUp: missing"},
		{"cancelFollowUp", `{"followUp":"` + long + `","reason":"x"}`, "followUp: the text has 256 characters; the limit is 255 characters"},
		{"cancelFollowUp", `{"followUp":"f","reason":"x","until":"2026-12-31T17:00:00Z"}`, `unknown member "until"`},
		{"close", `{"reason":"sold elsewhere"}`, ""},
		{"close", `{}`, "reason: missing"},
		{"close", `{"reason":"x","force":true}`, `unknown member "force"`},
		{"close", `{"reason":"x","Reason":"y"}`, `member "Reason" appears twice`},
		{"retry", `{"request":"r"}`, ""},
		{"retry", `{"request":"r","reason":"x"}`, `unknown member "reason"`},
		{"retry", `{"request":"r","requestId":"#r"}`, `requestId: starts with "#"; only Oppflow itself generates such ids`},
		{"skip", `{"request":"r","reason":"x","requestId":"a"}`, ""},
		{"skip", `{"request":"r"}`, "reason: missing"},
		{"skip", `{"request":"r","reason":"x","requestId":"` + strings.Repeat("a", 201) + `"}`, "requestId: the value has 201 bytes; the limit is 200 bytes"},

		{"(start)", `{"adopt":"` + adoptableID + `"}`, ""},
		{"(start)", `{"adopt":"` + adoptableID + `","requestId":"r","interests":[]}`, ""},
		{"(start)", `{"adopt":"1"}`, noID},
		{"(start)", `{"adopt":"First Aid"}`, noID},
		{"(start)", `{"adopt":"` + string(region) + `"}`, noID},
		{"(start)", `{"adopt":" "}`, "adopt: missing"},
		{"(start)", `{"adopt":5}`, "adopt: a JSON number is given, but a string is expected"},
		{"(start)", `{"adopt":""}`, "name: missing"},
		{"(start)", `{"adopt":"` + adoptableID + `","name":"x"}`, alone},
		{"(start)", `{"adopt":"` + adoptableID + `","region":"UK"}`, alone},
		{"(start)", `{"adopt":"` + adoptableID + `","account":"a"}`, alone},
		{"(start)", `{"adopt":"` + adoptableID + `","currency":"USD"}`, alone},
		{"(start)", `{"adopt":"` + adoptableID + `","entryStep":"s"}`, alone},
		{"(start)", `{"adopt":"` + adoptableID + `","interests":[{"item":"x","kind":"event","quantity":1,"unitAmount":"1.00"}]}`, alone},
		{"(start)", `{"adopt":"` + adoptableID + `","requestId":"#1"}`, `requestId: starts with "#"; only Oppflow itself generates such ids`},

		{"archive", `{}`, `there is no message called …; the messages are addInterests, progress, updateDetails, extendReservations, pause, resume, retry, confirm, skip, acknowledge, refresh, snooze, cancelFollowUp, close`},
	} {
		t.Run(c.verb+" "+c.payload, func(t *testing.T) {
			var err error
			switch verb := opportunity.MessageName(c.verb); {
			case c.verb == "(start)":
				_, err = opportunity.DecodeStart([]byte(c.payload))
			case opportunity.IsOperatorCommand(verb):
				var got opportunity.OperatorCommand
				got, err = opportunity.DecodeOperatorCommand(verb, []byte(c.payload))
				if (got == nil) != (c.want != "") || got != nil && got.MessageName() != verb {
					t.Errorf("decoded %+v beside %v", got, err)
				}
			default:
				if _, err = opportunity.Decode(verb, []byte(c.payload)); err == nil {
					break
				}
				if _, same := opportunity.DecodeOperatorCommand(verb, []byte(c.payload)); verb == "archive" && same.Error() != err.Error() {
					t.Errorf("as an instruction: %v", same)
				}
			}
			wantError(t, err, opportunity.Invalid, c.want)
		})
	}
}

func TestEveryMessageIsKnown(t *testing.T) {
	commands := 0
	for _, verb := range opportunity.MessageNames() {
		var command, instruction error
		_, command = opportunity.Decode(verb, []byte(`{"x":1}`))
		_, instruction = opportunity.DecodeOperatorCommand(verb, []byte(`{"x":1}`))
		knows := func(err error) bool { return strings.Contains(err.Error(), `unknown member "x"`) }
		if knows(command) == knows(instruction) || knows(instruction) != opportunity.IsOperatorCommand(verb) {
			t.Errorf("%s: as a command %v, as an instruction %v", verb, command, instruction)
		}
		if knows(command) {
			commands++
		}
	}
	if commands != 4 {
		t.Errorf("%d commands", commands)
	}
}

// TestAMessageThatIsTooLarge: a message above the limit is rejected before it is decoded, and a
// message of exactly the limit is accepted.
func TestAMessageThatIsTooLarge(t *testing.T) {
	fill := func(payload string, to int) []byte { // JSON may begin with spaces
		return []byte(strings.Repeat(" ", to-len(payload)) + payload)
	}
	decode := map[string]func([]byte) error{
		`{"to":"Won"}`:               func(p []byte) error { _, err := opportunity.Decode("progress", p); return err },
		`{"reason":"x"}`:             func(p []byte) error { _, err := opportunity.DecodeOperatorCommand("close", p); return err },
		`{"request":"r"}`:            func(p []byte) error { _, err := opportunity.DecodeStrict[opportunity.Retry](p); return err },
		`{"name":"x","region":"UK"}`: func(p []byte) error { _, err := opportunity.DecodeStart(p); return err },
	}
	for payload, decode := range decode {
		wantError(t, decode(fill(payload, opportunity.MaxCommandBytes)), opportunity.Invalid, "")
		wantError(t, decode(fill(payload, opportunity.MaxCommandBytes+1)), opportunity.Invalid, "the JSON has 262145 bytes; the limit is 262144 bytes")
	}
}

// A repetition of an already accepted request is accepted at any time.
func TestCheckUpdate(t *testing.T) {
	s := openedState(t)
	ask := opportunity.Progress{To: "Won"}
	accept(t, s, ask, "known")
	admits := func(id string, typ opportunity.ErrorType, want string) {
		t.Helper()
		wantError(t, s.CheckUpdate(ask, id, noon), typ, want)
		wantError(t, s.CheckUpdate(ask, "known", noon), typ, "")
		wantError(t, s.CheckUpdate(opportunity.Progress{To: "Lost"}, "known", noon), opportunity.Conflict, `requestId "known" was used for another message; give each message an id of its own`)
		wantError(t, s.CheckUpdate(ask, "#1", noon), opportunity.Invalid, `requestId: starts with "#"; only Oppflow itself generates such ids`)
	}
	admits("new", "", "")
	for _, c := range []struct{ reason, want string }{
		{"", "an operator paused the opportunity; signals wait until an operator sends resume; send the command as a signal, or send the update again later"},
		{"audit", "an operator paused the opportunity (audit); signals wait until an operator sends resume; send the command as a signal, or send the update again later"},
	} {
		if err := execute(s, opportunity.Pause{Reason: c.reason}); err != nil {
			t.Fatal(err)
		}
		admits("new", opportunity.Paused, c.want)
		admits("", opportunity.Paused, c.want)
	}
	accept(t, s, opportunity.UpdateDetails{Name: "n"}, "signal")
	if s.HasBatch() || outcome(t, s, "signal").State != opportunity.Pending {
		t.Errorf("paused, and %v is to be sent", batchText(s.NextBatch()))
	}
	s.Step = won
	if s.Queue = nil; s.IsOver() {
		t.Error("what is paused has ended")
	}
	if err := execute(s, opportunity.Resume{}); err != nil || !s.IsOver() {
		t.Errorf("resumed: %v, over: %v", err, s.IsOver())
	}
	s.Step = proposed
	admits("new", "", "")
	if err := execute(s, opportunity.Pause{}); err != nil {
		t.Fatal(err)
	}
	if err := execute(s, opportunity.Close{Reason: "sold elsewhere"}); err != nil {
		t.Fatal(err)
	}
	admits("new", opportunity.Closed, "an operator closed the opportunity before the request was carried out: sold elsewhere")
}

func TestAPauseIsShown(t *testing.T) {
	s := openedState(t)
	for n, reason := range []string{"", "audit"} {
		if _, err := s.Execute(opportunity.Pause{Reason: reason}, "", noon.Add(time.Duration(n)*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&opportunity.PauseInfo{Reason: reason, Since: noon}, s.View().Paused); diff != "" {
			t.Error(diff)
		}
		if len(s.Attention) != 1 || s.Attention[0].Kind != opportunity.AttentionPaused || !strings.Contains(s.Attention[0].Reason, reason) || !s.Attention[0].Since.Equal(noon) {
			t.Errorf("attention %+v", s.Attention)
		}
		if !strings.Contains(s.CurrentDetails(), "- **Paused since:** 2026-11-23T12:00:00Z\n") {
			t.Errorf("the card says %s", s.CurrentDetails())
		}
	}
	for range 2 { // the second resume does nothing
		if err := execute(s, opportunity.Resume{}); err != nil {
			t.Fatal(err)
		}
	}
	if s.View().Paused != nil || len(s.Attention) != 0 || strings.Contains(s.CurrentDetails(), "Paused") {
		t.Errorf("after resume: %s", s.CurrentDetails())
	}
	var texts []string
	for _, m := range s.Timeline[2:] {
		texts = append(texts, m.Text)
	}
	if diff := cmp.Diff([]string{"an operator paused the opportunity", "an operator resumed the opportunity"}, texts); diff != "" {
		t.Error(diff)
	}
}

// TestOperatorCommandIsExecutedOnce: an operator command with an id is executed only once, even if
// a later run receives the same command again.
func TestOperatorCommandIsExecutedOnce(t *testing.T) {
	s := openedState(t)
	pause := opportunity.Pause{RequestID: "p", Reason: "audit"}
	for _, step := range []struct {
		instruction opportunity.OperatorCommand
		id          string
		paused      bool
	}{{pause, "p", true}, {opportunity.Resume{}, "r", false}, {pause, "p", false}, {opportunity.Pause{Reason: "audit"}, "p", false}, {opportunity.Pause{Reason: "audit"}, "", true}} {
		wantError(t, s.CheckOperatorCommand(step.instruction, step.id, noon), "", "")
		got, err := s.Execute(step.instruction, step.id, noon)
		if err != nil || got.State != opportunity.Done || step.id != "" && got.RequestID != step.id || got.RequestID == "" {
			t.Errorf("%+v: %+v, %v", step, got, err)
		}
		if (s.Paused != nil) != step.paused {
			t.Errorf("after %+v: paused %+v", step, s.Paused)
		}
		if diff := cmp.Diff(got, outcome(t, s, got.RequestID)); diff != "" {
			t.Errorf("the outcome is another: %s", diff)
		}
		s = continued(t, s)
	}
	for _, other := range []opportunity.OperatorCommand{opportunity.Pause{Reason: "x"}, opportunity.Resume{}, opportunity.Close{Reason: "audit"}} {
		const want = `requestId "p" was used for another message; give each message an id of its own`
		wantError(t, s.CheckOperatorCommand(other, "p", noon), opportunity.Conflict, want)
		_, err := s.Execute(other, "p", noon)
		wantError(t, err, opportunity.Conflict, want)
	}
	_, err := s.Execute(opportunity.Resume{}, "#1", noon)
	wantError(t, err, opportunity.Invalid, `requestId: starts with "#"; only Oppflow itself generates such ids`)
	if s.Closing != nil || s.Paused == nil {
		t.Error("a refused instruction was carried out")
	}
}

// A repetition under the same id returns the outcome of the first message.
func TestRetryAndSkipNeedAQuestion(t *testing.T) {
	s := openedState(t)
	accept(t, s, opportunity.Progress{To: "Won"}, "r")
	for _, answer := range []opportunity.OperatorCommand{opportunity.Retry{Request: "r"}, opportunity.Skip{Request: "r", Reason: "x"}, opportunity.Retry{Request: opportunity.CreateRequestID}} {
		before := continued(t, s)
		var missing *opportunity.Error
		if err := s.CheckOperatorCommand(answer, "a", noon); !errors.As(err, &missing) || missing.Type != opportunity.NotFound {
			t.Errorf("%+v: %v", answer, err)
		}
		if _, err := s.Execute(answer, "a", noon); !errors.As(err, &missing) || missing.Type != opportunity.NotFound {
			t.Errorf("%+v: %v", answer, err)
		}
		if diff := sameState(before, s); diff != "" {
			t.Errorf("%+v changed something: %s", answer, diff)
		}
	}
	sendBatch(t, s, unknownResult)
	for range 2 { // the second round repeats the message after the question was answered
		got, err := s.Execute(opportunity.Skip{Request: "r", Reason: "x"}, "a", noon)
		if err != nil || got.State != opportunity.Done || s.Question != nil || s.Failures != 1 {
			t.Fatalf("%+v, %v, question %+v, %d failures", got, err, s.Question, s.Failures)
		}
	}
}

func TestAdopt(t *testing.T) {
	s := entity.NewState("A-1", opportunity.Start{Adopt: adoptableID}, noon)
	price := amount(t, "199.90")
	found := recordNow(interestRef("old", course), exchange.InterestRef{ID: "places", Item: event, Quantity: 3, UnitAmount: &price})
	found.ID = adoptableID
	found.Reservation = opportunity.Reservation{Valid: true, Until: noon.AddDate(0, 0, 3)}
	accept(t, s, addInterests(plainInterest(1)), "r")
	s.Adopt(found, opportunity.Ref{ID: region}, noon)
	v := s.View()
	want := []opportunity.RecordedInterest{{ID: "old", Item: string(course), Kind: opportunity.Course}, {ID: "places", Item: string(event), Kind: opportunity.Event, Quantity: 3, UnitAmount: price}}
	if diff := cmp.Diff(want, v.Interests); diff != "" || v.Opportunity != adoptableID || v.Total.String() != "599.70" || *v.Reservation != found.Reservation || s.Start != nil {
		t.Errorf("%s, view %+v", diff, v)
	}
	if got := strings.Join(batchText(s.NextBatch()), " "); got != "r/0" {
		t.Errorf("next %q", got)
	}
	// An interest that was on the record before the batch does not count as the effect of a
	// request.
	if got := s.VerifyResults(s.NextBatch(), []exchange.ChangeResult{doneResult("old")}); got[0].Status != exchange.StatusUnknown {
		t.Errorf("got %+v", got)
	}
	if got := s.ReadBack(s.NextBatch(), []exchange.ChangeResult{unknownResult}, found, nil, always); got[0].Status != exchange.StatusNotSent {
		t.Errorf("got %+v", got)
	}
	// A start with another Adopt member is a different start, not a repetition.
	one, other := opportunity.Start{Adopt: adoptableID}, opportunity.Start{Adopt: record}
	if one.Digest() == other.Digest() {
		t.Error("two records make one start")
	}
}

func TestApplyRefresh(t *testing.T) {
	s := openedState(t)
	s.Interests = []opportunity.RecordedInterest{{ID: "kept", Item: "First Aid", Quantity: 2}, {ID: "gone", Quantity: 1}}
	s.Unattributed = []opportunity.ID{"aside", "gone too"}
	s.Reservation = opportunity.Reservation{Valid: true, Until: noon}
	s.RaiseAttention(opportunity.AttentionReservation, "r", "not held", noon)
	accept(t, s, addInterests(plainInterest(1)), "r")
	if err := execute(s, opportunity.Refresh{}); err != nil || !s.ShouldRefresh() || s.IsOver() {
		t.Fatalf("%v, needs reading: %v", err, s.ShouldRefresh())
	}
	s.RaiseRecordAttention("it is gone", noon)
	if v := s.View(); !v.Refreshing || len(v.Attention) != 2 {
		t.Errorf("before the read: refreshing %t, attention %+v", v.Refreshing, v.Attention)
	}
	now := recordNow(interestRef("kept", course), interestRef("aside", course), interestRef("new", path))
	now.Step, now.Details = won, opportunity.Details{Name: "Second", Currency: "GBP"}
	now.Reservation = opportunity.Reservation{Valid: true, Until: noon.AddDate(0, 0, 3)}
	s.ApplyRefresh(now, noon)
	v := s.View()
	if v.Refreshing {
		t.Error("after the read the view still says that the record is to be read")
	}
	want := []opportunity.RecordedInterest{
		{ID: "kept", Item: "First Aid", Quantity: 2, AsRequested: true}, // the item in the caller's words
		{ID: "aside", Item: string(course), Kind: opportunity.Course}, {ID: "new", Item: string(path), Kind: opportunity.Path},
	}
	if diff := cmp.Diff(want, v.Interests); diff != "" {
		t.Error(diff)
	}
	if *v.Step != won || v.Details.Name != "Second" || v.Details.Currency != "GBP" || v.Details.Region.ID != region || !v.Reservation.Until.Equal(now.Reservation.Until) || len(s.AttentionKinds()) > 0 {
		t.Errorf("view %+v", v)
	}
	last := []string{s.Timeline[len(s.Timeline)-2].Text, s.Timeline[len(s.Timeline)-1].Text}
	if diff := cmp.Diff([]string{"the record was found in step Won", "the record was read again: 2 interests were added, 2 interests were removed"}, last); diff != "" {
		t.Error(diff)
	}
	if s.ShouldRefresh() || len(s.Queue) != 1 {
		t.Errorf("needs reading: %v, %d wait", s.ShouldRefresh(), len(s.Queue))
	}
	// When a record has more interests than the view shows, the hidden interests do not count as
	// the effect of a request, either.
	many := recordNow()
	for n := range opportunity.MaxInterests + 20 {
		many.Interests = append(many.Interests, interestRef(id("OpportunityInterest", n), course))
	}
	s.ApplyRefresh(many, noon)
	if len(s.Interests) != opportunity.MaxInterests {
		t.Errorf("%d interests are shown", len(s.Interests))
	}
	if got := s.ReadBack(s.NextBatch(), []exchange.ChangeResult{unknownResult}, many, nil, always); got[0].Status != exchange.StatusNotSent {
		t.Errorf("got %+v", got)
	}
	s.ApplyRefresh(many, noon)
	if last := s.Timeline[len(s.Timeline)-1].Text; last != "the record was read again from the TMS" {
		t.Errorf("read again with nothing new: %q", last)
	}
	// A record that cannot be read raises attention, and the run does not read the record again in
	// a loop.
	if err := execute(s, opportunity.Refresh{}); err != nil {
		t.Fatal(err)
	}
	s.ApplyRefreshFailure("no such record", noon)
	if s.ShouldRefresh() || !strings.Contains(s.Timeline[len(s.Timeline)-1].Text, "no such record") {
		t.Errorf("timeline %+v", s.Timeline)
	}
}

// TestUnknownMessageNameIsRedacted: a signal may have any name, and the name may be the email
// address of a person.
func TestUnknownMessageNameIsRedacted(t *testing.T) {
	for name, want := range map[string]string{
		"AddInterest":                    `"AddInterest"`,
		"prog-ress":                      `"prog-ress"`,
		"win":                            "…",
		"Melissa":                        "…",
		"addInterests-2":                 "…",
		"progress.for.ada@example.com":   "…",
		"melissa.green@example.com":      "…",
		"+44 20 7946 0958":               "…",
		"Jürgen 1961-02-03":              "…",
		"add\"b\nc":                      "…",
		"prog" + strings.Repeat("x", 41): "…",
	} {
		_, err := opportunity.Decode(opportunity.MessageName(name), []byte(`{}`))
		wantError(t, err, opportunity.Invalid, "there is no message called "+want+
			"; the messages are addInterests, progress, updateDetails, extendReservations, pause, resume, retry, confirm, skip, acknowledge, refresh, snooze, cancelFollowUp, close")
		s := openedState(t)
		var invalid *opportunity.Error
		if !errors.As(err, &invalid) {
			t.Fatal(err)
		}
		key := s.FailMessage(opportunity.MessageName(name), "", invalid, noon)
		view, err := json.Marshal(s.View())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Trim(want, `"`) == name {
			continue
		}
		for what, text := range map[string]string{"view": string(view), "card": s.CurrentDetails(), "outcome": fmt.Sprintf("%+v %v", outcome(t, s, key), outcome(t, s, key).Error)} {
			if strings.Contains(text, name) {
				t.Errorf("the %s tells %q: %s", what, name, text)
			}
		}
	}
}

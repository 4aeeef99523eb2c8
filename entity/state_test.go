package entity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func openedState(t reporter, interests ...opportunity.Interest) *entity.State {
	t.Helper()
	s := entity.NewState("A-1", opportunity.Start{Name: "First Aid", Region: "DR", Interests: interests}, noon)
	s.ApplyCreated(recordNow(), opportunity.Ref{ID: region, Name: "Dominican Republic"}, noon)
	return s
}

func recordNow(interests ...exchange.InterestRef) exchange.Snapshot {
	return exchange.Snapshot{
		ID: record, Details: opportunity.Details{Name: "First Aid", Currency: "USD"}, Step: proposed, Interests: interests,
	}
}

var (
	proposed = opportunity.Step{ID: id(opportunity.TypeStep, 3), Name: "Proposed", Stage: opportunity.Stage{ID: id("OpportunityStage", 3), Name: "Proposed", State: opportunity.Open}}
	won      = opportunity.Step{ID: id(opportunity.TypeStep, 5), Name: "Won", Stage: opportunity.Stage{ID: id("OpportunityStage", 5), Name: "Won", State: opportunity.Won}}
)

func plainInterest(quantity int) opportunity.Interest {
	return opportunity.Interest{Item: string(course), Quantity: quantity}
}

func reservingInterest(quantity int) opportunity.Interest {
	return opportunity.Interest{Item: string(event), Quantity: quantity, Reserve: true}
}

func addInterests(interests ...opportunity.Interest) opportunity.AddInterests {
	return opportunity.AddInterests{Interests: interests}
}

func accept(t reporter, s *entity.State, c opportunity.Command, id string) string {
	t.Helper()
	key, err := s.Accept(c, id, true, noon)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func outcome(t reporter, s *entity.State, id string) opportunity.Outcome {
	t.Helper()
	o, err := s.Outcome(id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// continued returns the state in the form in which the next run receives it.
func continued(t reporter, s *entity.State) *entity.State {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var next entity.State
	if err := json.Unmarshal(data, &next); err != nil {
		t.Fatal(err)
	}
	return &next
}

func TestRepeatedRequestIsAcceptedOnce(t *testing.T) {
	s := openedState(t)
	ask := opportunity.Progress{To: "Won"}
	accept(t, s, ask, "r")
	accept(t, s, opportunity.Progress{RequestID: "r", To: "Won"}, "r")
	s = continued(t, s)
	accept(t, s, ask, "r")
	if len(s.Queue) != 1 {
		t.Errorf("%d requests wait", len(s.Queue))
	}
	for _, other := range []opportunity.Command{opportunity.Progress{To: "Lost"}, opportunity.UpdateDetails{Name: "Won"}} {
		_, err := s.Accept(other, "r", true, noon)
		wantError(t, err, opportunity.Conflict, `requestId "r" was used for another message; give each message an id of its own`)
		wantError(t, s.CheckUpdate(other, "r", noon), opportunity.Conflict, `requestId "r" was used for another message; give each message an id of its own`)
	}
	if err := s.CheckUpdate(ask, "r", noon); err != nil {
		t.Errorf("a repetition is not admitted: %v", err)
	}
	// A repetition of a request is also accepted after the request ended.
	s.FailAll(opportunity.Failf(opportunity.Closed, "over"), noon)
	accept(t, s, ask, "r")
	if len(s.Queue) != 0 || outcome(t, s, "r").State != opportunity.Failed {
		t.Errorf("%d requests wait, %+v", len(s.Queue), outcome(t, s, "r"))
	}
	// Two messages whose amounts differ only in notation, such as 1.0 and 1.00, are the same
	// message.
	one, two := plainInterest(1), plainInterest(1)
	one.UnitAmount, two.UnitAmount = amount(t, "199.9"), amount(t, "199.900")
	accept(t, s, addInterests(one), "money")
	accept(t, s, addInterests(two), "money")
	if len(s.Queue) != 1 {
		t.Errorf("%d requests wait", len(s.Queue))
	}
}

// TestOwnIDsAreNotForCallers: a message without a request id uses the id of its update as request
// id. The caller chooses the id of an update, too, so the id of an update must not look like an id
// that the workflow generates.
func TestOwnIDsAreNotForCallers(t *testing.T) {
	s := openedState(t, plainInterest(1))
	for _, own := range []string{opportunity.StartRequestID, "#1", opportunity.CreateRequestID} {
		want := `requestId: starts with "#"; only Oppflow itself generates such ids`
		_, err := s.Accept(opportunity.Progress{To: "Won"}, own, false, noon)
		wantError(t, err, opportunity.Invalid, want)
		wantError(t, s.CheckUpdate(opportunity.Progress{To: "Won"}, own, noon), opportunity.Invalid, want)
	}
	if first, second := accept(t, s, opportunity.Progress{To: "Won"}, ""), accept(t, s, opportunity.Progress{To: "Won"}, ""); first != "#1" || second != "#2" {
		t.Errorf("messages without an id are called %q and %q", first, second)
	}
}

func TestOutcomeOfARequest(t *testing.T) {
	s := openedState(t)
	accept(t, s, opportunity.Progress{To: "Won"}, "r")
	if got := outcome(t, s, "r"); got.State != opportunity.Pending || !s.IsPending("r") {
		t.Errorf("a waiting request is %+v", got)
	}
	_, err := s.Outcome("x")
	wantError(t, err, opportunity.NotFound, `there is no request "x"; Oppflow remembers the last 10000 requests`)
	if s.IsPending("x") {
		t.Error("an unknown request is pending")
	}
	reason := opportunity.Failf(opportunity.Closed, "over")
	s.FailAll(reason, noon)
	want := opportunity.Outcome{RequestID: "r", State: opportunity.Failed, Error: reason}
	if diff := cmp.Diff(want, outcome(t, s, "r")); diff != "" {
		t.Error(diff)
	}
	// After MaxOutcomes later outcomes, the full outcome is no longer stored, but the state of the
	// outcome is still known.
	for range opportunity.MaxOutcomes {
		accept(t, s, opportunity.Progress{To: "Won"}, "")
	}
	s.FailAll(reason, noon)
	if got := outcome(t, continued(t, s), "r"); got.State != opportunity.Failed || got.Error != nil {
		t.Errorf("an old request is %+v", got)
	}
}

// TestIDOfAFailedMessageCanBeUsed: a message that was rejected does not use up its request id. A
// later message with this id does not get the outcome of the rejected message.
func TestIDOfAFailedMessageCanBeUsed(t *testing.T) {
	s := openedState(t)
	for n := range 5 {
		accept(t, s, addInterests(repeat(plainInterest(1), 100)...), fmt.Sprint(n))
	}
	_, err := s.Accept(addInterests(plainInterest(1)), "late", true, noon)
	var full *opportunity.Error
	if !errors.As(err, &full) {
		t.Fatalf("more than 500 interests were accepted: %v", err)
	}
	wantError(t, err, opportunity.Invalid, "interests: the opportunity would have 501 interests; the limit is 500")
	if s.FailMessage(opportunity.MessageAddInterests, "late", full, noon) != "late" || outcome(t, s, "late").State != opportunity.Failed {
		t.Errorf("the refused request is %+v", outcome(t, s, "late"))
	}
	s.FailAll(opportunity.Failf(opportunity.Closed, "over"), noon)
	accept(t, s, addInterests(plainInterest(1)), "late")
	if got := outcome(t, s, "late"); got.State != opportunity.Pending {
		t.Errorf("the request that waits is %+v", got)
	}
}

// TestInterestsOfTheStartCount: the interests of the start count towards the limit before the
// record exists.
func TestInterestsOfTheStartCount(t *testing.T) {
	s := entity.NewState("A-1", opportunity.Start{Name: "x", Region: "UK", Interests: repeat(plainInterest(1), 100)}, noon)
	for n := range 4 {
		accept(t, s, addInterests(repeat(plainInterest(1), 100)...), fmt.Sprint(n))
	}
	wantError(t, s.CheckUpdate(addInterests(plainInterest(1)), "late", noon), opportunity.Invalid, "interests: the opportunity would have 501 interests; the limit is 500")
	s.ApplyCreated(recordNow(), opportunity.Ref{ID: region}, noon)
	wantError(t, s.CheckUpdate(addInterests(plainInterest(1)), "late", noon), opportunity.Invalid, "interests: the opportunity would have 501 interests; the limit is 500")
}

// If the id of the undecodable message was used for another message, the outcome of that other
// message stays.
func TestFailMessage(t *testing.T) {
	s := openedState(t)
	accept(t, s, opportunity.Progress{To: "Won"}, "r")
	key := s.FailMessage("progress", "r", opportunity.Failf(opportunity.Conflict, "used"), noon)
	other := s.FailMessage("win", "", opportunity.Invalidf("no such message"), noon)
	if key == "r" || key == other || outcome(t, s, "r").State != opportunity.Pending {
		t.Errorf("refused as %q and %q; the first is %+v", key, other, outcome(t, s, "r"))
	}
	for _, k := range []string{key, other} {
		if got := outcome(t, s, k); got.State != opportunity.Failed || got.Error == nil {
			t.Errorf("%s is %+v", k, got)
		}
	}
	if diff := cmp.Diff([]string{"message"}, s.AttentionKinds()); diff != "" || s.Failures != 2 {
		t.Errorf("%d failures, attention %s", s.Failures, diff)
	}
}

// TestAttentionKeepsEachKind: the attention about a waiting question stays, however many other
// entries of attention are added.
func TestAttentionKeepsEachKind(t *testing.T) {
	s := openedState(t)
	accept(t, s, opportunity.Progress{To: "Won"}, "r")
	batch := s.NextBatch()
	s.ApplyResults(batch, []exchange.ChangeResult{{Status: exchange.StatusUnknown}}, always, noon)
	s.RaiseAttention(opportunity.AttentionAPI, "", "out of reach", noon)
	for n := range 100 {
		s.FailMessage("win", "", opportunity.Invalidf("no such message %d", n), noon)
	}
	if diff := cmp.Diff([]string{"api", "message", "undecided"}, s.AttentionKinds()); diff != "" {
		t.Error(diff)
	}
	if len(s.Attention) != 20 {
		t.Errorf("%d things need attention", len(s.Attention))
	}
	if last := s.Attention[19]; last.Request != "#100" {
		t.Errorf("the newest is %+v", last)
	}
	if err := execute(s, opportunity.Skip{Request: "r", Reason: "never mind"}); err != nil {
		t.Fatal(err)
	}
	s.ClearAttention(opportunity.AttentionAPI)
	if diff := cmp.Diff([]string{"message"}, s.AttentionKinds()); diff != "" {
		t.Error(diff)
	}
	s.RaiseAttention(opportunity.AttentionFailed, "x", "first", noon)
	s.RaiseAttention(opportunity.AttentionFailed, "x", "second", noon.Add(time.Hour))
	if last := s.Attention[len(s.Attention)-1]; last.Reason != "second" || !last.Since.Equal(noon) {
		t.Errorf("raised twice: %+v", last)
	}
}

// TestFailureWithoutWaiterNeedsAttention: a failure raises no attention if a caller waits for the
// outcome.
func TestFailureWithoutWaiterNeedsAttention(t *testing.T) {
	for _, c := range []struct {
		silent bool
		waits  []bool // what SetHasWaiter stores later
		want   []string
	}{
		{true, nil, []string{"failed"}},
		{false, nil, []string{}},
		{false, []bool{false}, []string{"failed"}},
		{false, []bool{false, true}, []string{}},
		{true, []bool{true}, []string{}},
		{true, []bool{true, false}, []string{"failed"}},
	} {
		s := openedState(t)
		if _, err := s.Accept(opportunity.Progress{To: "Won"}, "r", c.silent, noon); err != nil {
			t.Fatal(err)
		}
		for _, waits := range c.waits {
			s.SetHasWaiter("r", waits)
		}
		s.FailAll(opportunity.Failf(opportunity.Closed, "over"), noon)
		if diff := cmp.Diff(c.want, s.AttentionKinds()); diff != "" {
			t.Errorf("%+v: %s", c, diff)
		}
	}
}

func TestStartDigest(t *testing.T) {
	base := opportunity.Start{Name: "x", Region: "UK", Interests: opportunity.Interests{plainInterest(1)}}
	same := base
	same.RequestID = "r"
	if base.Digest() != same.Digest() {
		t.Error("the request id makes another start")
	}
	for _, change := range []func(*opportunity.Start){
		func(s *opportunity.Start) { s.Name = "y" },
		func(s *opportunity.Start) { s.Region = "DR" },
		func(s *opportunity.Start) { s.Account = "a" },
		func(s *opportunity.Start) { s.Currency = "USD" },
		func(s *opportunity.Start) { s.EntryStep = "s" },
		func(s *opportunity.Start) { s.Interests = nil },
		func(s *opportunity.Start) { s.Interests = opportunity.Interests{plainInterest(2)} },
	} {
		other := base
		change(&other)
		if base.Digest() == other.Digest() {
			t.Errorf("%+v is taken for the same start", other)
		}
	}
}

func TestResultAndTotal(t *testing.T) {
	s := openedState(t)
	s.Interests = []opportunity.RecordedInterest{
		{ID: "a", Quantity: 3, UnitAmount: amount(t, "0.10")}, {ID: "b", Quantity: 2, UnitAmount: amount(t, "0.05")},
	}
	if s.IsOver() {
		t.Error("over in an open step")
	}
	s.Step, s.Failures = won, 2
	want := opportunity.RunResult{
		Reference: "A-1", Opportunity: record, State: opportunity.Won, Step: won, Interests: 2, Total: amount(t, "0.40"), Currency: "USD", FailedRequests: 2,
	}
	if diff := cmp.Diff(want, s.Result()); diff != "" || !s.IsOver() {
		t.Error(diff)
	}
	for name, spoil := range map[string]func(*entity.State){
		"a request waits":      func(s *entity.State) { accept(t, s, opportunity.Progress{To: "Lost"}, "") },
		"places lack expiry":   func(s *entity.State) { s.ExpiryPending = true },
		"a question waits":     func(s *entity.State) { s.Question = &opportunity.Question{} },
		"the record is to be":  func(s *entity.State) { s.ID = "" },
		"the stage goes on":    func(s *entity.State) { s.Step = proposed },
		"the stage is unknown": func(s *entity.State) { s.Step.Stage.State = "Paused" },
	} {
		spoiled := continued(t, s)
		spoil(spoiled)
		if spoiled.IsOver() {
			t.Errorf("over although %s", name)
		}
	}
}

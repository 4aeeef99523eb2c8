package entity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// openedState returns the state of an opportunity whose record exists.
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

// plainInterest returns an interest in a course.
func plainInterest(quantity int) opportunity.Interest {
	return opportunity.Interest{Item: string(course), Quantity: quantity}
}

// reservingInterest returns an interest that reserves places on an event.
func reservingInterest(quantity int) opportunity.Interest {
	return opportunity.Interest{Item: string(event), Quantity: quantity, Reserve: true}
}

func addInterests(interests ...opportunity.Interest) opportunity.AddInterests {
	return opportunity.AddInterests{Interests: interests}
}

// accept accepts a command that must be accepted.
func accept(t reporter, s *entity.State, c opportunity.Command, id string) string {
	t.Helper()
	key, err := s.Accept(c, id, true, noon)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// outcome returns the outcome of a request that must be known.
func outcome(t reporter, s *entity.State, id string) opportunity.Outcome {
	t.Helper()
	o, err := s.Outcome(id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// continued returns the state as the next run gets it.
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

// sameState compares two states; an empty list equals a missing one.
func sameState(a, b *entity.State) string {
	handled := cmp.Transformer("packed", func(h entity.DedupWindow) string {
		data, err := json.Marshal(h)
		return fmt.Sprint(string(data), err)
	})
	return cmp.Diff(a, b, handled, cmpopts.EquateEmpty())
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
	// The same holds after the end of the request.
	s.FailAll(opportunity.Failf(opportunity.Closed, "over"), noon)
	accept(t, s, ask, "r")
	if len(s.Queue) != 0 || outcome(t, s, "r").State != opportunity.Failed {
		t.Errorf("%d requests wait, %+v", len(s.Queue), outcome(t, s, "r"))
	}
	// Amounts of equal value make the same message.
	one, two := plainInterest(1), plainInterest(1)
	one.UnitAmount, two.UnitAmount = amount(t, "199.9"), amount(t, "199.900")
	accept(t, s, addInterests(one), "money")
	accept(t, s, addInterests(two), "money")
	if len(s.Queue) != 1 {
		t.Errorf("%d requests wait", len(s.Queue))
	}
}

// TestOwnIDsAreNotForCallers: the id of an update can replace a request id. The caller chooses
// the id of an update, too, so this id must not look like an id of the workflow.
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
	wantError(t, err, opportunity.NotFound, `no request "x"; the last 10000 are remembered`)
	if s.IsPending("x") {
		t.Error("an unknown request is pending")
	}
	reason := opportunity.Failf(opportunity.Closed, "over")
	s.FailAll(reason, noon)
	want := opportunity.Outcome{RequestID: "r", State: opportunity.Failed, Error: reason}
	if diff := cmp.Diff(want, outcome(t, s, "r")); diff != "" {
		t.Error(diff)
	}
	// Later the full outcome is gone, but the state of the outcome is still known.
	for range opportunity.MaxOutcomes {
		accept(t, s, opportunity.Progress{To: "Won"}, "")
	}
	s.FailAll(reason, noon)
	if got := outcome(t, continued(t, s), "r"); got.State != opportunity.Failed || got.Error != nil {
		t.Errorf("an old request is %+v", got)
	}
}

// TestIDOfAFailedMessageCanBeUsed: a message that was not accepted uses up no id. A later message
// under that id does not get the outcome of the first one.
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
	wantError(t, err, opportunity.Invalid, "interests: the opportunity would have 501; at most 500")
	if s.FailMessage(opportunity.MessageAddInterests, "late", full, noon) != "late" || outcome(t, s, "late").State != opportunity.Failed {
		t.Errorf("the refused request is %+v", outcome(t, s, "late"))
	}
	s.FailAll(opportunity.Failf(opportunity.Closed, "over"), noon)
	accept(t, s, addInterests(plainInterest(1)), "late")
	if got := outcome(t, s, "late"); got.State != opportunity.Pending {
		t.Errorf("the request that waits is %+v", got)
	}
}

// TestInterestsOfTheStartCount: the interests of the start count while the record does not exist
// yet.
func TestInterestsOfTheStartCount(t *testing.T) {
	s := entity.NewState("A-1", opportunity.Start{Name: "x", Region: "UK", Interests: repeat(plainInterest(1), 100)}, noon)
	for n := range 4 {
		accept(t, s, addInterests(repeat(plainInterest(1), 100)...), fmt.Sprint(n))
	}
	wantError(t, s.CheckUpdate(addInterests(plainInterest(1)), "late", noon), opportunity.Invalid, "interests: the opportunity would have 501; at most 500")
	s.ApplyCreated(recordNow(), opportunity.Ref{ID: region}, noon)
	wantError(t, s.CheckUpdate(addInterests(plainInterest(1)), "late", noon), opportunity.Invalid, "interests: the opportunity would have 501; at most 500")
}

// TestFailMessage: an unreadable message is never lost. When its id was used for another message,
// the outcome of that message stays.
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

// TestAttentionKeepsEachKind: the attention kind of a waiting question stays, however much else
// needs attention.
func TestAttentionKeepsEachKind(t *testing.T) {
	s := openedState(t)
	accept(t, s, opportunity.Progress{To: "Won"}, "r")
	batch := s.NextBatch()
	s.ApplyResults(batch, []exchange.ChangeResult{{Status: exchange.StatusUnknown}}, noon)
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

// TestFailureWithoutWaiterNeedsAttention: a failure that a caller waits for needs no attention.
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

// TestStateRoundTrip hands states to the next run, as continue-as-new does.
func TestStateRoundTrip(t *testing.T) {
	t.Parallel()
	full := openedState(t, reservingInterest(1))
	full.Details.Account = opportunity.Ref{ID: account, Name: "Administrate"}
	start := opportunity.Start{Name: "x", Region: "UK", Interests: opportunity.Interests{plainInterest(1)}}
	full.Start = &start
	full.Reservation = opportunity.Reservation{Valid: true, Until: noon}
	full.ExpiryPending, full.GeneratedIDs, full.Failures, full.Runs = true, 7, 8, 9
	full.Interests = []opportunity.RecordedInterest{{ID: "a", Item: "<é>", Kind: opportunity.Event, Quantity: 3, UnitAmount: amount(t, "0.125"), Reserve: true}}
	accept(t, full, opportunity.UpdateDetails{Name: "<&> \u2028"}, "r")
	full.Queue[0].Results = []opportunity.InterestResult{{Interest: "i", Item: "x", ReservedUntil: &noon, Error: opportunity.Invalidf("y")}}
	full.Queue[0].InDoubt, full.Queue[0].SendAlone, full.Queue[0].FromUpdate, full.Queue[0].MaybeApplied, full.Queue[0].LaterExpirySet = true, true, true, true, true
	full.FailMessage("win", "", opportunity.Invalidf("no"), noon)
	full.Question = &opportunity.Question{Request: "r", MessageName: "progress", Text: "?", Since: noon}
	full.CreateSkipped = &opportunity.Error{Type: opportunity.Skipped, Label: "l", Message: "m", Value: "v"}
	full.CreateAnyway, full.RefreshDue = true, true
	full.Paused = &opportunity.PauseInfo{Reason: "<why>", Since: noon}
	full.Closing = &opportunity.CloseInfo{Reason: "<&>", Since: noon}
	full.Wait = &opportunity.WaitInfo{Kind: opportunity.AttentionAPI, Reason: "<r>", Request: "r", Since: noon, Until: noon.Add(time.Minute)}
	full.Unattributed = []opportunity.ID{"f"}
	full.InterestsAfterBackup = []exchange.InterestRef{{ID: "u", Item: "i", Quantity: 2, UnitAmount: new(amount(t, "1.5"))}}
	full.Parked = entity.Queue{full.Queue[0]}
	full.Parked[0].Errors, full.Parked[0].FailingSince = 5, noon.Add(time.Minute)
	full.PreviousRunID = "7b7e8b4a-0000-4000-8000-000000000000"
	full.Playbook = exchange.PlaybookFeatures{Version: 2, Digest: "d", Transitions: true, Reactions: true, FollowUps: true, Learners: true, FollowUpSteps: "state Open", QuietTime: time.Minute, Spread: time.Hour}
	full.PlannedByVersion = 2
	full.PlanFirstChangeAt, full.PlanLastChangeAt = noon, noon.Add(time.Second)
	full.PlaybookChanged, full.PlanDue, full.AfterReset, full.LastChain = true, true, true, 3
	full.Entered, full.LastActivity, full.PlannedAt = noon, noon.Add(time.Hour), noon.Add(2*time.Hour)
	full.AdoptedAt = noon.Add(3 * time.Hour)
	effect := exchange.Effect{Key: "1/win/after/1/email", Kind: opportunity.EffectEmail, Undo: exchange.UndoNone, Settings: exchange.NewSettings(exchange.SendEmail{To: exchange.ToOwner, Template: "t"})}
	full.PlannedTransitions = []entity.PlannedTransition{{Request: "r", Chain: 1, After: []exchange.Effect{effect}}}
	trace := exchange.UndoEntry{
		Account: "a", AccountRead: true, Notes: map[string]string{"k": "<v>"}, Until: noon, PurchaseOrder: "p", Comments: "c",
		Objects: []opportunity.TouchedObject{{ID: "l", Kind: opportunity.ObjectLearner, Created: true, Event: "e", Reverted: true}},
	}
	full.ActiveEffects = []entity.ActiveEffect{{
		Effect: effect, Chain: 2, Stage: opportunity.EffectStageUndo, Done: true, Attempted: true, MayHaveApplied: true, UndoEntry: trace,
		LastConfirmed: &exchange.EffectRequest{Kind: exchange.RequestReserve, Target: "o", IDs: []opportunity.ID{"i"}, Attendees: []int{0, 2}, Values: trace.Notes, Until: noon},
		NotBefore:     noon, NonBlocking: true, Errors: 2, FailedInspections: 3, Calling: true, Problem: "<p>", Number: 1, Of: 3,
	}}
	full.EffectResults = []opportunity.EffectResult{{Key: "k", Kind: opportunity.EffectCall, At: noon, Outcome: opportunity.EffectAbandoned, Objects: trace.Objects, Reason: "t"}}
	full.Attendees = []exchange.Attendee{{Interest: "i", Event: "e", Person: &opportunity.Learner{FirstName: "F", LastName: "L", Email: "a@b.example"}, Contact: "c"}}
	full.ReservationExpired, full.ExternalChanges = true, []exchange.PlanCause{{Kind: exchange.CauseEventSoldOut, Item: "e"}}
	full.CancelledEvents, full.SoldOutEvents = []opportunity.ID{"e"}, []opportunity.ID{"f"}
	full.FollowUps = []exchange.FollowUp{{Key: "k", Name: "n", Due: noon, Number: 1, Of: 2, Action: exchange.Action{Kind: opportunity.ActionProgress, Progress: &opportunity.Progress{To: "Lost"}}}}
	full.FollowUpsTruncated = true
	full.SkippedFollowUps = []opportunity.SkippedFollowUp{{Key: "l", Reason: opportunity.SkippedTooLate}}
	full.SnoozedFollowUps = []entity.SnoozedFollowUp{{Key: "k", Until: noon, Reason: "<why>"}}
	full.DoneFollowUps = []exchange.DoneFollowUp{{Key: "j", At: noon, Cancelled: true}}
	if diff := sameState(full, continued(t, full)); diff != "" {
		t.Error(diff)
	}
	// No member of the state may have its zero value here, or the test proves too little.
	data, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatal(err)
	}
	all := 0
	for _, field := range reflect.VisibleFields(reflect.TypeFor[entity.State]()) {
		if !field.Anonymous {
			all++
		}
	}
	if len(members) != all {
		t.Fatalf("%d members are filled in, want %d", len(members), all)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := drawState(t)
		if diff := sameState(s, continued(t, s)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// drawText draws a text that is hard for JSON.
func drawText(t *rapid.T, label string) string {
	return rapid.StringMatching(`[a-zé<>&"\\ 😀\x{2028}#_*]{1,12}x`).Draw(t, label)
}

func drawTime(t *rapid.T, label string) time.Time {
	return noon.Add(time.Duration(rapid.Int64Range(0, 1e16).Draw(t, label)))
}

func drawError(t *rapid.T) *opportunity.Error {
	return &opportunity.Error{Type: opportunity.Rejected, Label: drawText(t, "label"), Message: drawText(t, "message"), Value: drawText(t, "value")}
}

// drawInterest draws a valid interest of any kind.
func drawInterest(t *rapid.T) opportunity.Interest {
	i := opportunity.Interest{Quantity: rapid.IntRange(1, 100).Draw(t, "quantity")}
	i.Kind = rapid.SampledFrom([]opportunity.InterestKind{opportunity.Course, opportunity.Event, opportunity.Path, opportunity.Tokens}).Draw(t, "kind")
	i.Item = drawText(t, "item")
	i.UnitAmount, _ = opportunity.ParseAmount(fmt.Sprintf("%d.%02d", rapid.IntRange(0, 9999).Draw(t, "units"), rapid.IntRange(0, 99).Draw(t, "cents")))
	switch i.Kind {
	case opportunity.Tokens:
		if rapid.Bool().Draw(t, "expires") {
			i.ExpiresAt = "2023-12-31T23:59:59"
		}
		return i
	case opportunity.Event:
		i.Reserve = rapid.Bool().Draw(t, "reserve")
	}
	for range rapid.IntRange(0, 2).Draw(t, "learners") {
		i.Learners = append(i.Learners, opportunity.Learner{FirstName: drawText(t, "first"), LastName: drawText(t, "last"), Email: "a@b.example"})
	}
	return i
}

// drawCommand draws a valid command.
func drawCommand(t *rapid.T) opportunity.Command {
	switch rapid.IntRange(0, 3).Draw(t, "command") {
	case 0:
		return opportunity.Progress{To: drawText(t, "to")}
	case 1:
		return opportunity.UpdateDetails{Name: drawText(t, "name"), Currency: rapid.SampledFrom([]string{"", "USD", "GBP"}).Draw(t, "currency")}
	}
	return addInterests(rapid.SliceOfN(rapid.Custom(drawInterest), 1, 6).Draw(t, "interests")...)
}

// drawState draws a state, mostly with the methods of State, and in part by setting its fields.
func drawState(t *rapid.T) *entity.State {
	start := opportunity.Start{Name: drawText(t, "name"), Region: "UK", Interests: rapid.SliceOfN(rapid.Custom(drawInterest), 0, 3).Draw(t, "start")}
	s := entity.NewState(opportunity.Reference(drawText(t, "reference")), start, drawTime(t, "started"))
	if rapid.Bool().Draw(t, "created") {
		s.ApplyCreated(recordNow(), opportunity.Ref{ID: region, Name: drawText(t, "region")}, drawTime(t, "created at"))
	}
	for n := range rapid.IntRange(0, 8).Draw(t, "commands") {
		key := ""
		if rapid.Bool().Draw(t, "named") {
			key = fmt.Sprint("r", n)
		}
		if _, err := s.Accept(drawCommand(t), key, rapid.Bool().Draw(t, "silent"), drawTime(t, "accepted")); err != nil {
			t.Fatal(err)
		}
	}
	if rapid.Bool().Draw(t, "send") {
		batch := s.NextBatch()
		answers := make([]exchange.ChangeResult, len(batch))
		for i := range batch {
			answers[i] = exchange.ChangeResult{Status: rapid.SampledFrom([]exchange.ChangeStatus{
				exchange.StatusDone, exchange.StatusRejected, exchange.StatusNotSent, exchange.StatusUnknown,
			}).Draw(t, "fate")}
			switch {
			case answers[i].Status == exchange.StatusRejected:
				answers[i].Error = drawError(t)
			case batch[i].Interest != nil:
				answers[i].Interests = []exchange.InterestRef{{ID: opportunity.ID(fmt.Sprint("i", i))}}
			case batch[i].ReservationChange != nil:
				answers[i].Reservation = &opportunity.Reservation{Valid: rapid.Bool().Draw(t, "valid"), Until: drawTime(t, "until")}
			}
		}
		s.ApplyResults(batch, answers, drawTime(t, "settled"))
	}
	if rapid.Bool().Draw(t, "refuse") {
		s.FailMessage(opportunity.MessageName(drawText(t, "verb")), "", drawError(t), drawTime(t, "refused"))
	}
	s.Unattributed = append(s.Unattributed, rapid.SliceOfN(rapid.Map(rapid.String(), func(s string) opportunity.ID { return opportunity.ID(strings.ToValidUTF8(s, "")) }), 0, 3).Draw(t, "foreign")...)
	s.ExpiryPending = s.ExpiryPending || rapid.Bool().Draw(t, "due")
	return s
}

// TestCapsOfAState fills every list to its cap and measures the size, because the server ends a
// workflow whose input exceeds 2 MiB.
func TestCapsOfAState(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("y", 3000)
	item := strings.Repeat("x", opportunity.MaxTextLength)
	interest := opportunity.Interest{Item: item, Kind: opportunity.Event, Quantity: 1_000_000, Reserve: true}
	interest.UnitAmount = amount(t, "999999999999999.9999")
	s := openedState(t)
	n := 0
	send := func(answer func(m exchange.Change) exchange.ChangeResult) {
		t.Helper()
		for batch := s.NextBatch(); len(batch) > 0; batch = s.NextBatch() {
			answers := make([]exchange.ChangeResult, len(batch))
			for i, m := range batch {
				answers[i] = answer(m)
			}
			s.ApplyResults(batch, s.VerifyResults(batch, answers), noon)
		}
	}
	refused := &opportunity.Error{Type: opportunity.Rejected, Label: long, Message: long, Value: long}
	reject := func(exchange.Change) exchange.ChangeResult {
		return exchange.ChangeResult{Status: exchange.StatusRejected, Error: refused}
	}
	for range opportunity.MaxInterests / opportunity.MaxInterestsPerCommand {
		accept(t, s, addInterests(repeat(interest, opportunity.MaxInterestsPerCommand)...), fmt.Sprint("add ", n))
		send(func(m exchange.Change) exchange.ChangeResult {
			n++
			if m.ReservationChange != nil {
				return exchange.ChangeResult{Status: exchange.StatusRejected, Error: refused}
			}
			return exchange.ChangeResult{Status: exchange.StatusDone, Interests: []exchange.InterestRef{{ID: id("OpportunityInterest", 1_000_000_000+n)}}}
		})
	}
	if len(s.Interests) != opportunity.MaxInterests {
		t.Fatalf("%d interests stand", len(s.Interests))
	}
	// Most requests keep no full outcome, so only the last outcomes are as large as possible.
	done := func(exchange.Change) exchange.ChangeResult {
		return exchange.ChangeResult{Status: exchange.StatusDone}
	}
	for range opportunity.MaxRememberedRequests + opportunity.MaxOutcomes {
		n++
		name, answer := "x", done
		if n > opportunity.MaxRememberedRequests-opportunity.MaxOutcomes {
			name, answer = item, reject
		}
		accept(t, s, opportunity.UpdateDetails{Name: name}, strings.Repeat("r", 180)+fmt.Sprint(n))
		if n%20 == 0 {
			send(answer)
		}
	}
	send(reject)
	s.Unattributed = nil
	s.MarkUnattributed(recordNow(repeat(exchange.InterestRef{ID: id("OpportunityInterest", 2_000_000_000)}, 3*opportunity.MaxInterests)...))
	fill(t, s, opportunity.MaxWaitingBytes-400, func() {
		n++
		accept(t, s, opportunity.UpdateDetails{Name: item}, fmt.Sprint(n))
	})
	if s.WaitingBytes() > opportunity.MaxWaitingBytes {
		t.Fatalf("%d bytes wait", s.WaitingBytes())
	}
	fillFollowUps(s)
	kept, err := json.Marshal(s.Outcomes)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]int{"outcomes": len(s.Outcomes), "timeline": len(s.Timeline), "attention": len(s.Attention), "foreign": len(s.Unattributed), "handled": s.DedupWindow.Len() - len(s.Queue)}
	for part, most := range map[string]int{
		"outcomes": opportunity.MaxOutcomes, "timeline": opportunity.MaxTimeline, "attention": 20,
		"foreign": opportunity.MaxInterests, "handled": opportunity.MaxRememberedRequests,
	} {
		if parts[part] > most {
			t.Errorf("%s: %d, at most %d", part, parts[part], most)
		}
	}
	// The cap does not count the other members of a StoredOutcome.
	if most := opportunity.MaxOutcomeBytes + 120*opportunity.MaxOutcomes; len(kept) > most {
		t.Errorf("the outcomes take %d bytes, at most %d", len(kept), most)
	}
	whole, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes: outcomes %d of %d, %d interests, %d handled, %d waiting", len(whole), len(kept), len(s.Outcomes), len(s.Interests), s.DedupWindow.Len(), len(s.Queue))
	if len(whole) > opportunity.MaxStateBytes {
		var members map[string]json.RawMessage
		_ = json.Unmarshal(whole, &members)
		for name, value := range members {
			t.Logf("%s: %d", name, len(value))
		}
		t.Errorf("the state takes %d bytes, at most %d", len(whole), opportunity.MaxStateBytes)
	}
}

// fill accepts commands until the given bytes or more wait. No command may be larger than the
// first one, which contains the payload. A measurement needs a pass over all commands. So fill
// measures again only after as many commands as fit when each is as large as the first one.
func fill(t *testing.T, s *entity.State, bytes int, accept func()) {
	t.Helper()
	before := s.WaitingBytes()
	accept()
	each := s.WaitingBytes() - before
	for left := bytes - s.WaitingBytes(); left > 0; left = bytes - s.WaitingBytes() {
		for range max(1, left/each) {
			accept()
		}
	}
}

// fillFollowUps plans, snoozes and ends as many follow-ups as possible.
func fillFollowUps(s *entity.State) {
	var planned []exchange.FollowUp
	for n := range 100 {
		f := reminder(n, n)
		f.Key = strings.Repeat("k", 100) + f.Key
		f.Action.Attention = strings.Repeat("y", 1000)
		planned = append(planned, f)
		if n < opportunity.MaxFollowUps {
			s.SnoozedFollowUps = append(s.SnoozedFollowUps, entity.SnoozedFollowUp{Key: f.Key, Until: noon.Add(time.Hour), Reason: strings.Repeat("y", opportunity.MaxTextLength)})
		}
	}
	s.SetFollowUps(exchange.Plan{FollowUps: planned}, noon)
	for n := range 100 + opportunity.MaxCancelledFollowUps {
		s.DoneFollowUps = append(s.DoneFollowUps, exchange.DoneFollowUp{Key: fmt.Sprint(planned[0].Key, n), At: noon, Cancelled: n >= 100})
	}
}

// TestLongNamesOfSignals: signals with the longest names that the server allows cannot make the
// state too large for the next run.
func TestLongNamesOfSignals(t *testing.T) {
	s := openedState(t)
	for range 2 * opportunity.MaxOutcomes {
		s.FailMessage(opportunity.MessageName(strings.Repeat("<", 1000)), "", opportunity.Invalidf("there is no such message"), noon)
	}
	data, err := json.Marshal(s)
	if err != nil || len(data) > opportunity.MaxStateBytes/4 {
		t.Errorf("the state takes %d bytes: %v", len(data), err)
	}
}

// TestOneLargeOutcome: an API that returns long errors for a hundred rejected changes does not
// make the state too large for the next run.
func TestOneLargeOutcome(t *testing.T) {
	s := openedState(t)
	accept(t, s, addInterests(repeat(plainInterest(1), 100)...), "r")
	long := strings.Repeat("é<", 50_000)
	for batch := s.NextBatch(); len(batch) > 0; batch = s.NextBatch() {
		answers := repeat(exchange.ChangeResult{Status: exchange.StatusRejected, Error: &opportunity.Error{Type: opportunity.Rejected, Label: long, Message: long, Value: long}}, len(batch))
		s.ApplyResults(batch, answers, noon)
		if data, err := json.Marshal(s); err != nil || len(data) > opportunity.MaxStateBytes {
			t.Fatalf("the state takes %d bytes, at most %d: %v", len(data), opportunity.MaxStateBytes, err)
		}
	}
	got := outcome(t, s, "r")
	if got.State != opportunity.Failed || len(got.Results) != 100 || !strings.HasPrefix(got.Results[99].Error.Message, "é<é<é<") {
		t.Errorf("state %s, %d results", got.State, len(got.Results))
	}
}

package entity_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/entity/dedup"
	"github.com/oppflow/oppflow/entity/manual"
	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// sameState compares two states; an empty list equals a nil list.
func sameState(a, b *entity.State) string {
	handled := cmp.Transformer("packed", func(h dedup.Window) string {
		data, err := json.Marshal(h)
		return fmt.Sprint(string(data), err)
	})
	return cmp.Diff(a, b, handled, cmpopts.EquateEmpty())
}

func TestStateRoundTrip(t *testing.T) {
	t.Parallel()
	full := openedState(t, reservingInterest(1))
	full.Details.Account = opportunity.Ref{ID: account, Name: "Administrate"}
	start := opportunity.Start{Name: "x", Region: "UK", Interests: opportunity.Interests{plainInterest(1)}}
	full.Start = &start
	full.Reservation = opportunity.Reservation{Valid: true, Until: noon}
	full.ExpiryPending, full.GeneratedIDs, full.Failures, full.Runs = true, 7, 8, 9
	full.Interests = []opportunity.RecordedInterest{{ID: "a", Item: "<é>", Kind: opportunity.Event, Quantity: 3, UnitAmount: amount(t, "0.125"), Reserve: true, AsRequested: true}}
	accept(t, full, opportunity.UpdateDetails{Name: "<&> \u2028"}, "r")
	full.Queue[0].Results = []opportunity.InterestResult{{Interest: "i", Item: "x", ReservedUntil: &noon, Error: opportunity.Invalidf("y")}}
	full.Queue[0].InDoubt, full.Queue[0].SendAlone, full.Queue[0].FromUpdate, full.Queue[0].MaybeApplied, full.Queue[0].LaterExpirySet = true, true, true, true, true
	full.FailMessage("win", "", opportunity.Invalidf("no"), noon)
	full.Question = &opportunity.Question{Request: "r", MessageName: "progress", Text: "?", Since: noon}
	full.CreateSkipped = &opportunity.Error{Type: opportunity.Skipped, Label: "l", Message: "m", Value: "v"}
	full.CreateAnyway, full.RefreshDue, full.TaggedByOther, full.TagConfirmed = true, true, true, true
	full.Paused = &opportunity.PauseInfo{Reason: "<why>", Since: noon}
	full.Closing = &opportunity.CloseInfo{Reason: "<&>", Since: noon}
	full.Wait = &opportunity.WaitInfo{Kind: opportunity.AttentionAPI, Reason: "<r>", Request: "r", Since: noon, Until: noon.Add(time.Minute)}
	full.Unattributed = []opportunity.ID{"f"}
	full.InterestsAfterBackup = []exchange.InterestRef{{ID: "u", Item: "i", Quantity: 2, UnitAmount: new(amount(t, "1.5"))}}
	full.Parked = queue.Commands{full.Queue[0]}
	full.Parked[0].Errors, full.Parked[0].FailingSince = 5, noon.Add(time.Minute)
	full.PreviousRunID = "7b7e8b4a-0000-4000-8000-000000000000"
	full.Playbook = exchange.PlaybookFeatures{Version: 2, Digest: "d", Transitions: true, Reactions: true, FollowUps: true, Learners: true, FollowUpSteps: "state Open", QuietTime: time.Minute, Spread: time.Hour, KeepOpen: exchange.KeepOpen{Won: time.Hour, Lost: time.Minute, Archived: time.Second}}
	full.FinalState, full.KeepOpenUntil, full.PlacesUntil = opportunity.Won, noon, noon.Add(time.Hour)
	full.PlannedByVersion = 2
	full.ManualTransition = &manual.Transition{From: proposed, To: won, NoticedAt: noon, Late: true, AfterReset: true}
	full.StepSeenAt, full.StepUnconfirmed = noon, true
	full.PlanFirstChangeAt, full.PlanLastChangeAt = noon, noon.Add(time.Second)
	full.PlaybookChanged, full.PlanDue, full.AfterReset, full.LastChain = true, true, true, 3
	full.StepBeforeReset = true
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
		NotBefore:     noon, NonBlocking: true, Errors: 2, FailedInspections: 3, Calling: true, Problem: "<p>", AsksPeople: true, Note: "<n>", Number: 1, Of: 3,
	}}
	full.EffectResults = []opportunity.EffectResult{{Key: "k", Kind: opportunity.EffectCall, At: noon, Outcome: opportunity.EffectAbandoned, Objects: trace.Objects, Reason: "t"}}
	full.Attendees = []exchange.Attendee{{Interest: "i", Event: "e", Person: &opportunity.Learner{FirstName: "F", LastName: "L", Email: "a@b.example"}, Contact: "c", InDoubt: true, SameAsContact: exchange.DecisionSamePerson}}
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
	// Every member of the state must have a value other than zero, because a zero value proves
	// nothing about the encoding of the member.
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

func drawText(t *rapid.T, label string) string {
	return rapid.StringMatching(`[a-zé<>&"\\ 😀\x{2028}#_*]{1,12}x`).Draw(t, label)
}

func drawTime(t *rapid.T, label string) time.Time {
	return noon.Add(time.Duration(rapid.Int64Range(0, 1e16).Draw(t, label)))
}

func drawError(t *rapid.T) *opportunity.Error {
	return &opportunity.Error{Type: opportunity.Rejected, Label: drawText(t, "label"), Message: drawText(t, "message"), Value: drawText(t, "value")}
}

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
		s.ApplyResults(batch, answers, always, drawTime(t, "settled"))
	}
	if rapid.Bool().Draw(t, "refuse") {
		s.FailMessage(opportunity.MessageName(drawText(t, "verb")), "", drawError(t), drawTime(t, "refused"))
	}
	s.Unattributed = append(s.Unattributed, rapid.SliceOfN(rapid.Map(rapid.String(), func(s string) opportunity.ID { return opportunity.ID(strings.ToValidUTF8(s, "")) }), 0, 3).Draw(t, "foreign")...)
	s.ExpiryPending = s.ExpiryPending || rapid.Bool().Draw(t, "due")
	return s
}

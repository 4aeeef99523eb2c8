package entity_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func doneResult(interests ...opportunity.ID) exchange.ChangeResult {
	a := exchange.ChangeResult{Status: exchange.StatusDone}
	for _, i := range interests {
		a.Interests = append(a.Interests, exchange.InterestRef{ID: i})
	}
	return a
}

func rejectedResult(label string) exchange.ChangeResult {
	return exchange.ChangeResult{Status: exchange.StatusRejected, Error: &opportunity.Error{Type: opportunity.Rejected, Label: label, Message: "no", Value: "v"}}
}

func reservationResult(valid bool) exchange.ChangeResult {
	return exchange.ChangeResult{Status: exchange.StatusDone, Reservation: &opportunity.Reservation{Valid: valid, Until: noon}}
}

var (
	notSentResult = exchange.ChangeResult{Status: exchange.StatusNotSent}
	unknownResult = exchange.ChangeResult{Status: exchange.StatusUnknown}
)

func sendBatch(t reporter, s *entity.State, answers ...exchange.ChangeResult) {
	t.Helper()
	batch := s.NextBatch()
	if len(batch) != len(answers) {
		t.Fatalf("%d answers for %v", len(answers), batchText(batch))
	}
	s.ApplyResults(batch, s.VerifyResults(batch, answers), always, noon)
}

func TestVerifyResults(t *testing.T) {
	ref := func(ids ...opportunity.ID) []exchange.InterestRef {
		var list []exchange.InterestRef
		for _, i := range ids {
			list = append(list, exchange.InterestRef{ID: i, Item: course})
		}
		return list
	}
	interests := func(refs []exchange.InterestRef) exchange.ChangeResult {
		return exchange.ChangeResult{Status: exchange.StatusDone, Interests: refs}
	}
	for _, c := range []struct {
		name    string
		answers []exchange.ChangeResult
		want    []exchange.ChangeResult
	}{
		{"only the new one", []exchange.ChangeResult{interests(ref("a")), interests(ref("b"))}, []exchange.ChangeResult{interests(ref("a")), interests(ref("b"))}},
		{"all there are", []exchange.ChangeResult{interests(ref("old", "strange", "a")), interests(ref("old", "strange", "a", "b"))}, []exchange.ChangeResult{interests(ref("a")), interests(ref("b"))}},
		{"the same twice", []exchange.ChangeResult{interests(ref("a")), interests(ref("a"))}, []exchange.ChangeResult{interests(ref("a")), unknownResult}},
		{"more than one new", []exchange.ChangeResult{unknownResult, interests(ref("old", "a", "b"))}, []exchange.ChangeResult{unknownResult, unknownResult}},
		{"nothing new", []exchange.ChangeResult{interests(ref("old")), interests(nil)}, []exchange.ChangeResult{unknownResult, unknownResult}},
		{
			"in something else",
			[]exchange.ChangeResult{interests([]exchange.InterestRef{{ID: "a", Item: event}}), interests([]exchange.InterestRef{{ID: "x", Item: event}, {ID: "b", Item: course}})},
			[]exchange.ChangeResult{unknownResult, interests(ref("b"))},
		},
		{"without an id", []exchange.ChangeResult{interests([]exchange.InterestRef{{}}), rejectedResult("Sold Out")}, []exchange.ChangeResult{unknownResult, rejectedResult("Sold Out")}},
		{"cut short", []exchange.ChangeResult{interests(ref("a"))}, []exchange.ChangeResult{interests(ref("a")), unknownResult}},
		{"no answer", nil, []exchange.ChangeResult{unknownResult, unknownResult}},
		{"not sent", []exchange.ChangeResult{notSentResult, notSentResult}, []exchange.ChangeResult{notSentResult, notSentResult}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			s.Interests, s.Unattributed = []opportunity.RecordedInterest{{ID: "old"}}, []opportunity.ID{"strange"}
			accept(t, s, addInterests(plainInterest(1), plainInterest(2)), "r")
			if diff := cmp.Diff(c.want, s.VerifyResults(s.NextBatch(), c.answers)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestApplyResults(t *testing.T) {
	t.Run("interests", func(t *testing.T) {
		s := openedState(t)
		i := plainInterest(3)
		i.UnitAmount = amount(t, "199.90")
		accept(t, s, addInterests(i, plainInterest(2), plainInterest(4)), "r")
		sendBatch(t, s, doneResult("a"), rejectedResult("Sold Out"), notSentResult)
		if got := outcome(t, s, "r"); got.State != opportunity.Pending || len(s.Queue) != 1 {
			t.Errorf("before the last is sent: %+v", got)
		}
		sendBatch(t, s, doneResult("c"))
		want := opportunity.Outcome{RequestID: "r", State: opportunity.Done, Results: []opportunity.InterestResult{
			{Interest: "a", Item: string(course)}, {Item: string(course), Error: rejectedResult("Sold Out").Error}, {Interest: "c", Item: string(course)},
		}}
		if diff := cmp.Diff(want, outcome(t, s, "r")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]opportunity.RecordedInterest{
			{ID: "a", Item: string(course), Kind: opportunity.Course, Quantity: 3, UnitAmount: amount(t, "199.9")},
			{ID: "c", Item: string(course), Kind: opportunity.Course, Quantity: 4},
		}, s.Interests); diff != "" {
			t.Error(diff)
		}
		if last := s.Timeline[len(s.Timeline)-1].Text; last != "added 2 of 3 interests" || len(s.Attention) > 0 {
			t.Errorf("timeline %q, attention %v", last, s.Attention)
		}
	})
	t.Run("none stands", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, addInterests(plainInterest(1), plainInterest(2)), "r")
		sendBatch(t, s, rejectedResult("Sold Out"), rejectedResult("Not Published"))
		got := outcome(t, s, "r")
		if got.State != opportunity.Failed || got.Error == nil || got.Error.Label != "Sold Out" || len(got.Results) != 2 || s.Failures != 1 {
			t.Errorf("got %+v, %d failures", got, s.Failures)
		}
		if diff := cmp.Diff([]string{"failed"}, s.AttentionKinds()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("move", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, opportunity.Progress{To: "Won"}, "r")
		sendBatch(t, s, exchange.ChangeResult{Status: exchange.StatusDone, Step: &won})
		if outcome(t, s, "r").State != opportunity.Done || s.Step != won || !s.IsOver() {
			t.Errorf("step %+v, outcome %+v", s.Step, outcome(t, s, "r"))
		}
	})
	t.Run("refused move", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, opportunity.Progress{To: "Won"}, "r")
		answer := rejectedResult("Transition Not Found")
		answer.Step = &won // a rejected result does not change the step, even if the result names a step
		sendBatch(t, s, answer)
		if got := outcome(t, s, "r"); got.State != opportunity.Failed || s.Step != proposed {
			t.Errorf("step %+v, outcome %+v", s.Step, got)
		}
	})
	t.Run("update", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, opportunity.UpdateDetails{Name: "Second"}, "r")
		sendBatch(t, s, exchange.ChangeResult{Status: exchange.StatusDone, Details: &opportunity.Details{Name: "Second", Currency: "GBP", Account: opportunity.Ref{ID: account}}})
		want := opportunity.Details{Name: "Second", Currency: "GBP", Account: opportunity.Ref{ID: account}, Region: opportunity.Ref{ID: region, Name: "Dominican Republic"}}
		if diff := cmp.Diff(want, s.Details); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("undecided", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, addInterests(plainInterest(1), plainInterest(2)), "r")
		accept(t, s, opportunity.Progress{To: "Won"}, "q")
		sendBatch(t, s, doneResult("a"), unknownResult, unknownResult)
		if s.Question == nil || s.Question.Request != "r" || s.HasBatch() || len(s.NextBatch()) > 0 {
			t.Fatalf("question %+v, work %v", s.Question, s.HasBatch())
		}
		if s.Question.Text == "" || strings.Contains(s.Question.Text, "\n") || s.AttentionKinds()[0] != "undecided" {
			t.Errorf("the question reads %q, attention %v", s.Question.Text, s.AttentionKinds())
		}
		if err := execute(s, opportunity.Retry{Request: "r"}); err != nil {
			t.Fatal(err)
		}
		if s.Question == nil || s.Question.Request != "q" {
			t.Fatalf("the second question is %+v", s.Question)
		}
		wantError(t, execute(s, opportunity.Skip{Request: "r", Reason: "x"}), opportunity.NotFound, `there is no open question about request "r"`)
		wantError(t, s.CheckOperatorCommand(opportunity.Retry{Request: "nobody"}, "", noon), opportunity.NotFound, `there is no open question about request "nobody"`)
		if err := s.CheckOperatorCommand(opportunity.Retry{Request: "q"}, "", noon); err != nil {
			t.Error(err)
		}
		if err := execute(s, opportunity.Skip{Request: "q", Reason: "it moved"}); err != nil {
			t.Fatal(err)
		}
		if got := outcome(t, s, "q"); got.State != opportunity.Failed || got.Error.Type != opportunity.Skipped || got.Error.Message != "it moved" {
			t.Errorf("skipped: %+v", got)
		}
		if s.Question != nil || len(s.AttentionKinds()) > 0 {
			t.Errorf("question %+v, attention %v", s.Question, s.AttentionKinds())
		}
		if got := batchText(s.NextBatch()); len(got) != 1 || got[0] != "r/1" {
			t.Errorf("sent again: %v", got)
		}
	})
	t.Run("skipped in part", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, addInterests(plainInterest(1), plainInterest(2)), "r")
		sendBatch(t, s, doneResult("a"), unknownResult)
		if err := execute(s, opportunity.Skip{Request: "r", Reason: "never mind"}); err != nil {
			t.Fatal(err)
		}
		got := outcome(t, s, "r")
		if got.State != opportunity.Done || got.Results[0].Interest != "a" || got.Results[1].Error.Type != opportunity.Skipped {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("everything is given up", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, addInterests(plainInterest(1), plainInterest(2)), "r")
		accept(t, s, opportunity.Progress{To: "Won"}, "q")
		sendBatch(t, s, doneResult("a"), unknownResult, notSentResult)
		s.FailAll(opportunity.Failf(opportunity.Closed, "over"), noon)
		if r, q := outcome(t, s, "r"), outcome(t, s, "q"); r.State != opportunity.Done || r.Results[1].Error.Type != opportunity.Undecided || q.Error.Type != opportunity.Closed {
			t.Errorf("got %+v and %+v", r, q)
		}
		if s.Question != nil || len(s.Queue) > 0 {
			t.Errorf("question %+v, %d wait", s.Question, len(s.Queue))
		}
	})
}

func TestApplyRejectedRequest(t *testing.T) {
	reason := &opportunity.Error{Type: opportunity.Rejected, Label: "Request Refused", Message: "bad"}
	t.Run("several travel again one by one", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, addInterests(plainInterest(1), reservingInterest(2)), "r")
		accept(t, s, opportunity.UpdateDetails{Name: "n"}, "q")
		accept(t, s, opportunity.Progress{To: "Won"}, "p")
		s.ApplyRejectedRequest(s.NextBatch(), reason, noon)
		var sent []string
		for s.HasBatch() {
			batch := s.NextBatch()
			sent = append(sent, strings.Join(batchText(batch), "+"))
			s.ApplyRejectedRequest(batch, reason, noon)
		}
		if diff := cmp.Diff([]string{"r/0", "r/1+extend", "q=n", "p>Won"}, sent); diff != "" {
			t.Error(diff)
		}
		for _, key := range []string{"r", "q", "p"} {
			if got := outcome(t, s, key); got.State != opportunity.Failed || got.Error.Message != "bad" {
				t.Errorf("%s is %+v", key, got)
			}
		}
	})
	t.Run("the expiry that travels along is not blamed", func(t *testing.T) {
		s := openedState(t)
		accept(t, s, addInterests(reservingInterest(1)), "r")
		sendBatch(t, s, doneResult("a"), notSentResult)
		accept(t, s, opportunity.Progress{To: "Won"}, "p")
		batch := s.NextBatch()
		if diff := cmp.Diff([]string{"extend", "p>Won"}, batchText(batch)); diff != "" {
			t.Fatal(diff)
		}
		s.ApplyRejectedRequest(batch, reason, noon)
		if got := outcome(t, s, "p"); got.State != opportunity.Failed {
			t.Errorf("the move is %+v", got)
		}
		if diff := cmp.Diff([]string{"extend"}, batchText(s.NextBatch())); diff != "" {
			t.Errorf("the places that were taken get no expiry: %s", diff)
		}
	})
	t.Run("an expiry alone", func(t *testing.T) {
		s := openedState(t)
		s.ExpiryPending = true
		s.ApplyRejectedRequest(s.NextBatch(), reason, noon)
		if s.ExpiryPending || len(s.NextBatch()) > 0 {
			t.Error("the refused expiry is sent for ever")
		}
		if diff := cmp.Diff([]string{"reservation"}, s.AttentionKinds()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFailNames(t *testing.T) {
	s := openedState(t)
	named := opportunity.Interest{Item: "Juggling", Kind: opportunity.Course, Quantity: 1}
	accept(t, s, addInterests(named, reservingInterest(2)), "r")
	accept(t, s, opportunity.UpdateDetails{Account: "Nobody"}, "q")
	accept(t, s, opportunity.Progress{To: "Won"}, "p")
	reason := opportunity.Failf(opportunity.NotFound, "nothing is called so")
	s.FailNames(s.NextBatch(), map[exchange.UnresolvedName]*opportunity.Error{
		{Type: opportunity.TypeCourse, Text: "Juggling"}: reason,
		{Type: opportunity.TypeAccount, Text: "Nobody"}:  reason,
		{Type: opportunity.TypeCourse, Text: "Won"}:      reason, // not the type of a step
	}, noon)
	if got := outcome(t, s, "q"); got.State != opportunity.Failed || got.Error.Type != opportunity.NotFound {
		t.Errorf("the update is %+v", got)
	}
	if diff := cmp.Diff([]string{"r/1", "extend", "p>Won"}, batchText(s.NextBatch())); diff != "" {
		t.Error(diff)
	}
	sendBatch(t, s, doneResult("b"), reservationResult(true), exchange.ChangeResult{Status: exchange.StatusDone, Step: &won})
	got := outcome(t, s, "r")
	if got.State != opportunity.Done || got.Results[0].Error == nil || got.Results[0].Error.Type != opportunity.NotFound || got.Results[1].Interest != "b" || got.Results[1].ReservedUntil == nil {
		t.Errorf("the interests are %+v", got)
	}
}

func TestCreateQuestion(t *testing.T) {
	for _, skip := range []bool{false, true} {
		s := entity.NewState("A-1", opportunity.Start{Name: "x", Region: "UK"}, noon)
		accept(t, s, opportunity.Progress{To: "Won"}, "r")
		s.RaiseCreateQuestion("nobody can look", noon)
		s = continued(t, s)
		if s.Question == nil || !strings.Contains(s.Question.Text, "nobody can look") || s.AttentionKinds()[0] != "undecided" {
			t.Fatalf("question %+v", s.Question)
		}
		wantError(t, execute(s, opportunity.Retry{Request: "r"}), opportunity.NotFound, `there is no open question about request "r"`)
		if err := s.CheckOperatorCommand(opportunity.Retry{Request: opportunity.CreateRequestID}, "", noon); err != nil {
			t.Error(err)
		}
		var err error
		if skip {
			err = execute(s, opportunity.Skip{Request: opportunity.CreateRequestID, Reason: "never mind"})
		} else {
			err = execute(s, opportunity.Retry{Request: opportunity.CreateRequestID})
		}
		if err != nil || s.Question != nil || len(s.AttentionKinds()) > 0 {
			t.Errorf("answered: %v, question %+v", err, s.Question)
		}
		if s.CreateAnyway == skip {
			t.Errorf("create anyway: %t", s.CreateAnyway)
		}
		if skip != (s.CreateSkipped != nil) {
			t.Errorf("skipped: %v", s.CreateSkipped)
		}
		var none *opportunity.Error
		if err := s.CheckOperatorCommand(opportunity.Retry{Request: opportunity.CreateRequestID}, "", noon); !errors.As(err, &none) || none.Type != opportunity.NotFound {
			t.Errorf("the question can be answered twice: %v", err)
		}
	}
}

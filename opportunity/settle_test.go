package opportunity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/oppflow/oppflow/opportunity"
)

// Short forms of answers.
func done(interests ...opportunity.ID) opportunity.Answer {
	a := opportunity.Answer{Fate: opportunity.FateDone}
	for _, i := range interests {
		a.Interests = append(a.Interests, opportunity.InterestRef{ID: i})
	}
	return a
}

func rejected(label string) opportunity.Answer {
	return opportunity.Answer{Fate: opportunity.FateRejected, Error: &opportunity.Error{Type: opportunity.Rejected, Label: label, Message: "no", Value: "v"}}
}

func held(valid bool) opportunity.Answer {
	return opportunity.Answer{Fate: opportunity.FateDone, Reservation: &opportunity.Reservation{Valid: valid, Until: noon}}
}

var (
	notSent = opportunity.Answer{Fate: opportunity.FateNotSent}
	unknown = opportunity.Answer{Fate: opportunity.FateUnknown}
)

// put sends the next batch and settles it with these answers, undecided answers
// included.
func put(t reporter, s *opportunity.State, answers ...opportunity.Answer) {
	t.Helper()
	batch := s.NextBatch()
	if len(batch) != len(answers) {
		t.Fatalf("%d answers for %v", len(answers), told(batch))
	}
	s.Settle(batch, s.Review(batch, answers), noon)
}

func TestReview(t *testing.T) {
	ref := func(ids ...opportunity.ID) []opportunity.InterestRef {
		var list []opportunity.InterestRef
		for _, i := range ids {
			list = append(list, opportunity.InterestRef{ID: i, Item: course})
		}
		return list
	}
	interests := func(refs []opportunity.InterestRef) opportunity.Answer {
		return opportunity.Answer{Fate: opportunity.FateDone, Interests: refs}
	}
	for _, c := range []struct {
		name    string
		answers []opportunity.Answer
		want    []opportunity.Answer
	}{
		{"only the new one", []opportunity.Answer{interests(ref("a")), interests(ref("b"))}, []opportunity.Answer{interests(ref("a")), interests(ref("b"))}},
		{"all there are", []opportunity.Answer{interests(ref("old", "strange", "a")), interests(ref("old", "strange", "a", "b"))}, []opportunity.Answer{interests(ref("a")), interests(ref("b"))}},
		{"the same twice", []opportunity.Answer{interests(ref("a")), interests(ref("a"))}, []opportunity.Answer{interests(ref("a")), unknown}},
		{"more than one new", []opportunity.Answer{unknown, interests(ref("old", "a", "b"))}, []opportunity.Answer{unknown, unknown}},
		{"nothing new", []opportunity.Answer{interests(ref("old")), interests(nil)}, []opportunity.Answer{unknown, unknown}},
		{
			"in something else",
			[]opportunity.Answer{interests([]opportunity.InterestRef{{ID: "a", Item: event}}), interests([]opportunity.InterestRef{{ID: "x", Item: event}, {ID: "b", Item: course}})},
			[]opportunity.Answer{unknown, interests(ref("b"))},
		},
		{"without an id", []opportunity.Answer{interests([]opportunity.InterestRef{{}}), rejected("Sold Out")}, []opportunity.Answer{unknown, rejected("Sold Out")}},
		{"cut short", []opportunity.Answer{interests(ref("a"))}, []opportunity.Answer{interests(ref("a")), unknown}},
		{"no answer", nil, []opportunity.Answer{unknown, unknown}},
		{"not sent", []opportunity.Answer{notSent, notSent}, []opportunity.Answer{notSent, notSent}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := opened(t)
			s.Interests, s.Foreign = []opportunity.Held{{ID: "old"}}, []opportunity.ID{"strange"}
			accept(t, s, add(plain(1), plain(2)), "r")
			if diff := cmp.Diff(c.want, s.Review(s.NextBatch(), c.answers)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSettle(t *testing.T) {
	t.Run("interests", func(t *testing.T) {
		s := opened(t)
		i := plain(3)
		i.UnitAmount = amount(t, "199.90")
		accept(t, s, add(i, plain(2), plain(4)), "r")
		put(t, s, done("a"), rejected("Sold Out"), notSent)
		if got := outcome(t, s, "r"); got.State != opportunity.Pending || len(s.Queue) != 1 {
			t.Errorf("before the last is sent: %+v", got)
		}
		put(t, s, done("c"))
		want := opportunity.Outcome{RequestID: "r", State: opportunity.Done, Results: []opportunity.InterestResult{
			{Interest: "a", Item: string(course)}, {Item: string(course), Error: rejected("Sold Out").Error}, {Interest: "c", Item: string(course)},
		}}
		if diff := cmp.Diff(want, outcome(t, s, "r")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]opportunity.Held{
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
		s := opened(t)
		accept(t, s, add(plain(1), plain(2)), "r")
		put(t, s, rejected("Sold Out"), rejected("Not Published"))
		got := outcome(t, s, "r")
		if got.State != opportunity.Failed || got.Error == nil || got.Error.Label != "Sold Out" || len(got.Results) != 2 || s.Failures != 1 {
			t.Errorf("got %+v, %d failures", got, s.Failures)
		}
		if diff := cmp.Diff([]string{"failed"}, s.Words()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("move", func(t *testing.T) {
		s := opened(t)
		accept(t, s, opportunity.Progress{To: "Won"}, "r")
		put(t, s, opportunity.Answer{Fate: opportunity.FateDone, Step: &won})
		if outcome(t, s, "r").State != opportunity.Done || s.Step != won || !s.IsOver() {
			t.Errorf("step %+v, outcome %+v", s.Step, outcome(t, s, "r"))
		}
	})
	t.Run("refused move", func(t *testing.T) {
		s := opened(t)
		accept(t, s, opportunity.Progress{To: "Won"}, "r")
		answer := rejected("Transition Not Found")
		answer.Step = &won // an answer that contradicts itself moves nothing
		put(t, s, answer)
		if got := outcome(t, s, "r"); got.State != opportunity.Failed || s.Step != proposed {
			t.Errorf("step %+v, outcome %+v", s.Step, got)
		}
	})
	t.Run("update", func(t *testing.T) {
		s := opened(t)
		accept(t, s, opportunity.UpdateDetails{Name: "Second"}, "r")
		put(t, s, opportunity.Answer{Fate: opportunity.FateDone, Details: &opportunity.Details{Name: "Second", Currency: "GBP", Account: opportunity.Named{ID: account}}})
		want := opportunity.Details{Name: "Second", Currency: "GBP", Account: opportunity.Named{ID: account}, Region: opportunity.Named{ID: region, Name: "Dominican Republic"}}
		if diff := cmp.Diff(want, s.Details); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("undecided", func(t *testing.T) {
		s := opened(t)
		accept(t, s, add(plain(1), plain(2)), "r")
		accept(t, s, opportunity.Progress{To: "Won"}, "q")
		put(t, s, done("a"), unknown, unknown)
		if s.Question == nil || s.Question.Request != "r" || s.HasWork() || len(s.NextBatch()) > 0 {
			t.Fatalf("question %+v, work %v", s.Question, s.HasWork())
		}
		if s.Question.Text == "" || strings.Contains(s.Question.Text, "\n") || s.Words()[0] != "undecided" {
			t.Errorf("the question reads %q, attention %v", s.Question.Text, s.Words())
		}
		if err := instruct(s, opportunity.Retry{Request: "r"}); err != nil {
			t.Fatal(err)
		}
		if s.Question == nil || s.Question.Request != "q" {
			t.Fatalf("the second question is %+v", s.Question)
		}
		wantError(t, instruct(s, opportunity.Skip{Request: "r", Reason: "x"}), opportunity.NotFound, `no question about request "r" waits`)
		wantError(t, s.Applies(opportunity.Retry{Request: "nobody"}, "", noon), opportunity.NotFound, `no question about request "nobody" waits`)
		if err := s.Applies(opportunity.Retry{Request: "q"}, "", noon); err != nil {
			t.Error(err)
		}
		if err := instruct(s, opportunity.Skip{Request: "q", Reason: "it moved"}); err != nil {
			t.Fatal(err)
		}
		if got := outcome(t, s, "q"); got.State != opportunity.Failed || got.Error.Type != opportunity.Skipped || got.Error.Message != "it moved" {
			t.Errorf("skipped: %+v", got)
		}
		if s.Question != nil || len(s.Words()) > 0 {
			t.Errorf("question %+v, attention %v", s.Question, s.Words())
		}
		if got := told(s.NextBatch()); len(got) != 1 || got[0] != "r/1" {
			t.Errorf("sent again: %v", got)
		}
	})
	t.Run("skipped in part", func(t *testing.T) {
		s := opened(t)
		accept(t, s, add(plain(1), plain(2)), "r")
		put(t, s, done("a"), unknown)
		if err := instruct(s, opportunity.Skip{Request: "r", Reason: "never mind"}); err != nil {
			t.Fatal(err)
		}
		got := outcome(t, s, "r")
		if got.State != opportunity.Done || got.Results[0].Interest != "a" || got.Results[1].Error.Type != opportunity.Skipped {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("everything is given up", func(t *testing.T) {
		s := opened(t)
		accept(t, s, add(plain(1), plain(2)), "r")
		accept(t, s, opportunity.Progress{To: "Won"}, "q")
		put(t, s, done("a"), unknown, notSent)
		s.FailAll(opportunity.Failf(opportunity.Closed, "over"), noon)
		if r, q := outcome(t, s, "r"), outcome(t, s, "q"); r.State != opportunity.Done || r.Results[1].Error.Type != opportunity.Undecided || q.Error.Type != opportunity.Closed {
			t.Errorf("got %+v and %+v", r, q)
		}
		if s.Question != nil || len(s.Queue) > 0 {
			t.Errorf("question %+v, %d wait", s.Question, len(s.Queue))
		}
	})
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []opportunity.Answer
		until   bool   // the result says until when
		mistake string // the result's error
		due     bool
		words   []string
	}{
		{"held", []opportunity.Answer{done("a"), held(true)}, true, "", false, nil},
		{"read back as not held", []opportunity.Answer{done("a"), held(false)}, false, "the interest stands, but its places are not held", false, []string{"reservation"}},
		{"refused", []opportunity.Answer{done("a"), rejected("Lapsed")}, false, "the interest stands, but its places are not held", false, []string{"reservation"}},
		{"not sent", []opportunity.Answer{done("a"), notSent}, false, "", true, nil},
		{"unknown", []opportunity.Answer{done("a"), unknown}, false, "", true, nil},
		{"no interest, no places", []opportunity.Answer{rejected("Sold Out"), unknown}, false, "no", false, []string{"failed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := opened(t)
			accept(t, s, add(reserving(2)), "r")
			put(t, s, c.answers...)
			got := outcome(t, s, "r").Results[0]
			if (got.ReservedUntil != nil) != c.until || got.ReservedUntil != nil && !got.ReservedUntil.Equal(noon) {
				t.Errorf("reserved until %v", got.ReservedUntil)
			}
			if mistake := got.Error; (mistake == nil) != (c.mistake == "") || mistake != nil && mistake.Message != c.mistake {
				t.Errorf("the result's error is %v", mistake)
			}
			if s.ExtendDue != c.due || s.HasWork() != c.due {
				t.Errorf("an expiry is due: %v, work: %v", s.ExtendDue, s.HasWork())
			}
			if diff := cmp.Diff(c.words, s.Words(), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if c.due {
				put(t, s, held(true))
				if s.ExtendDue || !s.Reservation.Valid || len(s.Words()) > 0 {
					t.Errorf("after the expiry was set: due %v, %+v, attention %v", s.ExtendDue, s.Reservation, s.Words())
				}
			}
		})
	}
	t.Run("a later success calms", func(t *testing.T) {
		s := opened(t)
		accept(t, s, add(reserving(2)), "r")
		put(t, s, done("a"), held(false))
		accept(t, s, add(reserving(2)), "q")
		put(t, s, done("b"), held(true))
		if len(s.Words()) > 0 || !s.Reservation.Valid {
			t.Errorf("attention %v", s.Words())
		}
	})
}

func TestRelease(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer opportunity.Answer
		again  bool
		words  []string
	}{
		{"done", opportunity.Answer{Fate: opportunity.FateDone, Reservation: &opportunity.Reservation{}}, false, nil},
		{"still held", held(true), false, []string{"reservation"}},
		{"refused", rejected("No"), false, []string{"reservation"}},
		{"unknown", unknown, false, []string{"reservation"}},
		{"not sent", notSent, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := opened(t)
			s.Reservation, s.ExtendDue = opportunity.Reservation{Valid: true, Until: noon.Add(time.Hour)}, true
			s.Settle(s.ReleaseBatch(), []opportunity.Answer{c.answer}, noon)
			if again := len(s.ReleaseBatch()) > 0; again != c.again {
				t.Errorf("to be released again: %v", again)
			}
			if diff := cmp.Diff(c.words, s.Words(), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			released := strings.Contains(s.Timeline[len(s.Timeline)-1].Text, "released")
			if want := c.name == "done"; released != want {
				t.Errorf("the timeline says released: %v", released)
			}
		})
	}
}

func TestRefusedAsAWhole(t *testing.T) {
	reason := &opportunity.Error{Type: opportunity.Rejected, Label: "Request Refused", Message: "bad"}
	t.Run("several travel again one by one", func(t *testing.T) {
		s := opened(t)
		accept(t, s, add(plain(1), reserving(2)), "r")
		accept(t, s, opportunity.UpdateDetails{Name: "n"}, "q")
		accept(t, s, opportunity.Progress{To: "Won"}, "p")
		s.Refused(s.NextBatch(), reason, noon)
		var sent []string
		for s.HasWork() {
			batch := s.NextBatch()
			sent = append(sent, strings.Join(told(batch), "+"))
			s.Refused(batch, reason, noon)
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
		s := opened(t)
		accept(t, s, add(reserving(1)), "r")
		put(t, s, done("a"), notSent)
		accept(t, s, opportunity.Progress{To: "Won"}, "p")
		batch := s.NextBatch()
		if diff := cmp.Diff([]string{"extend", "p>Won"}, told(batch)); diff != "" {
			t.Fatal(diff)
		}
		s.Refused(batch, reason, noon)
		if got := outcome(t, s, "p"); got.State != opportunity.Failed {
			t.Errorf("the move is %+v", got)
		}
		if diff := cmp.Diff([]string{"extend"}, told(s.NextBatch())); diff != "" {
			t.Errorf("the places that were taken get no expiry: %s", diff)
		}
	})
	t.Run("an expiry alone", func(t *testing.T) {
		s := opened(t)
		s.ExtendDue = true
		s.Refused(s.NextBatch(), reason, noon)
		if s.ExtendDue || len(s.NextBatch()) > 0 {
			t.Error("the refused expiry is sent for ever")
		}
		if diff := cmp.Diff([]string{"reservation"}, s.Words()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFailNames(t *testing.T) {
	s := opened(t)
	named := opportunity.Interest{Item: "Juggling", Kind: opportunity.Course, Quantity: 1}
	accept(t, s, add(named, reserving(2)), "r")
	accept(t, s, opportunity.UpdateDetails{Account: "Nobody"}, "q")
	accept(t, s, opportunity.Progress{To: "Won"}, "p")
	reason := opportunity.Failf(opportunity.NotFound, "nothing is called so")
	s.FailNames(s.NextBatch(), map[opportunity.Name]*opportunity.Error{
		{Type: opportunity.TypeCourse, Text: "Juggling"}: reason,
		{Type: opportunity.TypeAccount, Text: "Nobody"}:  reason,
		{Type: opportunity.TypeCourse, Text: "Won"}:      reason, // no step
	}, noon)
	if got := outcome(t, s, "q"); got.State != opportunity.Failed || got.Error.Type != opportunity.NotFound {
		t.Errorf("the update is %+v", got)
	}
	if diff := cmp.Diff([]string{"r/1", "extend", "p>Won"}, told(s.NextBatch())); diff != "" {
		t.Error(diff)
	}
	put(t, s, done("b"), held(true), opportunity.Answer{Fate: opportunity.FateDone, Step: &won})
	got := outcome(t, s, "r")
	if got.State != opportunity.Done || got.Results[0].Error == nil || got.Results[0].Error.Type != opportunity.NotFound || got.Results[1].Interest != "b" || got.Results[1].ReservedUntil == nil {
		t.Errorf("the interests are %+v", got)
	}
}

func TestQuestionAboutTheCreate(t *testing.T) {
	for _, skip := range []bool{false, true} {
		s := opportunity.NewState("A-1", opportunity.Start{Name: "x", Region: "UK"}, noon)
		accept(t, s, opportunity.Progress{To: "Won"}, "r")
		s.AskAboutCreate("nobody can look", noon)
		s = carried(t, s)
		if s.Question == nil || !strings.Contains(s.Question.Text, "nobody can look") || s.Words()[0] != "undecided" {
			t.Fatalf("question %+v", s.Question)
		}
		wantError(t, instruct(s, opportunity.Retry{Request: "r"}), opportunity.NotFound, `no question about request "r" waits`)
		if err := s.Applies(opportunity.Retry{Request: opportunity.CreateRequest}, "", noon); err != nil {
			t.Error(err)
		}
		var err error
		if skip {
			err = instruct(s, opportunity.Skip{Request: opportunity.CreateRequest, Reason: "never mind"})
		} else {
			err = instruct(s, opportunity.Retry{Request: opportunity.CreateRequest})
		}
		if err != nil || s.Question != nil || len(s.Words()) > 0 {
			t.Errorf("answered: %v, question %+v", err, s.Question)
		}
		if s.CreateAnyway == skip {
			t.Errorf("create anyway: %t", s.CreateAnyway)
		}
		if skip != (s.CreateSkipped != nil) {
			t.Errorf("skipped: %v", s.CreateSkipped)
		}
		var none *opportunity.Error
		if err := s.Applies(opportunity.Retry{Request: opportunity.CreateRequest}, "", noon); !errors.As(err, &none) || none.Type != opportunity.NotFound {
			t.Errorf("the question can be answered twice: %v", err)
		}
	}
}

// TestPlacesInDoubtDoNotStayForEver: a request that an operator ends may have
// happened; its places then still need an expiry, or a release.
func TestPlacesInDoubtDoNotStayForEver(t *testing.T) {
	doubted := func() *opportunity.State {
		s := opened(t)
		accept(t, s, add(plain(1), reserving(1)), "r")
		put(t, s, unknown, unknown, unknown)
		return s
	}
	s := doubted()
	if err := instruct(s, opportunity.Skip{Request: "r", Reason: "it did"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(told(s.NextBatch()), " "); got != "extend" {
		t.Errorf("after skip %q is sent", got)
	}
	s = doubted()
	s.FailAll(opportunity.Failf(opportunity.Closed, "over"), noon)
	if got := strings.Join(told(s.ReleaseBatch()), " "); got != "release" {
		t.Errorf("at the end %q is sent", got)
	}
	s = doubted()
	if err := instruct(s, opportunity.Retry{Request: "r"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(told(s.NextBatch()), " "); got != "r/0 r/1 extend" {
		t.Errorf("after retry %q is sent", got)
	}
	// A change that was certainly not made takes no places.
	s = opened(t)
	accept(t, s, add(reserving(1)), "r")
	s.FailAll(opportunity.Failf(opportunity.Closed, "over"), noon)
	if got := s.ReleaseBatch(); len(got) > 0 {
		t.Errorf("places are released that were never taken")
	}
}

// TestARefusedExpiryLeavesTheOneBefore: the places have the expiry of the request
// before, and need no other.
func TestARefusedExpiryLeavesTheOneBefore(t *testing.T) {
	for _, second := range []opportunity.Answer{rejected("No"), notSent} {
		s := opened(t)
		accept(t, s, add(reserving(1)), "r")
		accept(t, s, later, "x")
		accept(t, s, opportunity.ExtendReservations{Until: later.Until.AddDate(0, 1, 0)}, "y")
		put(t, s, done("i"), extended(true, later.Until), second)
		if s.ExtendDue || !s.Reservation.Until.Equal(later.Until) {
			t.Errorf("%s: another is due: %v, held until %s", second.Fate, s.ExtendDue, s.Reservation.Until)
		}
	}
	// Places taken between the two have no expiry.
	s := opened(t)
	accept(t, s, later, "x")
	accept(t, s, add(reserving(1)), "r")
	accept(t, s, opportunity.ExtendReservations{Until: later.Until.AddDate(0, 1, 0)}, "y")
	put(t, s, extended(true, later.Until), done("i"), rejected("No"))
	if got := strings.Join(told(s.NextBatch()), " "); got != "extend" {
		t.Errorf("behind places without an expiry %q is sent", got)
	}
}

// TestAnExpiryBehindPlacesInDoubtStands: when a later requested expiry is known to be
// set, the places lapse. A request that an operator ends then sets no other expiry.
func TestAnExpiryBehindPlacesInDoubtStands(t *testing.T) {
	for _, c := range []struct {
		name   string
		expiry opportunity.Answer
		again  string // the change that is sent after skip
	}{
		{"set", extended(true, later.Until), ""},
		{"not held", extended(false, later.Until), "extend"},
		{"another", extended(true, later.Until.AddDate(0, 1, 0)), "extend"},
		{"refused", rejected("No"), "extend"},
	} {
		s := opened(t)
		accept(t, s, add(reserving(1)), "r")
		accept(t, s, later, "x")
		put(t, s, unknown, c.expiry)
		s = carried(t, s)
		if err := instruct(s, opportunity.Skip{Request: "r", Reason: "it did"}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(told(s.NextBatch()), " "); got != c.again {
			t.Errorf("%s: after skip %q is sent, want %q", c.name, got, c.again)
		}
		if c.again == "" && !s.Reservation.Until.Equal(later.Until) {
			t.Errorf("%s: held until %s", c.name, s.Reservation.Until)
		}
	}
	// Sent again, the places are taken after the expiry.
	s := opened(t)
	accept(t, s, add(reserving(1)), "r")
	accept(t, s, later, "x")
	put(t, s, unknown, extended(true, later.Until))
	if err := instruct(s, opportunity.Retry{Request: "r"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(told(s.NextBatch()), " "); got != "r/0 extend" {
		t.Errorf("after retry %q is sent", got)
	}
	put(t, s, unknown, unknown)
	if err := instruct(s, opportunity.Skip{Request: "r", Reason: "it did"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(told(s.NextBatch()), " "); got != "extend" {
		t.Errorf("skipped after a retry, %q is sent", got)
	}
}

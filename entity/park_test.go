package entity_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
)

// failOnce sends one API request, for which the API returns a server error. The record shows no
// effect of the API request. failOnce returns the id of the request that is parked because of the
// error, or "".
func failOnce(t *testing.T, s *entity.State, now time.Time) string {
	t.Helper()
	batch := s.NextBatch()
	if len(batch) == 0 {
		t.Fatal("nothing is to be sent")
	}
	s.ApplyResults(batch, repeat(exchange.ChangeResult{Status: exchange.StatusNotSent}, len(batch)), always, now)
	if !s.ApplyServerError(batch, now) {
		t.Fatal("nothing is left to be sent again")
	}
	request, due := s.NextToPark(batch, now)
	if due {
		s.Park(request, now)
	}
	return request
}

func queued(s *entity.State) []string {
	list := []string{}
	for _, e := range s.Queue {
		list = append(list, e.Request)
	}
	return list
}

// TestParked: a command for which the API repeatedly returns server errors does not stop the other
// commands for ever, and is never lost.
func TestParked(t *testing.T) {
	s := openedState(t)
	accept(t, s, opportunity.UpdateDetails{Name: "bad"}, "bad")
	accept(t, s, opportunity.UpdateDetails{Name: "good"}, "good")
	failOnce(t, s, noon)
	if got := batchText(s.NextBatch()); len(got) != 2 {
		t.Errorf("after one error %v travel; want both", got)
	}
	failOnce(t, s, noon.Add(time.Minute))
	if got := batchText(s.NextBatch()); len(got) != 1 {
		t.Errorf("after two errors %v travel; want one", got)
	}
	for minute := 2; minute < 5; minute++ {
		if parked := failOnce(t, s, noon.Add(time.Duration(minute)*time.Minute)); parked != "" {
			t.Fatalf("parked after %d minutes", minute)
		}
	}
	s = continued(t, s) // the next run keeps the counts
	if parked := failOnce(t, s, noon.Add(opportunity.ParkAfter-time.Millisecond)); parked != "" {
		t.Error("parked too early")
	}
	if parked := failOnce(t, s, noon.Add(opportunity.ParkAfter)); parked != "bad" {
		t.Errorf("parked is %q", parked)
	}
	s = continued(t, s)
	if got := queued(s); !slices.Equal(got, []string{"good"}) {
		t.Errorf("in the queue are %v", got)
	}
	view := s.View()
	if len(view.Parked) != 1 || view.Parked[0].Request != "bad" || !slices.Equal(s.AttentionKinds(), []string{"parked"}) || !strings.Contains(view.Attention[0].Reason, "7 server errors") {
		t.Errorf("the view shows %+v and %+v", view.Parked, view.Attention)
	}
	if got := outcome(t, s, "bad"); got.State != opportunity.Pending {
		t.Errorf("its outcome is %s", got.State)
	}
	sendBatch(t, s, exchange.ChangeResult{Status: exchange.StatusDone, Details: &opportunity.Details{Name: "good"}})
	s.Step = won
	if s.IsOver() {
		t.Error("the run may end with a command parked")
	}
	t.Run("retry", func(t *testing.T) {
		s := continued(t, s)
		accept(t, s, opportunity.UpdateDetails{Name: "later"}, "later")
		if err := execute(s, opportunity.Retry{Request: "bad"}); err != nil {
			t.Fatal(err)
		}
		if got := queued(s); !slices.Equal(got, []string{"bad", "later"}) || len(s.Parked) != 0 || len(s.AttentionKinds()) != 0 {
			t.Errorf("in the queue are %v, parked %v, attention %v", got, s.Parked, s.AttentionKinds())
		}
		if e := s.Queue[0]; e.Errors != 0 || !e.FailingSince.IsZero() {
			t.Errorf("its errors still count: %+v", e)
		}
		wantError(t, execute(s, opportunity.Retry{Request: "bad"}), opportunity.NotFound, "there is no open question about request \"bad\"")
	})
	t.Run("skip", func(t *testing.T) {
		s := continued(t, s)
		if err := execute(s, opportunity.Skip{Request: "bad", Reason: "never mind"}); err != nil {
			t.Fatal(err)
		}
		got := outcome(t, s, "bad")
		if got.State != opportunity.Failed || got.Error.Type != opportunity.Skipped || got.Error.Message != "never mind" || len(s.AttentionKinds()) != 0 || !s.IsOver() {
			t.Errorf("%+v, attention %v, over %v", got, s.AttentionKinds(), s.IsOver())
		}
	})
	t.Run("close", func(t *testing.T) {
		s := continued(t, s)
		s.FailAll(opportunity.Failf(opportunity.Closed, "closed"), noon)
		if got := outcome(t, s, "bad"); got.State != opportunity.Failed || got.Error.Type != opportunity.Closed || slices.Contains(s.AttentionKinds(), "parked") {
			t.Errorf("%+v, attention %v", got, s.AttentionKinds())
		}
	})
}

// TestConsecutiveServerErrors: after the API has made one change of a command, earlier errors of
// the command no longer count.
func TestConsecutiveServerErrors(t *testing.T) {
	s := openedState(t)
	accept(t, s, addInterests(plainInterest(1), plainInterest(2)), "r")
	for range 2 {
		failOnce(t, s, noon)
	}
	s.ApplyResults(s.NextBatch(), []exchange.ChangeResult{doneResult("a")}, always, noon)
	for range opportunity.ParkAfterErrors - 1 {
		if parked := failOnce(t, s, noon.Add(opportunity.ParkAfter)); parked != "" {
			t.Fatal("parked by errors that were over")
		}
	}
	if parked := failOnce(t, s, noon.Add(2*opportunity.ParkAfter)); parked != "r" {
		t.Errorf("parked is %q", parked)
	}
	if err := execute(s, opportunity.Skip{Request: "r", Reason: "x"}); err != nil {
		t.Fatal(err)
	}
	got := outcome(t, s, "r")
	if got.State != opportunity.Done || got.Results[0].Interest != "a" || got.Results[1].Error.Type != opportunity.Skipped {
		t.Errorf("got %+v", got)
	}
}

// When the maximum number of commands is parked, another failing command stays at its position in
// the queue.
func TestParkedLimit(t *testing.T) {
	t.Parallel()
	s := openedState(t)
	now := noon
	for n := range opportunity.MaxParked + 1 {
		accept(t, s, opportunity.UpdateDetails{Name: fmt.Sprint(n)}, fmt.Sprint(n))
		parked := ""
		for range 2 * opportunity.ParkAfterErrors {
			now = now.Add(opportunity.ParkAfter / 5)
			if parked = failOnce(t, s, now); parked != "" {
				break
			}
		}
		if want := n < opportunity.MaxParked; (parked != "") != want {
			t.Fatalf("command %d: parked is %q", n, parked)
		}
	}
	if len(s.Queue) != 1 || len(s.Parked) != opportunity.MaxParked {
		t.Errorf("%d wait, %d are parked", len(s.Queue), len(s.Parked))
	}
	large := openedState(t)
	interest := plainInterest(1)
	interest.Learners = repeat(opportunity.Learner{FirstName: strings.Repeat("x", 100), LastName: "y", Email: "a@b.example"}, 500)
	accept(t, large, addInterests(interest), "large")
	for n := range 3 * opportunity.ParkAfterErrors {
		if parked := failOnce(t, large, noon.Add(time.Duration(n)*opportunity.ParkAfter)); parked != "" {
			t.Fatal("a command of more bytes than may be parked was")
		}
	}
	if large.WaitingBytes() < opportunity.MaxParkedBytes {
		t.Fatal("the command is too small to show anything")
	}
	// Parked commands count towards the input size of the next run, and Shed does not end parked
	// commands.
	s.Queue = nil
	more := 0
	fill(t, s, opportunity.MaxWaitingBytes+1, func() {
		more++
		accept(t, s, opportunity.UpdateDetails{Name: strings.Repeat("z", 200)}, fmt.Sprint("more ", more))
	})
	s.Shed(noon)
	if s.WaitingBytes() > opportunity.MaxWaitingBytes || len(s.Parked) != opportunity.MaxParked || len(s.Queue) == 0 {
		t.Errorf("%d bytes, %d parked, %d waiting", s.WaitingBytes(), len(s.Parked), len(s.Queue))
	}
	if diff := cmp.Diff(s.Parked, continued(t, s).Parked); diff != "" {
		t.Error(diff)
	}
}

// The input of the next run stays small, even when the run knows the ids of very many requests that
// came after a parked request.
func TestDedupWindowIsCappedWithParkedRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		requests int
		held     bool
	}{"they are carried out as they come": {testrun.Pick(t, 10_200, 50_000), false}, "they are carried out at last": {testrun.Pick(t, 10_200, 15_000), true}} {
		requests, held := c.requests, c.held
		s := openedState(t)
		accept(t, s, opportunity.UpdateDetails{Name: "parked"}, "parked")
		s.Park("parked", noon)
		for n := range requests {
			accept(t, s, opportunity.UpdateDetails{Name: "x"}, fmt.Sprint(n))
			if held && n < requests-1 {
				continue
			}
			for batch := s.NextBatch(); len(batch) > 0; batch = s.NextBatch() {
				s.ApplyResults(batch, repeat(exchange.ChangeResult{Status: exchange.StatusDone}, len(batch)), always, noon)
			}
		}
		data, err := json.Marshal(s)
		if err != nil || len(data) > opportunity.MaxStateBytes {
			t.Errorf("%s: %d bytes are carried over, %v", name, len(data), err)
		}
		if got := s.DedupWindow.Len(); got != opportunity.MaxRememberedRequests {
			t.Errorf("%s: %d requests are remembered", name, got)
		}
		for id, want := range map[string]opportunity.OutcomeState{"parked": opportunity.Pending, fmt.Sprint(requests - 1): opportunity.Done, fmt.Sprint(requests - opportunity.MaxRememberedRequests + 1): opportunity.Done} {
			if outcome, err := s.Outcome(id); err != nil || outcome.State != want {
				t.Errorf("%s: request %s is %+v, %v; want %s", name, id, outcome, err, want)
			}
		}
		if _, err := s.Outcome("0"); err == nil {
			t.Errorf("%s: the first request is remembered", name)
		}
	}
}

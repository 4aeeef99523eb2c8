package entity_test

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/opportunity"
)

func (s *scenario) check(t *rapid.T) {
	for _, a := range s.accepted {
		got, err := s.state.Outcome(a.id)
		if err != nil {
			t.Fatalf("%s: %v", a.id, err)
		}
		if (got.State == opportunity.Pending) != s.state.IsPending(a.id) {
			t.Fatalf("%s is %s, pending: %v", a.id, got.State, s.state.IsPending(a.id))
		}
		before, ended := s.final[a.id]
		if ended {
			if !reflect.DeepEqual(before, got) { // cmp.Diff takes ten times as long as DeepEqual
				if diff := cmp.Diff(before, got); diff != "" {
					t.Fatalf("the outcome of %s changed: %s", a.id, diff)
				}
			}
		} else if got.State != opportunity.Pending {
			s.final[a.id] = got
		}
	}
	doubts := slices.ContainsFunc(s.state.Queue, func(e queue.Command) bool { return e.InDoubt })
	if doubts != (s.state.Question != nil) || doubts != slices.Contains(s.state.AttentionKinds(), "undecided") {
		t.Fatalf("in doubt: %v, question %+v, attention %v", doubts, s.state.Question, s.state.AttentionKinds())
	}
	for _, i := range s.operatorCommands {
		if got, err := s.state.Outcome(i.id); err != nil || got.State != opportunity.Done {
			t.Fatalf("the instruction %s: %+v, %v", i.id, got, err)
		}
	}
	paused := s.state.Paused != nil
	if paused && len(s.state.NextBatch()) > 0 {
		t.Fatalf("paused, and %v is to be sent", batchText(s.state.NextBatch()))
	}
	if view := s.state.View(); paused != (view.Paused != nil) || paused != slices.Contains(s.state.AttentionKinds(), "paused") {
		t.Fatalf("paused: %v, shown %+v, attention %v", paused, view.Paused, s.state.AttentionKinds())
	}
	if s.state.HasBatch() != (len(s.state.NextBatch()) > 0) {
		t.Fatalf("has work: %v, batch %v", s.state.HasBatch(), batchText(s.state.NextBatch()))
	}
	if len(s.state.Timeline) > opportunity.MaxTimeline || len(s.state.Attention) > 20 {
		t.Fatalf("%d in the timeline, %d need attention", len(s.state.Timeline), len(s.state.Attention))
	}
}

// checkOutcomes compares the outcomes that the callers received with the changes in the TMS, after
// all requests have ended.
func (s *scenario) checkOutcomes(t *rapid.T) {
	var order []string // changes reported done, except those that may be made again
	stands := map[opportunity.ID]string{}
	name, unsure, failures := "First Aid", false, 0
	var asked time.Time // until when the places were last requested
	for _, a := range s.accepted {
		got := s.final[a.id]
		if got.State == opportunity.Failed {
			failures++
		}
		// If an operator ended a request, its change may still have been made.
		open := func(e *opportunity.Error) bool {
			return e != nil && (e.Type == opportunity.Skipped || e.Type == opportunity.Undecided && s.inDoubt[a.id])
		}
		switch c := a.command.(type) {
		case opportunity.AddInterests:
			if len(got.Results) != len(c.Interests) {
				t.Fatalf("%s: %d results for %d interests", a.id, len(got.Results), len(c.Interests))
			}
			one := false
			for i, result := range got.Results {
				key := fmt.Sprintf("%s/%d", a.id, i)
				times := s.tms.count(key)
				if c.Interests[i].Reserve && open(result.Error) {
					asked = time.Time{} // the places of the interest may have been reserved
				}
				switch {
				case result.Interest != "":
					one = true
					stands[result.Interest] = key
					order = append(order, key)
					if times != 1 {
						t.Fatalf("%s is reported done and was made %d times", key, times)
					}
					if made := s.tms.madeBy[result.Interest]; made != key {
						t.Fatalf("%s was made for %s and is reported as %s", result.Interest, made, key)
					}
				case result.Error == nil:
					t.Fatalf("%s has neither interest nor error", key)
				case times > 1 || times == 1 && !open(result.Error):
					t.Fatalf("%s is reported failed (%v) and was made %d times", key, result.Error, times)
				}
			}
			if one != (got.State == opportunity.Done) {
				t.Fatalf("%s is %s, but an interest stands: %v", a.id, got.State, one)
			}
		case opportunity.Progress:
			times := s.tms.count(a.id + "/0")
			if got.State == opportunity.Done && times != 1 || got.State == opportunity.Failed && times > 0 && !open(got.Error) || times > 1 {
				t.Fatalf("the move %s is %+v and was made %d times", a.id, got, times)
			}
			if got.State == opportunity.Done {
				order = append(order, a.id+"/0")
			}
		case opportunity.UpdateDetails: // may be made again
			times := s.tms.count(a.id + "/0")
			if got.State == opportunity.Done && times == 0 || got.State == opportunity.Failed && times > 0 && !open(got.Error) {
				t.Fatalf("the update %s is %+v and was made %d times", a.id, got, times)
			}
			if times > 0 {
				name = c.Name
				// The run was closed while this update or an earlier update was being sent again.
				// Either update may be on the record.
				unsure = unsure || got.State == opportunity.Failed
			}
		case opportunity.ExtendReservations: // may be made again
			if got.State == opportunity.Done && s.tms.lastExpiryRequest == a.id {
				asked = c.Until
			}
			if got.State == opportunity.Done && !s.tms.wasReserved(a.id+"/0", c.Until) {
				t.Fatalf("the places are reported held until %s, and never were", c.Until)
			}
		}
	}
	var made []string
	for _, key := range s.tms.log {
		if slices.Contains(order, key) {
			made = append(made, key)
		}
	}
	if diff := cmp.Diff(order, made); diff != "" {
		t.Fatalf("changes were not made in the order of their messages: %s", diff)
	}
	if s.tms.name != name && !unsure {
		t.Fatalf("the record is called %q, want %q", s.tms.name, name)
	}
	if s.state.Failures != failures {
		t.Fatalf("%d failures are counted, %d were reported", s.state.Failures, failures)
	}
	// If no outcome names an interest of the record, a person added the interest by hand, or an
	// operator ended the change of the interest.
	known := map[opportunity.ID]bool{}
	for _, held := range s.state.Interests {
		known[held.ID] = true
	}
	there := map[opportunity.ID]bool{}
	for _, ref := range s.tms.interests {
		there[ref.ID] = true
		key := s.tms.madeBy[ref.ID]
		if stands[ref.ID] == "" && key != byHand && !s.isEnded(key) {
			t.Fatalf("the record has %s, made for %s, and nobody was told", ref.ID, key)
		}
		if stands[ref.ID] != "" && !known[ref.ID] {
			t.Fatalf("%s stands, and is not shown", ref.ID)
		}
	}
	s.tms.expireReservation()
	if s.state.Closing != nil {
		for interest := range s.tms.reserved {
			t.Fatalf("closed, and the places of %s, taken for %s, are held", interest, s.tms.madeBy[interest])
		}
		return
	}
	for interest := range s.tms.reserved { // including the interests that an operator skipped
		if s.tms.until.IsZero() {
			t.Fatalf("the places of %s, taken for %s, never expire", interest, s.tms.madeBy[interest])
		}
	}
	if !asked.IsZero() && len(s.tms.reserved) > 0 && !s.tms.until.Equal(asked) {
		t.Fatalf("the places are held until %s; they were last asked for until %s", s.tms.until, asked)
	}
	s.refresh(t)
}

func (s *scenario) isEnded(key string) bool {
	for _, a := range s.accepted {
		for i, result := range s.final[a.id].Results {
			if fmt.Sprintf("%s/%d", a.id, i) == key {
				return result.Error != nil && (result.Error.Type == opportunity.Skipped || result.Error.Type == opportunity.Undecided && s.inDoubt[a.id])
			}
		}
	}
	return false
}

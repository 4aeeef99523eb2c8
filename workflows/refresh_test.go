package workflows_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func TestRefresh(t *testing.T) {
	for _, way := range transports {
		t.Run(way, func(t *testing.T) {
			s := newFixture(t)
			s.at(1*time.Second, func() { s.update("i", "addInterests", add(1)) })
			s.at(2*time.Second, func() { s.env.SignalWorkflow("pause", opportunity.Pause{}) }) // no change is sent; the record is only read
			s.at(3*time.Second, func() {
				s.tms.mu.Lock()
				defer s.tms.mu.Unlock()
				price := interest(2).UnitAmount
				s.tms.items = nil
				for n := range 5 { // more than a page
					s.tms.items = append(s.tms.items, exchange.InterestRef{ID: id("OpportunityInterest", 10+n), Item: id("Course", n), Quantity: 2, UnitAmount: &price})
				}
				s.tms.step, s.tms.details.Name = steps[1], "Second"
				s.tms.reservation = opportunity.Reservation{Valid: true, Until: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
				s.sendOperatorCommand(way, "f", opportunity.Refresh{})
			})
			s.at(4*time.Second, func() {
				view := s.view()
				if len(view.Interests) != 5 || view.Total.String() != "1999.00" || view.Step.Name != "Opportunity" || view.Details.Name != "Second" || view.Details.Region.Name != "UK" || view.Reservation == nil {
					t.Errorf("view %+v", view)
				}
				if name, _ := s.searchAttributes.GetKeyword(lifecycle.OpportunityStep); name != "Opportunity" {
					t.Errorf("found by the step %q", name)
				}
				if until, _ := s.searchAttributes.GetTime(lifecycle.OpportunityReservedUntil); !until.Equal(s.tms.reservation.Until) {
					t.Errorf("found by places held until %s", until)
				}
				s.env.SignalWorkflow("resume", opportunity.Resume{})
			})
			s.at(5*time.Second, func() { s.env.SignalWorkflow("progress", to("Won")) })
			s.run(start, nil)
			s.wantDoneBy(way, "f")
			s.wantLog("create", "interest 1", "progress Won")
			if got := s.ended(); got.Interests != 5 || got.CloseReason != "" {
				t.Errorf("result: got %+v", got)
			}
		})
	}
}

func TestWonByHand(t *testing.T) {
	s := newFixture(t)
	s.at(time.Hour, func() {
		s.tms.mu.Lock()
		defer s.tms.mu.Unlock()
		s.tms.step = steps[2]
		s.update("f", "refresh", opportunity.Refresh{})
	})
	s.run(start, nil)
	s.wantDone("f")
	if got := s.ended(); got.State != opportunity.Won || got.Step.Name != "Won" || got.CloseReason != "" {
		t.Errorf("result: got %+v", got)
	}
	if want := []string{activities.CreateOpportunity, activities.ReadOpportunity}; !slices.Equal(s.tms.calls, want) {
		t.Errorf("calls: got %v, want %v", s.tms.calls, want)
	}
}

// An interest that somebody adds by hand before a refresh does not count as the effect of a request
// whose response is lost later.
func TestRefreshTakesNothingForAnEffect(t *testing.T) {
	s := newFixture(t)
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n == 1 {
			return false, nil, errors.New("lost")
		}
		return true, nil, nil
	}
	s.at(time.Second, func() {
		s.tms.mu.Lock()
		defer s.tms.mu.Unlock()
		s.tms.items = []exchange.InterestRef{{ID: "by-hand", Item: id("CourseTemplate", 107)}}
		s.env.SignalWorkflow("refresh", opportunity.Refresh{})
	})
	s.at(2*time.Second, func() { s.update("i", "addInterests", addIn(7)) })
	s.winAt(10 * time.Minute)
	s.run(start, nil)
	s.wantLog("create", "interest 7", "progress Opportunity", "progress Won")
	if got := s.ended(); got.Interests != 2 {
		t.Errorf("result: got %+v", got)
	}
}

func TestRefreshCutsAWaitShort(t *testing.T) {
	for _, way := range transports {
		t.Run("of a request, "+way, func(t *testing.T) {
			s := newFixture(t)
			s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				if n == 1 {
					return false, unreachableApply(24 * time.Hour), nil
				}
				return true, nil, nil
			}
			s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", add(1)) })
			s.at(10*time.Second, func() { s.sendOperatorCommand(way, "f", opportunity.Refresh{}) })
			s.at(11*time.Second, func() {
				if s.tms.applies != 2 {
					t.Errorf("%d requests after the refresh", s.tms.applies)
				}
			})
			s.winAt(12 * time.Second)
			s.run(start, nil)
			s.wantDoneBy(way, "f")
			s.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
		})
		t.Run("of the creation, "+way, func(t *testing.T) {
			s := newFixture(t)
			s.tms.create = func(n int) (bool, *activities.CreateResult, error) {
				if n <= 2 || n > 3 && n < 30 {
					return false, &activities.CreateResult{CallResult: unreachableResult(24 * time.Hour)}, nil
				}
				return true, nil, nil
			}
			s.at(10*time.Second, func() { s.sendOperatorCommand(way, "f", opportunity.Refresh{}) })
			s.at(11*time.Second, func() { // tried only once more
				if s.tms.creates != 2 {
					t.Errorf("%d requests after the refresh", s.tms.creates)
				}
				s.sendOperatorCommand(way, "f2", opportunity.Refresh{})
			})
			s.at(11500*time.Millisecond, func() {
				if s.tms.creates != 3 || s.tms.reads > 0 {
					t.Errorf("%d requests after the second refresh, %d reads of what was just created", s.tms.creates, s.tms.reads)
				}
			})
			s.winAt(12 * time.Second)
			s.run(start, nil)
			s.wantDoneBy(way, "f")
			s.wantLog("create", "progress Opportunity", "progress Won")
		})
	}
}

// A close and a query of the view still work while the API does not respond to a refresh. A refresh
// of a deleted record ends.
func TestRefreshThatIsNotAnswered(t *testing.T) {
	s := newFixture(t)
	s.tms.read = func(int) error { return errors.New("out of reach") }
	s.at(time.Second, func() { s.update("f", "refresh", opportunity.Refresh{}) })
	s.at(2*time.Second, func() { s.update("i", "addInterests", add(1)) })
	s.at(time.Minute, func() {
		if view := s.view(); len(view.Queue) != 1 || s.tms.reads < 3 {
			t.Errorf("view %+v after %d reads", view, s.tms.reads)
		}
		s.update("c", "close", closeCommand)
	})
	begun := s.env.Now()
	s.run(start, nil)
	if took := s.env.Now().Sub(begun); took > 2*time.Minute {
		t.Errorf("it took %s to close", took)
	}
	s.wantDone("f", "c")
	s.wantLog("create")
	if got := s.results["i"].outcome; got.State != opportunity.Pending {
		t.Errorf("the command: got %+v", got)
	}
	if got := s.ended(); got.CloseReason == "" || got.FailedRequests != 1 {
		t.Errorf("result: got %+v", got)
	}
}

func TestRefreshOfARecordThatIsGone(t *testing.T) {
	s := newFixture(t)
	s.at(time.Second, func() {
		s.tms.mu.Lock()
		defer s.tms.mu.Unlock()
		s.tms.exists = false
		s.update("f", "refresh", opportunity.Refresh{})
	})
	s.at(2*time.Second, func() {
		view := s.view()
		if last := view.Timeline[len(view.Timeline)-1].Text; !strings.Contains(last, "could not be read again") || s.tms.reads != 1 {
			t.Errorf("after %d reads the timeline says %q", s.tms.reads, last)
		}
		want := "the TMS has no record " + string(id("Opportunity", 2)) + " any more"
		if len(view.Attention) != 1 || view.Attention[0].Kind != opportunity.AttentionRecord || !strings.HasPrefix(view.Attention[0].Reason, want) || view.Refreshing {
			t.Errorf("attention %+v, refreshing %t; want %q", view.Attention, view.Refreshing, want)
		}
		if got := s.attention(); !slices.Equal(got, []string{"record"}) {
			t.Errorf("found by the attention %q", got)
		}
		s.tms.mu.Lock()
		defer s.tms.mu.Unlock()
		s.tms.read = func(int) error {
			return temporal.NewNonRetryableApplicationError("administrate: the API refused the document", string(opportunity.Rejected), nil)
		}
		s.update("g", "refresh", opportunity.Refresh{})
	})
	s.at(3*time.Second, func() {
		if view := s.view(); len(view.Attention) != 1 || !strings.Contains(view.Attention[0].Reason, "refuses to show the record") {
			t.Errorf("attention %+v", view.Attention)
		}
		s.tms.mu.Lock()
		defer s.tms.mu.Unlock()
		s.tms.exists, s.tms.read = true, nil
		s.update("h", "refresh", opportunity.Refresh{})
	})
	s.at(4*time.Second, func() {
		if view := s.view(); len(view.Attention) != 0 || view.Refreshing {
			t.Errorf("the record is there again: attention %+v, refreshing %t", view.Attention, view.Refreshing)
		}
	})
	s.winAt(5 * time.Second)
	s.run(start, nil)
	s.wantDone("f", "g", "h")
	s.wantLog("create", "progress Opportunity", "progress Won")
}

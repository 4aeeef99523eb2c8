package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// reserveUntil reserves places that expire at the given time after the start of the test.
func reserveUntil(s *fixture, expiry time.Duration) {
	s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", reserved(1)) })
	s.at(time.Minute, func() {
		s.env.SignalWorkflow("extendReservations", opportunity.ExtendReservations{Until: startTime.Add(expiry)})
	})
	s.at(expiry-time.Minute, func() { s.setReservation(opportunity.Reservation{Until: startTime.Add(expiry)}) })
}

func (s *fixture) setReservation(r opportunity.Reservation) {
	s.tms.mu.Lock()
	defer s.tms.mu.Unlock()
	s.tms.reservation = r
}

// Places that have expired cannot be reserved again, so the run raises attention for a person. The
// attention ends when places are reserved after all, or when the opportunity ends.
func TestExpiredPlacesRaiseAttention(t *testing.T) {
	for name, ending := range map[string]func(s *fixture){
		"places are reserved again": func(s *fixture) {
			s.at(12*time.Hour, func() {
				s.setReservation(opportunity.Reservation{Valid: true, Until: startTime.Add(20 * time.Hour)})
				s.update("r", "refresh", opportunity.Refresh{})
			})
			s.at(13*time.Hour, func() {
				if got := s.attention(); len(got) != 0 {
					t.Errorf("attention: %v", got)
				}
			})
			s.winAt(14 * time.Hour)
		},
		"the opportunity is won": func(s *fixture) { s.winAt(12 * time.Hour) },
		"an operator closes it": func(s *fixture) {
			s.at(12*time.Hour, func() { s.update("c", "close", opportunity.Close{Reason: "over"}) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			followUps(s)
			reserveUntil(s, 10*time.Hour)
			s.at(9*time.Hour, func() {
				if got := s.attention(); len(got) != 0 {
					t.Errorf("attention before the expiry: %v", got)
				}
			})
			s.at(11*time.Hour, func() {
				if got := s.attention(); !slices.Equal(got, []string{"reservation"}) {
					t.Errorf("attention: %v", got)
				}
				if got := s.view().Attention; len(got) != 1 || !strings.Contains(got[0].Reason, "expired at 2026-11-23T19:00:00Z") || !got[0].Since.Equal(startTime.Add(10*time.Hour)) {
					t.Errorf("the view says %+v", got)
				}
			})
			ending(s)
			s.run(start, nil)
			if got := s.attention(); len(got) != 0 {
				t.Errorf("attention at the end: %v", got)
			}
		})
	}
}

// Somebody releases places before the expiry on purpose, so a release needs no attention.
func TestReleasedPlacesRaiseNoAttention(t *testing.T) {
	s := newFixture(t)
	followUps(s)
	reserveUntil(s, 10*time.Hour)
	s.at(5*time.Hour, func() {
		s.setReservation(opportunity.Reservation{Until: startTime.Add(5 * time.Hour)})
		s.update("r", "refresh", opportunity.Refresh{})
	})
	s.at(11*time.Hour, func() {
		if got := s.attention(); len(got) != 0 {
			t.Errorf("attention: %v", got)
		}
	})
	s.winAt(12 * time.Hour)
	s.run(start, nil)
	s.wantDone("r")
}

// A valid reservation of the opportunity does not prove that the places of a second request are
// reserved.
func TestPlacesOfASecondRequestAreNotReportedAsHeld(t *testing.T) {
	s := newFixture(t)
	s.at(1*time.Second, func() { s.update("first", "addInterests", reserved(1)) })
	s.at(2*time.Second, func() { s.update("second", "addInterests", reserved(2)) })
	s.at(3*time.Second, func() {
		if got := s.attention(); !slices.Equal(got, []string{"reservation"}) {
			t.Errorf("attention: %v", got)
		}
		held := s.view().Interests
		if len(held) != 2 || held[0].Places != opportunity.PlacesHeld || held[1].Places != opportunity.PlacesNotKnown {
			t.Errorf("interests: %+v", held)
		}
	})
	s.winAt(4 * time.Second)
	s.run(start, nil)

	if got := s.results["first"].outcome.Results[0]; got.ReservedUntil == nil || got.Error != nil {
		t.Errorf("first: %+v", got)
	}
	if got := s.results["second"].outcome.Results[0]; got.Interest == "" || got.ReservedUntil != nil || got.Error == nil || got.Error.Type != opportunity.Undecided {
		t.Errorf("second: %+v", got)
	}
	if got := s.attention(); len(got) != 0 {
		t.Errorf("attention at the end: %v", got)
	}
}

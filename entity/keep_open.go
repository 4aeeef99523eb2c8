package entity

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// ApplyFinalState sets KeepOpenUntil from the playbook when the opportunity has reached a new final
// state. Another step with the same final state changes nothing. A later version of the playbook
// takes effect at the next final state.
func (s *State) ApplyFinalState(now time.Time) {
	state := s.Step.Stage.State
	if !state.IsFinal() {
		state = ""
	}
	if state == s.FinalState {
		return
	}
	s.FinalState = state
	s.EndKeepOpen()
	if length := s.Playbook.KeepOpen.In(state); length > 0 {
		s.KeepOpenUntil = now.Add(length)
	}
}

// UnnamedPlacesUntil returns the expiry time of the reservation if an opportunity that has ended as
// won has reserved places for people without names. UnnamedPlacesUntil returns zero when the
// playbook does not register learners, because the state then contains no attendees.
func (s *State) UnnamedPlacesUntil() time.Time {
	if !s.IsOver() || s.Step.Stage.State != opportunity.Won || !s.Playbook.Learners || !s.Reservation.Valid {
		return time.Time{}
	}
	named := make(map[opportunity.ID]int, len(s.Interests))
	for _, a := range s.Attendees {
		if a.Person != nil || a.Contact != "" {
			named[a.Interest]++
		}
	}
	for _, held := range s.Interests {
		if held.Places == opportunity.PlacesHeld && held.Quantity > named[held.ID] {
			return s.Reservation.Until
		}
	}
	return time.Time{}
}

// OpenUntil returns the time until which the run of an ended opportunity takes messages. OpenUntil
// returns zero if the opportunity has not ended or the run ends at once.
func (s *State) OpenUntil() time.Time {
	if !s.IsOver() || s.Closing != nil {
		return time.Time{}
	}
	return s.keptOpenUntil()
}

func (s *Journal) keptOpenUntil() time.Time { return latest(s.KeepOpenUntil, s.PlacesUntil) }

// CanEnd reports whether the run may end: the opportunity has ended, and the run takes no more
// messages.
func (s *State) CanEnd(now time.Time) bool { return s.IsOver() && !s.OpenUntil().After(now) }

// EndKeepOpen deletes the times until which the run stays open, because the run ends now.
func (s *Journal) EndKeepOpen() { s.KeepOpenUntil, s.PlacesUntil = time.Time{}, time.Time{} }

package opportunity

import (
	"slices"
	"time"
)

// Kept is an outcome that can be asked for again.
type Kept struct {
	Outcome
	Verb Verb      `json:"verb"`
	At   time.Time `json:"at"`
	// Size is how many bytes of JSON the outcome takes.
	Size int `json:"size"`
}

// Outcome answers what became of a request. An id that was never used, or that
// is forgotten, is NotFound.
func (s *State) Outcome(id string) (Outcome, error) {
	// What waits comes first: the same id may have been refused before.
	if s.waits(id) {
		return Outcome{RequestID: id, State: Pending}, nil
	}
	for i := len(s.Outcomes) - 1; i >= 0; i-- {
		if s.Outcomes[i].RequestID == id {
			return s.Outcomes[i].Outcome, nil
		}
	}
	if handled := s.Handled.find(id); handled != nil {
		// Only the state of older requests is remembered, not the whole outcome.
		return Outcome{RequestID: id, State: handled.outcomeState()}, nil
	}
	return Outcome{}, Failf(NotFound, "no request %q; the last %d are remembered", clip(id, 60), MaxHandledRequests)
}

// IsPending reports whether the request waits or is under way.
func (s *State) IsPending(id string) bool {
	if handled := s.Handled.find(id); handled != nil {
		return handled.state == 'p'
	}
	return s.waits(id)
}

// waits reports whether the request is in the queue, or parked.
func (s *State) waits(id string) bool {
	return s.parked(id) >= 0 || slices.ContainsFunc(s.Queue, func(e Entry) bool { return e.Request == id })
}

// settled reports whether it is known what became of the interest.
func (r InterestResult) settled() bool { return r.Interest != "" || r.Error != nil }

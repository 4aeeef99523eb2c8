package opportunity

import (
	"fmt"
	"slices"
	"time"
)

// Erred takes in that the API met a request with an error of its own, and that
// nothing of what is left of the batch in the queue took effect. Its first
// command is counted as the one that failed; when a request of several commands
// fails once more, they travel alone from then on, which finds the one to blame.
// It reports whether anything is left to be sent again.
func (s *State) Erred(batch []Mutation, now time.Time) bool {
	waits := func(e Entry) bool {
		return !e.Doubt && slices.ContainsFunc(batch, func(m Mutation) bool { return m.isAsked() && m.Request == e.Request })
	}
	first := slices.IndexFunc(s.Queue, waits)
	if first < 0 {
		return s.ExtendDue
	}
	e := &s.Queue[first]
	if e.Errors == 0 {
		e.FailingSince = now.Truncate(time.Millisecond) // as it is carried into the next run
	}
	e.Errors++
	if e.Errors > 1 && len(batch) > 1 {
		for i := range s.Queue {
			s.Queue[i].Alone = s.Queue[i].Alone || waits(s.Queue[i])
		}
	}
	return true
}

// Park takes the request out of the queue until an operator says whether it is
// to be sent again.
func (s *State) Park(request string, now time.Time) {
	at := slices.IndexFunc(s.Queue, func(e Entry) bool { return e.Request == request })
	if at < 0 {
		return
	}
	e := s.Queue[at]
	s.Queue = slices.Delete(s.Queue, at, at+1)
	s.Parked = append(s.Parked, e)
	s.Attend(AttentionParked, e.Request, fmt.Sprintf("%q met %d errors of the API's own since %s and took no effect; the others went on without it. "+
		"Answer confirm (it did take effect), retry (send it again, before all that waits) or skip (never mind).", e.Summary(), e.Errors, e.FailingSince.UTC().Format(time.RFC3339)), now)
	s.note(now, "parked: "+e.Summary())
}

// unpark takes the request out of those that are parked.
func (s *State) unpark(request string) (Entry, bool) {
	at := s.parked(request)
	if at < 0 {
		return Entry{}, false
	}
	e := s.Parked[at]
	s.Parked = slices.Delete(s.Parked, at, at+1)
	s.calmAbout(AttentionParked, request)
	e.Errors, e.FailingSince = 0, time.Time{}
	return e, true
}

// IsParked reports whether the request waits for an operator since the API fails to
// carry it out.
func (s *Inbox) IsParked(request string) bool { return s.parked(request) >= 0 }

package entity

import (
	"fmt"
	"slices"
	"time"

	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// ApplyServerError handles an API request for which the API returned a server error. The API did
// not make the changes of the batch that are still in the queue. ApplyServerError counts the error
// for the first queued command of the batch. When an API request of several changes fails a second
// time, the changes are sent one by one, to find the command that causes the error.
// ApplyServerError reports whether any change must be sent again.
func (s *State) ApplyServerError(batch []exchange.Change, now time.Time) bool {
	waits := func(e queue.Command) bool {
		return !e.InDoubt && slices.ContainsFunc(batch, func(m exchange.Change) bool { return m.IsRequested() && m.Request == e.Request })
	}
	first := slices.IndexFunc(s.Queue, waits)
	if first < 0 {
		return s.ExpiryPending
	}
	e := &s.Queue[first]
	if e.Errors == 0 {
		e.FailingSince = now.Truncate(time.Millisecond) // the next run gets the time in milliseconds
	}
	e.Errors++
	if e.Errors > 1 && len(batch) > 1 {
		for i := range s.Queue {
			s.Queue[i].SendAlone = s.Queue[i].SendAlone || waits(s.Queue[i])
		}
	}
	return true
}

// Park moves the request from the queue to Parked until an operator decides whether to send the
// request again.
func (s *State) Park(request string, now time.Time) {
	at := slices.IndexFunc(s.Queue, func(e queue.Command) bool { return e.Request == request })
	if at < 0 {
		return
	}
	e := s.Queue[at]
	s.Queue = slices.Delete(s.Queue, at, at+1)
	s.Parked = append(s.Parked, e)
	s.RaiseAttention(opportunity.AttentionParked, e.Request, fmt.Sprintf("the request %q failed with %d server errors from the API since %s; Oppflow set the request aside and continued with the other requests. "+
		"Answer confirm (the request was carried out), retry (send the request again, before all other requests) or skip (continue without the request).", e.Summary(), e.Errors, e.FailingSince.UTC().Format(time.RFC3339)), now)
	s.appendTimeline(now, "parked: "+e.Summary())
}

func (s *State) unpark(request string) (queue.Command, bool) {
	at := s.parkedIndex(request)
	if at < 0 {
		return queue.Command{}, false
	}
	e := s.Parked[at]
	s.Parked = slices.Delete(s.Parked, at, at+1)
	s.clearAttentionFor(opportunity.AttentionParked, request)
	e.Errors, e.FailingSince = 0, time.Time{}
	return e, true
}

// IsParked reports whether the request is parked because the API repeatedly failed the request.
func (s *Inbox) IsParked(request string) bool { return s.parkedIndex(request) >= 0 }

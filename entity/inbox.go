package entity

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/oppflow/oppflow/entity/dedup"
	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Inbox contains the requests that the opportunity received, and their outcomes.
type Inbox struct {
	// Queue contains the queued commands, in the order of their acceptance.
	Queue queue.Commands `json:"queue,omitempty"`
	// Parked contains the commands that wait for an operator, because the API repeatedly returned
	// server errors for them.
	Parked       queue.Commands  `json:"parked,omitempty"`
	DedupWindow  dedup.Window    `json:"handled"`
	Outcomes     []StoredOutcome `json:"outcomes,omitempty"`
	GeneratedIDs int             `json:"unnamed,omitempty"`
	Failures     int             `json:"failures,omitempty"`
}

func (s *Inbox) isRepeat(name opportunity.MessageName, id string, payload []byte) (bool, error) {
	handled := s.DedupWindow.Find(id)
	if handled == nil {
		return false, nil
	}
	if !handled.HasPayload(append([]byte(name), payload...)) {
		return false, opportunity.Failf(opportunity.Conflict, "requestId %q was used for another message; give each message an id of its own", id)
	}
	return true, nil
}

func (s *Inbox) newRequestID() string {
	s.GeneratedIDs++
	return fmt.Sprintf("#%d", s.GeneratedIDs)
}

// SetHasWaiter stores whether a caller waits for the outcome of the request. If no caller waits, a
// failure of the request raises attention.
func (s *Inbox) SetHasWaiter(request string, waits bool) {
	for _, list := range []queue.Commands{s.Queue, s.Parked} {
		for i := range list {
			if list[i].Request == request {
				list[i].NoWaiter = !waits
			}
		}
	}
}

// The result payload is the encoded operator command, which DedupWindow compares.
func (s *Inbox) checkRepeat(i opportunity.OperatorCommand, id string) (payload []byte, known bool, err error) {
	if err := opportunity.ValidateRequestID(id); err != nil { // the id may be the id of an update
		return nil, false, err
	}
	data, err := json.Marshal(opportunity.WithSource(i.WithRequestID(""), ""))
	if err != nil {
		return nil, false, opportunity.Invalidf("the message cannot be stored: %v", err)
	}
	if id != "" {
		known, err = s.isRepeat(i.MessageName(), id, data)
	}
	return append([]byte(i.MessageName()), data...), known, err
}

// Outcome returns the outcome of a request. Outcome returns the error NotFound for an id that was
// never used or that is no longer remembered.
func (s *Inbox) Outcome(id string) (opportunity.Outcome, error) {
	// Outcome looks for a waiting request first, because an earlier message with the same id may
	// have failed.
	if s.isWaiting(id) {
		return opportunity.Outcome{RequestID: id, State: opportunity.Pending}, nil
	}
	for i := len(s.Outcomes) - 1; i >= 0; i-- {
		if s.Outcomes[i].RequestID == id {
			return s.Outcomes[i].Outcome, nil
		}
	}
	if handled := s.DedupWindow.Find(id); handled != nil {
		// DedupWindow remembers only the state of an older outcome.
		return opportunity.Outcome{RequestID: id, State: handled.OutcomeState()}, nil
	}
	return opportunity.Outcome{}, opportunity.Failf(opportunity.NotFound, "there is no request %q; Oppflow remembers the last %d requests", opportunity.Truncate(id, 60), opportunity.MaxRememberedRequests)
}

// IsPending reports whether the request has no final outcome yet.
func (s *Inbox) IsPending(id string) bool {
	if handled := s.DedupWindow.Find(id); handled != nil {
		return handled.IsPending()
	}
	return s.isWaiting(id)
}

func (s *Inbox) isWaiting(id string) bool {
	return s.parkedIndex(id) >= 0 || slices.ContainsFunc(s.Queue, func(e queue.Command) bool { return e.Request == id })
}

// NextToPark returns the first request of the batch that must be parked. A request must be parked
// after ParkAfterErrors server errors of the API over at least the time ParkAfter, if Parked has
// room for the request.
func (s *Inbox) NextToPark(batch []exchange.Change, now time.Time) (string, bool) {
	for _, e := range s.Queue {
		if e.Errors >= opportunity.ParkAfterErrors && now.Sub(e.FailingSince) >= opportunity.ParkAfter && s.canPark(e) &&
			slices.ContainsFunc(batch, func(m exchange.Change) bool { return m.Request == e.Request }) {
			return e.Request, true
		}
	}
	return "", false
}

// The number of parked commands is limited, because each run passes its parked commands to the next
// run.
func (s *Inbox) canPark(e queue.Command) bool {
	parked, _ := append(slices.Clone(s.Parked), e).EncodedSize(0)
	return len(s.Parked) < opportunity.MaxParked && parked <= opportunity.MaxParkedBytes
}

func (s *Inbox) parkedIndex(request string) int {
	return slices.IndexFunc(s.Parked, func(e queue.Command) bool { return e.Request == request })
}

// WaitingBytes returns an upper bound of the JSON size of the commands that this run passes to the
// next run. The size includes the results of commands that are partly done.
func (s *Inbox) WaitingBytes() int {
	waiting, _ := s.Queue.EncodedSize(0)
	parked, _ := s.Parked.EncodedSize(0)
	return waiting + parked
}

func (s *Inbox) storeOutcome(name opportunity.MessageName, outcome opportunity.Outcome, now time.Time) {
	outcome.Error = outcome.Error.Truncated()
	s.DedupWindow.Complete(outcome.RequestID, outcome.State)
	s.Outcomes = append(s.Outcomes, StoredOutcome{Outcome: outcome, MessageName: name, At: now, Size: exchange.JSONSize(outcome)})
	total := 0
	for _, kept := range s.Outcomes {
		total += kept.Size
	}
	drop := 0
	for len(s.Outcomes)-drop > opportunity.MaxOutcomes || total > opportunity.MaxOutcomeBytes && drop < len(s.Outcomes)-1 {
		total -= s.Outcomes[drop].Size
		drop++
	}
	s.Outcomes = slices.Delete(s.Outcomes, 0, drop)
}

func (s *Inbox) applyRequestEnd(e requestEnd) {
	s.storeOutcome(e.command.MessageName, e.outcome, e.at)
	if e.outcome.State == opportunity.Failed {
		s.Failures++
	}
}

// StoredOutcome is the stored outcome of an ended request, which callers can read.
type StoredOutcome struct {
	opportunity.Outcome
	MessageName opportunity.MessageName `json:"verb"`
	At          time.Time               `json:"at"`
	// Size is the JSON size of the outcome, in bytes.
	Size int `json:"size"`
}

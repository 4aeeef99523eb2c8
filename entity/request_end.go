package entity

import (
	"fmt"
	"time"

	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/opportunity"
)

// A requestEnd describes the end of a request; each component of State changes its own data from
// the requestEnd.
type requestEnd struct {
	command queue.Command
	outcome opportunity.Outcome
	// needsExpiry says that the request may have reserved places for which no expiry was set.
	needsExpiry bool
	confirmed   bool
	at          time.Time
}

// endRequest ends a request. The parameter reason says why the changes without a final result were
// not made. If all changes have a final result, reason is nil.
func (s *State) endRequest(e queue.Command, reason *opportunity.Error, now time.Time) {
	s.endRequestWithNote(e, reason, "", now)
}

func (s *State) endRequestWithNote(e queue.Command, reason *opportunity.Error, note string, now time.Time) {
	reason = reason.Truncated()
	if e.MessageName == opportunity.MessageProgress {
		s.endTransition(e.Request, reason, now)
	}
	ended := finalEnd(e, reason, now)
	ended.outcome.Note = note
	s.dispatchRequestEnd(ended)
}

// finalEnd sets the given reason as the error of all remaining changes of the request, and returns
// the requestEnd.
func finalEnd(e queue.Command, reason *opportunity.Error, now time.Time) requestEnd {
	ended := requestEnd{command: e, outcome: opportunity.Outcome{RequestID: e.Request, State: opportunity.Done}, at: now}
	if e.MessageName != opportunity.MessageAddInterests {
		if reason != nil {
			ended.outcome.State, ended.outcome.Error = opportunity.Failed, reason
		}
		return ended
	}
	c, err := e.Decode()
	add, _ := c.(opportunity.AddInterests)
	if err == nil && e.Results == nil {
		e.Results = make([]opportunity.InterestResult, len(add.Interests))
	}
	stands := false
	for i := range e.Results {
		if !e.Results[i].IsFinal() {
			e.Results[i] = opportunity.InterestResult{Item: add.Interests[i].Item, Error: reason}
			// If the API added the interest in doubt, the places of the interest would stay
			// reserved for ever without an expiry.
			ended.needsExpiry = ended.needsExpiry || e.InDoubt && !e.LaterExpirySet && add.Interests[i].Reserve
		}
		stands = stands || e.Results[i].Interest != ""
	}
	ended.outcome.Results = e.Results
	if !stands && len(e.Results) > 0 {
		ended.outcome.State, ended.outcome.Error = opportunity.Failed, e.Results[0].Error
	}
	return ended
}

func (s *State) dispatchRequestEnd(e requestEnd) {
	s.Inbox.applyRequestEnd(e)
	if !e.confirmed { // the timeline has the operator's answer
		s.Journal.applyRequestEnd(e, timelineText(e.command, e.outcome, s))
	}
	s.RecordState.applyRequestEnd(e)
	s.setPlanDueAfterQuiet(s.shouldPoll(), s.Playbook.QuietTime, e.at)
	s.dropStaleFollowUps()
	s.OperatorState.applyRequestEnd(e)
}

func timelineText(e queue.Command, outcome opportunity.Outcome, s *State) string {
	switch {
	case outcome.State == opportunity.Failed && e.Payload == nil:
		return "a message was rejected: " + outcome.Error.PublicText()
	case outcome.State == opportunity.Failed:
		return e.Summary() + " failed: " + outcome.Error.PublicText()
	case e.MessageName == opportunity.MessageProgress:
		return "the opportunity progressed to step " + s.Step.Name
	case e.MessageName == opportunity.MessageExtendReservations:
		return "the places are reserved until " + s.Reservation.Until.UTC().Format(time.RFC3339)
	case e.MessageName == opportunity.MessageAddInterests:
		added := 0
		for _, r := range outcome.Results {
			if r.Interest != "" {
				added++
			}
		}
		if added < len(outcome.Results) {
			return fmt.Sprintf("added %d of %d interests", added, len(outcome.Results))
		}
		if added == 1 {
			return "added 1 interest"
		}
		return fmt.Sprintf("added %d interests", added)
	}
	if outcome.Note != "" {
		return e.Summary() + " done; " + outcome.Note
	}
	return e.Summary() + " done"
}

package opportunity

import (
	"fmt"
	"time"
)

// requestEnded is the event that a request has ended; each component handles the
// event for itself.
type requestEnded struct {
	entry   Entry
	outcome Outcome
	// unheld says that the request may have taken places for which no expiry was set.
	unheld bool
	// confirmed says that an operator confirmed the request.
	confirmed bool
	at        time.Time
}

// finish ends a request whose changes are all settled, or will not be. reason says
// why the unsettled changes did not happen; nil when all are settled.
func (s *State) finish(e Entry, reason *Error, now time.Time) {
	reason = reason.kept()
	if e.Verb == VerbProgress {
		s.moveEnded(e.Request, reason, now)
	}
	s.ended(e.end(reason, now))
}

// end settles the rest of the request with the given reason, and returns the event
// that the request has ended.
func (e Entry) end(reason *Error, now time.Time) requestEnded {
	ended := requestEnded{entry: e, outcome: Outcome{RequestID: e.Request, State: Done}, at: now}
	if e.Verb != VerbAddInterests {
		if reason != nil {
			ended.outcome.State, ended.outcome.Error = Failed, reason
		}
		return ended
	}
	c, err := e.command()
	add, _ := c.(AddInterests)
	if err == nil && e.Results == nil {
		e.Results = make([]InterestResult, len(add.Interests))
	}
	stands := false
	for i := range e.Results {
		if !e.Results[i].settled() {
			e.Results[i] = InterestResult{Item: add.Interests[i].Item, Error: reason}
			// If it happened after all, its places would be held for ever.
			ended.unheld = ended.unheld || e.Doubt && !e.Lapses && add.Interests[i].Reserve
		}
		stands = stands || e.Results[i].Interest != ""
	}
	ended.outcome.Results = e.Results
	if !stands && len(e.Results) > 0 {
		ended.outcome.State, ended.outcome.Error = Failed, e.Results[0].Error
	}
	return ended
}

// ended passes the event to each component.
func (s *State) ended(e requestEnded) {
	s.Inbox.requestEnded(e)
	if !e.confirmed { // the timeline has the operator's answer
		s.Journal.requestEnded(e, e.entry.told(e.outcome, s))
	}
	s.RecordState.requestEnded(e)
	s.planSoon(s.isWatched(), s.Rules.Quiet, e.at)
	s.forgetFollowUps()
	s.OperatorState.requestEnded(e)
}

// told returns the request's line in the timeline.
func (e Entry) told(outcome Outcome, s *State) string {
	switch {
	case outcome.State == Failed && e.Payload == nil:
		return "a message was refused: " + outcome.Error.label()
	case outcome.State == Failed:
		return e.Summary() + " failed: " + outcome.Error.label()
	case e.Verb == VerbProgress:
		return "moved to step " + s.Step.Name
	case e.Verb == VerbExtendReservations:
		return "places held until " + s.Reservation.Until.UTC().Format(time.RFC3339)
	case e.Verb == VerbAddInterests:
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
	return e.Summary() + " done"
}

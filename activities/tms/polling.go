package tms

import (
	"time"

	"github.com/oppflow/oppflow/exchange"
)

type waitNotes struct {
	Since string `note:"since"`
}

// nextPoll returns the time of the next inspection for an object that only the TMS creates. The
// returned undo entry stores the time at which the wait began.
func nextPoll(trace exchange.UndoEntry, now, until time.Time) (exchange.UndoEntry, time.Time) {
	since, err := time.Parse(time.RFC3339, notesOf[waitNotes](trace).Since)
	if err != nil {
		since = now
		trace = withNotes(trace, waitNotes{Since: formatTime(now)})
	}
	next := 10 * time.Minute
	switch waited := now.Sub(since); {
	case waited < time.Minute:
		next = time.Minute
	case waited < 3*time.Minute:
		next = 2 * time.Minute
	case waited < 8*time.Minute:
		next = 5 * time.Minute
	}
	if again := now.Add(next); again.Before(until) {
		return trace, again.UTC()
	}
	return trace, until
}

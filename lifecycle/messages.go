package lifecycle

import "github.com/oppflow/oppflow/opportunity"

// Message binds the name of a signal, update or query to the type P of its payload and the type A
// of its response (a signal has none).
type Message[P, A any] struct {
	// Name is the same for the signal and the update.
	Name string
	// Description is the text that the Web UI shows beside the name.
	Description string
}

// The update and the queries that are not messages of package opportunity.
var (
	// CreateOutcome returns when the record exists. CreateOutcome exists only as an update.
	CreateOutcome = Message[CreateOutcomeInput, opportunity.CreateOutcome]{
		Name:        "opened",
		Description: `Waits until the record exists in the TMS; a given start must equal the start of this run: {} or {"start":{…}}`,
	}
	// View returns the view. View exists only as a query.
	View = Message[struct{}, opportunity.View]{
		Name:        "view",
		Description: "Returns all that Oppflow knows of the opportunity, without a call to the API",
	}
	// OutcomeOf returns the outcome of one request. OutcomeOf exists only as a query.
	OutcomeOf = Message[OutcomeInput, opportunity.Outcome]{
		Name:        "outcome",
		Description: `Returns the outcome of one request: {"requestId":"<id>"}`,
	}
)

// OutcomeInput is the payload of OutcomeOf.
type OutcomeInput struct {
	RequestID string `json:"requestId"`
}

// CreateOutcomeInput is the payload of the update opened.
type CreateOutcomeInput struct {
	// Start, when given, must equal what the run was started from, or the answer
	// is a Conflict: the reference is used for something else.
	Start *opportunity.Start `json:"start,omitempty"`
}

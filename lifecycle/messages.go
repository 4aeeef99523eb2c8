package lifecycle

import "github.com/oppflow/oppflow/opportunity"

// Message binds the name of a signal, update or query to the type P of its payload and the type A
// of its response. A signal has no response.
type Message[P, A any] struct {
	Name string
	// Description is the text that Temporal's Web UI shows beside the name.
	Description string
}

// CreateOutcome, View and OutcomeOf are the update and the queries that are not messages of package
// opportunity.
var (
	// CreateOutcome is an update that returns when the record exists.
	CreateOutcome = Message[CreateOutcomeInput, opportunity.CreateOutcome]{
		Name:        "opened",
		Description: `Waits until the record exists in the TMS; a given start must equal the start of this run: {} or {"start":{…}}`,
	}
	// View is a query that returns the view.
	View = Message[struct{}, opportunity.View]{
		Name:        "view",
		Description: "Returns all that Oppflow knows of the opportunity, without a call to the API",
	}
	// OutcomeOf is a query that returns the outcome of one request.
	OutcomeOf = Message[OutcomeInput, opportunity.Outcome]{
		Name:        "outcome",
		Description: `Returns the outcome of one request: {"requestId":"<id>"}`,
	}
)

// OutcomeInput is the payload of OutcomeOf.
type OutcomeInput struct {
	RequestID string `json:"requestId"`
}

// CreateOutcomeInput is the payload of the update CreateOutcome.
type CreateOutcomeInput struct {
	// Start is optional. If Start is different from the start of the run, the update returns the
	// error Conflict, because the reference is used for another opportunity.
	Start *opportunity.Start `json:"start,omitempty"`
}

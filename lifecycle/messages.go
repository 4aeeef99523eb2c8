package lifecycle

import "github.com/oppflow/oppflow/opportunity"

// Message binds the name of a signal, update or query to the type P of its
// payload and the type A of its answer (a signal has none).
type Message[P, A any] struct {
	// Name is the same for the signal and the update.
	Name string
	// Description is what the Web UI shows beside the name.
	Description string
}

// The messages. All but Opened and View can be sent as a signal (fire and
// forget) and as an update (answered).
var (
	// AddInterests adds interests, in order.
	AddInterests = Message[opportunity.AddInterests, opportunity.Outcome]{
		Name: string(opportunity.VerbAddInterests),
		Description: `Add interests: {"interests":[{"item":"<id>","quantity":1,"unitAmount":"199.90","reserve":true,` +
			`"learners":[{"firstName":"…","lastName":"…","email":"…"}]}],"requestId":"<optional>"}`,
	}
	// Progress moves the opportunity to another step.
	Progress = Message[opportunity.Progress, opportunity.Outcome]{
		Name:        string(opportunity.VerbProgress),
		Description: `Move to another step: {"to":"<name or id of the step>","requestId":"<optional>"}`,
	}
	// UpdateDetails sets name, account or currency.
	UpdateDetails = Message[opportunity.UpdateDetails, opportunity.Outcome]{
		Name:        string(opportunity.VerbUpdateDetails),
		Description: `Set details: {"name":"…","account":"<name or id>","currency":"USD","requestId":"<optional>"}; leave out what stays`,
	}
	// Retry answers a question: it did not happen, carry it out.
	Retry = Message[opportunity.Retry, opportunity.Outcome]{
		Name:        string(opportunity.VerbRetry),
		Description: `Answer a question: I checked, it did not happen; send it again: {"request":"<id>"}`,
	}
	// Skip answers a question: it did happen, or never mind.
	Skip = Message[opportunity.Skip, opportunity.Outcome]{
		Name:        string(opportunity.VerbSkip),
		Description: `Answer a question: it did happen, or never mind: {"request":"<id>","reason":"…"}`,
	}
	// Opened answers when the record exists; only an update.
	Opened = Message[OpenedInput, opportunity.Opened]{
		Name:        "opened",
		Description: `Answers when the record exists in the TMS: {} or {"start":{…}}, which must equal the start of this run`,
	}
	// View answers the whole picture; only a query.
	View = Message[struct{}, opportunity.View]{
		Name:        "view",
		Description: "The whole picture of the opportunity, without a call to the API",
	}
)

// OpenedInput is the payload of Opened.
type OpenedInput struct {
	// Start, when given, must equal what the run was started from, or the answer
	// is a Conflict: the reference is used for something else.
	Start *opportunity.Start `json:"start,omitempty"`
}

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

// The messages. Each message except CreateOutcome, View and OutcomeOf can be sent as a signal,
// which returns nothing, and as an update, which returns an outcome.
var (
	// AddInterests adds interests, in order.
	AddInterests = Message[opportunity.AddInterests, opportunity.Outcome]{
		Name: string(opportunity.MessageAddInterests),
		Description: `Add interests: {"interests":[{"item":"<id>","quantity":1,"unitAmount":"199.90","reserve":true,` +
			`"learners":[{"firstName":"…","lastName":"…","email":"…"}]}],"requestId":"<optional>"}`,
	}
	// Progress moves the opportunity to another step.
	Progress = Message[opportunity.Progress, opportunity.Outcome]{
		Name:        string(opportunity.MessageProgress),
		Description: `Move to another step: {"to":"<name or id of the step>","requestId":"<optional>"}`,
	}
	// UpdateDetails sets name, account or currency.
	UpdateDetails = Message[opportunity.UpdateDetails, opportunity.Outcome]{
		Name:        string(opportunity.MessageUpdateDetails),
		Description: `Set details: {"name":"…","account":"<name or id>","currency":"USD","requestId":"<optional>"}; leave out what stays`,
	}
	// ExtendReservations sets until when the places are reserved.
	ExtendReservations = Message[opportunity.ExtendReservations, opportunity.Outcome]{
		Name:        string(opportunity.MessageExtendReservations),
		Description: `Hold all places until another time: {"until":"2026-12-31T17:00:00Z","requestId":"<optional>"}`,
	}
	// Pause stops everything that would be sent to the TMS.
	Pause = Message[opportunity.Pause, opportunity.Outcome]{
		Name:        string(opportunity.MessagePause),
		Description: `Operators: send nothing to the TMS until resume; signals wait, updates are refused: {"reason":"<optional>"}`,
	}
	// Resume ends a pause.
	Resume = Message[opportunity.Resume, opportunity.Outcome]{
		Name:        string(opportunity.MessageResume),
		Description: `Operators: go on after a pause: {}`,
	}
	// Retry says that the change of a question was not made: the request is sent again.
	Retry = Message[opportunity.Retry, opportunity.Outcome]{
		Name:        string(opportunity.MessageRetry),
		Description: `Operators: answer a question: I checked, it did not happen; send it again: {"request":"<id>"}`,
	}
	// Confirm says that the change of a question was made.
	Confirm = Message[opportunity.Confirm, opportunity.Outcome]{
		Name:        string(opportunity.MessageConfirm),
		Description: `Operators: answer a question: I checked, it did happen; go on: {"request":"<id>"}`,
	}
	// Skip drops the request of a question.
	Skip = Message[opportunity.Skip, opportunity.Outcome]{
		Name:        string(opportunity.MessageSkip),
		Description: `Operators: answer a question: never mind, go on without it: {"request":"<id>","reason":"…"}`,
	}
	// Refresh reads the record again and ends a wait for the API early.
	Refresh = Message[opportunity.Refresh, opportunity.Outcome]{
		Name:        string(opportunity.MessageRefresh),
		Description: `Operators: read the record again from the TMS, and wait for the API no longer: {}`,
	}
	// Snooze delays a planned follow-up.
	Snooze = Message[opportunity.Snooze, opportunity.Outcome]{
		Name:        string(opportunity.MessageSnooze),
		Description: `Operators: do a planned follow-up not before a time: {"followUp":"<key>","until":"2026-12-31T17:00:00Z","reason":"<optional>"}`,
	}
	// CancelFollowUp cancels a planned follow-up for good.
	CancelFollowUp = Message[opportunity.CancelFollowUp, opportunity.Outcome]{
		Name:        string(opportunity.MessageCancelFollowUp),
		Description: `Operators: never do a planned follow-up: {"followUp":"<key>","reason":"…"}`,
	}
	// Close ends the run and leaves the step in the TMS unchanged.
	Close = Message[opportunity.Close, opportunity.Outcome]{
		Name:        string(opportunity.MessageClose),
		Description: `Operators: end this run; what waits fails, places are released, the step stays: {"reason":"…"}`,
	}
	// CreateOutcome returns when the record exists; only an update.
	CreateOutcome = Message[CreateOutcomeInput, opportunity.CreateOutcome]{
		Name:        "opened",
		Description: `Answers when the record exists in the TMS: {} or {"start":{…}}, which must equal the start of this run`,
	}
	// View returns the view; only a query.
	View = Message[struct{}, opportunity.View]{
		Name:        "view",
		Description: "The whole picture of the opportunity, without a call to the API",
	}
	// OutcomeOf returns the outcome of one request; only a query.
	OutcomeOf = Message[OutcomeInput, opportunity.Outcome]{
		Name:        "outcome",
		Description: `What became of one request: {"requestId":"<id>"}`,
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

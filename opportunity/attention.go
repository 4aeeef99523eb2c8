package opportunity

import "time"

// Question is the request to an operator to say whether a change in doubt was made.
type Question struct {
	Request     string      `json:"request"`
	MessageName MessageName `json:"message"`
	Text        string      `json:"text"`
	Since       time.Time   `json:"since"`
}

// AttentionKind is the kind of an Attention.
type AttentionKind string

// The kinds of attention.
const (
	// AttentionUndecided: a question waits for an operator.
	AttentionUndecided AttentionKind = "undecided"
	// AttentionAPI: the API cannot be reached.
	AttentionAPI AttentionKind = "api"
	// AttentionCredentials: the API rejects the worker's credentials.
	AttentionCredentials AttentionKind = "credentials"
	// AttentionOperation: one operation fails. Either the API returns server errors for the
	// operation, or the worker does not support the operation.
	AttentionOperation AttentionKind = "operation"
	// AttentionClock: the worker's clock differs from the Temporal server's, or the
	// worker is too slow to send in time.
	AttentionClock AttentionKind = "clock"
	// AttentionLimit: a limit is reached, of the API or of the Temporal server.
	AttentionLimit AttentionKind = "limit"
	// AttentionService: a service of the tenant does not respond.
	AttentionService AttentionKind = "service"
	// AttentionReservation: requested places are not reserved, reserved places have expired, or
	// places could not be released.
	AttentionReservation AttentionKind = "reservation"
	// AttentionRecord: the record cannot be read, because the TMS does not have it any more or the
	// API refuses to show it.
	AttentionRecord AttentionKind = "record"
	// AttentionFailed: a request failed, and no caller waits for its outcome.
	AttentionFailed AttentionKind = "failed"
	// AttentionMessage: a message could not be accepted, for example because it could not be read.
	AttentionMessage AttentionKind = "message"
	// AttentionParked: the API keeps failing a command; the other commands go on.
	AttentionParked AttentionKind = "parked"
	// AttentionEffect: an effect could not be done or undone.
	AttentionEffect AttentionKind = "effect"
	// AttentionFollowUp: a follow-up has a message for an operator.
	AttentionFollowUp AttentionKind = "followUp"
	// AttentionPlaybook: the playbook could not decide something about the record.
	AttentionPlaybook AttentionKind = "playbook"
	// AttentionPaused: an operator paused the opportunity.
	AttentionPaused AttentionKind = "paused"
)

// Attention is an entry that says that a person should look at the opportunity.
type Attention struct {
	Kind    AttentionKind `json:"kind"`
	Request string        `json:"request,omitempty"`
	Reason  string        `json:"reason"`
	Since   time.Time     `json:"since"`
}

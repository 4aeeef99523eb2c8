package opportunity

import "time"

// Question is a question that only an operator can answer: whether a change
// happened.
type Question struct {
	Request     string      `json:"request"`
	MessageName MessageName `json:"message"`
	Text        string      `json:"text"`
	Since       time.Time   `json:"since"`
}

// AttentionKind says what kind of matter needs attention.
type AttentionKind string

// The kinds of attention.
const (
	// AttentionUndecided: a question waits for an operator.
	AttentionUndecided AttentionKind = "undecided"
	// AttentionAPI: the API cannot be reached.
	AttentionAPI AttentionKind = "api"
	// AttentionCredentials: the API refuses the worker's credentials.
	AttentionCredentials AttentionKind = "credentials"
	// AttentionOperation: the API returns errors of its own for one operation.
	AttentionOperation AttentionKind = "operation"
	// AttentionClock: the worker's clock differs from the Temporal server's, or the
	// worker is too slow to send in time.
	AttentionClock AttentionKind = "clock"
	// AttentionLimit: a limit is reached, of the API or of the Temporal server.
	AttentionLimit AttentionKind = "limit"
	// AttentionService: a service of the tenant does not respond.
	AttentionService AttentionKind = "service"
	// AttentionReservation: places were asked for and are not held.
	AttentionReservation AttentionKind = "reservation"
	// AttentionFailed: a request without a waiting caller failed.
	AttentionFailed AttentionKind = "failed"
	// AttentionMessage: a message could not be read.
	AttentionMessage AttentionKind = "message"
	// AttentionParked: the API fails to carry a command out; the others go on.
	AttentionParked AttentionKind = "parked"
	// AttentionEffect: a side effect could not be done or undone.
	AttentionEffect AttentionKind = "effect"
	// AttentionFollowUp: a follow-up has a message for an operator.
	AttentionFollowUp AttentionKind = "followUp"
	// AttentionPlaybook: the playbook could not decide something about the record.
	AttentionPlaybook AttentionKind = "playbook"
	// AttentionPaused: an operator keeps everything from being sent.
	AttentionPaused AttentionKind = "paused"
)

// Attention is something a human should look at.
type Attention struct {
	Kind    AttentionKind `json:"kind"`
	Request string        `json:"request,omitempty"`
	Reason  string        `json:"reason"`
	Since   time.Time     `json:"since"`
}

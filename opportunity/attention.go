package opportunity

import "time"

// Question is a question that only an operator can answer: whether a change
// happened.
type Question struct {
	Request string    `json:"request"`
	Verb    Verb      `json:"verb"`
	Text    string    `json:"text"`
	Since   time.Time `json:"since"`
}

// Word is one fixed word for what needs attention.
type Word string

// The words of attention.
const (
	// AttentionUndecided: a question waits for an operator.
	AttentionUndecided Word = "undecided"
	// AttentionAPI: the API cannot be reached.
	AttentionAPI Word = "api"
	// AttentionCredentials: the API refuses the worker's credentials.
	AttentionCredentials Word = "credentials"
	// AttentionOperation: the API returns errors of its own for one operation.
	AttentionOperation Word = "operation"
	// AttentionClock: the worker's clock differs from the Temporal server's, or the
	// worker is too slow to send in time.
	AttentionClock Word = "clock"
	// AttentionLimit: a limit is reached, of the API or of the Temporal server.
	AttentionLimit Word = "limit"
	// AttentionService: a service of the tenant does not respond.
	AttentionService Word = "service"
	// AttentionReservation: places were asked for and are not held.
	AttentionReservation Word = "reservation"
	// AttentionFailed: a request without a waiting caller failed.
	AttentionFailed Word = "failed"
	// AttentionMessage: a message could not be read.
	AttentionMessage Word = "message"
	// AttentionParked: the API fails to carry a command out; the others go on.
	AttentionParked Word = "parked"
	// AttentionEffect: a side effect could not be done or undone.
	AttentionEffect Word = "effect"
	// AttentionFollowUp: a follow-up has a message for an operator.
	AttentionFollowUp Word = "followUp"
	// AttentionPlaybook: the playbook could not decide something about the record.
	AttentionPlaybook Word = "playbook"
	// AttentionPaused: an operator keeps everything from being sent.
	AttentionPaused Word = "paused"
)

// Attention is something a human should look at.
type Attention struct {
	Word    Word      `json:"word"`
	Request string    `json:"request,omitempty"`
	Text    string    `json:"text"`
	Since   time.Time `json:"since"`
}

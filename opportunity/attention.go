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
	// AttentionClock: the worker's clock differs from the clock of the Temporal server, or the
	// worker is too slow to send in time.
	AttentionClock AttentionKind = "clock"
	// AttentionLimit: a limit of the API or of the Temporal server is reached.
	AttentionLimit AttentionKind = "limit"
	// AttentionService: a service of the tenant does not respond.
	AttentionService AttentionKind = "service"
	// AttentionReservation: requested places are not reserved, reserved places have expired, or
	// places could not be released.
	AttentionReservation AttentionKind = "reservation"
	// AttentionRecord: the record cannot be read, because the TMS no longer has the record or
	// because the API refuses access to the record.
	AttentionRecord AttentionKind = "record"
	// AttentionFailed: a request failed, and no caller waits for its outcome.
	AttentionFailed AttentionKind = "failed"
	// AttentionMessage: a message could not be accepted, for example because the run could not
	// decode the message.
	AttentionMessage AttentionKind = "message"
	// AttentionParked: the API repeatedly returns its own errors for a command; the other commands
	// go on.
	AttentionParked AttentionKind = "parked"
	// AttentionEffect: an effect could not be done or undone.
	AttentionEffect AttentionKind = "effect"
	// AttentionFollowUp: a follow-up has a message for an operator.
	AttentionFollowUp AttentionKind = "followUp"
	// AttentionPlaybook: a plan for the opportunity has problems, or Oppflow could not make a plan.
	AttentionPlaybook AttentionKind = "playbook"
	// AttentionPaused: an operator paused the opportunity.
	AttentionPaused AttentionKind = "paused"
)

// Attention is an entry in the view that says that a person should inspect the opportunity.
type Attention struct {
	Kind    AttentionKind `json:"kind"`
	Request string        `json:"request,omitempty"`
	Reason  string        `json:"reason"`
	Since   time.Time     `json:"since"`
}

// MessageAcknowledge is the name of the message that removes attention.
const MessageAcknowledge MessageName = "acknowledge"

// Acknowledge removes attention that only informs an operator, such as attention about a failed
// request.
type Acknowledge struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
	// Request is the request of the attention entry in the view.
	Request string `json:"request" text:"required"`
	// Kind is the kind of the attention entry. Without a kind, the message removes all attention
	// about the request.
	Kind string `json:"kind,omitempty" text:"optional"`
}

// MessageName implements OperatorCommand.
func (Acknowledge) MessageName() MessageName { return MessageAcknowledge }

// GetRequestID implements OperatorCommand.
func (a Acknowledge) GetRequestID() string { return a.RequestID }

// WithRequestID implements OperatorCommand.
func (a Acknowledge) WithRequestID(id string) OperatorCommand { a.RequestID = id; return a }

// Validate implements OperatorCommand.
func (a Acknowledge) Validate() error { return validateMembers(a) }

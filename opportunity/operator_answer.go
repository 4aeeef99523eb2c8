package opportunity

// These are the names of two operator answers to a question about a change in doubt.
const (
	MessageRetry MessageName = "retry"
	MessageSkip  MessageName = "skip"
)

// Retry is an operator's answer that a change was not made and must be sent again.
type Retry struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
	// Request is the id of the request, or the key of the effect, that the question is about.
	Request string `json:"request" text:"required"`
}

// Skip is an operator's decision that Oppflow does not carry out a request.
type Skip struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
	// Request is the id of the request, or the key of the effect, that the question is about.
	Request string `json:"request" text:"required"`
	// Reason is kept with the outcome.
	Reason string `json:"reason" text:"required"`

	UndoEffects bool `json:"-"` // set by WithUndo
}

// WithUndo returns the same answer, which then also undoes the effects before a parked transition.
// The undo is safe, because each read of the record showed that the parked transition was not made.
func (s Skip) WithUndo() Skip { s.UndoEffects = true; return s }

// MessageName implements OperatorCommand.
func (Retry) MessageName() MessageName { return MessageRetry }

// MessageName implements OperatorCommand.
func (Skip) MessageName() MessageName { return MessageSkip }

// GetRequestID implements OperatorCommand.
func (r Retry) GetRequestID() string { return r.RequestID }

// GetRequestID implements OperatorCommand.
func (s Skip) GetRequestID() string { return s.RequestID }

// WithRequestID implements OperatorCommand.
func (r Retry) WithRequestID(id string) OperatorCommand { r.RequestID = id; return r }

// WithRequestID implements OperatorCommand.
func (s Skip) WithRequestID(id string) OperatorCommand { s.RequestID = id; return s }

// Validate implements OperatorCommand.
func (r Retry) Validate() error { return validateMembers(r) }

// Validate implements OperatorCommand.
func (s Skip) Validate() error { return validateMembers(s) }

// MessageConfirm is the name of the message with which an operator answers that a change was
// made.
const MessageConfirm MessageName = "confirm"

// Confirm is an operator's answer that a change was made: the request ends as done, and Oppflow
// reads the record once more.
type Confirm struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
	// Request is the id of the request, or the key of the effect, that the question is about.
	Request string `json:"request" text:"required"`
	// Opportunity is the id of the record, when the question is whether the record was created.
	Opportunity ID `json:"opportunity,omitempty"`
}

// MessageName implements OperatorCommand.
func (Confirm) MessageName() MessageName { return MessageConfirm }

// GetRequestID implements OperatorCommand.
func (c Confirm) GetRequestID() string { return c.RequestID }

// WithRequestID implements OperatorCommand.
func (c Confirm) WithRequestID(id string) OperatorCommand { c.RequestID = id; return c }

// Validate implements OperatorCommand.
func (c Confirm) Validate() error {
	if err := validateMembers(c); err != nil {
		return err
	}
	if c.Opportunity != "" && c.Opportunity.Type() != TypeOpportunity {
		return Invalidf("opportunity: %q is not the id of an opportunity; the TMS shows the id", Truncate(string(c.Opportunity), MaxErrorLabel))
	}
	return nil
}

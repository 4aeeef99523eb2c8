package opportunity

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

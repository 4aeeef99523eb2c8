package opportunity

// MessageCancelFollowUp is the name of the message that cancels a planned follow-up.
const MessageCancelFollowUp MessageName = "cancelFollowUp"

// CancelFollowUp cancels a planned follow-up permanently.
type CancelFollowUp struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
	// FollowUp is the key of the follow-up in the view.
	FollowUp string `json:"followUp" text:"required"`
	// Reason is the text that the view shows with the cancelled follow-up.
	Reason string `json:"reason" text:"required"`
}

// MessageName implements OperatorCommand.
func (CancelFollowUp) MessageName() MessageName { return MessageCancelFollowUp }

// GetRequestID implements OperatorCommand.
func (c CancelFollowUp) GetRequestID() string { return c.RequestID }

// WithRequestID implements OperatorCommand.
func (c CancelFollowUp) WithRequestID(id string) OperatorCommand { c.RequestID = id; return c }

// Validate implements OperatorCommand.
func (c CancelFollowUp) Validate() error { return validateMembers(c) }

package opportunity

import "time"

// MessageRefresh is the name of the message that requests another read of the record.
const MessageRefresh MessageName = "refresh"

// Refresh requests another read of the record, because a person may have changed the record in the
// TMS. A refresh also ends a wait for the API early.
type Refresh struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
	// StepSeenAt is when the sender last found the record in the step that the view shows. StepSeenAt
	// helps to decide whether a transition by hand is noticed late. If StepSeenAt is omitted, the run
	// decides only from its own reads of the record.
	StepSeenAt time.Time `json:"stepSeenAt,omitzero"`
}

// MessageName implements OperatorCommand.
func (Refresh) MessageName() MessageName { return MessageRefresh }

// GetRequestID implements OperatorCommand.
func (r Refresh) GetRequestID() string { return r.RequestID }

// WithRequestID implements OperatorCommand. The returned command has StepSeenAt in UTC, so that the
// same moment gives the same operator command in every time zone.
func (r Refresh) WithRequestID(id string) OperatorCommand {
	r.RequestID, r.StepSeenAt = id, r.StepSeenAt.UTC()
	return r
}

// Validate implements OperatorCommand.
func (r Refresh) Validate() error { return validateMembers(r) }

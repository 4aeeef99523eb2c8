package opportunity

// The names of two operator answers to a question about a change in doubt.
const (
	MessageRetry MessageName = "retry"
	MessageSkip  MessageName = "skip"
)

// Retry is an operator's answer that a change was not made and must be sent again.
type Retry struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair scheduling: at most 64 bytes, no personal data.
	Source string `json:"source,omitempty"`
	// Request is the id of the request that the question is about, or the key of an effect.
	Request string `json:"request"`
}

// Skip is an operator's decision not to carry the request out.
type Skip struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair scheduling: at most 64 bytes, no personal data.
	Source string `json:"source,omitempty"`
	// Request is the id of the request that the question is about, or the key of an effect.
	Request string `json:"request"`
	// Reason is kept with the outcome.
	Reason string `json:"reason"`

	UndoEffects bool `json:"-"` // set by WithUndo
}

// WithUndo returns the answer that also undoes the effects of a parked transition. Each read of
// the record showed that such a transition was not made.
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
func (r Retry) Validate() error {
	if err := validateHeader(r.RequestID, r.Source); err != nil {
		return err
	}
	return validateText("request", r.Request)
}

// Validate implements OperatorCommand.
func (s Skip) Validate() error {
	if err := validateHeader(s.RequestID, s.Source); err != nil {
		return err
	}
	if err := validateText("request", s.Request); err != nil {
		return err
	}
	return validateText("reason", s.Reason)
}

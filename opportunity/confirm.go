package opportunity

// MessageConfirm is the name of the message with which an operator answers that a change was
// made.
const MessageConfirm MessageName = "confirm"

// Confirm is an operator's answer that a change was made: the request ends as done, and the
// record is read again.
type Confirm struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair scheduling: at most 64 bytes, no personal data.
	Source string `json:"source,omitempty"`
	// Request is the id of the request that the question is about, or the key of an effect.
	Request string `json:"request"`
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
	if err := validateHeader(c.RequestID, c.Source); err != nil {
		return err
	}
	if err := validateText("request", c.Request); err != nil {
		return err
	}
	if c.Opportunity != "" && c.Opportunity.Type() != TypeOpportunity {
		return Invalidf("opportunity: %q is not the id of an opportunity; the TMS shows the id", Truncate(string(c.Opportunity), MaxErrorLabel))
	}
	return nil
}

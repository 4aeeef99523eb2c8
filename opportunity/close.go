package opportunity

import "time"

// MessageClose is the name of the message that ends the run of an opportunity.
const MessageClose MessageName = "close"

// Close ends the run and releases the reservation of the opportunity. A waiting request fails as
// Closed, or as Undecided when its change may have been made. The step in the TMS stays unchanged.
type Close struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
	Reason string `json:"reason" text:"required"`
}

// CloseInfo says why the run ends before the opportunity is won, lost or archived.
type CloseInfo struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// MessageName implements OperatorCommand.
func (Close) MessageName() MessageName { return MessageClose }

// GetRequestID implements OperatorCommand.
func (c Close) GetRequestID() string { return c.RequestID }

// WithRequestID implements OperatorCommand.
func (c Close) WithRequestID(id string) OperatorCommand { c.RequestID = id; return c }

// Validate implements OperatorCommand.
func (c Close) Validate() error { return validateMembers(c) }

// RequestError returns the error of requests that the closed opportunity does not carry out.
func (c CloseInfo) RequestError() *Error {
	return Failf(Closed, "an operator closed the opportunity before the request was carried out: %s", c.Reason)
}

package opportunity

import "time"

// VerbClose ends the run of an opportunity.
const VerbClose Verb = "close"

// Close ends the run. Waiting requests are reported failed as Closed, places are given back, and the step in the
// TMS stays as it is.
type Close struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair turns of requests: at most 64 bytes, no personal data.
	Source string `json:"source,omitempty"`
	Reason string `json:"reason"`
}

// Closing says why the run ends before the opportunity is won, lost or archived.
type Closing struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// Verb implements Instruction.
func (Close) Verb() Verb { return VerbClose }

// ID implements Instruction.
func (c Close) ID() string { return c.RequestID }

// WithID implements Instruction.
func (c Close) WithID(id string) Instruction { c.RequestID = id; return c }

// Validate implements Instruction.
func (c Close) Validate() error {
	if err := validHeading(c.RequestID, c.Source); err != nil {
		return err
	}
	return validText("reason", c.Reason)
}

// startClosing stores the first reason; a second close changes nothing.
func (s *State) startClosing(c Close, now time.Time) {
	if s.Closing != nil {
		return
	}
	s.Closing = &Closing{Reason: c.Reason, Since: now}
	s.note(now, "closed by an operator")
}

// Told returns the error of requests that the closed opportunity does not carry out.
func (c Closing) Told() *Error {
	return Failf(Closed, "an operator closed the opportunity before the request was carried out: %s", c.Reason)
}

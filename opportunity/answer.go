package opportunity

// The verbs for an operator's answer to a question about a change whose fate reading could not decide.
const (
	VerbRetry Verb = "retry"
	VerbSkip  Verb = "skip"
)

// Retry is an operator's answer to a question: I checked, it did not happen, so carry it out.
type Retry struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair turns of requests: at most 64 bytes, no personal data.
	Source string `json:"source,omitempty"`
	// Request is the id of the request that the question is about.
	Request string `json:"request"`
}

// Skip is an operator's answer to a question: never mind.
type Skip struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair turns of requests: at most 64 bytes, no personal data.
	Source string `json:"source,omitempty"`
	// Request is the id of the request that the question is about.
	Request string `json:"request"`
	// Reason is kept with the outcome.
	Reason string `json:"reason"`

	undoes bool // see Undoing
}

// Undoing returns the answer that also undoes the effects of a parked move. Each read showed that such a move was
// not made.
func (s Skip) Undoing() Skip { s.undoes = true; return s }

// Verb implements Instruction.
func (Retry) Verb() Verb { return VerbRetry }

// Verb implements Instruction.
func (Skip) Verb() Verb { return VerbSkip }

// ID implements Instruction.
func (r Retry) ID() string { return r.RequestID }

// ID implements Instruction.
func (s Skip) ID() string { return s.RequestID }

// WithID implements Instruction.
func (r Retry) WithID(id string) Instruction { r.RequestID = id; return r }

// WithID implements Instruction.
func (s Skip) WithID(id string) Instruction { s.RequestID = id; return s }

// Validate implements Instruction.
func (r Retry) Validate() error {
	if err := validHeading(r.RequestID, r.Source); err != nil {
		return err
	}
	return validText("request", r.Request)
}

// Validate implements Instruction.
func (s Skip) Validate() error {
	if err := validHeading(s.RequestID, s.Source); err != nil {
		return err
	}
	if err := validText("request", s.Request); err != nil {
		return err
	}
	return validText("reason", s.Reason)
}

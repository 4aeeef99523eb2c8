package opportunity

import "time"

// MessageConfirm is the verb of an operator's answer: it did happen.
const MessageConfirm MessageName = "confirm"

// Confirm is an operator's answer to a question: I checked, it did happen. The request ends as done, and the record
// is read again.
type Confirm struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair turns of requests: at most 64 bytes, no personal data.
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
		return Invalidf("opportunity: %q is not the id of an opportunity; the TMS shows the id", truncate(string(c.Opportunity), MaxErrorLabel))
	}
	return nil
}

// checkConfirm reports why the confirm does not apply.
func (s *State) checkConfirm(c Confirm) error {
	switch asks := s.isCreateQuestion(c.Request); {
	case asks && c.Opportunity == "":
		return Invalidf("opportunity: missing; give the id of the record that was created")
	case !asks && c.Opportunity != "":
		return Invalidf("opportunity: the question is not whether the record was created; leave it out")
	}
	return s.checkInDoubt(c.Request)
}

// confirm handles the answer that it did happen, so the record is read again.
func (s *State) confirm(c Confirm, now time.Time) {
	if s.isCreateQuestion(c.Request) {
		s.resolveCreateQuestion("an operator answered confirm: the record was created", now)
		s.Start.Adopt = c.Opportunity
		return
	}
	s.RefreshDue = true
	if j := s.activeEffect(c.Request); j != nil && s.isEffectActive(c.Request) {
		s.appendTimeline(now, "an operator answered confirm: "+string(j.Effect.Kind))
		s.clearEffectAttention(c.Request)
		j.Attempted, j.MayHaveApplied, j.Problem, j.NotBefore = true, true, "", time.Time{}
		s.completeEffect(j, now)
		return
	}
	e, parked := s.unpark(c.Request)
	if !parked {
		at, err := s.findInDoubt(c.Request)
		if err != nil {
			return // cannot happen: applies has checked it
		}
		e = s.Queue[at]
		s.Queue = append(s.Queue[:at:at], s.Queue[at+1:]...)
	}
	s.appendTimeline(now, "an operator answered confirm: "+e.Summary())
	if e.MessageName == MessageProgress {
		s.endTransition(e.Request, nil, now)
	}
	s.dispatchRequestEnd(e.confirmedEnd(now))
	s.updateQuestion(now)
}

// confirmedEnd returns the event that the request ended as done on an operator's word. For interests without a known
// id, only the record holds more facts.
func (e QueuedCommand) confirmedEnd(now time.Time) requestEnd {
	ended := requestEnd{command: e, outcome: Outcome{RequestID: e.Request, State: Done}, at: now, confirmed: true}
	c, err := e.command()
	add, ok := c.(AddInterests)
	if err != nil || !ok {
		return ended
	}
	if e.Results == nil {
		e.Results = make([]InterestResult, len(add.Interests))
	}
	for i := range e.Results {
		if !e.Results[i].isFinal() {
			e.Results[i] = InterestResult{Item: add.Interests[i].Item}
			ended.needsExpiry = ended.needsExpiry || !e.LaterExpirySet && add.Interests[i].Reserve
		}
	}
	ended.outcome.Results = e.Results
	return ended
}

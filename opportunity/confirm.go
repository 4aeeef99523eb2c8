package opportunity

import "time"

// VerbConfirm is the verb of an operator's answer: it did happen.
const VerbConfirm Verb = "confirm"

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

// Verb implements Instruction.
func (Confirm) Verb() Verb { return VerbConfirm }

// ID implements Instruction.
func (c Confirm) ID() string { return c.RequestID }

// WithID implements Instruction.
func (c Confirm) WithID(id string) Instruction { c.RequestID = id; return c }

// Validate implements Instruction.
func (c Confirm) Validate() error {
	if err := validHeading(c.RequestID, c.Source); err != nil {
		return err
	}
	if err := validText("request", c.Request); err != nil {
		return err
	}
	if c.Opportunity != "" && c.Opportunity.Type() != TypeOpportunity {
		return Invalidf("opportunity: %q is not the id of an opportunity; the TMS shows the id", clip(string(c.Opportunity), MaxKeptLabel))
	}
	return nil
}

// mayConfirm reports why the confirm does not apply.
func (s *State) mayConfirm(c Confirm) error {
	switch asks := s.asksAboutCreate(c.Request); {
	case asks && c.Opportunity == "":
		return Invalidf("opportunity: missing; give the id of the record that was created")
	case !asks && c.Opportunity != "":
		return Invalidf("opportunity: the question is not whether the record was created; leave it out")
	}
	return s.doubts(c.Request)
}

// confirm handles the answer that it did happen, so the record is read again.
func (s *State) confirm(c Confirm, now time.Time) {
	if s.asksAboutCreate(c.Request) {
		s.answerCreate("an operator answered confirm: the record was created", now)
		s.Start.Adopt = c.Opportunity
		return
	}
	s.RefreshDue = true
	if j := s.job(c.Request); j != nil && s.isActive(c.Request) {
		s.note(now, "an operator answered confirm: "+string(j.Effect.Kind))
		s.calmJob(c.Request)
		j.Begun, j.Touched, j.Problem, j.NotBefore = true, true, "", time.Time{}
		s.jobStands(j, now)
		return
	}
	e, parked := s.unpark(c.Request)
	if !parked {
		at, err := s.doubted(c.Request)
		if err != nil {
			return // cannot happen: applies has checked it
		}
		e = s.Queue[at]
		s.Queue = append(s.Queue[:at:at], s.Queue[at+1:]...)
	}
	s.note(now, "an operator answered confirm: "+e.Summary())
	if e.Verb == VerbProgress {
		s.moveEnded(e.Request, nil, now)
	}
	s.ended(e.confirmed(now))
	s.ask(now)
}

// confirmed returns the event that the request ended as done on an operator's word. For interests without a known
// id, only the record holds more facts.
func (e Entry) confirmed(now time.Time) requestEnded {
	ended := requestEnded{entry: e, outcome: Outcome{RequestID: e.Request, State: Done}, at: now, confirmed: true}
	c, err := e.command()
	add, ok := c.(AddInterests)
	if err != nil || !ok {
		return ended
	}
	if e.Results == nil {
		e.Results = make([]InterestResult, len(add.Interests))
	}
	for i := range e.Results {
		if !e.Results[i].settled() {
			e.Results[i] = InterestResult{Item: add.Interests[i].Item}
			ended.unheld = ended.unheld || !e.Lapses && add.Interests[i].Reserve
		}
	}
	ended.outcome.Results = e.Results
	return ended
}

package opportunity

// Retry is an operator's answer to a question: I checked, it did not happen;
// carry it out.
type Retry struct {
	// Request is the id of the request the question is about.
	Request string `json:"request"`
}

// Skip is an operator's answer to a question: it did happen, or never mind.
type Skip struct {
	// Request is the id of the request the question is about.
	Request string `json:"request"`
	// Reason is kept with the outcome.
	Reason string `json:"reason"`
}

// Validate reports the first mistake as an Invalid error.
func (r Retry) Validate() error { return validText("request", r.Request) }

// Validate reports the first mistake as an Invalid error.
func (s Skip) Validate() error {
	if err := validText("request", s.Request); err != nil {
		return err
	}
	return validText("reason", s.Reason)
}

package opportunity

import "time"

// StoredOutcome is an outcome that can be asked for again.
type StoredOutcome struct {
	Outcome
	MessageName MessageName `json:"verb"`
	At          time.Time   `json:"at"`
	// Size is how many bytes of JSON the outcome takes.
	Size int `json:"size"`
}

// isFinal reports whether the result of the interest is known.
func (r InterestResult) isFinal() bool { return r.Interest != "" || r.Error != nil }

package opportunity

import "time"

// Kept is an outcome that can be asked for again.
type Kept struct {
	Outcome
	Verb Verb      `json:"verb"`
	At   time.Time `json:"at"`
	// Size is how many bytes of JSON the outcome takes.
	Size int `json:"size"`
}

// settled reports whether the result of the interest is known.
func (r InterestResult) settled() bool { return r.Interest != "" || r.Error != nil }

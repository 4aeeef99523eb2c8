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

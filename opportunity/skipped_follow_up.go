package opportunity

// SkippedFollowUp is a follow-up that will not be done.
type SkippedFollowUp struct {
	Key string `json:"key"`
	// Reason is cap or late.
	Reason SkipReason `json:"reason"`
}

// SkipReason says why a follow-up will not be done.
type SkipReason string

// The reasons.
const (
	// SkippedByCap: the opportunity already had its full number of follow-ups.
	SkippedByCap SkipReason = "cap"
	// SkippedTooLate: the follow-up must precede an event that is over by its earliest time.
	SkippedTooLate SkipReason = "late"
)

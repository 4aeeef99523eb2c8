package opportunity

// SkippedFollowUp is a follow-up that will not be done.
type SkippedFollowUp struct {
	Key string `json:"key"`
	// Reason is cap or late.
	Reason SkipReason `json:"reason"`
}

// SkipReason says why a follow-up will not be done.
type SkipReason string

// The reasons for skipping a follow-up.
const (
	// SkippedByCap: the opportunity already has its full number of follow-ups.
	SkippedByCap SkipReason = "cap"
	// SkippedTooLate: the earliest time of the follow-up is not before the moment that the
	// follow-up must precede.
	SkippedTooLate SkipReason = "late"
)

package opportunity

// SkippedFollowUp is a follow-up that will not be done.
type SkippedFollowUp struct {
	Key string `json:"key"`
	// Reason is cap, late or notSent.
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
	// SkippedNotSent: the follow-up comes after mails or calls of its rule, and one of them was not
	// sent.
	SkippedNotSent SkipReason = "notSent"
)

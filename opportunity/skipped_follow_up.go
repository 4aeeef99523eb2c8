package opportunity

// SkippedFollowUp is a follow-up that will not be done.
type SkippedFollowUp struct {
	Key    string     `json:"key"`
	Reason SkipReason `json:"reason"`
}

// SkipReason says why a follow-up will not be done.
type SkipReason string

// The reasons for skipping a follow-up.
const (
	// SkippedByCap: the opportunity already had the maximum number of follow-ups.
	SkippedByCap SkipReason = "cap"
	// SkippedTooLate: the earliest possible time of the follow-up is not before the deadline of the
	// follow-up, such as the start of the event.
	SkippedTooLate SkipReason = "late"
	// SkippedNotSent: an earlier mail or call of the same follow-up rule was not sent.
	SkippedNotSent SkipReason = "notSent"
)

package chaos

import "time"

// KillPoint is where in the life of a request or a run a worker was killed.
type KillPoint string

// The places.
const (
	// BeforeSend: an activity had begun, and its request was not sent yet.
	BeforeSend KillPoint = "before send"
	// BeforeAnswer: the request was sent and not answered.
	BeforeAnswer KillPoint = "sent and unanswered"
	// BeforeReport: the API answered the request, and Temporal does not know.
	BeforeReport KillPoint = "answered and unreported"
	// DuringContinueAsNew: a run had ended as continued, and the next one had done nothing yet.
	DuringContinueAsNew KillPoint = "during continue-as-new"
	// DuringCompletion: the move into an ending step had been reported, and the run had not ended.
	DuringCompletion KillPoint = "during completion"
	// AnyPoint: at any place.
	AnyPoint KillPoint = "anywhere"
)

// KillPoints are those that a storm must have visited.
func KillPoints() []KillPoint {
	return []KillPoint{BeforeSend, BeforeAnswer, BeforeReport, DuringContinueAsNew, DuringCompletion}
}

// Kill is a kill -9 of the workers, and what says where it met them.
type Kill struct {
	Point    KillPoint `json:"place"`
	At       time.Time `json:"at"`
	Evidence string    `json:"evidence"`
}

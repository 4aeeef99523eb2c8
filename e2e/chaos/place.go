package chaos

import "time"

// Place is where in the life of a request or a run a worker was killed.
type Place string

// The places.
const (
	// BeforeSend: an activity had begun, and its request was not sent yet.
	BeforeSend Place = "before send"
	// Unanswered: the request was sent and not answered.
	Unanswered Place = "sent and unanswered"
	// Unreported: the API answered the request, and Temporal does not know.
	Unreported Place = "answered and unreported"
	// Continuing: a run had ended as continued, and the next one had done nothing yet.
	Continuing Place = "during continue-as-new"
	// Completing: the move into an ending step had been reported, and the run had not ended.
	Completing Place = "during completion"
	// Anywhere: at any place.
	Anywhere Place = "anywhere"
)

// Places are those that a storm must have visited.
func Places() []Place { return []Place{BeforeSend, Unanswered, Unreported, Continuing, Completing} }

// Kill is a kill -9 of the workers, and what says where it met them.
type Kill struct {
	Place    Place     `json:"place"`
	At       time.Time `json:"at"`
	Evidence string    `json:"evidence"`
}

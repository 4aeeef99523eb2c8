package audit

import (
	"encoding/json"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Way is how a message was sent.
type Way string

// The ways.
const (
	BySignal Way = "signal"
	ByUpdate Way = "update"
)

// Fate is the result of a message, as its sender knows it.
type Fate string

// The fates of a message, as its sender knows it.
const (
	// Acknowledged: the signal was taken.
	Acknowledged Fate = "accepted"
	// Done: the update answered that it is done.
	Done Fate = "done"
	// Failed: the update answered that it failed.
	Failed Fate = "failed"
	// Pending: the update answered that it is under way.
	Pending Fate = "pending"
	// Refused: the message was not taken.
	Refused Fate = "refused"
	// Untold: sending failed. Whether the server took the message is unknown.
	Untold Fate = "unknown"
)

// Told is the note of a sender about one message that the sender sent once.
type Told struct {
	Sender int `json:"sender"`
	// Sequence counts what the sender sent, from 1.
	Sequence  int                   `json:"sequence"`
	Reference opportunity.Reference `json:"reference"`
	Request   string                `json:"request"`
	Verb      opportunity.Verb      `json:"verb"`
	Payload   json.RawMessage       `json:"payload"`
	Way       Way                   `json:"way"`
	Sent      time.Time             `json:"sent"`
	// Heard is when the sender got the answer.
	Heard   time.Time                    `json:"heard,omitzero"`
	Fate    Fate                         `json:"fate"`
	Results []opportunity.InterestResult `json:"results,omitempty"`
	Error   string                       `json:"error,omitempty"`
}

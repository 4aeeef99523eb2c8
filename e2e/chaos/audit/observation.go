package audit

import (
	"encoding/json"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Transport is how a message was sent.
type Transport string

// The ways.
const (
	BySignal Transport = "signal"
	ByUpdate Transport = "update"
)

// SendResult is the result of a message, as its sender knows it.
type SendResult string

// The fates of a message, as its sender knows it.
const (
	// Acknowledged: the signal was taken.
	Acknowledged SendResult = "accepted"
	// Done: the update answered that it is done.
	Done SendResult = "done"
	// Failed: the update answered that it failed.
	Failed SendResult = "failed"
	// Pending: the update answered that it is under way.
	Pending SendResult = "pending"
	// Refused: the message was not taken.
	Refused SendResult = "refused"
	// Unknown: sending failed. Whether the server took the message is unknown.
	Unknown SendResult = "unknown"
)

// Observation is the note of a sender about one message that the sender sent once.
type Observation struct {
	Sender int `json:"sender"`
	// Sequence counts what the sender sent, from 1.
	Sequence  int                     `json:"sequence"`
	Reference opportunity.Reference   `json:"reference"`
	Request   string                  `json:"request"`
	Message   opportunity.MessageName `json:"verb"`
	Payload   json.RawMessage         `json:"payload"`
	Transport Transport               `json:"way"`
	SentAt    time.Time               `json:"sent"`
	// AnsweredAt is when the sender got the answer.
	AnsweredAt time.Time                    `json:"heard,omitzero"`
	Result     SendResult                   `json:"fate"`
	Results    []opportunity.InterestResult `json:"results,omitempty"`
	Error      string                       `json:"error,omitempty"`
}

package audit

import (
	"encoding/json"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Transport is how a message was sent.
type Transport string

// The transports.
const (
	BySignal Transport = "signal"
	ByUpdate Transport = "update"
)

// SendResult is what the sender of a message knows about the result.
type SendResult string

// These constants are the results that a sender can get.
const (
	// Acknowledged: the signal was accepted.
	Acknowledged SendResult = "accepted"
	// Done: the outcome of the update is done.
	Done SendResult = "done"
	// Failed: the outcome of the update is failed.
	Failed SendResult = "failed"
	// Pending: the outcome of the update is pending.
	Pending SendResult = "pending"
	// Refused: the message was not accepted.
	Refused SendResult = "refused"
	// Unknown: sending failed. Whether the server accepted the message is unknown.
	Unknown SendResult = "unknown"
)

// Observation is what a sender recorded about one attempt to send a message. A repeated message has
// several observations.
type Observation struct {
	Sender int `json:"sender"`
	// Sequence is the position of the message among the messages of the sender, from 1.
	Sequence   int                          `json:"sequence"`
	Reference  opportunity.Reference        `json:"reference"`
	Request    string                       `json:"request"`
	Message    opportunity.MessageName      `json:"message"`
	Payload    json.RawMessage              `json:"payload"`
	Transport  Transport                    `json:"way"`
	SentAt     time.Time                    `json:"sent"`
	AnsweredAt time.Time                    `json:"heard,omitzero"`
	Result     SendResult                   `json:"result"`
	Results    []opportunity.InterestResult `json:"results,omitempty"`
	Error      string                       `json:"error,omitempty"`
}

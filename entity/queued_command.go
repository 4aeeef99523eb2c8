package entity

import (
	"encoding/json"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// QueuedCommand is a command that waits.
type QueuedCommand struct {
	Request     string                  `json:"request"`
	MessageName opportunity.MessageName `json:"verb"`
	Payload     json.RawMessage         `json:"payload"`
	Accepted    time.Time               `json:"accepted"`
	// ChangeCount is how many changes the command makes.
	ChangeCount int `json:"changes"`
	// Results holds one result per interest of an addInterests command, once the first interest
	// has a result. An interest without a final result has neither id nor error.
	Results []opportunity.InterestResult `json:"results,omitempty"`
	// InDoubt says that it is unknown whether the change was made, and that only an operator can
	// decide.
	InDoubt bool `json:"doubt,omitempty"`
	// LaterExpirySet says that the places of a command in doubt, if any, expire in time. The API
	// confirmed a later expiry for these places.
	LaterExpirySet bool `json:"lapses,omitempty"`
	// MaybeApplied says that the change was sent before with an unknown result. The change may
	// have been made already. The change is sent again, because a second send does no harm.
	MaybeApplied bool `json:"tried,omitempty"`
	// SendAlone says that the changes are sent one by one, because a request that contained one
	// of them failed as a whole.
	SendAlone bool `json:"alone,omitempty"`
	// NoWaiter says that no caller waits for the outcome, so that a failure needs attention.
	NoWaiter bool `json:"silent,omitempty"`
	// FromUpdate says that the command came as an update. After a reset, signals come before
	// updates, so that the order between the two is lost.
	FromUpdate bool `json:"called,omitempty"`
	// Errors counts the consecutive server errors of the API for API requests whose first command
	// is this command. FailingSince is the time of the first of these errors.
	Errors       int       `json:"errors,omitempty"`
	FailingSince time.Time `json:"failingSince,omitzero"`
}

// canonicalPayload returns the command in its stored form: without its request id, with one order
// of members, and with one format of amounts and times.
func canonicalPayload(c opportunity.Command) (json.RawMessage, error) {
	if extend, ok := c.(opportunity.ExtendReservations); ok {
		extend.Until = extend.Until.UTC()
		c = extend
	}
	data, err := json.Marshal(c.WithRequestID(""))
	if err != nil {
		return nil, opportunity.Invalidf("the message cannot be stored: %v", err)
	}
	return data, nil
}

// command decodes the payload.
func (e QueuedCommand) command() (opportunity.Command, error) {
	return opportunity.DecodeByName(e.MessageName, e.Payload)
}

// Summary describes the command in a few words without personal data.
func (e QueuedCommand) Summary() string {
	if e.MessageName == opportunity.MessageAddInterests && e.ChangeCount > 0 { // the only command that may be large; a view shows a hundred commands
		return opportunity.SummaryOfInterests(e.ChangeCount)
	}
	c, err := e.command()
	if err != nil {
		return string(e.MessageName)
	}
	return opportunity.Summary(c)
}

// remainingChangeCount returns how many changes of the command have no final result.
func (e QueuedCommand) remainingChangeCount() int {
	left := e.ChangeCount
	for _, r := range e.Results {
		if r.IsFinal() {
			left--
		}
	}
	return left
}

// changeCount returns how many changes the command makes.
func changeCount(c opportunity.Command) int {
	if add, ok := c.(opportunity.AddInterests); ok {
		return len(add.Interests)
	}
	return 1
}

// FairnessKey returns the fairness key with which Temporal dispatches the activities of many
// opportunities in turn. The key is the source of the start or of the first command, else the
// region, else "".
func (s *State) FairnessKey() string {
	source := ""
	switch {
	case s.Start != nil:
		return s.Start.FairnessKey()
	case len(s.Queue) > 0:
		source = s.Queue[0].source()
	}
	if source == "" {
		source = s.Details.Region.Name
	}
	if source == "" {
		source = string(s.Details.Region.ID)
	}
	return opportunity.TruncateBytes(source)
}

// IsUrgent reports whether the record is created before the records of starts that are not urgent.
func (s *State) IsUrgent() bool { return s.Start != nil && s.Start.Urgent }

// source returns the source of the command.
func (e QueuedCommand) source() string {
	c, err := e.command()
	if err != nil {
		return ""
	}
	return opportunity.SourceOf(c)
}

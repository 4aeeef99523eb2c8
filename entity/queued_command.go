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
	// Results contains one result for each interest of an addInterests command. Results is empty
	// until the first interest has a result. An interest without a final result has neither id nor
	// error.
	Results []opportunity.InterestResult `json:"results,omitempty"`
	// InDoubt says that it is unknown whether the API made the change, and that only an operator
	// can decide.
	InDoubt bool `json:"doubt,omitempty"`
	// LaterExpirySet says that the places that a command in doubt may have reserved have an expiry.
	// The API confirmed a later requested expiry for these places.
	LaterExpirySet bool `json:"lapses,omitempty"`
	// MaybeApplied says that the change was sent before and that its result is unknown. The change
	// is sent again, because a second send does no harm.
	MaybeApplied bool `json:"tried,omitempty"`
	// SendAlone says that the changes of the command are sent one by one, because an API request
	// with one of these changes failed as a whole.
	SendAlone bool `json:"alone,omitempty"`
	// NoWaiter says that no caller waits for the outcome, so that a failure raises attention.
	NoWaiter bool `json:"silent,omitempty"`
	// FromUpdate says that the command came as an update. After a reset, Temporal delivers all
	// signals before all updates, so the original order between signals and updates is lost.
	FromUpdate bool `json:"called,omitempty"`
	// Errors is the number of consecutive server errors of the API for API requests whose first
	// command is this command. FailingSince is the time of the first of these consecutive errors.
	Errors       int       `json:"errors,omitempty"`
	FailingSince time.Time `json:"failingSince,omitzero"`
}

// canonicalPayload returns the command in its stored form: without its request id, with a fixed
// order of members, and with one format for amounts and one for times.
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

func (e QueuedCommand) remainingChangeCount() int {
	left := e.ChangeCount
	for _, r := range e.Results {
		if r.IsFinal() {
			left--
		}
	}
	return left
}

func changeCount(c opportunity.Command) int {
	if add, ok := c.(opportunity.AddInterests); ok {
		return len(add.Interests)
	}
	return 1
}

// FairnessKey returns the fairness key with which Temporal dispatches the activities of many
// opportunities in turn. The fairness key is the source of the start or, when the start is no
// longer stored, the source of the first command. Without a source, the fairness key is the region
// or "".
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

// IsUrgent reports whether the start is urgent. The records of urgent starts are created before the
// records of other starts.
func (s *State) IsUrgent() bool { return s.Start != nil && s.Start.Urgent }

func (e QueuedCommand) source() string {
	c, err := e.command()
	if err != nil {
		return ""
	}
	return opportunity.SourceOf(c)
}

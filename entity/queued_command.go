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
	// ChangeCount is how many mutations the command makes.
	ChangeCount int `json:"changes"`
	// Results holds one result per interest of an addInterests, once the first interest is settled. An interest that is
	// not settled yet has neither id nor error.
	Results []opportunity.InterestResult `json:"results,omitempty"`
	// InDoubt says that it is unknown whether the change happened, and that only an operator can decide.
	InDoubt bool `json:"doubt,omitempty"`
	// LaterExpirySet says of an entry in doubt that its places, if any, expire in time: a later expiry for them is known to be
	// set.
	LaterExpirySet bool `json:"lapses,omitempty"`
	// MaybeApplied says that the change was sent before with an unknown result. The change is sent again, since a repeated
	// send does no harm. It may have happened already.
	MaybeApplied bool `json:"tried,omitempty"`
	// SendAlone says that the changes travel one by one, since a request that held one of them was refused as a whole.
	SendAlone bool `json:"alone,omitempty"`
	// NoWaiter says that no caller waits for the outcome: a failure needs attention.
	NoWaiter bool `json:"silent,omitempty"`
	// FromUpdate says that the entry came as an update; after a reset, signals come before updates, so the order between
	// the two is lost.
	FromUpdate bool `json:"called,omitempty"`
	// Errors counts the API's own errors in a row for this command when it travelled alone; FailingSince is the time of
	// the first of these errors.
	Errors       int       `json:"errors,omitempty"`
	FailingSince time.Time `json:"failingSince,omitzero"`
}

// canonicalPayload returns the command in its stored form: without its request id, members in one order, amounts and times in
// one form.
func canonicalPayload(c opportunity.Command) (json.RawMessage, error) {
	if extend, ok := c.(opportunity.ExtendReservations); ok {
		extend.Until = extend.Until.UTC()
		c = extend
	}
	data, err := json.Marshal(c.WithRequestID(""))
	if err != nil {
		return nil, opportunity.Invalidf("cannot be kept: %v", err)
	}
	return data, nil
}

// command decodes the entry's payload.
func (e QueuedCommand) command() (opportunity.Command, error) {
	return opportunity.DecodeByName(e.MessageName, e.Payload)
}

// Summary describes the entry in a few words without personal data.
func (e QueuedCommand) Summary() string {
	if e.MessageName == opportunity.MessageAddInterests && e.ChangeCount > 0 { // the only command that may be large; a view shows a hundred entries
		return opportunity.SummaryOfInterests(e.ChangeCount)
	}
	c, err := e.command()
	if err != nil {
		return string(e.MessageName)
	}
	return opportunity.Summary(c)
}

// remainingChangeCount returns how many of the entry's changes are not settled.
func (e QueuedCommand) remainingChangeCount() int {
	left := e.ChangeCount
	for _, r := range e.Results {
		if r.IsFinal() {
			left--
		}
	}
	return left
}

// changeCount returns how many mutations the command makes.
func changeCount(c opportunity.Command) int {
	if add, ok := c.(opportunity.AddInterests); ok {
		return len(add.Interests)
	}
	return 1
}

// FairnessKey returns for whom the opportunity works now, the key by which requests of many
// opportunities get their turns. It is the source of the command in work, else the
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

// IsUrgent reports whether the record is made before the records of other opportunities.
func (s *State) IsUrgent() bool { return s.Start != nil && s.Start.Urgent }

// source returns the source of the command.
func (e QueuedCommand) source() string {
	c, err := e.command()
	if err != nil {
		return ""
	}
	return opportunity.SourceOf(c)
}

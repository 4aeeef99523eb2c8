// Package queue contains the commands that wait, and their compact encoding. Only package entity
// may import this package.
package queue

import (
	"encoding/json"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Command is a command that waits.
type Command struct {
	Request     string                  `json:"request"`
	MessageName opportunity.MessageName `json:"verb"`
	Payload     json.RawMessage         `json:"payload"`
	Accepted    time.Time               `json:"accepted"`
	ChangeCount int                     `json:"changes"`
	// Results contains one result for each interest of an addInterests command. Results is empty
	// until the first interest has a result. An interest without a final result has neither id nor
	// error.
	Results []opportunity.InterestResult `json:"results,omitempty"`
	// InDoubt says that it is unknown whether the API made the change, and that only an operator
	// can decide.
	InDoubt bool `json:"doubt,omitempty"`
	// LaterExpirySet says that the API confirmed a later expiry for the places that this command in
	// doubt may have reserved.
	LaterExpirySet bool `json:"lapses,omitempty"`
	// MaybeApplied says that the change was sent before and that the result of this send is
	// unknown. The change is sent again, because a second send does no harm.
	MaybeApplied bool `json:"tried,omitempty"`
	// SendAlone says that the changes of the command are sent one by one, because an API request
	// with one of these changes failed as a whole.
	SendAlone bool `json:"alone,omitempty"`
	// NoWaiter says that no caller waits for the outcome, so that a failure raises attention.
	NoWaiter bool `json:"silent,omitempty"`
	// FromUpdate says that the command came as an update. After a reset, Temporal delivers all
	// signals before all updates, so the original order between signals and updates is lost.
	FromUpdate bool `json:"called,omitempty"`
	// Errors is the number of consecutive API requests that began with this command and failed with
	// a server error. FailingSince is the time of the first error that Errors counts.
	Errors       int       `json:"errors,omitempty"`
	FailingSince time.Time `json:"failingSince,omitzero"`
}

// CanonicalPayload returns the command in its stored form: without the request id, with a fixed
// order of members, with one format for amounts and with one format for times.
func CanonicalPayload(c opportunity.Command) (json.RawMessage, error) {
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

// Decode decodes the payload.
func (e Command) Decode() (opportunity.Command, error) {
	return opportunity.DecodeByName(e.MessageName, e.Payload)
}

// Summary describes the command in a few words without personal data.
func (e Command) Summary() string {
	if e.MessageName == opportunity.MessageAddInterests && e.ChangeCount > 0 { // the only command that may be large; a view shows a hundred commands
		return opportunity.SummaryOfInterests(e.ChangeCount)
	}
	c, err := e.Decode()
	if err != nil {
		return string(e.MessageName)
	}
	return opportunity.Summary(c)
}

// RemainingChangeCount returns the number of changes without a final result.
func (e Command) RemainingChangeCount() int {
	left := e.ChangeCount
	for _, r := range e.Results {
		if r.IsFinal() {
			left--
		}
	}
	return left
}

// ChangesOf returns how many changes the command makes.
func ChangesOf(c opportunity.Command) int {
	if add, ok := c.(opportunity.AddInterests); ok {
		return len(add.Interests)
	}
	return 1
}

// Source returns the source of the command, or "" when the command has none.
func (e Command) Source() string {
	c, err := e.Decode()
	if err != nil {
		return ""
	}
	return opportunity.SourceOf(c)
}

// IsExpired reports whether the command is not in doubt and requests an expiry time that has
// passed.
func (e Command) IsExpired(now time.Time) bool {
	if e.MessageName != opportunity.MessageExtendReservations || e.InDoubt {
		return false
	}
	c, err := e.Decode()
	extend, ok := c.(opportunity.ExtendReservations)
	return err == nil && ok && !extend.Until.After(now)
}

// RemainingChanges returns the changes of the command that have no final result.
func (e Command) RemainingChanges() []exchange.Change {
	c, err := e.Decode()
	if err != nil {
		return nil
	}
	switch c := c.(type) {
	case opportunity.AddInterests:
		var list []exchange.Change
		for i := range c.Interests {
			if i < len(e.Results) && e.Results[i].IsFinal() {
				continue
			}
			list = append(list, exchange.Change{Request: e.Request, Index: i, Interest: &c.Interests[i]})
		}
		return list
	case opportunity.Progress:
		return []exchange.Change{{Request: e.Request, Progress: &c}}
	case opportunity.UpdateDetails:
		return []exchange.Change{{Request: e.Request, Update: &c}}
	case opportunity.ExtendReservations:
		return []exchange.Change{{Request: e.Request, ReservationChange: &exchange.ReservationChange{Until: c.Until}}}
	}
	return nil
}

// Message returns the command as the view shows it.
func (e Command) Message() opportunity.QueuedMessage {
	return opportunity.QueuedMessage{Request: e.Request, Summary: e.Summary(), Accepted: e.Accepted, InDoubt: e.InDoubt}
}

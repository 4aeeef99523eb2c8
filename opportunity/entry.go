package opportunity

import (
	"encoding/json"
	"time"
)

// Entry is a command that waits.
type Entry struct {
	Request  string          `json:"request"`
	Verb     Verb            `json:"verb"`
	Payload  json.RawMessage `json:"payload"`
	Accepted time.Time       `json:"accepted"`
	// Changes is how many mutations the command makes.
	Changes int `json:"changes"`
	// Results holds one result per interest of an addInterests, once the first interest is settled. An interest that is
	// not settled yet has neither id nor error.
	Results []InterestResult `json:"results,omitempty"`
	// Doubt says that it is unknown whether the change happened, and that only an operator can decide.
	Doubt bool `json:"doubt,omitempty"`
	// Lapses says of an entry in doubt that its places, if any, lapse in time: a later expiry for them is known to be
	// set.
	Lapses bool `json:"lapses,omitempty"`
	// Tried says that the change was sent before with an unknown result. The change is sent again, since a repeated
	// send does no harm. It may have happened already.
	Tried bool `json:"tried,omitempty"`
	// Alone says that the changes travel one by one, since a request that held one of them was refused as a whole.
	Alone bool `json:"alone,omitempty"`
	// Silent says that no caller waits for the outcome: a failure needs attention.
	Silent bool `json:"silent,omitempty"`
	// Called says that the entry came as an update; after a reset, signals come before updates, so the order between
	// the two is lost.
	Called bool `json:"called,omitempty"`
	// Errors counts the API's own errors in a row for this command when it travelled alone; FailingSince is the time of
	// the first of these errors.
	Errors       int       `json:"errors,omitempty"`
	FailingSince time.Time `json:"failingSince,omitzero"`
}

// canonical returns the command in its stored form: without its request id, members in one order, amounts and times in
// one form.
func canonical(c Command) (json.RawMessage, error) {
	if extend, ok := c.(ExtendReservations); ok {
		extend.Until = extend.Until.UTC()
		c = extend
	}
	data, err := json.Marshal(c.WithID(""))
	if err != nil {
		return nil, Invalidf("cannot be kept: %v", err)
	}
	return data, nil
}

// command decodes the entry's payload.
func (e Entry) command() (Command, error) { return decodeVerb(e.Verb, e.Payload) }

// Summary describes the entry in a few words without personal data.
func (e Entry) Summary() string {
	if e.Verb == VerbAddInterests && e.Changes > 0 { // the only command that may be large; a view shows a hundred entries
		return summaryOfInterests(e.Changes)
	}
	c, err := e.command()
	if err != nil {
		return string(e.Verb)
	}
	return Summary(c)
}

// mutationsLeft returns how many of the entry's changes are not settled.
func (e Entry) mutationsLeft() int {
	left := e.Changes
	for _, r := range e.Results {
		if r.settled() {
			left--
		}
	}
	return left
}

// changes returns how many mutations the command makes.
func changes(c Command) int {
	if add, ok := c.(AddInterests); ok {
		return len(add.Interests)
	}
	return 1
}

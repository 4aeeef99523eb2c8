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
	// Results holds, once the first of them is settled, one result per interest
	// of an addInterests; what is not settled yet has neither id nor error.
	Results []InterestResult `json:"results,omitempty"`
	// Doubt says that it is unknown whether its change happened, and that only
	// an operator can tell.
	Doubt bool `json:"doubt,omitempty"`
	// Lapses says of one in doubt that the places it may have taken lapse when
	// they are to: an expiry that was asked for behind them is known to be set.
	Lapses bool `json:"lapses,omitempty"`
	// Tried says that it was sent before with an unknown end, and is sent again since
	// that does no harm: it may have happened.
	Tried bool `json:"tried,omitempty"`
	// Alone says that its changes travel one by one, since a request that held
	// one of them was refused as a whole.
	Alone bool `json:"alone,omitempty"`
	// Silent says that nobody waits for the answer: a failure of it needs attention.
	Silent bool `json:"silent,omitempty"`
	// Called says that it came as an update. Of messages that come again after a
	// reset, signals come before updates, so the order between the two is lost.
	Called bool `json:"called,omitempty"`
	// Errors counts the errors of the API's own, in a row, that met the command
	// when it travelled alone; FailingSince is when the first of them came.
	Errors       int       `json:"errors,omitempty"`
	FailingSince time.Time `json:"failingSince,omitzero"`
}

// canonical writes the command as it is kept: without its request id, members in one order, amounts and times in one form.
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

// command reads the entry back.
func (e Entry) command() (Command, error) { return decodeVerb(e.Verb, e.Payload) }

// Summary tells the entry in a few words without personal data.
func (e Entry) Summary() string {
	if e.Verb == VerbAddInterests && e.Changes > 0 { // the only command that may be large; a view has a hundred
		return summaryOfInterests(e.Changes)
	}
	c, err := e.command()
	if err != nil {
		return string(e.Verb)
	}
	return Summary(c)
}

// mutationsLeft is how many of the entry's changes are not settled.
func (e Entry) mutationsLeft() int {
	left := e.Changes
	for _, r := range e.Results {
		if r.settled() {
			left--
		}
	}
	return left
}

// changes is how many mutations the command makes.
func changes(c Command) int {
	if add, ok := c.(AddInterests); ok {
		return len(add.Interests)
	}
	return 1
}

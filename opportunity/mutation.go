package opportunity

import (
	"encoding/json"
	"time"
)

// Mutation is one change of the record: what travels as one alias of a request
// to the API. Exactly one of its pointers is set.
type Mutation struct {
	// Request is the id of the request it belongs to.
	Request string `json:"request"`
	// Index is the place of Interest in its request.
	Index int `json:"index,omitempty"`
	// Interest is the interest to add.
	Interest *Interest `json:"interest,omitempty"`
	// Update holds the details to set.
	Update *UpdateDetails `json:"update,omitempty"`
	// Progress names the step to move to.
	Progress *Progress `json:"progress,omitempty"`
	// Extend sets until when the places are held.
	Extend *Extend `json:"extend,omitempty"`
}

// isAsked reports whether the mutation is the change of a request that waits.
// Others, such as the expiry of places just taken, are made on its behalf.
func (m Mutation) isAsked() bool { return m.Extend == nil || !m.Extend.Until.IsZero() }

// Extend says until when the places of the whole opportunity are to be held.
type Extend struct {
	// Release gives the places back: the API has no other way than to let them
	// end now.
	Release bool `json:"release,omitempty"`
	// Until is what a caller asked for; zero leaves it to the worker's settings.
	Until time.Time `json:"until,omitzero"`
	// NotBefore is what the expiry must not fall short of.
	NotBefore time.Time `json:"notBefore,omitzero"`
}

// Fate says what is known of a change that was put to the API.
type Fate string

// The four fates of a change.
const (
	// FateDone: the API answered that it did it.
	FateDone Fate = "done"
	// FateRejected: the API answered that it did not.
	FateRejected Fate = "rejected"
	// FateNotSent: it is proven that the API never got it.
	FateNotSent Fate = "notSent"
	// FateUnknown: everything else, a lost worker included.
	FateUnknown Fate = "unknown"
)

// Answer is what is known of one Mutation.
type Answer struct {
	Fate Fate `json:"fate"`
	// Interests are the interests the API answered to an added one: the new one,
	// or all the opportunity has (the documentation leaves it open).
	Interests []InterestRef `json:"interests,omitempty"`
	// Details are the record's own fields after an update.
	Details *Details `json:"details,omitempty"`
	// Step is where the opportunity stands after a move.
	Step *Step `json:"step,omitempty"`
	// Reservation is what the API, read back, says of the held places.
	Reservation *Reservation `json:"reservation,omitempty"`
	// Error says why, unless Fate is done.
	Error *Error `json:"error,omitempty"`
}

// InterestRef is an interest of the record, and what it is in.
type InterestRef struct {
	ID   ID `json:"id"`
	Item ID `json:"item"`
	// Quantity and UnitAmount are 0 and nil where they were not read.
	Quantity   int     `json:"quantity,omitempty"`
	UnitAmount *Amount `json:"unitAmount,omitempty"`
}

// Reservation is what is known of the places held for the opportunity.
type Reservation struct {
	// Valid is what the API says, read back.
	Valid bool `json:"valid"`
	// Until is when the places lapse by themselves; zero when none are held.
	Until time.Time `json:"until,omitzero"`
}

// Snapshot is the record as the API shows it.
type Snapshot struct {
	ID          ID            `json:"id"`
	Details     Details       `json:"details"`
	Step        Step          `json:"step"`
	Interests   []InterestRef `json:"interests,omitempty"`
	Reservation Reservation   `json:"reservation"`
}

// Name is a name or code a caller used where the API wants an id.
type Name struct {
	// Type is the type of the id wanted, such as TypeStep, or TypeCurrency.
	Type string `json:"type"`
	Text string `json:"text"`
}

// TypeCurrency stands for a currency in a Name; its id is the bare code.
const TypeCurrency = "Currency"

// Resolved is what a Name turned out to mean: an id, or why it means nothing.
type Resolved struct {
	Name
	ID    ID     `json:"id,omitempty"`
	Error *Error `json:"error,omitempty"`
}

// Names answers the names in the start that the API wants as ids.
func (s Start) Names() []Name {
	var names []Name
	names = appendName(names, TypeRegion, s.Region)
	names = appendName(names, TypeAccount, s.Account)
	names = appendName(names, TypeCurrency, s.Currency)
	return appendName(names, TypeStep, s.EntryStep)
}

// Mutations are the interests of the start as changes of the record.
func (s Start) Mutations() []Mutation {
	list := make([]Mutation, len(s.Interests))
	for i := range s.Interests {
		list[i] = Mutation{Request: StartRequest, Index: i, Interest: &s.Interests[i]}
	}
	return list
}

// Names answers the names in the mutation that the API wants as ids.
func (m Mutation) Names() []Name {
	var names []Name
	switch {
	case m.Interest != nil:
		names = appendName(names, typeOfKind(m.Interest.ResolvedKind()), m.Interest.Item)
	case m.Update != nil:
		names = appendName(names, TypeAccount, m.Update.Account)
		names = appendName(names, TypeCurrency, m.Update.Currency)
	case m.Progress != nil:
		names = appendName(names, TypeStep, m.Progress.To)
	}
	return names
}

func typeOfKind(k Kind) string {
	switch k {
	case Course:
		return TypeCourse
	case Event:
		return TypeEvent
	case Path:
		return TypePath
	default:
		return TypeTokens
	}
}

// appendName adds the text unless it is empty or already what the API wants.
func appendName(names []Name, typ, text string) []Name {
	if text == "" || ID(text).Type() == typ || typ == TypeCurrency && isCurrencyCode(text) {
		return names
	}
	return append(names, Name{Type: typ, Text: text})
}

func isCurrencyCode(s string) bool {
	if len(s) != 3 {
		return false
	}
	for _, c := range s {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// size is about how many bytes the mutation adds to a request.
func (m Mutation) size() int {
	return jsonSize(m)
}

// jsonSize is how many bytes of JSON plain data takes.
func jsonSize(plain any) int {
	data, err := json.Marshal(plain)
	if err != nil {
		return MaxRequestBytes // cannot happen for plain data; better too large than too small
	}
	return len(data)
}

package opportunity

import (
	"encoding/json"
	"time"
)

// Mutation is one change of the record, which travels as one alias of an API
// request. Exactly one of its pointers is set.
type Mutation struct {
	// Request is the id of the request it belongs to.
	Request string `json:"request"`
	// Index is the position of Interest in its request.
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

// isAsked reports whether the mutation is the change of a waiting request. Other
// mutations, such as the expiry of new places, are made on behalf of a request.
func (m Mutation) isAsked() bool { return m.Extend == nil || !m.Extend.Until.IsZero() }

// Extend says until when the places of the whole opportunity are held.
type Extend struct {
	// Release gives the places back, which the API can do only by an expiry that is
	// now.
	Release bool `json:"release,omitempty"`
	// Until is the time a caller asked for; zero leaves the time to the worker's
	// settings.
	Until time.Time `json:"until,omitzero"`
	// NotBefore is the earliest allowed expiry.
	NotBefore time.Time `json:"notBefore,omitzero"`
}

// Fate is what is known of a change that was sent to the API.
type Fate string

// The four fates of a change.
const (
	// FateDone: the API returned that it made the change.
	FateDone Fate = "done"
	// FateRejected: the API returned that it did not make the change.
	FateRejected Fate = "rejected"
	// FateNotSent: it is proven that the API never got the change.
	FateNotSent Fate = "notSent"
	// FateUnknown: everything else, a lost worker included.
	FateUnknown Fate = "unknown"
)

// Answer is what is known of one Mutation.
type Answer struct {
	Fate Fate `json:"fate"`
	// Interests are the interests that the API returned for an added one: the new
	// interest, or all interests of the opportunity (the documentation leaves it
	// open).
	Interests []InterestRef `json:"interests,omitempty"`
	// Details are the record's own fields after an update.
	Details *Details `json:"details,omitempty"`
	// Step is the opportunity's step after a move.
	Step *Step `json:"step,omitempty"`
	// Reservation is the state of the held places, as read back from the API.
	Reservation *Reservation `json:"reservation,omitempty"`
	// Error says why, unless Fate is done.
	Error *Error `json:"error,omitempty"`
}

// InterestRef is an interest of the record, with its item.
type InterestRef struct {
	ID   ID `json:"id"`
	Item ID `json:"item"`
	// Quantity and UnitAmount are 0 and nil when they were not read.
	Quantity   int     `json:"quantity,omitempty"`
	UnitAmount *Amount `json:"unitAmount,omitempty"`
}

// Reservation is the known state of the places held for the opportunity.
type Reservation struct {
	// Valid is the API's own word on the places, read back.
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
	// Changed is the time of the record's last change, from a read for an adoption whose
	// worker counts follow-ups from that time. It is zero elsewhere, and when unknown.
	Changed time.Time `json:"changed,omitzero"`
}

// Name is a name or a code that a caller used where the API wants an id.
type Name struct {
	// Type is the type of the id wanted, such as TypeStep, or TypeCurrency.
	Type string `json:"type"`
	Text string `json:"text"`
}

// TypeCurrency is the type of a currency in a Name; its id is the bare code.
const TypeCurrency = "Currency"

// Resolved is the result of the look-up of a Name: an id, or why there is none.
type Resolved struct {
	Name
	ID    ID     `json:"id,omitempty"`
	Error *Error `json:"error,omitempty"`
}

// Names returns the names in the start that the API wants as ids.
func (s Start) Names() []Name {
	var names []Name
	names = appendName(names, TypeRegion, s.Region)
	names = appendName(names, TypeAccount, s.Account)
	names = appendName(names, TypeCurrency, s.Currency)
	return appendName(names, TypeStep, s.EntryStep)
}

// Mutations returns the interests of the start as changes of the record.
func (s Start) Mutations() []Mutation {
	list := make([]Mutation, len(s.Interests))
	for i := range s.Interests {
		list[i] = Mutation{Request: StartRequest, Index: i, Interest: &s.Interests[i]}
	}
	return list
}

// Names returns the names in the mutation that the API wants as ids.
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

// appendName adds the text unless it is empty or already in the API's form.
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

// size returns about how many bytes the mutation adds to a request.
func (m Mutation) size() int {
	return jsonSize(m)
}

// jsonSize returns how many bytes of JSON plain data takes.
func jsonSize(plain any) int {
	data, err := json.Marshal(plain)
	if err != nil {
		return MaxRequestBytes // cannot happen for plain data; better too large than too small
	}
	return len(data)
}

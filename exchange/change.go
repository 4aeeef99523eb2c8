package exchange

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Change is one mutation of the record, sent as one alias of an API request. Exactly one of the
// pointers of a Change is set.
type Change struct {
	// Request is the id of the request to which the change belongs.
	Request string `json:"request"`
	// Index is the position of Interest in its request.
	Index int `json:"index,omitempty"`
	// Interest is the interest to add.
	Interest *opportunity.Interest `json:"interest,omitempty"`
	// Update holds the details to set.
	Update *opportunity.UpdateDetails `json:"update,omitempty"`
	// Progress names the step to which the transition leads.
	Progress *opportunity.Progress `json:"progress,omitempty"`
	// ReservationChange sets the expiry time of the reservation.
	ReservationChange *ReservationChange `json:"extend,omitempty"`
}

// IsRequested reports whether a request itself asks for the change. Oppflow adds all other
// changes, such as the expiry time of new places.
func (m Change) IsRequested() bool {
	return m.ReservationChange == nil || !m.ReservationChange.Until.IsZero()
}

// ReservationChange sets the time until which all places of the opportunity are reserved.
type ReservationChange struct {
	// Release ends the reservation: the worker sets the expiry time to now, because the API has no
	// other way.
	Release bool `json:"release,omitempty"`
	// Until is the time that a caller requested; when Until is zero, the worker's settings decide
	// the time.
	Until time.Time `json:"until,omitzero"`
	// NotBefore is the earliest allowed expiry time.
	NotBefore time.Time `json:"notBefore,omitzero"`
}

// ChangeStatus is what is known of a change that was sent to the API.
type ChangeStatus string

// The four statuses of a change.
const (
	// StatusDone: the API reported that it made the change.
	StatusDone ChangeStatus = "done"
	// StatusRejected: the API reported that it did not make the change.
	StatusRejected ChangeStatus = "rejected"
	// StatusNotSent: it is proven that the API never received the change.
	StatusNotSent ChangeStatus = "notSent"
	// StatusUnknown: none of the other statuses is certain, for example because the worker was
	// lost.
	StatusUnknown ChangeStatus = "unknown"
)

// ChangeResult is what is known of one Change.
type ChangeResult struct {
	Status ChangeStatus `json:"fate"`
	// Interests are the interests that the API returned for an added interest. The API's
	// documentation does not say whether it returns the new interest or all interests of the
	// opportunity.
	Interests []InterestRef `json:"interests,omitempty"`
	// Details are the record's own fields after an update.
	Details *opportunity.Details `json:"details,omitempty"`
	// Step is the opportunity's step after a transition.
	Step *opportunity.Step `json:"step,omitempty"`
	// Reservation is the state of the reservation, as read back from the API.
	Reservation *opportunity.Reservation `json:"reservation,omitempty"`
	// Error says why Status is not done; nil when Status is done.
	Error *opportunity.Error `json:"error,omitempty"`
	// About names the object of a rejected request of an effect, without personal data.
	About string `json:"about,omitempty"`
}

// InterestRef is an interest of the record, with its item.
type InterestRef struct {
	ID   opportunity.ID `json:"id"`
	Item opportunity.ID `json:"item"`
	// Quantity is 0 and UnitAmount is nil when the two values were not read.
	Quantity   int                 `json:"quantity,omitempty"`
	UnitAmount *opportunity.Amount `json:"unitAmount,omitempty"`
}

// Snapshot is the record as the API shows it.
type Snapshot struct {
	ID          opportunity.ID          `json:"id"`
	Details     opportunity.Details     `json:"details"`
	Step        opportunity.Step        `json:"step"`
	Interests   []InterestRef           `json:"interests,omitempty"`
	Reservation opportunity.Reservation `json:"reservation"`
	// Changed is the time of the record's last change, or zero when that time is unknown. Only the
	// read for an adoption sets Changed, when the worker counts follow-ups from that time.
	Changed time.Time `json:"changed,omitzero"`
}

// UnresolvedName is a name or a code that a caller used where the API requires an id.
type UnresolvedName struct {
	// Type is the type of the required id, such as TypeStep, or TypeCurrency.
	Type string `json:"type"`
	Text string `json:"text"`
}

// TypeCurrency is the type of a currency in an UnresolvedName; the id of a currency is its code,
// such as USD.
const TypeCurrency = "Currency"

// ResolvedName is the result of the look-up of an UnresolvedName: an id, or why there is none.
type ResolvedName struct {
	UnresolvedName
	ID    opportunity.ID     `json:"id,omitempty"`
	Error *opportunity.Error `json:"error,omitempty"`
}

// StartNames returns the names in the start that the API requires as ids.
func StartNames(s opportunity.Start) []UnresolvedName {
	var names []UnresolvedName
	names = appendName(names, opportunity.TypeRegion, s.Region)
	names = appendName(names, opportunity.TypeAccount, s.Account)
	names = appendName(names, TypeCurrency, s.Currency)
	return appendName(names, opportunity.TypeStep, s.EntryStep)
}

// StartChanges returns the interests of the start as changes of the record.
func StartChanges(s opportunity.Start) []Change {
	list := make([]Change, len(s.Interests))
	for i := range s.Interests {
		list[i] = Change{Request: opportunity.StartRequestID, Index: i, Interest: &s.Interests[i]}
	}
	return list
}

// Names returns the names in the change that the API requires as ids.
func (m Change) Names() []UnresolvedName {
	var names []UnresolvedName
	switch {
	case m.Interest != nil:
		kind, _ := m.Interest.ResolvedKind().Info()
		names = appendName(names, kind.IDType, m.Interest.Item)
	case m.Update != nil:
		names = appendName(names, opportunity.TypeAccount, m.Update.Account)
		names = appendName(names, TypeCurrency, m.Update.Currency)
	case m.Progress != nil:
		names = appendName(names, opportunity.TypeStep, m.Progress.To)
	}
	return names
}

// appendName adds the text, unless the text is empty or already has the form that the API
// requires.
func appendName(names []UnresolvedName, typ, text string) []UnresolvedName {
	if text == "" || opportunity.ID(text).Type() == typ || typ == TypeCurrency && isCurrencyCode(text) {
		return names
	}
	return append(names, UnresolvedName{Type: typ, Text: text})
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

// Size returns about how many bytes the change adds to an API request.
func (m Change) Size() int {
	return JSONSize(m)
}

// JSONSize returns how many bytes of JSON plain data takes.
func JSONSize(plain any) int {
	data, err := json.Marshal(plain)
	if err != nil {
		return opportunity.MaxRequestBytes // cannot happen for plain data; better too large than too small
	}
	return len(data)
}

// Recorded returns what the API shows of an interest that no known request added.
func (r InterestRef) Recorded() opportunity.RecordedInterest {
	held := opportunity.RecordedInterest{ID: r.ID, Item: opportunity.Truncate(string(r.Item), opportunity.MaxRecordedItem), Quantity: r.Quantity}
	held.Kind, _ = opportunity.KindOfIDType(r.Item.Type())
	if r.UnitAmount != nil {
		held.UnitAmount = *r.UnitAmount
	}
	return held
}

// HasInterest reports whether the snapshot lists the interest.
func (r Snapshot) HasInterest(id opportunity.ID) bool {
	return slices.ContainsFunc(r.Interests, func(ref InterestRef) bool { return ref.ID == id })
}

// ExpiryError returns an error when the API does not show the places as reserved until the
// requested time, because a response without errors proves nothing.
func (e ReservationChange) ExpiryError(held *opportunity.Reservation) *opportunity.Error {
	switch {
	case held == nil || !held.Valid:
		return opportunity.Failf(opportunity.Rejected, "the API reports no valid reservation; only a reservation that has not expired can be extended")
	case held.Until.Sub(e.Until).Abs() > opportunity.ExpiryTolerance:
		return opportunity.Failf(opportunity.Rejected, "the API reports the expiry time %s, not the expiry time that the extension requested", held.Until.UTC().Format(time.RFC3339))
	}
	return nil
}

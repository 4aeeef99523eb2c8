package exchange

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Change is one mutation of the record, sent as one alias of an API request. Exactly one pointer
// member of a Change is set.
type Change struct {
	// Request is the id of the request that contains the change.
	Request string `json:"request"`
	// Index is the position of Interest in the request's list of interests.
	Index             int                        `json:"index,omitempty"`
	Interest          *opportunity.Interest      `json:"interest,omitempty"`
	Update            *opportunity.UpdateDetails `json:"update,omitempty"`
	Progress          *opportunity.Progress      `json:"progress,omitempty"`
	ReservationChange *ReservationChange         `json:"extend,omitempty"`
}

// IsRequested reports whether the change is part of a request. Oppflow itself adds all other
// changes, such as the expiry time of new places.
func (m Change) IsRequested() bool {
	return m.ReservationChange == nil || !m.ReservationChange.Until.IsZero()
}

// ReservationChange sets the time until which all places of the opportunity are reserved.
type ReservationChange struct {
	// Release ends the reservation: the worker sets the expiry time to now, because the API has no
	// other way to end a reservation.
	Release bool `json:"release,omitempty"`
	// Until is the expiry time that a caller requested. If Until is zero, the worker calculates the
	// expiry time from its settings.
	Until time.Time `json:"until,omitzero"`
	// NotBefore is the earliest allowed expiry time.
	NotBefore time.Time `json:"notBefore,omitzero"`
}

// ChangeStatus says whether the API made a change that Oppflow wanted to send.
type ChangeStatus string

// The four statuses of a change.
const (
	// StatusDone: the API reported that it made the change.
	StatusDone ChangeStatus = "done"
	// StatusRejected: the API reported that it did not make the change.
	StatusRejected ChangeStatus = "rejected"
	// StatusNotSent: it is proven that the API never received the change.
	StatusNotSent ChangeStatus = "notSent"
	// StatusUnknown: no other status is certain, for example because the worker stopped before the
	// worker reported the result.
	StatusUnknown ChangeStatus = "unknown"
)

// ChangeResult contains the status and the result of one Change.
type ChangeResult struct {
	Status ChangeStatus `json:"fate"`
	// Interests are the interests that the API returned in the result of a change that adds an
	// interest. The API's documentation does not say whether the API returns only the new interest
	// or all interests of the opportunity.
	Interests []InterestRef `json:"interests,omitempty"`
	// Details are the details of the record after an update: name, account and currency.
	Details *opportunity.Details `json:"details,omitempty"`
	Step    *opportunity.Step    `json:"step,omitempty"`
	// Reservation is the reservation that the API returned or that a read showed.
	Reservation *opportunity.Reservation `json:"reservation,omitempty"`
	// Reserved is the number of reserved places on the event of an added interest.
	Reserved ReservedPlaces `json:"reserved,omitzero"`
	// Error says why the change was not made, and is nil when Status is done.
	Error *opportunity.Error `json:"error,omitempty"`
	// About describes, without personal data, the object of an effect's request that the API
	// rejected.
	About string `json:"about,omitempty"`
}

// InterestRef is an interest of the record with its id and its item.
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
	// read for an adoption sets Changed, and only when the worker is configured to calculate
	// follow-ups from the last change.
	Changed time.Time `json:"changed,omitzero"`
}

// MaxRecordAge is the longest time after a response with the whole record in which Oppflow plans a
// transition without another read.
const MaxRecordAge = 20 * time.Second

// UnresolvedName is a name or a code that a caller used where the API requires an id.
type UnresolvedName struct {
	// Type is the type of the required id, such as TypeStep or TypeCurrency.
	Type string `json:"type"`
	Text string `json:"text"`
}

// TypeCurrency is the type of an UnresolvedName that is a currency. The id of a currency is its
// code, such as USD.
const TypeCurrency = "Currency"

// ResolvedName is the result of the search for an UnresolvedName: the id, or an error that says why
// there is no id.
type ResolvedName struct {
	UnresolvedName
	ID    opportunity.ID     `json:"id,omitempty"`
	Error *opportunity.Error `json:"error,omitempty"`
}

// StartNames returns the names in the start for which the API requires an id.
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

// Names returns the names in the change for which the API requires an id.
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

// appendName adds the text to the names, unless the text is empty or already an id.
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

// Size returns the approximate number of bytes that the change adds to an API request.
func (m Change) Size() int {
	return JSONSize(m)
}

// JSONSize returns the number of bytes of the JSON form of the data.
func JSONSize(plain any) int {
	data, err := json.Marshal(plain)
	if err != nil {
		return opportunity.MaxRequestBytes // cannot happen for plain data; better too large than too small
	}
	return len(data)
}

// Recorded returns the values of the record's interest as a recorded interest that no known request
// added.
func (r InterestRef) Recorded() opportunity.RecordedInterest {
	held := opportunity.RecordedInterest{ID: r.ID, Item: opportunity.Truncate(string(r.Item), opportunity.MaxRecordedItem), Quantity: r.Quantity}
	held.Kind, _ = opportunity.KindOfIDType(r.Item.Type())
	if r.UnitAmount != nil {
		held.UnitAmount = *r.UnitAmount
	}
	return held
}

// HasInterest reports whether the snapshot contains the interest.
func (r Snapshot) HasInterest(id opportunity.ID) bool {
	return slices.ContainsFunc(r.Interests, func(ref InterestRef) bool { return ref.ID == id })
}

// ExpiryError returns an error unless the API shows the places as reserved until the requested
// time. A response without errors does not prove that the API set the expiry time.
func (e ReservationChange) ExpiryError(held *opportunity.Reservation) *opportunity.Error {
	switch {
	case held == nil || !held.Valid:
		return opportunity.Failf(opportunity.Rejected, "the API reports no valid reservation; only a reservation that has not expired can be extended")
	case held.Until.Sub(e.Until).Abs() > opportunity.ExpiryTolerance:
		return opportunity.Failf(opportunity.Rejected, "the API reports the expiry time %s, not the expiry time that the extension requested", held.Until.UTC().Format(time.RFC3339))
	}
	return nil
}

package people

import (
	"slices"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// PlaceOwner says which opportunity a place of an attendee on an event belongs to. The zero value is
// a place whose owner is unclear.
type PlaceOwner int

// The owners of a place. OtherPlace belongs to another opportunity, or was made by hand.
const (
	UnclearPlace PlaceOwner = iota
	OwnPlace
	OtherPlace
)

// Places are the facts that show which opportunity the places of attendees on events belong to.
type Places struct {
	Attendees []exchange.Attendee
	// Contacts are the contacts of the attendees, by the index of the attendee.
	Contacts []opportunity.ID
	// UndoEntry contains the places that the effect has cancelled, or is about to cancel.
	UndoEntry exchange.UndoEntry
	// Sources are the opportunities that registered the places, by the id of the learner; "" for a
	// place without an opportunity. Sources is nil if the API does not show opportunities of places.
	Sources map[opportunity.ID]opportunity.ID
	// HasRegistration says that the opportunity has a registration on the event. HasRegistration
	// counts only if Sources is nil.
	HasRegistration bool
}

// IsOwn reports whether the workflow or the effect knows the place as a place of the opportunity.
func (p Places) IsOwn(event, learner opportunity.ID) bool {
	return slices.ContainsFunc(p.Attendees, func(a exchange.Attendee) bool { return a.Event == event && a.Learner == learner }) ||
		slices.ContainsFunc(p.UndoEntry.Objects, func(o opportunity.TouchedObject) bool {
			return o.Kind == opportunity.ObjectLearner && o.ID == learner
		})
}

// Owner returns the owner of a place of a contact on the event. The API shows an opportunity only
// for the places that a trigger registered.
func (p Places) Owner(record, event, contact, learner opportunity.ID) PlaceOwner {
	source := p.Sources[learner]
	switch {
	case p.IsOwn(event, learner), source != "" && source == record, p.Sources == nil && p.HasRegistration:
		return OwnPlace
	case source != "", p.wasRegisteredBefore(event, contact):
		return OtherPlace
	}
	return UnclearPlace
}

func (p Places) wasRegisteredBefore(event, contact opportunity.ID) bool {
	for i, a := range p.Attendees {
		isContact := a.Contact == contact || i < len(p.Contacts) && p.Contacts[i] == contact
		if a.Event == event && isContact && a.RegisteredBefore {
			return true
		}
	}
	return false
}

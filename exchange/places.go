package exchange

import "github.com/oppflow/oppflow/opportunity"

// ReservedPlaces is the number of places on an event that are reserved for all opportunities, before
// and after a request for places. A number that was not read is nil.
type ReservedPlaces struct {
	Before *int `json:"before,omitempty"`
	After  *int `json:"after,omitempty"`
}

// PlacesEvidence is what is known after a request for places on one event.
type PlacesEvidence struct {
	// IsReservationValid says that the opportunity has a valid reservation after the request. The API
	// does not show on which events.
	IsReservationValid bool
	// IsAlone says that the request is the only one whose places the reservation can contain.
	IsAlone bool
	// Requested is the number of requested places; 0 when the number is not known.
	Requested int
	// Own is the number of all places of the opportunity on the event, with the requested places.
	Own int
	// Reserved is the number of reserved places on the event.
	Reserved ReservedPlaces
}

// State returns what the evidence shows about the requested places. Other opportunities may reserve
// places on the event at the same time, so the places count as held only when the number of
// reserved places grew by exactly the requested places.
func (e PlacesEvidence) State() opportunity.PlacesState {
	before, after := e.Reserved.Before, e.Reserved.After
	switch {
	case !e.IsReservationValid, after != nil && *after < e.Requested:
		return opportunity.PlacesNotHeld
	case e.IsAlone, before != nil && after != nil && e.Requested > 0 && *after-*before == e.Requested:
		return opportunity.PlacesHeld
	case after != nil && *after < e.Own:
		return opportunity.PlacesNotHeld
	}
	return opportunity.PlacesNotKnown
}

// InterestPlaces is what is known of the places of one interest.
type InterestPlaces struct {
	Interest opportunity.ID          `json:"interest"`
	State    opportunity.PlacesState `json:"state"`
}

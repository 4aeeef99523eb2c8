package exchange

import "github.com/oppflow/oppflow/opportunity"

// ReservedPlaces is the number of places on an event that are reserved for all opportunities, before
// and after a request for places. A number that was not read is nil.
type ReservedPlaces struct {
	Before *int `json:"before,omitempty"`
	After  *int `json:"after,omitempty"`
}

// PlacesEvidence contains the facts that are known after a request for places on one event.
type PlacesEvidence struct {
	// IsReservationValid says that the opportunity has a valid reservation after the request. The
	// API does not show the events of the reservation.
	IsReservationValid bool
	// IsAlone says that the reservation can contain only the places of this request.
	IsAlone bool
	// Requested is the number of requested places; 0 when the number is not known.
	Requested int
	// Own is the number of all places of the opportunity on the event, including the requested
	// places.
	Own int
	// Reserved is the number of reserved places on the event.
	Reserved ReservedPlaces
}

// State returns what the evidence shows about the requested places. The requested places count as
// reserved only when the number of reserved places grew by exactly the requested number, because
// other opportunities may reserve places at the same time.
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

// InterestPlaces says whether the places of one interest are reserved.
type InterestPlaces struct {
	Interest opportunity.ID          `json:"interest"`
	State    opportunity.PlacesState `json:"state"`
}

package exchange_test

import (
	"testing"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func TestPlacesEvidence(t *testing.T) {
	read := func(before, after int) exchange.ReservedPlaces {
		return exchange.ReservedPlaces{Before: &before, After: &after}
	}
	after := func(n int) exchange.ReservedPlaces { return exchange.ReservedPlaces{After: &n} }
	for _, c := range []struct {
		name string
		exchange.PlacesEvidence
		want opportunity.PlacesState
	}{
		{"no reservation", exchange.PlacesEvidence{IsAlone: true, Requested: 2, Own: 2, Reserved: read(0, 2)}, opportunity.PlacesNotHeld},
		{"the first and only request", exchange.PlacesEvidence{IsReservationValid: true, IsAlone: true, Requested: 2, Own: 2}, opportunity.PlacesHeld},
		{"the only request, but the event has fewer", exchange.PlacesEvidence{IsReservationValid: true, IsAlone: true, Requested: 2, Own: 2, Reserved: after(1)}, opportunity.PlacesNotHeld},
		{"nothing was read", exchange.PlacesEvidence{IsReservationValid: true, Requested: 2, Own: 2}, opportunity.PlacesNotKnown},
		{"it grew by the places", exchange.PlacesEvidence{IsReservationValid: true, Requested: 2, Own: 2, Reserved: read(10, 12)}, opportunity.PlacesHeld},
		{"it did not grow", exchange.PlacesEvidence{IsReservationValid: true, Requested: 2, Own: 2, Reserved: read(10, 10)}, opportunity.PlacesNotKnown},
		{"it grew by fewer", exchange.PlacesEvidence{IsReservationValid: true, Requested: 2, Own: 2, Reserved: read(10, 11)}, opportunity.PlacesNotKnown},
		{"it grew by more", exchange.PlacesEvidence{IsReservationValid: true, Requested: 2, Own: 2, Reserved: read(10, 15)}, opportunity.PlacesNotKnown},
		{"fewer than requested", exchange.PlacesEvidence{IsReservationValid: true, Requested: 2, Own: 2, Reserved: read(0, 1)}, opportunity.PlacesNotHeld},
		{"fewer than its own places", exchange.PlacesEvidence{IsReservationValid: true, Requested: 2, Own: 5, Reserved: read(3, 3)}, opportunity.PlacesNotHeld},
		{"the number before is missing", exchange.PlacesEvidence{IsReservationValid: true, Requested: 2, Own: 2, Reserved: after(12)}, opportunity.PlacesNotKnown},
		{"an unknown quantity", exchange.PlacesEvidence{IsReservationValid: true, Reserved: read(10, 10)}, opportunity.PlacesNotKnown},
	} {
		if got := c.State(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

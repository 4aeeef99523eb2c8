package places

import (
	"fmt"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Interest is an interest in an event, whose places are to be reserved.
type Interest struct {
	ID, Event opportunity.ID
	// Quantity is the number of places; 0 when the number is not known.
	Quantity int
	// Held says that the places were reserved before.
	Held bool
}

// States returns what is known of the places of the interests, while the reservation of their
// opportunity is valid. isAlone says that the opportunity has no other interest in an event than
// the one interest.
func States(interests []Interest, isAlone bool, before, after Reserved) []exchange.InterestPlaces {
	states := make([]exchange.InterestPlaces, len(interests))
	for n, one := range interests {
		states[n] = exchange.InterestPlaces{Interest: one.ID, State: stateOf(one, interests, isAlone, before, after)}
	}
	return states
}

func stateOf(one Interest, interests []Interest, isAlone bool, before, after Reserved) opportunity.PlacesState {
	on := exchange.ReservedPlaces{Before: before.On(one.Event), After: after.On(one.Event)}
	held, requested, isKnown := 0, 0, one.Event != ""
	for _, other := range interests {
		switch {
		case other.Event != one.Event:
		case other.Held:
			held += other.Quantity
		default:
			requested += other.Quantity
			isKnown = isKnown && other.Quantity > 0
		}
	}
	own := held + requested
	switch {
	case one.Held && on.After != nil && *on.After < held:
		return opportunity.PlacesNotHeld
	case one.Held:
		return opportunity.PlacesHeld
	case !isKnown:
		requested = 0
	}
	return exchange.PlacesEvidence{
		IsReservationValid: true, IsAlone: isAlone, Requested: requested, Own: own, Reserved: on,
	}.State()
}

// NoneHeld returns that no places of the interests are reserved.
func NoneHeld(interests []Interest) []exchange.InterestPlaces {
	states := make([]exchange.InterestPlaces, len(interests))
	for n, one := range interests {
		states[n] = exchange.InterestPlaces{Interest: one.ID, State: opportunity.PlacesNotHeld}
	}
	return states
}

// IDs returns the ids of the interests.
func IDs(interests []Interest) []opportunity.ID {
	ids := make([]opportunity.ID, len(interests))
	for n, one := range interests {
		ids[n] = one.ID
	}
	return ids
}

// Missing returns the interests whose places are not known to be held, and of these the interests
// whose places are not held.
func Missing(states []exchange.InterestPlaces) (missing, notHeld []opportunity.ID) {
	for _, known := range states {
		if known.State != opportunity.PlacesHeld {
			missing = append(missing, known.Interest)
		}
		if known.State == opportunity.PlacesNotHeld {
			notHeld = append(notHeld, known.Interest)
		}
	}
	return missing, notHeld
}

// Describe returns a text that names one interest, or says how many interests there are.
func Describe(interests []opportunity.ID) string {
	if len(interests) == 1 {
		return "interest " + string(interests[0])
	}
	return fmt.Sprintf("%d interests", len(interests))
}

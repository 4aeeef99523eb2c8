package places

import (
	"fmt"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Interest is an interest in an event for which Oppflow reserves places.
type Interest struct {
	ID, Event opportunity.ID
	// Quantity is the number of places; 0 when the number is not known.
	Quantity int
	// Held says that the workflow already knows that the places are held.
	Held bool
}

// States returns for each interest whether its places are held, if the reservation of the
// opportunity is valid. isAlone says that the opportunity has only one interest in an event.
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

// NoneHeld returns the state PlacesNotHeld for each of the interests.
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

// Missing returns in missing the interests whose places may not be held, and in notHeld only the
// interests whose places are certainly not held.
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

package places

import (
	"cmp"
	"slices"

	"github.com/oppflow/oppflow/activities/tms/people"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Sold are the places that the interests of an opportunity have on one event, and the
// opportunity's learners on the event.
type Sold struct {
	Event opportunity.ID // "" if the id of the event is unknown
	// Places is the number of places in the interests.
	Places int
	// Learners is the number of people whom the effect registered or is about to register.
	Learners int
	// Found is the number of people who were registered on the event before the effect. Another
	// opportunity may have registered these people.
	Found int
}

// CountSold returns the sold places and the learners of each event. contacts are the contacts of the
// attendees, in their order. The undo entry contains the learners that the effect found and created.
// CountSold counts each person once on each event.
func CountSold(interests []opportunity.RecordedInterest, attendees []exchange.Attendee, contacts []opportunity.ID, entry exchange.UndoEntry) []Sold {
	var all []Sold
	for _, held := range interests {
		kind := cmp.Or(held.Kind, (opportunity.Interest{Item: held.Item}).ResolvedKind())
		if kind != opportunity.Event {
			continue
		}
		event := EventOf(held, attendees)
		at := slices.IndexFunc(all, func(p Sold) bool { return p.Event == event })
		if at < 0 {
			at, all = len(all), append(all, Sold{Event: event})
		}
		all[at].Places += held.Quantity
	}
	for i := range all {
		for _, contact := range people.ContactsOn(all[i].Event, attendees, contacts) {
			if wasRegisteredBefore(entry, all[i].Event, contact) {
				all[i].Found++
			} else {
				all[i].Learners++
			}
		}
	}
	return all
}

// EventOf returns the event of an interest, or "" if only the event's name is known.
func EventOf(held opportunity.RecordedInterest, attendees []exchange.Attendee) opportunity.ID {
	if at := slices.IndexFunc(attendees, func(a exchange.Attendee) bool { return a.Interest == held.ID }); at >= 0 {
		return attendees[at].Event
	}
	if id := opportunity.ID(held.Item); id.Type() == opportunity.TypeEvent {
		return id
	}
	return ""
}

func wasRegisteredBefore(entry exchange.UndoEntry, event, contact opportunity.ID) bool {
	return slices.ContainsFunc(entry.Objects, func(o opportunity.TouchedObject) bool {
		return o.Kind == opportunity.ObjectLearner && o.Event == event && o.Contact == contact && !o.Created
	})
}

// CountUnfilled returns the number of places without a learner. counted returns how many learners
// count for one event.
func CountUnfilled(all []Sold, counted func(Sold) int) int {
	unfilled := 0
	for _, one := range all {
		unfilled += max(0, one.Places-counted(one))
	}
	return unfilled
}

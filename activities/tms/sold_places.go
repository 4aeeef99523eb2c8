package tms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/people"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// soldPlaces are the places that the interests of an opportunity have on one event, and the
// opportunity's learners on the event.
type soldPlaces struct {
	event opportunity.ID // "" if the id of the event is unknown
	sold  int
	// learners is the number of people whom the effect registered or is about to register.
	learners int
	// found is the number of people who were registered on the event before the effect. Another
	// opportunity may have registered these people.
	found int
}

// The undo entry contains the learners that the effect found and created. countSoldPlaces counts
// each person once on each event.
func countSoldPlaces(in activities.EffectInput, contacts []opportunity.ID, entry exchange.UndoEntry) []soldPlaces {
	var all []soldPlaces
	for _, held := range in.Interests {
		kind := cmp.Or(held.Kind, (opportunity.Interest{Item: held.Item}).ResolvedKind())
		if kind != opportunity.Event {
			continue
		}
		event := eventOfInterest(held, in.Attendees)
		at := slices.IndexFunc(all, func(p soldPlaces) bool { return p.event == event })
		if at < 0 {
			at, all = len(all), append(all, soldPlaces{event: event})
		}
		all[at].sold += held.Quantity
	}
	for i := range all {
		for _, contact := range people.ContactsOn(all[i].event, in.Attendees, contacts) {
			if wasRegisteredBefore(entry, all[i].event, contact) {
				all[i].found++
			} else {
				all[i].learners++
			}
		}
	}
	return all
}

// eventOfInterest returns the event of an interest, or "" if only the event's name is known.
func eventOfInterest(held opportunity.RecordedInterest, attendees []exchange.Attendee) opportunity.ID {
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

// counted returns how many learners count for one event.
func countUnfilled(all []soldPlaces, counted func(soldPlaces) int) int {
	unfilled := 0
	for _, places := range all {
		unfilled += max(0, places.sold-counted(places))
	}
	return unfilled
}

// checkRelease reports whether the effect may release the reservation. A release frees all places
// of the opportunity. The places stay reserved while an event has fewer registered learners of the
// opportunity than sold places. A learner who was registered before the effect counts only if the
// TMS itself registered learners of the opportunity on the event. The result note says why the
// places stay reserved.
func (e registerHandler) checkRelease(ctx context.Context, in activities.EffectInput, out *activities.InspectResult) (release bool, note string, err error) {
	all := countSoldPlaces(in, out.Contacts, out.UndoEntry)
	if unfilled := countUnfilled(all, func(p soldPlaces) int { return p.learners + p.found }); unfilled > 0 {
		return false, unfilledText(unfilled), nil
	}
	now, err := e.readReservation(ctx, in.Opportunity)
	if err != nil {
		return false, "", err
	}
	out.Reservation = now.toReservation()
	if !now.reserved || now.expiry.IsZero() {
		return false, "", nil
	}
	for i, places := range all {
		if places.found == 0 || places.learners >= places.sold {
			continue
		}
		ours, err := e.hasOwnRegistration(ctx, places.event, in.Opportunity)
		if err != nil {
			return false, "", err
		}
		if ours {
			all[i].learners, all[i].found = places.learners+places.found, 0
		}
	}
	unfilled := countUnfilled(all, func(p soldPlaces) int { return p.learners })
	return unfilled == 0, unfilledText(unfilled), nil
}

func unfilledText(unfilled int) string {
	if unfilled == 0 {
		return ""
	}
	have := "have"
	if unfilled == 1 {
		have = "has"
	}
	return fmt.Sprintf("Oppflow did not release the reservation: %s %s no learner of this opportunity", plural(unfilled, "sold place"), have)
}

// hasOwnRegistration reports whether a trigger of the TMS registered learners of the opportunity on
// the event. hasOwnRegistration returns false if the API does not show registrations.
func (a *Activities) hasOwnRegistration(ctx context.Context, event, record opportunity.ID) (bool, error) {
	for after := ""; ; {
		page, err := a.api.EventRegistrations(ctx, string(event), after)
		switch {
		case errors.As(err, new(*administrate.RefusedError)):
			return false, nil
		case err != nil:
			return false, err
		}
		for _, registration := range page.Registrations {
			if registration.OpportunityID == string(record) {
				return true, nil
			}
		}
		if after = page.NextCursor; after == "" {
			return false, nil
		}
	}
}

package tms

import (
	"context"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/places"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func withEventToCheck(entry exchange.UndoEntry, event opportunity.ID) exchange.UndoEntry {
	notes := notesOf[registerNotes](entry)
	events := eventsToCheck(entry)
	if slices.Contains(events, string(event)) {
		return entry
	}
	notes.Unchecked = strings.Join(append(events, string(event)), ",")
	return withNotes(entry, notes)
}

// withCheckedEvent removes the event from the events to check, if the response to the registration
// shows that the event is not overbooked.
func withCheckedEvent(entry exchange.UndoEntry, event opportunity.ID, remaining *int) exchange.UndoEntry {
	if remaining == nil || *remaining < 0 {
		return entry
	}
	notes := notesOf[registerNotes](entry)
	notes.Unchecked = strings.Join(slices.DeleteFunc(eventsToCheck(entry), func(id string) bool { return id == string(event) }), ",")
	return withNotes(entry, notes)
}

func eventsToCheck(entry exchange.UndoEntry) []string {
	if unchecked := notesOf[registerNotes](entry).Unchecked; unchecked != "" {
		return strings.Split(unchecked, ",")
	}
	return nil
}

// findOverbooked reads the events whose registration did not show enough places, and stores the
// overbooked events in out. A place that is still reserved for the opportunity does not count,
// because the opportunity's learners now have booked places.
func (e registerHandler) findOverbooked(ctx context.Context, in activities.EffectInput, out *activities.InspectResult) error {
	var found []exchange.OverbookedEvent
	for ids := range slices.Chunk(eventsToCheck(out.UndoEntry), administrate.MaxEntries) {
		events, err := e.api.Events(ctx, ids)
		if err != nil {
			return err
		}
		for _, event := range events {
			if event.RemainingPlaces == nil || *event.RemainingPlaces >= 0 {
				continue
			}
			own, err := e.ownReservedPlaces(ctx, in, out, event)
			if err != nil {
				return err
			}
			if by := -*event.RemainingPlaces - own; by > 0 {
				found = append(found, exchange.OverbookedEvent{Event: opportunity.ID(event.ID), Title: opportunity.Truncate(event.Title, opportunity.MaxRecordedItem), By: by})
			}
		}
	}
	out.Overbooked = found
	return nil
}

// ownReservedPlaces returns the highest possible number of places of the event that are reserved
// for the opportunity.
func (e registerHandler) ownReservedPlaces(ctx context.Context, in activities.EffectInput, out *activities.InspectResult, event administrate.ScheduledEvent) (int, error) {
	if out.Reservation == nil {
		now, err := e.readReservation(ctx, in.Opportunity)
		if err != nil {
			return 0, err
		}
		out.Reservation = now.toReservation()
	}
	if !out.Reservation.Valid || event.Reserved == nil {
		return 0, nil
	}
	return min(placesOn(in, opportunity.ID(event.ID)), *event.Reserved), nil
}

func placesOn(in activities.EffectInput, event opportunity.ID) int {
	count := 0
	for _, held := range in.Interests {
		if places.EventOf(held, in.Attendees) == event {
			count += held.Quantity
		}
	}
	return count
}

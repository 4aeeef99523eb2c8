package tms

import (
	"context"
	"errors"
	"fmt"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/places"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// checkRelease reports whether the effect may release the reservation. A release frees all places
// of the opportunity. The places stay reserved while an event has fewer registered learners of the
// opportunity than sold places. A learner who was registered before the effect counts only if the
// TMS itself registered learners of the opportunity on the event. The result note says why the
// places stay reserved.
func (e registerHandler) checkRelease(ctx context.Context, in activities.EffectInput, out *activities.InspectResult) (release bool, note string, err error) {
	all := places.CountSold(in.Interests, in.Attendees, out.Contacts, out.UndoEntry)
	if unfilled := places.CountUnfilled(all, func(p places.Sold) int { return p.Learners + p.Found }); unfilled > 0 {
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
	for i, one := range all {
		if one.Found == 0 || one.Learners >= one.Places {
			continue
		}
		ours, err := e.hasOwnRegistration(ctx, one.Event, in.Opportunity)
		if err != nil {
			return false, "", err
		}
		if ours {
			all[i].Learners, all[i].Found = one.Learners+one.Found, 0
		}
	}
	unfilled := places.CountUnfilled(all, func(p places.Sold) int { return p.Learners })
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

package people

import (
	"context"
	"slices"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// EnrolmentsOf reads the enrolments of the contacts on the events in those objects for which about
// returns true.
func EnrolmentsOf(
	ctx context.Context, api API, records []opportunity.TouchedObject, about func(opportunity.TouchedObject) bool,
) (map[opportunity.ID]map[opportunity.ID][]opportunity.ID, error) {
	contacts := make(map[opportunity.ID][]opportunity.ID)
	var events []opportunity.ID
	for _, r := range records {
		if !about(r) {
			continue
		}
		if contacts[r.Event] == nil {
			events = append(events, r.Event)
		}
		if !slices.Contains(contacts[r.Event], r.Contact) {
			contacts[r.Event] = append(contacts[r.Event], r.Contact)
		}
	}
	out := make(map[opportunity.ID]map[opportunity.ID][]opportunity.ID)
	for _, event := range events {
		places, err := EnrolmentsOn(ctx, api, event, contacts[event])
		if err != nil {
			return nil, err
		}
		out[event] = places
	}
	return out, nil
}

// EnrolmentsOn reads the learner ids of the contacts on the event, without cancelled learners.
func EnrolmentsOn(ctx context.Context, api API, event opportunity.ID, contacts []opportunity.ID) (map[opportunity.ID][]opportunity.ID, error) {
	places := make(map[opportunity.ID][]opportunity.ID)
	for some := range slices.Chunk(contacts, administrate.MaxEntries) {
		ids := IDStrings(some)
		for after := ""; ; {
			page, err := api.Enrolments(ctx, string(event), ids, after)
			if err != nil {
				return nil, err
			}
			for _, learner := range page.Learners {
				contact := opportunity.ID(learner.ContactID)
				places[contact] = append(places[contact], opportunity.ID(learner.ID))
			}
			if after = page.NextCursor; after == "" {
				break
			}
		}
	}
	return places, nil
}

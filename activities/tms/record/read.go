package record

import (
	"context"
	"slices"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// API is the part of the API that a Read uses.
type API interface {
	Opportunity(ctx context.Context, id string) (administrate.Opportunity, error)
	Interests(ctx context.Context, opportunityID, after string) (administrate.InterestPage, error)
	Events(ctx context.Context, ids []string) ([]administrate.ScheduledEvent, error)
}

// Full reads the record with all its interests. Full makes one request for each hundred interests.
func Full(ctx context.Context, api API, id opportunity.ID) (administrate.Opportunity, error) {
	record, err := api.Opportunity(ctx, string(id))
	for err == nil && record.NextInterestsCursor != "" {
		var page administrate.InterestPage
		if page, err = api.Interests(ctx, string(id), record.NextInterestsCursor); err == nil {
			record.Interests, record.NextInterestsCursor = append(record.Interests, page.Interests...), page.NextCursor
		}
	}
	return record, err
}

// Events reads each event of the record's interests once. Events makes one request for each hundred
// events.
func Events(ctx context.Context, api API, record administrate.Opportunity) ([]administrate.ScheduledEvent, error) {
	return readEvents(ctx, api, eventIDs(record))
}

func eventIDs(record administrate.Opportunity) []string {
	var ids []string
	for _, interest := range record.Interests {
		if names.InterestKind(interest) == opportunity.Event && !slices.Contains(ids, interest.Item.ID) {
			ids = append(ids, interest.Item.ID)
		}
	}
	return ids
}

func readEvents(ctx context.Context, api API, ids []string) ([]administrate.ScheduledEvent, error) {
	var all []administrate.ScheduledEvent
	for some := range slices.Chunk(ids, administrate.MaxEntries) {
		events, err := api.Events(ctx, some)
		if err != nil {
			return nil, err
		}
		all = append(all, events...)
	}
	return all, nil
}

// Read reads a record and the events of its interests. Pass all functions that Queries returns to
// one call of administrate.ReadTogether, which sends their queries in one request.
type Read struct {
	api    API
	id     opportunity.ID
	known  []string // the events of the known interests
	record administrate.Opportunity
	// events are the known events, or nil if their query failed.
	events []administrate.ScheduledEvent
}

// NewRead returns the Read of a record with the known interests.
func NewRead(api API, id opportunity.ID, known []opportunity.RecordedInterest) *Read {
	r := &Read{api: api, id: id}
	for _, interest := range known {
		if opportunity.ID(interest.Item).Type() == opportunity.TypeEvent && !slices.Contains(r.known, interest.Item) {
			r.known = append(r.known, interest.Item)
		}
	}
	return r
}

// Queries returns the function that reads the record, and the functions that read the events of the
// known interests. The read of the record does not depend on the other functions.
func (r *Read) Queries(withEvents bool) (record func(context.Context) error, others []func(context.Context) error) {
	record = func(ctx context.Context) error {
		read, err := Full(ctx, r.api, r.id)
		if err == nil {
			r.record = read
		}
		return err
	}
	if withEvents && len(r.known) > 0 {
		others = append(others, func(ctx context.Context) (err error) {
			r.events, err = readEvents(ctx, r.api, r.known)
			return err
		})
	}
	return record, others
}

// Record returns the record, or the zero value if the function of Queries did not read the record.
func (r *Read) Record() administrate.Opportunity { return r.record }

// Events returns the events of the record's interests. Events reads those events that the functions
// of Queries did not read.
func (r *Read) Events(ctx context.Context) ([]administrate.ScheduledEvent, error) {
	var all []administrate.ScheduledEvent
	var missing []string
	for _, id := range eventIDs(r.record) {
		at := slices.IndexFunc(r.events, func(event administrate.ScheduledEvent) bool { return event.ID == id })
		switch {
		case at >= 0:
			all = append(all, r.events[at])
		case r.events == nil || !slices.Contains(r.known, id): // the API does not return a deleted event
			missing = append(missing, id)
		}
	}
	further, err := readEvents(ctx, r.api, missing)
	return append(all, further...), err
}

// EventChanges returns the facts about the events in which the workflow looks for external changes.
func EventChanges(events []administrate.ScheduledEvent) []activities.EventChange {
	var all []activities.EventChange
	for _, event := range events {
		all = append(all, activities.EventChange{
			Event: opportunity.ID(event.ID), Cancelled: event.Cancelled, SoldOut: event.SoldOut, FreePlaces: event.RemainingPlaces,
		})
	}
	return all
}

package tms

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// fullRecord reads the record with all its interests. fullRecord makes one request for each hundred
// interests.
func (a *Activities) fullRecord(ctx context.Context, id opportunity.ID) (administrate.Opportunity, error) {
	record, err := a.api.Opportunity(ctx, string(id))
	for err == nil && record.NextInterestsCursor != "" {
		var page administrate.InterestPage
		if page, err = a.api.Interests(ctx, string(id), record.NextInterestsCursor); err == nil {
			record.Interests, record.NextInterestsCursor = append(record.Interests, page.Interests...), page.NextCursor
		}
	}
	return record, err
}

// readEvents reads each event of the record's interests once. readEvents makes one request for each
// hundred events.
func (a *Activities) readEvents(ctx context.Context, record administrate.Opportunity) ([]administrate.ScheduledEvent, error) {
	var ids []string
	for _, interest := range record.Interests {
		if names.InterestKind(interest) == opportunity.Event && !slices.Contains(ids, interest.Item.ID) {
			ids = append(ids, interest.Item.ID)
		}
	}
	var all []administrate.ScheduledEvent
	for some := range slices.Chunk(ids, administrate.MaxEntries) {
		events, err := a.api.Events(ctx, some)
		if err != nil {
			return nil, err
		}
		all = append(all, events...)
	}
	return all, nil
}

// workflowFacts are facts about a record that the workflow knows. The API does not return
// workflowFacts, or returns workflowFacts only to some tenants.
type workflowFacts struct {
	region    opportunity.Ref
	interests []opportunity.RecordedInterest
}

// Data from the API override data from the workflow, because somebody may have changed the record.
func (a *Activities) playbookFacts(record exchange.Snapshot, raw administrate.Opportunity, events []administrate.ScheduledEvent, k workflowFacts, now time.Time) playbook.Facts {
	facts := playbook.Facts{
		Now: now, ID: record.ID, Details: record.Details, Step: record.Step, Reservation: record.Reservation,
		Attributes: make(map[string]string, len(raw.Attributes)),
	}
	if facts.Details.Region == (opportunity.Ref{}) {
		facts.Details.Region = k.region
	}
	for _, attribute := range raw.Attributes {
		facts.Attributes[attribute.Key] = attribute.Value
	}
	scheduled := make(map[string]administrate.ScheduledEvent, len(events))
	for _, event := range events {
		scheduled[event.ID] = event
	}
	for i, interest := range raw.Interests {
		ref := record.Interests[i]
		at := slices.IndexFunc(k.interests, func(h opportunity.RecordedInterest) bool { return h.ID == ref.ID })
		var held opportunity.RecordedInterest
		if at >= 0 {
			held = k.interests[at]
		}
		on := scheduled[interest.Item.ID]
		one := playbook.Interest{
			Item: ref.Item, Kind: cmp.Or(names.InterestKind(interest), held.Kind), Quantity: held.Quantity, UnitAmount: held.UnitAmount,
			Reserve: held.Reserve, Start: names.EventStart(on), StartZone: on.TimeZone, ExpiresAt: held.ExpiresAt, FreePlaces: on.RemainingPlaces,
		}
		if interest.Quantity != nil {
			one.Quantity = ref.Quantity
		}
		if ref.UnitAmount != nil {
			one.UnitAmount = *ref.UnitAmount
		}
		facts.PlacesInDoubt = facts.PlacesInDoubt || held.Places.IsDoubtful()
		facts.Interests = append(facts.Interests, one)
	}
	return facts
}

// AdoptionFacts returns the input of a playbook for a record that Oppflow adopts at the time in
// now. The times of follow-ups count from the time of the record's last change. The record that the
// caller passes must contain all its interests. The facts do not contain the starts of events.
func AdoptionFacts(record administrate.Opportunity, now time.Time) playbook.Facts {
	a := &Activities{now: func() time.Time { return now }}
	snapshot := a.snapshot(record, "")
	known := workflowFacts{region: snapshot.Details.Region}
	for _, interest := range snapshot.Interests {
		known.interests = append(known.interests, interest.Recorded())
	}
	facts := a.playbookFacts(snapshot, record, nil, known, now)
	since, adopted := exchange.AdoptionTimes(snapshot, now)
	facts.Entered, facts.LastActivity, facts.Adopted = since, since, adopted
	return facts
}

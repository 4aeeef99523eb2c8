package record

import (
	"cmp"
	"slices"
	"time"

	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// Known is what the workflow knows of a record. The API does not return the data in Known, or
// returns the data only to some tenants.
type Known struct {
	Region    opportunity.Ref
	Interests []opportunity.RecordedInterest
}

// Facts returns the facts of a record that was read; record is the converted form of raw. Data from
// the API override data from the workflow, because somebody may have changed the record.
func Facts(record exchange.Snapshot, raw administrate.Opportunity, events []administrate.ScheduledEvent, k Known, now time.Time) playbook.Facts {
	facts := playbook.Facts{
		Now: now, ID: record.ID, Details: record.Details, Step: record.Step, Reservation: record.Reservation,
		Attributes: make(map[string]string, len(raw.Attributes)),
	}
	if facts.Details.Region == (opportunity.Ref{}) {
		facts.Details.Region = k.Region
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
		at := slices.IndexFunc(k.Interests, func(h opportunity.RecordedInterest) bool { return h.ID == ref.ID })
		var held opportunity.RecordedInterest
		if at >= 0 {
			held = k.Interests[at]
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

// KnownFacts returns the facts of a record that was not read. The facts contain neither the attributes
// of the record nor the data of events.
func KnownFacts(record exchange.Snapshot, k Known, now time.Time) playbook.Facts {
	facts := playbook.Facts{Now: now, ID: record.ID, Details: record.Details, Step: record.Step, Reservation: record.Reservation}
	for _, held := range k.Interests {
		facts.PlacesInDoubt = facts.PlacesInDoubt || held.Places.IsDoubtful()
		facts.Interests = append(facts.Interests, playbook.Interest{
			Item: opportunity.ID(held.Item), Kind: held.Kind, Quantity: held.Quantity, UnitAmount: held.UnitAmount,
			Reserve: held.Reserve, ExpiresAt: held.ExpiresAt,
		})
	}
	return facts
}

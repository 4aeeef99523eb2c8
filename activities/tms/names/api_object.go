package names

import (
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// APIKind returns the API client's kind that corresponds to an interest kind, or "" for an unknown
// kind.
func APIKind(kind opportunity.InterestKind) administrate.Kind {
	info, known := kind.Info()
	if !known {
		return ""
	}
	return administrate.KindOfSchemaType(info.SchemaType)
}

// APIKindOfIDType returns the API's kind of the items whose ids have the type typ, or "" if no item
// has ids of this type.
func APIKindOfIDType(typ string) administrate.Kind {
	kind, _ := opportunity.KindOfIDType(typ)
	return APIKind(kind)
}

// StepOf converts a step of the API client.
func StepOf(step administrate.Step) opportunity.Step {
	return opportunity.Step{
		ID: opportunity.ID(step.ID), Name: step.Name,
		Stage: opportunity.Stage{
			ID: opportunity.ID(step.Stage.ID), Name: step.Stage.Name, State: opportunity.StageState(step.Stage.State),
		},
	}
}

// InterestKind returns the kind of an interest from the id of its item, or else from the item's
// type name in the schema. InterestKind returns "" if neither the id nor the type name shows a
// kind.
func InterestKind(interest administrate.Interest) opportunity.InterestKind {
	if kind := (opportunity.Interest{Item: interest.Item.ID}).ResolvedKind(); kind != "" {
		return kind
	}
	for _, k := range opportunity.InterestKinds() {
		if k.SchemaType == interest.Item.Type {
			return k.Kind
		}
	}
	return ""
}

// EventStart returns the time in UTC at which an event starts, or zero if this time is unknown or
// the event is cancelled.
func EventStart(event administrate.ScheduledEvent) time.Time {
	switch {
	case event.Cancelled:
		return time.Time{}
	case event.StartsAt != nil:
		return event.StartsAt.UTC()
	case event.Start == "" || event.TimeZone == "":
		return time.Time{}
	}
	zone, err := time.LoadLocation(event.TimeZone)
	if err != nil {
		return time.Time{}
	}
	at, err := time.ParseInLocation(opportunity.LocalTimeLayout, string(event.Start), zone)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

package administrate

import (
	"context"
	"time"
)

// ExtendReservations sets the expiry time of all places that are reserved for an opportunity
// (observed). To release the places, set Until to the current time. ExtendReservations does not
// revive an expired reservation, even if the response has no errors, so check the Reservations in
// the response. The client sends Until with its UTC offset and without fractions of a second.
type ExtendReservations struct {
	OpportunityID string
	Until         time.Time
	// Full adds the attributes and the first 100 interests to the returned opportunity.
	Full bool
}

// ExtendReservations sends one mutation extendReservations. The returned opportunity is nil when
// the assumption ExtendedOpportunity is switched off.
func (c *Client) ExtendReservations(ctx context.Context, e ExtendReservations) (*Opportunity, error) {
	answers, err := c.Apply(ctx, []Mutation{e})
	if err != nil {
		return nil, err
	}
	return answers[0].Opportunity, answers[0].Err
}

func (e ExtendReservations) build(b *builder) opportunityMutation {
	b.location += ": ExtendReservations"
	if e.Until.Year() < 1 || e.Until.Year() > 9999 || e.Until.IsZero() {
		b.invalid("Until", "the expiry time is missing, or the year of the expiry time is not between 1 and 9999")
	}
	op := opportunityMutation{
		field: "extendReservations",
		input: object{
			"opportunityId: " + b.bindRequired("OpportunityID", "opportunityId", "ID", e.OpportunityID),
			// The GraphQL type TimeZonedDateTime is observed.
			"reservationsValidUntil: " + b.bind("until", "TimeZonedDateTime", e.Until.Format(time.RFC3339)),
		},
	}
	if name := b.assumed.ExtendedOpportunity; name != Off {
		op.selection = "opportunity: " + string(name) + " { " + b.assumed.selectResult(e.Full) + " }"
		op.resultKey = memberOpportunity
	}
	return op
}

package administrate

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/shopspring/decimal"
)

// Learner is a person whom an interest names as a learner.
type Learner struct {
	FirstName string
	LastName  string
	Email     string // not sent when empty
}

// LocalTime is a time without a time zone, such as 2006-01-02T15:04:05. The API accepts a LocalTime
// for the expiry of training tokens (documented).
type LocalTime string

// AddInterest adds one interest to an opportunity.
//
// If Reserve is true, the API reserves Quantity places on an event. If the API's response contains
// no errors, the places may still not be reserved (observed). To find out whether the API reserved
// the places, send an ExtendReservations after the AddInterest in the same Apply, and check the
// reservations in the response.
type AddInterest struct {
	OpportunityID    string
	ItemID           string
	Kind             Kind
	Quantity         int
	UnitAmount       decimal.Decimal // sent exactly, with at least two decimal places
	Reserve          bool
	TaxID            string    // optional (observed)
	NewLearners      []Learner // only for kinds with learners
	ExistingLearners []string  // contact ids (assumed: see Assumptions.ExistingLearner); only for kinds with learners
	ExpiresAt        LocalTime // only for kinds with an expiry; the client also sends a time in the past
}

// AddInterest sends one mutation addInterest, and returns the interests that
// MutationResult.Interests describes.
func (c *Client) AddInterest(ctx context.Context, a AddInterest) ([]Interest, error) {
	answers, err := c.Apply(ctx, []Mutation{a})
	if err != nil {
		return nil, err
	}
	return answers[0].Interests, answers[0].Err
}

func (a AddInterest) build(b *builder) opportunityMutation {
	b.location += ": AddInterest"
	if a.Quantity < math.MinInt32 || a.Quantity > math.MaxInt32 {
		b.invalid("Quantity", "the quantity does not fit into 32 bits")
	}
	details := object{
		"id: " + b.bindRequired("ItemID", "id", "ID", a.ItemID),
		"quantity: " + b.bind("quantity", "Int", a.Quantity),
		"unitAmount: " + b.amount("UnitAmount", a.UnitAmount),
	}
	if a.Reserve {
		details.set("reserve", "true")
	}
	if a.TaxID != "" {
		details.set("taxId", b.bindText("TaxID", "taxId", "ID", a.TaxID))
	}
	a.writeKind(b, &details)
	return opportunityMutation{
		field: "addInterest",
		input: object{
			"opportunityId: " + b.bindRequired("OpportunityID", "opportunityId", "ID", a.OpportunityID),
			"interestDetails: " + details.String(),
		},
		selection: "interests { id totalAmount " + b.assumed.selectItem() + " }",
		resultKey: memberInterests,
	}
}

func (a AddInterest) writeKind(b *builder, details *object) {
	info, known := a.Kind.info()
	people := info.learnersIn != ""
	if !people && len(a.NewLearners)+len(a.ExistingLearners) > 0 {
		b.invalid("NewLearners", "NewLearners and ExistingLearners are allowed only for interests of these kinds: "+nounsOf(func(k kindInfo) bool { return k.learnersIn != "" }))
	}
	if info.expiryIn == "" && a.ExpiresAt != "" {
		b.invalid("ExpiresAt", "ExpiresAt is allowed only for interests of this kind: "+nounsOf(func(k kindInfo) bool { return k.expiryIn != "" }))
	}
	switch {
	case people:
		details.set(info.learnersIn, object{
			"existingLearners: " + list(a.existingLearnerEntries(b)),
			"newLearners: " + list(a.newLearnerEntries(b)),
		}.String())
	case info.expiryIn != "":
		if a.ExpiresAt != "" {
			if !a.ExpiresAt.valid() {
				b.invalid("ExpiresAt", "the value is not a local time; give a time without a zone, such as 2026-12-31T23:59:59")
			}
			details.set(info.expiryIn, object{
				"expiresAt: " + b.literal("ExpiresAt", string(a.ExpiresAt)),
			}.String())
		}
	case !known && a.Kind != "":
		b.invalid("Kind", "the kind of the interest is unknown; the known kinds are "+nounsOf(func(kindInfo) bool { return true }))
	}
}

func (a AddInterest) existingLearnerEntries(b *builder) []string {
	entries := make([]string, len(a.ExistingLearners))
	for i, id := range a.ExistingLearners {
		entries[i] = b.bindRequired(fmt.Sprintf("ExistingLearners[%d]", i), "contact", "ID", id)
		switch shape := b.assumed.ExistingLearner; shape {
		case "": // the bare id
		case Off:
			b.invalid("ExistingLearners", "existing learners cannot be added, because the assumption ExistingLearner is switched off")
		default:
			entries[i] = object{string(shape) + ": " + entries[i]}.String()
		}
	}
	return entries
}

func (a AddInterest) newLearnerEntries(b *builder) []string {
	entries := make([]string, len(a.NewLearners))
	for i, l := range a.NewLearners {
		member := fmt.Sprintf("NewLearners[%d]", i)
		learner := object{
			"firstName: " + b.bindText(member+".FirstName", "firstName", "String", l.FirstName),
			"lastName: " + b.bindText(member+".LastName", "lastName", "String", l.LastName),
		}
		if l.Email != "" {
			learner.set("email", b.bindText(member+".Email", "email", "String", l.Email))
		}
		entries[i] = learner.String()
	}
	return entries
}

const localTimeLayout = "2006-01-02T15:04:05"

func (t LocalTime) valid() bool {
	_, err := time.Parse(localTimeLayout, string(t))
	return err == nil && len(t) == len(localTimeLayout)
}

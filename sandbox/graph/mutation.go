package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/store"
)

type mutation struct{}

// Opportunities returns the GraphQL namespace of the mutations of opportunities. GraphQL runs the
// root fields of a mutation in order, but may run the fields inside a GraphQL namespace in any
// order.
func (mutation) Opportunities(context.Context) (*OpportunityMutations, error) {
	return &OpportunityMutations{}, nil
}

type opportunityMutations struct{ *Resolver }

func (r opportunityMutations) Create(ctx context.Context, _ *OpportunityMutations, input store.NewOpportunity) (*OpportunityPayload, error) {
	return opportunityPayload(r.Store.CreateOpportunity(ctx, input))
}

func (r opportunityMutations) Update(ctx context.Context, _ *OpportunityMutations, input store.OpportunityUpdate) (*OpportunityPayload, error) {
	input.NoAccount = isExplicitNull(ctx, "accountId")
	return opportunityPayload(r.Store.UpdateOpportunity(ctx, input))
}

func (r opportunityMutations) Progress(ctx context.Context, _ *OpportunityMutations, input store.Progress) (*OpportunityPayload, error) {
	return opportunityPayload(r.Store.ProgressOpportunity(ctx, input))
}

func (r opportunityMutations) ExtendReservations(ctx context.Context, _ *OpportunityMutations, input store.ExtendReservations) (*OpportunityExtendReservationsPayload, error) {
	p, err := opportunityPayload(r.Store.ExtendReservations(ctx, input))
	if err != nil {
		return nil, err
	}
	if r.Choices.Is(assumptions.ExtendResponse, "errors") {
		p.Opportunity = nil
	}
	return &OpportunityExtendReservationsPayload{Errors: p.Errors, Opportunity: p.Opportunity}, nil
}

func (r opportunityMutations) AddInterest(ctx context.Context, _ *OpportunityMutations, input store.AddInterest) (*OpportunityAddInterestPayload, error) {
	return interestsPayload(r.Store.AddInterest(ctx, input))
}

func (r opportunityMutations) ReservePlacesForInterests(ctx context.Context, _ *OpportunityMutations, input store.ReservePlaces) (*OpportunityAddInterestPayload, error) {
	return interestsPayload(r.Store.ReservePlacesForInterests(ctx, input))
}

func interestsPayload(interests []*store.Interest, err error) (*OpportunityAddInterestPayload, error) {
	problems, err := refusal(err)
	if err != nil {
		return nil, err
	}
	return &OpportunityAddInterestPayload{Errors: problems, Interests: interests}, nil
}

// isExplicitNull reports whether the input contains the member with the value null. The generated
// input struct cannot show the difference, because null and a missing member are both nil.
func isExplicitNull(ctx context.Context, member string) bool {
	field := graphql.GetFieldContext(ctx).Field.Field
	input, ok := field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)["input"].(map[string]any)
	value, there := input[member]
	return ok && there && value == nil
}

func opportunityPayload(o *store.Opportunity, err error) (*OpportunityPayload, error) {
	problems, err := refusal(err)
	if err != nil {
		return nil, err
	}
	return &OpportunityPayload{Errors: problems, Opportunity: o}, nil
}

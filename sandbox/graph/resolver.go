// Package graph is the GraphQL server of the sandbox: the schema, the code generated from the
// schema, and the resolvers.
package graph

import (
	"context"
	"fmt"
	"math"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/store"
)

// Resolver resolves GraphQL requests with the data of a Store.
type Resolver struct {
	Store   *store.Store
	Choices assumptions.Choices
}

// Query returns the resolvers of the root fields of queries.
func (r *Resolver) Query() QueryResolver { return query{r} }

// Mutation returns the resolvers of the root fields of mutations.
func (r *Resolver) Mutation() MutationResolver { return mutation{} }

// OpportunityMutations returns the mutations of opportunities.
func (r *Resolver) OpportunityMutations() OpportunityMutationsResolver {
	return opportunityMutations{r}
}

// Opportunity returns the resolvers of the fields of an opportunity that store.Opportunity does not
// contain.
func (r *Resolver) Opportunity() OpportunityResolver { return opportunity{r} }

// OpportunityInterest returns the resolvers of the fields of an interest that store.Interest does
// not contain.
func (r *Resolver) OpportunityInterest() OpportunityInterestResolver { return interest{r} }

// Event returns the resolvers of the fields of an event that store.Event does not contain.
func (r *Resolver) Event() EventResolver { return event{r} }

// refusal returns the refusals in an error of the store, which belong into the payload. refusal
// returns any other error as its second result.
func refusal(err error) ([]*store.RefusalError, error) {
	if err == nil {
		return []*store.RefusalError{}, nil
	}
	if refused := store.Refusals(err); len(refused) > 0 {
		return refused, nil
	}
	return nil, err
}

func toInt32(n int, err error) (int32, error) {
	if err == nil && (n > math.MaxInt32 || n < math.MinInt32) {
		return 0, fmt.Errorf("%d is outside the range of a GraphQL Int", n)
	}
	return int32(n), err
}

type event struct{ *Resolver }

func (r event) Reserved(ctx context.Context, e *store.Event) (int32, error) {
	return toInt32(r.Store.ReservedPlaces(ctx, e.ID))
}

func (r event) RemainingPlaces(ctx context.Context, e *store.Event) (int32, error) {
	reserved, err := r.Store.ReservedPlaces(ctx, e.ID)
	return toInt32(e.MaxPlaces-e.BookedPlaces-reserved, err)
}

func (r event) Interests(ctx context.Context, e *store.Event, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.InterestPage, error) {
	return r.Store.InterestsOfEvent(ctx, e.ID, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

type opportunity struct{ *Resolver }

func (r opportunity) Value(ctx context.Context, o *store.Opportunity) (*OpportunityValue, error) {
	total, err := r.Store.GrandTotal(ctx, o.ID)
	return &OpportunityValue{GrandTotal: total}, err
}

func (r opportunity) Attributes(ctx context.Context, o *store.Opportunity) ([]*store.Attribute, error) {
	return r.Store.Attributes(ctx, o.ID)
}

func (r opportunity) IsReservationValid(ctx context.Context, o *store.Opportunity) (bool, error) {
	return r.Store.IsReservationValid(ctx, o.ID)
}

func (r opportunity) Interests(ctx context.Context, o *store.Opportunity, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.InterestPage, error) {
	return r.Store.InterestsOfOpportunity(ctx, o.ID, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

type interest struct{ *Resolver }

func (r interest) Opportunity(ctx context.Context, i *store.Interest) (*store.Opportunity, error) {
	return r.Store.OpportunityByKey(ctx, i.OpportunityID)
}

func (r interest) Learners(ctx context.Context, i *store.Interest, first, offset *int32, after *string) (*store.LearnerPage, error) {
	return r.Store.LearnersOfInterest(ctx, i.ID, store.Search{First: first, Offset: offset, After: after})
}

package graph

import (
	"context"
	"slices"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/store"
)

type query struct{ *Resolver }

func (query) Hello(context.Context) (string, error) { return "Hello", nil }

func (query) Echo(_ context.Context, value *string) (*string, error) { return value, nil }

func (r query) Node(ctx context.Context, id string) (store.Node, error) {
	found, err := r.Store.Node(ctx, id)
	if err == nil && found == nil && r.Choices.Is(assumptions.NodeUnknown, "error") {
		err = &store.RequestError{Message: "there is no node with the id " + id}
	}
	return found, err
}

func (r query) Opportunities(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.OpportunityPage, error) {
	return r.Store.Opportunities(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r query) OpportunitySteps(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.StepPage, error) {
	return r.Store.Steps(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r query) Regions(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.RegionPage, error) {
	return r.Store.Regions(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r query) Accounts(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.AccountPage, error) {
	return r.Store.Accounts(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r query) Contacts(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.ContactPage, error) {
	return r.Store.Contacts(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r query) Currencies(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.CurrencyPage, error) {
	return r.Store.Currencies(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r query) Events(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order, orderBy []*store.Order) (*store.EventPage, error) {
	return r.Store.Events(ctx, store.Search{Filters: filters, Order: slices.Concat(order, orderBy), First: first, Offset: offset, After: after})
}

func (r query) CourseTemplates(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.CourseTemplatePage, error) {
	return r.Store.CourseTemplates(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r query) LearningPaths(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.LearningPathPage, error) {
	return r.Store.LearningPaths(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r query) TrainingTokenTypes(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.TrainingTokenTypePage, error) {
	return r.Store.TrainingTokenTypes(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

package graph

import (
	"context"

	"github.com/oppflow/oppflow/sandbox/store"
)

// Invoice returns the resolvers of the fields of an invoice that store.Invoice does not contain.
func (r *Resolver) Invoice() InvoiceResolver { return invoice{r} }

// InvoiceLine returns the resolvers of the fields of an invoice line that store.InvoiceLine does
// not contain.
func (r *Resolver) InvoiceLine() InvoiceLineResolver { return invoiceLine{r} }

// InvoiceMutations returns the mutations of invoices.
func (r *Resolver) InvoiceMutations() InvoiceMutationsResolver { return invoiceMutations{r} }

func (mutation) Invoices(context.Context) (*InvoiceMutations, error) { return &InvoiceMutations{}, nil }

type invoiceMutations struct{ *Resolver }

func (r invoiceMutations) Update(ctx context.Context, _ *InvoiceMutations, input store.InvoiceUpdate) (*InvoicePayload, error) {
	return invoicePayload(r.Store.UpdateInvoice(ctx, input))
}

func (r invoiceMutations) Finalise(ctx context.Context, _ *InvoiceMutations, input InvoiceTargetInput) (*InvoicePayload, error) {
	return invoicePayload(r.Store.FinaliseInvoice(ctx, input.InvoiceID))
}

func invoicePayload(i *store.Invoice, err error) (*InvoicePayload, error) {
	problems, err := refusal(err)
	if err != nil {
		return nil, err
	}
	return &InvoicePayload{Errors: problems, Invoice: i}, nil
}

type invoice struct{ *Resolver }

func (r invoice) Lines(ctx context.Context, i *store.Invoice) ([]*store.InvoiceLine, error) {
	return r.Store.InvoiceLines(ctx, i.ID)
}

type invoiceLine struct{ *Resolver }

func (r invoiceLine) Interest(ctx context.Context, l *store.InvoiceLine) (*store.Interest, error) {
	return r.Store.InterestByKey(ctx, l.InterestID)
}

func (r invoiceLine) Learner(ctx context.Context, l *store.InvoiceLine) (*store.RegisteredLearner, error) {
	if l.LearnerID == nil {
		return nil, nil
	}
	return r.Store.LearnerByKey(ctx, *l.LearnerID)
}

func (r opportunity) ActiveInvoiceID(ctx context.Context, o *store.Opportunity) (*string, error) {
	i, err := r.Store.ActiveInvoice(ctx, o.ID)
	if err != nil || i == nil {
		return nil, err
	}
	id := i.GlobalID()
	return &id, nil
}

func (r opportunity) SalesDocument(ctx context.Context, o *store.Opportunity) (store.SalesDocument, error) {
	i, err := r.Store.ActiveInvoice(ctx, o.ID)
	if err != nil || i == nil {
		return nil, err
	}
	return *i, nil
}

func (r opportunity) Contact(ctx context.Context, o *store.Opportunity) (*store.Contact, error) {
	return r.Store.ContactOfOpportunity(ctx, o.ID)
}

func (r opportunity) TokenIssues(ctx context.Context, o *store.Opportunity) ([]*store.TokenIssue, error) {
	return r.Store.TokenIssues(ctx, o.ID)
}

func (r query) Invoices(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.InvoicePage, error) {
	return r.Store.Invoices(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

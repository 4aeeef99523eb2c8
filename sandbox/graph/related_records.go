package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/oppflow/oppflow/sandbox/store"
)

// Account returns the resolvers of the fields of an account that store.Account does not contain.
func (r *Resolver) Account() AccountResolver { return account{r} }

// AccountMutations returns the mutations of accounts.
func (r *Resolver) AccountMutations() AccountMutationsResolver { return accountMutations{r} }

// ContactMutations returns the mutations of contacts.
func (r *Resolver) ContactMutations() ContactMutationsResolver { return contactMutations{r} }

// ExternalLogMutations returns the mutations of the integration log.
func (r *Resolver) ExternalLogMutations() ExternalLogMutationsResolver { return externalLog{r} }

func (mutation) Account(context.Context) (*AccountMutations, error) { return &AccountMutations{}, nil }

func (mutation) Contact(context.Context) (*ContactMutations, error) { return &ContactMutations{}, nil }

func (mutation) ExternalLog(context.Context) (*ExternalLogMutations, error) {
	return &ExternalLogMutations{}, nil
}

type account struct{ *Resolver }

func (r account) Website(ctx context.Context, a *store.Account) (*string, error) {
	d, err := r.Store.DetailsOfAccount(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	return d.Website, nil
}

func (r account) IsIndividual(ctx context.Context, a *store.Account) (bool, error) {
	d, err := r.Store.DetailsOfAccount(ctx, a.ID)
	return err == nil && d.IsIndividual, err
}

func (r account) PostalAddresses(ctx context.Context, a *store.Account) ([]*store.PostalAddress, error) {
	d, err := r.Store.DetailsOfAccount(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	return d.PostalAddresses, nil
}

func (r account) Contacts(ctx context.Context, a *store.Account, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.ContactPage, error) {
	return r.Store.ContactsOfAccount(ctx, a.ID, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r account) Owner(ctx context.Context, a *store.Account) (*store.User, error) {
	return r.Store.OwnerOfAccount(ctx, a.ID)
}

func (r opportunity) Owner(ctx context.Context, o *store.Opportunity) (*store.User, error) {
	return r.Store.OwnerOfOpportunity(ctx, o.ID)
}

// Contact returns the resolvers of the fields of a contact that store.Contact does not contain.
func (r *Resolver) Contact() ContactResolver { return contact{r} }

// PersonalName returns the resolvers of the fields of a personal name that store.PersonalName does
// not contain.
func (r *Resolver) PersonalName() PersonalNameResolver { return personalName{r} }

type contact struct{ *Resolver }

func (r contact) IsInstructor(ctx context.Context, c *store.Contact) (bool, error) {
	d, err := r.Store.DetailsOfContact(ctx, c.ID)
	return err == nil && d.IsInstructor, err
}

func (r contact) IsStaff(ctx context.Context, c *store.Contact) (bool, error) {
	d, err := r.Store.DetailsOfContact(ctx, c.ID)
	return err == nil && d.IsStaff, err
}

type personalName struct{ *Resolver }

func (r personalName) MiddleName(ctx context.Context, n *store.PersonalName) (*string, error) {
	d, err := r.Store.DetailsOfContact(ctx, n.ContactID)
	if err != nil {
		return nil, err
	}
	return d.MiddleName, nil
}

type accountMutations struct{ *Resolver }

func (r accountMutations) Create(ctx context.Context, _ *AccountMutations, input store.AccountInput) (*AccountPayload, error) {
	return accountPayload(r.Store.CreateAccount(ctx, input))
}

func (r accountMutations) Update(ctx context.Context, _ *AccountMutations, input store.AccountInput) (*AccountPayload, error) {
	return accountPayload(r.Store.UpdateAccount(ctx, input))
}

func (r accountMutations) Merge(ctx context.Context, _ *AccountMutations, input AccountMergeInput) (*AccountPayload, error) {
	return accountPayload(r.Store.MergeAccounts(ctx, input.FromAccount, input.ToAccount))
}

func accountPayload(a *store.Account, err error) (*AccountPayload, error) {
	problems, err := refusal(err)
	if err != nil {
		return nil, err
	}
	return &AccountPayload{Errors: problems, Account: a}, nil
}

type contactMutations struct{ *Resolver }

func (r contactMutations) Create(ctx context.Context, _ *ContactMutations, input store.NewContact) (*ContactPayload, error) {
	input.DuplicateEmail = allowsDuplicateEmail(ctx)
	return contactPayload(r.Store.CreateContact(ctx, input))
}

func allowsDuplicateEmail(ctx context.Context) bool {
	return graphql.HasOperationContext(ctx) && graphql.GetOperationContext(ctx).Headers.Get("X-Duped-Email") == "yes"
}

func contactPayload(c *store.Contact, err error) (*ContactPayload, error) {
	problems, err := refusal(err)
	if err != nil {
		return nil, err
	}
	return &ContactPayload{Errors: problems, Contact: c}, nil
}

func (r contactMutations) CreateBatch(ctx context.Context, _ *ContactMutations, input []*store.NewContact) ([]*ContactPayload, error) {
	for _, in := range input {
		if in != nil {
			in.DuplicateEmail = allowsDuplicateEmail(ctx)
		}
	}
	made, err := r.Store.CreateContacts(ctx, input)
	if err != nil {
		return nil, err
	}
	payloads := make([]*ContactPayload, len(made))
	for i, one := range made {
		if payloads[i], err = contactPayload(one.Contact, one.Err); err != nil {
			return nil, err
		}
	}
	return payloads, nil
}

type externalLog struct{ *Resolver }

func (r externalLog) CreateExternalIntegrationLog(ctx context.Context, _ *ExternalLogMutations, input store.NewExternalLog) (*ExternalLogPayload, error) {
	written, err := r.Store.WriteExternalLog(ctx, input)
	problems, err := refusal(err)
	if err != nil {
		return nil, err
	}
	payload := &ExternalLogPayload{Errors: problems}
	if written != nil {
		id := written.GlobalID()
		payload.EntityID = &id
	}
	return payload, nil
}

func (r externalLog) CreateExternalIntegrationLogs(ctx context.Context, namespace *ExternalLogMutations, input []*store.NewExternalLog) (*ExternalLogsPayload, error) {
	all := &ExternalLogsPayload{Errors: []*store.RefusalError{}, EntityIds: []string{}}
	for _, in := range input {
		one, err := r.CreateExternalIntegrationLog(ctx, namespace, *in)
		if err != nil {
			return nil, err
		}
		all.Errors = append(all.Errors, one.Errors...)
		if one.EntityID != nil {
			all.EntityIds = append(all.EntityIds, *one.EntityID)
		}
	}
	return all, nil
}

func (r query) Users(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.UserPage, error) {
	return r.Store.Users(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r query) ExternalIntegrationLogs(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.ExternalLogPage, error) {
	return r.Store.ExternalLogs(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

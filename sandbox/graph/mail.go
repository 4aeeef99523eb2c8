package graph

import (
	"context"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/store"
)

// ContactAdhocEmailMutations returns the mutations that send mail to one contact.
func (r *Resolver) ContactAdhocEmailMutations() ContactAdhocEmailMutationsResolver {
	return contactMail{r}
}

// BulkAdhocEmailMutations returns the mutations that send mail to many contacts.
func (r *Resolver) BulkAdhocEmailMutations() BulkAdhocEmailMutationsResolver { return bulkMail{r} }

func (mutation) ContactAdhocEmails(context.Context) (*ContactAdhocEmailMutations, error) {
	return &ContactAdhocEmailMutations{}, nil
}

func (mutation) BulkAdhocEmails(context.Context) (*BulkAdhocEmailMutations, error) {
	return &BulkAdhocEmailMutations{}, nil
}

type contactMail struct{ *Resolver }

func (r contactMail) SendContactAdhocEmail(ctx context.Context, _ *ContactAdhocEmailMutations, in ContactAdhocEmailInput) (*EmailPayload, error) {
	return r.send(ctx, store.NewMail{
		SendingAddressID: in.SendingAddressID, ContactIDs: []string{in.ContactID}, Subject: in.Subject, Body: in.Body, CC: in.CcList,
	})
}

type bulkMail struct{ *Resolver }

func (r bulkMail) SendBulkContactAdhocEmail(ctx context.Context, _ *BulkAdhocEmailMutations, in BulkContactAdhocEmailInput) (*EmailPayload, error) {
	m := store.NewMail{SendingAddressID: in.SendingAddressID, EventID: in.EventID, Subject: in.Subject, Body: in.Body}
	for _, id := range in.ContactIds {
		if id != nil {
			m.ContactIDs = append(m.ContactIDs, *id)
		}
	}
	return r.send(ctx, m)
}

func (r bulkMail) SendBulkLearnerAdhocEmail(ctx context.Context, _ *BulkAdhocEmailMutations, in BulkLearnerAdhocEmailInput) (*EmailPayload, error) {
	m := store.NewMail{SendingAddressID: in.SendingAddressID, EventID: &in.EventID, LearnerIDs: in.LearnerIds, Audience: in.Audience, TemplateID: &in.TemplateID}
	if m.LearnerIDs == nil && m.Audience == nil && !r.Choices.Is(assumptions.MailAudience, "nobody") {
		active := "active"
		m.Audience = &active
	}
	return r.send(ctx, m)
}

func (r bulkMail) SendBulkBookingContactAdhocEmail(ctx context.Context, _ *BulkAdhocEmailMutations, in BulkBookingContactAdhocEmailInput) (*EmailPayload, error) {
	return r.send(ctx, store.NewMail{SendingAddressID: in.SendingAddressID, EventID: &in.EventID, Audience: in.Audience, Bookers: true, TemplateID: &in.TemplateID})
}

func (r *Resolver) send(ctx context.Context, m store.NewMail) (*EmailPayload, error) {
	problems, err := refusal(r.Store.SendMail(ctx, m))
	if err != nil {
		return nil, err
	}
	return &EmailPayload{Errors: problems}, nil
}

func (r query) SendingEmailAddresses(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.SendingAddressPage, error) {
	return r.Store.SendingAddresses(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r query) CommunicationTemplates(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.CommunicationTemplatePage, error) {
	return r.Store.CommunicationTemplates(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

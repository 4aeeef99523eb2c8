package graph

import (
	"context"

	"github.com/oppflow/oppflow/sandbox/store"
)

// EventMutations returns the mutations of events.
func (r *Resolver) EventMutations() EventMutationsResolver { return eventMutations{r} }

// LearnerMutations returns the mutations of learners.
func (r *Resolver) LearnerMutations() LearnerMutationsResolver { return learnerMutations{r} }

// RegistrationMutations returns the mutations of registrations.
func (r *Resolver) RegistrationMutations() RegistrationMutationsResolver {
	return registrationMutations{r}
}

// Learner returns the resolvers of the fields of a learner that store.RegisteredLearner does not
// contain.
func (r *Resolver) Learner() LearnerResolver { return learner{r} }

// Registration returns the resolvers of the fields of a registration that store.Registration does
// not contain.
func (r *Resolver) Registration() RegistrationResolver { return registration{r} }

func (mutation) Event(context.Context) (*EventMutations, error) { return &EventMutations{}, nil }

func (mutation) Learner(context.Context) (*LearnerMutations, error) { return &LearnerMutations{}, nil }

func (mutation) Registration(context.Context) (*RegistrationMutations, error) {
	return &RegistrationMutations{}, nil
}

type eventMutations struct{ *Resolver }

func (r eventMutations) Update(ctx context.Context, _ *EventMutations, id string, input store.EventUpdate) (*EventPayload, error) {
	e, err := r.Store.UpdateEvent(ctx, id, input)
	problems, err := refusal(err)
	if err != nil {
		return nil, err
	}
	return &EventPayload{Errors: problems, Event: e}, nil
}

func (r eventMutations) RegisterContacts(ctx context.Context, _ *EventMutations, id string, input store.RegisterContacts) (*EventRegisterContactsPayload, error) {
	e, learners, err := r.Store.RegisterContacts(ctx, id, input)
	problems, err := refusal(err)
	if err != nil {
		return nil, err
	}
	return &EventRegisterContactsPayload{Errors: problems, Event: e, Learners: learners}, nil
}

// A refused learner does not affect the registration of the other learners.
func (r eventMutations) RegisterNamedLearners(ctx context.Context, _ *EventMutations, input []*store.NamedLearner) ([]*EventRegisterNamedLearnerPayload, error) {
	payloads := make([]*EventRegisterNamedLearnerPayload, len(input))
	for i, in := range input {
		l, err := r.Store.RegisterNamedLearner(ctx, *in)
		problems, err := refusal(err)
		if err != nil {
			return nil, err
		}
		payloads[i] = &EventRegisterNamedLearnerPayload{Errors: problems}
		if l != nil {
			payloads[i].Learners = []*store.RegisteredLearner{l}
		}
	}
	return payloads, nil
}

type learnerMutations struct{ *Resolver }

func (r learnerMutations) Update(ctx context.Context, _ *LearnerMutations, input LearnerUpdateInput) (*LearnerPayload, error) {
	return learnerPayload(r.Store.UpdateLearner(ctx, input.LearnerID, input.Notes, input.CustomFieldValues))
}

func (r learnerMutations) Cancel(ctx context.Context, _ *LearnerMutations, input LearnerTargetInput) (*LearnerPayload, error) {
	return learnerPayload(r.Store.CancelLearner(ctx, input.LearnerID))
}

func (r learnerMutations) Reactivate(ctx context.Context, _ *LearnerMutations, input LearnerTargetInput) (*LearnerPayload, error) {
	return learnerPayload(r.Store.ReactivateLearner(ctx, input.LearnerID))
}

func learnerPayload(l *store.RegisteredLearner, err error) (*LearnerPayload, error) {
	problems, err := refusal(err)
	if err != nil {
		return nil, err
	}
	return &LearnerPayload{Errors: problems, Learner: l}, nil
}

type registrationMutations struct{ *Resolver }

func (r registrationMutations) RegisterLearner(ctx context.Context, _ *RegistrationMutations, input RegistrationRegisterLearnerInput) (*RegistrationPayload, error) {
	return registrationPayload(r.Store.AddToRegistration(ctx, store.AddToRegistration{
		RegistrationID: input.RegistrationID, EventID: input.EventID, ContactID: &input.ContactID, Quantity: 1,
	}))
}

func (r registrationMutations) RegisterUnnamedLearners(ctx context.Context, _ *RegistrationMutations, input RegistrationRegisterUnnamedLearnersInput) (*RegistrationPayload, error) {
	return registrationPayload(r.Store.AddToRegistration(ctx, store.AddToRegistration{
		RegistrationID: input.RegistrationID, EventID: input.EventID, Quantity: int(input.Quantity),
	}))
}

func registrationPayload(b *store.Registration, err error) (*RegistrationPayload, error) {
	problems, err := refusal(err)
	if err != nil {
		return nil, err
	}
	return &RegistrationPayload{Errors: problems, Registration: b}, nil
}

type learner struct{ *Resolver }

func (r learner) Event(ctx context.Context, l *store.RegisteredLearner) (*store.Event, error) {
	return r.Store.EventByKey(ctx, l.EventID)
}

func (r learner) Registration(ctx context.Context, l *store.RegisteredLearner) (*store.Registration, error) {
	return r.Store.RegistrationByKey(ctx, l.RegistrationID)
}

type registration struct{ *Resolver }

func (r registration) Event(ctx context.Context, b *store.Registration) (*store.Event, error) {
	return r.Store.EventByKey(ctx, b.EventID)
}

// A registration in the sandbox always has exactly one item, which is an event.
func (r registration) Registerables(ctx context.Context, b *store.Registration) ([]*store.Event, error) {
	e, err := r.Store.EventByKey(ctx, b.EventID)
	if err != nil || e == nil {
		return []*store.Event{}, err
	}
	return []*store.Event{e}, nil
}

func (r registration) InvoiceIssued(ctx context.Context, b *store.Registration) (bool, error) {
	return r.Store.InvoiceIssued(ctx, b.ID)
}

func (r registration) SourceOpportunity(ctx context.Context, b *store.Registration) (*store.Opportunity, error) {
	if b.SourceOpportunityID == nil {
		return nil, nil
	}
	return r.Store.OpportunityByKey(ctx, *b.SourceOpportunityID)
}

func (r registration) Learners(ctx context.Context, b *store.Registration, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.RegisteredLearnerPage, error) {
	return r.Store.LearnersOfRegistration(ctx, b.ID, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r event) IsSoldOut(ctx context.Context, e *store.Event) (bool, error) {
	remaining, err := r.RemainingPlaces(ctx, e)
	return remaining <= 0, err
}

func (r event) Learners(ctx context.Context, e *store.Event, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.RegisteredLearnerPage, error) {
	return r.Store.LearnersOfEvent(ctx, e.ID, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r event) Registrations(ctx context.Context, e *store.Event, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.RegistrationPage, error) {
	return r.Store.RegistrationsOfEvent(ctx, e.ID, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r query) Learners(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.RegisteredLearnerPage, error) {
	return r.Store.RegisteredLearners(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

func (r query) Registrations(ctx context.Context, filters []*store.Filter, first, offset *int32, after *string, order []*store.Order) (*store.RegistrationPage, error) {
	return r.Store.Registrations(ctx, store.Search{Filters: filters, Order: order, First: first, Offset: offset, After: after})
}

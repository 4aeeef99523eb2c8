package tms

import (
	"context"
	"slices"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/activities/tms/places"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// ApplyCommands makes changes of one opportunity, in one request and in order. After a rejection,
// ApplyCommands may make another request to look up names again.
func (a *Activities) ApplyCommands(ctx context.Context, in activities.ApplyInput) (activities.ApplyResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ApplyResult{CallResult: runs.ResetResult(run)}, nil
	}
	rules, err := a.playbookFeatures(ctx)
	switch {
	case err != nil:
		return activities.ApplyResult{CallResult: playbookUnavailableResult(err)}, nil
	case in.TransitionUnplanned && rules != nil && rules.Transitions:
		return activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonTransitionUnplanned, PlaybookFeatures: rules}}, nil
	}
	dictionary := names.NewResolver(a.nameCache, in.ResolvedNames)
	mutations := make([]administrate.Mutation, len(in.Changes))
	for i, m := range in.Changes {
		mutations[i] = a.apiMutation(in, m, dictionary, i == len(in.Changes)-1 && rules != nil && rules.Transitions)
	}
	if len(dictionary.Missing) > 0 {
		return activities.ApplyResult{CallResult: dictionary.UnresolvedResult()}, nil
	}
	events := places.EventsToCompare(mutations, in.HasReservation)
	before := a.readReserved(ctx, events)
	answers, err := a.api.Apply(a.withSendDeadline(ctx), mutations)
	result := activities.ApplyResult{CallResult: callResult(err)}
	if err != nil {
		return result, nil
	}
	result.PlaybookFeatures = rules
	result.Results = make([]exchange.ChangeResult, len(in.Changes))
	for i := range in.Changes {
		result.Results[i] = a.changeResult(in, i, mutations[i], answers[i])
		result.ServerError = result.ServerError || isServerError(answers[i].Err)
		if shown := answers[i].Opportunity; shown != nil && a.referenceTag.isTaggedByOther(*shown, in.Reference) {
			result.TaggedByOther = true
		}
	}
	result.Record = a.wholeRecord(in, mutations[len(mutations)-1], answers[len(answers)-1].Opportunity)
	a.handleRejectedChanges(ctx, in.Changes, result.Results, dictionary)
	if hasReservation(result.Results) {
		after := a.readReserved(ctx, events)
		for i, event := range events {
			result.Results[i].Reserved = exchange.ReservedPlaces{Before: before.On(event), After: after.On(event)}
		}
	}
	return result, nil
}

func hasReservation(results []exchange.ChangeResult) bool {
	return slices.ContainsFunc(results, func(r exchange.ChangeResult) bool { return r.Reservation != nil && r.Reservation.Valid })
}

// If the read fails or takes too long, readReserved returns nil.
func (a *Activities) readReserved(ctx context.Context, events []opportunity.ID) places.Reserved {
	ctx, cancel := a.withSideReadTimeout(ctx)
	defer cancel()
	reserved, err := places.Read(ctx, a.api, events)
	if err != nil {
		return nil
	}
	return reserved
}

func (a *Activities) wholeRecord(in activities.ApplyInput, last administrate.Mutation, read *administrate.Opportunity) *exchange.Snapshot {
	if !isFull(last) || read == nil || read.NextInterestsCursor != "" {
		return nil
	}
	record := a.snapshot(*read, in.Reference)
	return &record
}

func isFull(m administrate.Mutation) bool {
	switch m := m.(type) {
	case administrate.Progress:
		return m.Full
	case administrate.UpdateOpportunity:
		return m.Full
	case administrate.ExtendReservations:
		return m.Full
	}
	return false
}

// full says that the response to the mutation must contain the whole record.
func (a *Activities) apiMutation(in activities.ApplyInput, m exchange.Change, d *names.Resolver, full bool) administrate.Mutation {
	id, wanted := string(in.Opportunity), m.Names()
	switch {
	case m.Interest != nil:
		return addInterest(id, *m.Interest, itemID(*m.Interest, wanted, d))
	case m.Update != nil:
		return administrate.UpdateOpportunity{
			ID:        id,
			AccountID: d.ID(opportunity.TypeAccount, m.Update.Account, wanted),
			Currency:  d.ID(exchange.TypeCurrency, m.Update.Currency, wanted),
			Name:      a.referenceTag.addToName(m.Update.Name, in.Reference),
			Full:      full,
		}
	case m.Progress != nil:
		return administrate.Progress{OpportunityID: id, StepID: d.ID(opportunity.TypeStep, m.Progress.To, wanted), Full: full}
	default:
		return administrate.ExtendReservations{OpportunityID: id, Until: a.reservationExpiry(*m.ReservationChange), Full: full}
	}
}

func itemID(interest opportunity.Interest, wanted []exchange.UnresolvedName, d *names.Resolver) string {
	for _, name := range wanted {
		return d.ID(name.Type, name.Text, wanted)
	}
	return interest.Item
}

func addInterest(id string, interest opportunity.Interest, item string) administrate.AddInterest {
	out := administrate.AddInterest{
		OpportunityID: id,
		ItemID:        item,
		Kind:          names.APIKind(interest.ResolvedKind()),
		Quantity:      interest.Quantity,
		UnitAmount:    interest.UnitAmount.Decimal(),
		Reserve:       interest.Reserve,
		TaxID:         string(interest.Tax),
		ExpiresAt:     administrate.LocalTime(interest.ExpiresAt),
	}
	for _, learner := range interest.Learners {
		out.NewLearners = append(out.NewLearners, administrate.Learner{
			FirstName: learner.FirstName, LastName: learner.LastName, Email: learner.Email,
		})
	}
	for _, contact := range interest.Contacts {
		out.ExistingLearners = append(out.ExistingLearners, string(contact))
	}
	return out
}

// To release places, reservationExpiry returns the current time, because the API has no other way
// to release places. A reservation for a new interest never shortens the reservation of the
// opportunity.
func (a *Activities) reservationExpiry(extend exchange.ReservationChange) time.Time {
	now := a.now().UTC().Truncate(time.Second)
	if extend.Release {
		return now
	}
	if !extend.Until.IsZero() {
		return extend.Until.UTC().Truncate(time.Second)
	}
	until := now.Add(a.reservationLength)
	if until.Before(extend.NotBefore) {
		return extend.NotBefore
	}
	return until
}

func (a *Activities) changeResult(in activities.ApplyInput, i int, m administrate.Mutation, answer administrate.MutationResult) exchange.ChangeResult {
	if answer.Err != nil {
		known := callResult(answer.Err)
		return exchange.ChangeResult{Status: known.Status, Error: known.Error}
	}
	out := exchange.ChangeResult{Status: exchange.StatusDone}
	for _, interest := range answer.Interests {
		out.Interests = append(out.Interests, interestRef(interest))
	}
	if m, ok := m.(administrate.ExtendReservations); ok {
		if answer.Opportunity == nil {
			// The response contains nothing about the places, and an empty list of errors does not
			// prove success.
			return exchange.ChangeResult{Status: exchange.StatusUnknown}
		}
		held := a.toReservation(answer.Opportunity.Reservations)
		// A reservation with an expiry other than the requested expiry does not count. The worker does
		// not compare an expiry that a caller named, because the workflow compares that expiry later.
		// After a request to release places, only the API's response decides whether places are still
		// reserved.
		extend := in.Changes[i].ReservationChange
		held.Valid = held.Valid && (extend.Release || !extend.Until.IsZero() || isSameExpiry(held.Until, m.Until))
		out.Reservation = &held
		return out
	}
	if answer.Opportunity == nil {
		return out
	}
	record := a.snapshot(*answer.Opportunity, in.Reference)
	switch m.(type) {
	case administrate.Progress:
		out.Step = &record.Step
	case administrate.UpdateOpportunity:
		out.Details = &record.Details
	}
	return out
}

func isSameExpiry(got, asked time.Time) bool {
	return got.Sub(asked).Abs() <= opportunity.ExpiryTolerance
}

// Places count as reserved only if the API reports a reservation with an expiry in the future.
func (a *Activities) toReservation(r administrate.Reservations) opportunity.Reservation {
	if r.Until == nil {
		return opportunity.Reservation{}
	}
	return opportunity.Reservation{Valid: r.Valid && r.Until.After(a.now()), Until: r.Until.UTC()}
}

package tms

import (
	"context"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ApplyCommands makes changes of one opportunity, in one request and in order.
func (a *Activities) ApplyCommands(ctx context.Context, in activities.ApplyInput) (activities.ApplyResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.ApplyResult{Sending: reset(run)}, nil
	}
	rules, err := a.rules(ctx)
	switch {
	case err != nil:
		return activities.ApplyResult{Sending: ruleless(err)}, nil
	case in.Unplanned && rules != nil && rules.Moves:
		return activities.ApplyResult{Sending: activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonUnplanned, Rules: rules}}, nil
	}
	dictionary := a.dictionary(in.Resolved)
	mutations := make([]administrate.Mutation, len(in.Mutations))
	for i, m := range in.Mutations {
		mutations[i] = a.mutation(in, m, dictionary)
	}
	if len(dictionary.missing) > 0 {
		return activities.ApplyResult{Sending: dictionary.unresolved()}, nil
	}
	answers, err := a.api.Apply(a.inTime(ctx), mutations)
	result := activities.ApplyResult{Sending: sending(err)}
	if err != nil {
		return result, nil
	}
	result.Rules = rules
	result.Answers = make([]opportunity.Answer, len(in.Mutations))
	for i := range in.Mutations {
		result.Answers[i] = a.answer(in, i, mutations[i], answers[i])
		result.Failing = result.Failing || failing(answers[i].Err)
	}
	return result, nil
}

func (a *Activities) mutation(in activities.ApplyInput, m opportunity.Mutation, d *dictionary) administrate.Mutation {
	id, wanted := string(in.Opportunity), m.Names()
	switch {
	case m.Interest != nil:
		return addInterest(id, *m.Interest, itemID(*m.Interest, wanted, d))
	case m.Update != nil:
		return administrate.UpdateOpportunity{
			ID:        id,
			AccountID: d.id(opportunity.TypeAccount, m.Update.Account, wanted),
			Currency:  d.id(opportunity.TypeCurrency, m.Update.Currency, wanted),
			Name:      a.mark.written(m.Update.Name, in.Reference),
		}
	case m.Progress != nil:
		return administrate.Progress{OpportunityID: id, StepID: d.id(opportunity.TypeStep, m.Progress.To, wanted)}
	default:
		return administrate.ExtendReservations{OpportunityID: id, Until: a.until(*m.Extend)}
	}
}

// itemID returns the id of the interest's item; the type of the id depends on the kind.
func itemID(interest opportunity.Interest, wanted []opportunity.Name, d *dictionary) string {
	for _, name := range wanted {
		return d.id(name.Type, name.Text, wanted)
	}
	return interest.Item
}

func addInterest(id string, interest opportunity.Interest, item string) administrate.AddInterest {
	out := administrate.AddInterest{
		OpportunityID: id,
		ItemID:        item,
		Quantity:      interest.Quantity,
		UnitAmount:    interest.UnitAmount.Decimal(),
		Reserve:       interest.Reserve,
		TaxID:         string(interest.Tax),
		ExpiresAt:     administrate.LocalTime(interest.ExpiresAt),
	}
	switch interest.ResolvedKind() {
	case opportunity.Course:
		out.Kind = administrate.Course
	case opportunity.Event:
		out.Kind = administrate.Event
	case opportunity.Path:
		out.Kind = administrate.LearningPath
	case opportunity.Tokens:
		out.Kind = administrate.Tokens
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

// until returns when the places lapse. The API releases places in one way only: they end
// now. A later interest never shortens a hold.
func (a *Activities) until(extend opportunity.Extend) time.Time {
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

func (a *Activities) answer(in activities.ApplyInput, i int, m administrate.Mutation, answer administrate.Answer) opportunity.Answer {
	if answer.Err != nil {
		known := sending(answer.Err)
		return opportunity.Answer{Fate: known.Fate, Error: known.Error}
	}
	out := opportunity.Answer{Fate: opportunity.FateDone}
	for _, interest := range answer.Interests {
		out.Interests = append(out.Interests, reference(interest))
	}
	if m, ok := m.(administrate.ExtendReservations); ok {
		if answer.Opportunity == nil {
			// The answer holds nothing about the places, and an empty list of errors proves
			// nothing: the workflow reads back.
			return opportunity.Answer{Fate: opportunity.FateUnknown}
		}
		held := a.held(answer.Opportunity.Reservations)
		// A hold that ends at another time than requested is not the requested hold. Where a
		// caller named the time, the workflow judges the hold itself. Places that were to be
		// released are held as long as the API says so.
		extend := in.Mutations[i].Extend
		held.Valid = held.Valid && (extend.Release || !extend.Until.IsZero() || near(held.Until, m.Until))
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

// near reports whether the expiry in the answer is the requested one, within the
// tolerance.
func near(got, asked time.Time) bool { return got.Sub(asked).Abs() <= opportunity.ExpiryTolerance }

// held returns what the API says of the places. Places are held only when the API says so
// and names an expiry in the future.
func (a *Activities) held(r administrate.Reservations) opportunity.Reservation {
	if r.Until == nil {
		return opportunity.Reservation{}
	}
	return opportunity.Reservation{Valid: r.Valid && r.Until.After(a.now()), Until: r.Until.UTC()}
}

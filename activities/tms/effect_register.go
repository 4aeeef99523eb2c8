package tms

import (
	"context"
	"slices"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureRegister registers those who are to be trained on their events. Places that
// are held for the opportunity are not used up by that: until they are given back,
// which is done once everybody is registered, they count twice. Registering first is
// what keeps a place from going to somebody else in between.
type ensureRegister struct{ *Activities }

func (e ensureRegister) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	if in.Undo {
		return e.takeBack(ctx, in, out)
	}
	out, err := e.contacts(ctx, in, out, opportunity.SeveralAsk)
	if err != nil || out.Error != nil || out.Act != nil {
		return out, err
	}
	for _, event := range eventsFor(in.Attendees) {
		var missing []opportunity.ID
		for _, contact := range contactsOn(event, in.Attendees, out.Contacts) {
			enrolled, err := e.api.Enrolment(ctx, string(contact), string(event))
			if err != nil {
				return out, reading(err)
			}
			learner := opportunity.Record{Kind: opportunity.RecordLearner, On: event, Contact: contact}
			if enrolled.Active == 0 {
				missing = append(missing, contact)
				learner.Made = true
			} else if len(enrolled.Learners) > 0 {
				learner.ID = opportunity.ID(enrolled.Learners[0].ID)
			}
			out.Trace = out.Trace.Adding(learner)
		}
		if len(missing) > 0 {
			out.Act = &opportunity.Act{Kind: opportunity.ActRegister, On: event, IDs: missing[:min(len(missing), administrate.MaxEntries)]}
			return out, nil
		}
	}
	if in.Effect.Register == nil || !in.Effect.Register.Release {
		return out, nil
	}
	now, err := e.places(ctx, in.Opportunity)
	if err != nil {
		return out, reading(err)
	}
	out.Reservation = now.reservation()
	if now.held && !now.until.IsZero() {
		out.Act = &opportunity.Act{Kind: opportunity.ActRelease}
	}
	return out, nil
}

// takeBack cancels the learners that the effect made.
func (e ensureRegister) takeBack(ctx context.Context, in activities.EffectInput, out activities.InspectResult) (activities.InspectResult, error) {
	out.Trace.Records = slices.Clone(in.Trace.Records)
	for i := range out.Trace.Records {
		made := &out.Trace.Records[i]
		if made.Kind != opportunity.RecordLearner || !made.Made || made.Gone {
			continue
		}
		enrolled, err := e.api.Enrolment(ctx, string(made.Contact), string(made.On))
		if err != nil {
			return out, reading(err)
		}
		if enrolled.Active == 0 || len(enrolled.Learners) == 0 {
			made.Gone = true
			continue
		}
		if made.ID == "" {
			made.ID = opportunity.ID(enrolled.Learners[0].ID)
		}
		if !slices.ContainsFunc(enrolled.Learners, func(l administrate.EventLearner) bool { return opportunity.ID(l.ID) == made.ID }) {
			made.Gone = true // somebody registered the person anew
			continue
		}
		out.Act = &opportunity.Act{Kind: opportunity.ActCancelLearner, On: made.ID}
		return out, nil
	}
	return out, nil
}

func (e ensureRegister) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	switch in.Act.Kind {
	case opportunity.ActCreateContacts:
		return e.createContacts(ctx, in)
	case opportunity.ActRelease:
		return e.lapseAt(ctx, in, e.now()), nil
	case opportunity.ActCancelLearner:
		err := e.api.CancelLearner(inTime(ctx), string(in.Act.On))
		return activities.CarryOutResult{Sending: sending(err), Trace: in.Trace}, nil
	}
	contacts := make([]string, len(in.Act.IDs))
	for i, id := range in.Act.IDs {
		contacts[i] = string(id)
	}
	registered, err := e.api.RegisterContacts(inTime(ctx), administrate.RegisterContacts{EventID: string(in.Act.On), ContactIDs: contacts})
	result := activities.CarryOutResult{Sending: sending(err), Trace: in.Trace}
	for _, learner := range registered.Learners {
		result.Trace = result.Trace.Adding(opportunity.Record{
			Kind: opportunity.RecordLearner, ID: opportunity.ID(learner.ID), On: in.Act.On, Contact: opportunity.ID(learner.ContactID), Made: true,
		})
	}
	return result, nil
}

// eventsFor are the events the attendees are to be on, each once.
func eventsFor(attendees []opportunity.Attendee) []opportunity.ID {
	var events []opportunity.ID
	for _, attendee := range attendees {
		if !slices.Contains(events, attendee.Event) {
			events = append(events, attendee.Event)
		}
	}
	return events
}

// contactsOn are the contacts who are to be on the event, each once. found are those
// that were found now, by the places of the attendees.
func contactsOn(event opportunity.ID, attendees []opportunity.Attendee, found []opportunity.ID) []opportunity.ID {
	var contacts []opportunity.ID
	for i, attendee := range attendees {
		contact := attendee.Contact
		if contact == "" && i < len(found) {
			contact = found[i]
		}
		if attendee.Event == event && contact != "" && !slices.Contains(contacts, contact) {
			contacts = append(contacts, contact)
		}
	}
	return contacts
}

package tms

import (
	"context"
	"errors"
	"slices"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/people"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// cancelRegistrationsHandler cancels a registration of an attendee if an effect or a trigger of the
// same opportunity made the registration. Registrations of another opportunity stay. An operator
// decides about a registration if neither Oppflow nor the API shows who made the registration.
type cancelRegistrationsHandler struct{ *Activities }

func (h effectHandlers) CancelRegistrations() effectHandler {
	return cancelRegistrationsHandler{h.activities}
}

func (e cancelRegistrationsHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx)}
	if in.Undo {
		return e.inspectUndo(ctx, in, out)
	}
	policy := people.Policy{Several: exchange.MatchAskOperator}
	if settings := settingsOf[exchange.CancelRegistrations](in); settings != nil {
		policy.People = settings.People
	}
	found, err := e.inspectContacts(ctx, dropUnknownAttendees(in), out, policy)
	if err != nil || found.Error != nil && len(found.PeopleInDoubt) == 0 {
		found.UndoEntry = in.UndoEntry
		return found, err
	}
	out.Contacts = found.Contacts // an attendee in doubt or without a contact has no registration
	unclear := 0
	for _, event := range people.Events(in.Attendees) {
		contacts := people.ContactsOn(event, in.Attendees, out.Contacts)
		places, err := people.EnrolmentsOn(ctx, e.api, event, contacts)
		if err != nil {
			return out, readError(err)
		}
		owners, err := e.placeOwners(ctx, in, out, event, places)
		if err != nil {
			return out, readError(err)
		}
		for _, contact := range contacts {
			for _, learner := range places[contact] {
				switch owners.Owner(in.Opportunity, event, contact, learner) {
				case people.OwnPlace:
					out.UndoEntry = out.UndoEntry.WithObject(opportunity.TouchedObject{
						Kind: opportunity.ObjectLearner, ID: learner, Event: event, Contact: contact, Reverted: true,
					})
					if out.Request == nil {
						out.Request = &exchange.EffectRequest{Kind: exchange.RequestCancelLearner, Target: learner}
					}
				case people.UnclearPlace:
					unclear++
				}
			}
		}
	}
	if out.Request == nil && unclear > 0 {
		out.Error = opportunity.Failf(opportunity.Conflict, "neither Oppflow nor the API shows which opportunity made %s of the learners; cancel this opportunity's registrations in the TMS and send the message retry, or send skip to keep the registrations", plural(unclear, "registration"))
	}
	return out, nil
}

// dropUnknownAttendees removes the person of each attendee who has no e-mail address and no known
// contact. The worker cannot find the contact of an attendee without an e-mail address, so this
// attendee is not registered on an event.
func dropUnknownAttendees(in activities.EffectInput) activities.EffectInput {
	in.Attendees = slices.Clone(in.Attendees)
	for i, attendee := range in.Attendees {
		if people.NeedsLookup(attendee) && people.EmailKey(attendee) == "" {
			in.Attendees[i].Person = nil
		}
	}
	return in
}

// inspectUndo returns the request that reinstates the learners whom the effect cancelled, if their
// events have free places.
func (e cancelRegistrationsHandler) inspectUndo(ctx context.Context, in activities.EffectInput, out activities.InspectResult) (activities.InspectResult, error) {
	out.UndoEntry.Objects = slices.Clone(in.UndoEntry.Objects)
	cancelled := func(r opportunity.TouchedObject) bool { return r.Kind == opportunity.ObjectLearner && r.Reverted }
	on, err := people.EnrolmentsOf(ctx, e.api, in.UndoEntry.Objects, cancelled)
	if err != nil {
		return out, readError(err)
	}
	room := make(map[opportunity.ID]bool)
	left, full := 0, opportunity.ID("")
	for i := range out.UndoEntry.Objects {
		learner := &out.UndoEntry.Objects[i]
		if !cancelled(*learner) {
			continue
		}
		places := on[learner.Event][learner.Contact]
		if slices.Contains(places, learner.ID) {
			learner.Reverted = false
			continue
		}
		// A contact who has another registration on the event is not reinstated.
		if out.Request != nil || slices.ContainsFunc(places, func(id opportunity.ID) bool { return !hasLearner(in.UndoEntry, id) }) {
			continue
		}
		if _, looked := room[learner.Event]; !looked {
			event, err := e.api.Event(ctx, string(learner.Event))
			if err != nil {
				return out, readError(err)
			}
			room[learner.Event] = event.Active && (event.RemainingPlaces == nil || *event.RemainingPlaces > 0)
		}
		if !room[learner.Event] {
			left, full = left+1, learner.Event
			continue
		}
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestReinstateLearner, Target: learner.ID}
	}
	if out.Request == nil && left > 0 {
		out.Error = opportunity.Failf(opportunity.Conflict, "%s cannot be reinstated: the event %s has no free place", plural(left, "learner"), full)
	}
	return out, nil
}

func hasLearner(trace exchange.UndoEntry, id opportunity.ID) bool {
	return slices.ContainsFunc(trace.Objects, func(r opportunity.TouchedObject) bool { return r.Kind == opportunity.ObjectLearner && r.ID == id })
}

func (e cancelRegistrationsHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: runs.ResetResult(run)}, nil
	}
	act := e.api.CancelLearner
	if in.Request.Kind == exchange.RequestReinstateLearner {
		act = e.api.ReactivateLearner
	}
	return activities.ExecuteResult{CallResult: callResult(act(e.withSendDeadline(ctx), string(in.Request.Target))), UndoEntry: in.UndoEntry}, nil
}

// placeOwners makes no request if the effects of the opportunity created all of the places.
func (e cancelRegistrationsHandler) placeOwners(
	ctx context.Context, in activities.EffectInput, found activities.InspectResult, event opportunity.ID, places map[opportunity.ID][]opportunity.ID,
) (people.Places, error) {
	owners := people.Places{Attendees: in.Attendees, Contacts: found.Contacts, UndoEntry: in.UndoEntry}
	var unclear []opportunity.ID
	for contact, learners := range places {
		if slices.ContainsFunc(learners, func(learner opportunity.ID) bool { return !owners.IsOwn(event, learner) }) {
			unclear = append(unclear, contact)
		}
	}
	if len(unclear) == 0 {
		return owners, nil
	}
	var err error
	if owners.Sources, err = e.enrolmentSources(ctx, event, unclear); err == nil && owners.Sources == nil {
		owners.HasRegistration, err = e.hasOwnRegistration(ctx, event, in.Opportunity)
	}
	return owners, err
}

// enrolmentSources reads which opportunities registered the places of the contacts on the event.
// The result is nil if the API does not show the opportunities.
func (a *Activities) enrolmentSources(ctx context.Context, event opportunity.ID, contacts []opportunity.ID) (map[opportunity.ID]opportunity.ID, error) {
	sources := make(map[opportunity.ID]opportunity.ID)
	for some := range slices.Chunk(contacts, administrate.MaxEntries) {
		for after := ""; ; {
			page, err := a.api.EnrolmentSources(ctx, string(event), people.IDStrings(some), after)
			switch {
			case errors.As(err, new(*administrate.RefusedError)), err == nil && !page.ShowsSources:
				return nil, nil
			case err != nil:
				return nil, err
			}
			for _, learner := range page.Learners {
				sources[opportunity.ID(learner.ID)] = opportunity.ID(learner.OpportunityID)
			}
			if after = page.NextCursor; after == "" {
				break
			}
		}
	}
	return sources, nil
}

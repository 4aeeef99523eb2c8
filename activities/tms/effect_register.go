package tms

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/people"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// A registration does not reduce the number of places that are reserved for the opportunity. Until
// the handler releases the reservation, the TMS therefore counts the places of registered learners
// twice: as booked and as reserved. The handler registers all attendees first and then releases the
// places, so that no other person can get a place before the registration. Observed: the TMS
// accepts a registration on an event whose reservations leave too few free places, and the number
// of remaining places becomes negative. If an event rejects the registration as full, the handler
// releases the reserved places first, because the reservation blocks the attendees for whom it was
// made.
type registerHandler struct{ *Activities }

func (h effectHandlers) Register() effectHandler { return registerHandler{h.activities} }

type registerNotes struct {
	// EventFull is set when an event rejected a registration as full while places were reserved for
	// the opportunity.
	EventFull string `note:"short"`
	// Unchecked lists the events whose free places the handler must read after it has registered
	// all learners.
	Unchecked string `note:"unchecked"`
}

func (e registerHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx)}
	switch {
	case in.Undo:
		return e.inspectUndo(ctx, in, out)
	case len(in.Attendees) == 0: // the places are reserved for people without names yet
		return out, nil
	}
	policy := people.Policy{Several: exchange.MatchAskOperator}
	if settings := settingsOf[exchange.RegisterLearners](in); settings != nil {
		policy.People = settings.People
	}
	out, err := e.inspectContacts(ctx, in, out, policy)
	switch {
	case err == nil && out.Request != nil && in.AfterContacts:
		out, err = e.inspectAfterContacts(ctx, in, policy)
		return out, readError(err)
	case err == nil && out.Error != nil && in.AfterContacts: // the earlier effect may find the contacts
		return activities.InspectResult{UndoEntry: in.UndoEntry, RunID: out.RunID, RecheckAt: in.Now}, nil
	case err == nil && out.Request != nil:
		return out, e.addAccount(ctx, in, out.Request)
	case err != nil || out.Error != nil:
		return out, err
	}
	act, err := e.nextRegistration(ctx, in, &out, nil)
	if err != nil {
		return out, readError(err)
	}
	if e.shouldRelease(in) && (act == nil || notesOf[registerNotes](in.UndoEntry).EventFull != "") {
		release, note, err := e.checkRelease(ctx, in, &out)
		switch {
		case err != nil:
			return out, readError(err)
		case release:
			act = &exchange.EffectRequest{Kind: exchange.RequestRelease}
		case act == nil:
			out.Note = note
		}
	}
	if act == nil {
		if err := e.findOverbooked(ctx, in, &out); err != nil {
			return out, readError(err)
		}
	}
	out.Request = act
	return out, nil
}

// inspectAfterContacts returns the first missing registration, if an earlier effect of the chain
// creates the missing contacts. The request names attendees whose contact does not exist yet by their
// indexes. The result is an inspection without a request, to be made again later, when the contacts
// alone do not decide the registration.
func (e registerHandler) inspectAfterContacts(ctx context.Context, in activities.EffectInput, policy people.Policy) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx), RecheckAt: in.Now}
	known, err := e.contactsByEmail(ctx, in.Attendees)
	if err != nil || notesOf[registerNotes](in.UndoEntry).EventFull != "" {
		return out, err
	}
	out.Contacts = make([]opportunity.ID, len(in.Attendees))
	creates := make([]bool, len(in.Attendees))
	for i, match := range people.MatchAll(in.Attendees, known, policy) {
		out.Contacts[i], creates[i] = match.Contact, match.Create
		if people.NeedsLookup(in.Attendees[i]) && match.Contact == "" && !match.Create {
			return activities.InspectResult{UndoEntry: in.UndoEntry, RunID: out.RunID, RecheckAt: in.Now}, nil
		}
	}
	act, err := e.nextRegistration(ctx, in, &out, creates)
	if err == nil && act != nil {
		out.Request, out.RecheckAt = act, time.Time{}
	}
	return out, err
}

func (registerHandler) shouldRelease(in activities.EffectInput) bool {
	settings := settingsOf[exchange.RegisterLearners](in)
	return settings != nil && settings.ReleaseReservation
}

// nextRegistration returns the next missing registration, nil when there is none. creates says, by
// the index of the attendee, whether another effect is about to create the attendee's contact.
func (e registerHandler) nextRegistration(ctx context.Context, in activities.EffectInput, out *activities.InspectResult, creates []bool) (*exchange.EffectRequest, error) {
	for _, event := range people.Events(in.Attendees) {
		contacts := people.ContactsOn(event, in.Attendees, out.Contacts)
		places, err := people.EnrolmentsOn(ctx, e.api, event, contacts)
		if err != nil {
			return nil, err
		}
		var missing []opportunity.ID
		for _, contact := range contacts {
			// The undo entry stores which contact is about to be registered on which event. If the
			// response is lost and a later inspection finds the contact on the event, the contact
			// counts as registered by this effect.
			learner := opportunity.TouchedObject{Kind: opportunity.ObjectLearner, Event: event, Contact: contact, Created: true}
			if on := places[contact]; len(on) > 0 {
				learner.ID, learner.Created = on[0], false
				if !isRecorded(out.UndoEntry, learner) { // for example a trigger registered the learner
					out.UndoEntry = withEventToCheck(out.UndoEntry, event)
				}
			} else {
				missing = append(missing, contact)
			}
			out.UndoEntry = out.UndoEntry.WithObject(learner)
		}
		var withoutContact []int
		for i, create := range creates {
			if create && in.Attendees[i].Event == event {
				withoutContact = append(withoutContact, i)
			}
		}
		if len(missing)+len(withoutContact) > 0 {
			out.UndoEntry = withEventToCheck(out.UndoEntry, event)
			missing = missing[:min(len(missing), administrate.MaxEntries)]
			return &exchange.EffectRequest{
				Kind: exchange.RequestRegister, Target: event, IDs: missing, Attendees: withoutContact[:min(len(withoutContact), administrate.MaxEntries-len(missing))],
			}, nil
		}
	}
	return nil, nil
}

func isRecorded(entry exchange.UndoEntry, learner opportunity.TouchedObject) bool {
	return slices.ContainsFunc(entry.Objects, func(o opportunity.TouchedObject) bool {
		return o.Kind == learner.Kind && o.Event == learner.Event && o.Contact == learner.Contact
	})
}

func (e registerHandler) inspectUndo(ctx context.Context, in activities.EffectInput, out activities.InspectResult) (activities.InspectResult, error) {
	out.UndoEntry.Objects = slices.Clone(in.UndoEntry.Objects)
	ours := func(r opportunity.TouchedObject) bool {
		return r.Kind == opportunity.ObjectLearner && r.Created && !r.Reverted
	}
	on, err := people.EnrolmentsOf(ctx, e.api, in.UndoEntry.Objects, ours)
	if err != nil {
		return out, readError(err)
	}
	for i := range out.UndoEntry.Objects {
		made := &out.UndoEntry.Objects[i]
		if !ours(*made) {
			continue
		}
		places := on[made.Event][made.Contact]
		if made.ID == "" && len(places) > 0 {
			made.ID = places[0]
		}
		if !slices.Contains(places, made.ID) { // somebody may have registered the contact again
			made.Reverted = true
			continue
		}
		if out.Request == nil {
			out.Request = &exchange.EffectRequest{Kind: exchange.RequestCancelLearner, Target: made.ID}
		}
	}
	return out, nil
}

func (e registerHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: runs.ResetResult(run)}, nil
	}
	switch in.Request.Kind {
	case exchange.RequestCreateContacts:
		return e.createContacts(ctx, in)
	case exchange.RequestRelease:
		return e.setExpiry(ctx, in, e.now()), nil
	case exchange.RequestCancelLearner:
		err := e.api.CancelLearner(e.withSendDeadline(ctx), string(in.Request.Target))
		return activities.ExecuteResult{CallResult: callResult(err), UndoEntry: in.UndoEntry}, nil
	}
	registered, err := e.api.RegisterContacts(e.withSendDeadline(ctx), administrate.RegisterContacts{EventID: string(in.Request.Target), ContactIDs: people.IDStrings(in.Request.IDs)})
	result := activities.ExecuteResult{CallResult: callResult(err), UndoEntry: in.UndoEntry}
	if err == nil {
		result.UndoEntry = withCheckedEvent(in.UndoEntry, in.Request.Target, registered.RemainingPlaces)
	}
	for _, learner := range registered.Learners {
		result.UndoEntry = result.UndoEntry.WithObject(opportunity.TouchedObject{
			Kind: opportunity.ObjectLearner, ID: opportunity.ID(learner.ID), Event: in.Request.Target, Contact: opportunity.ID(learner.ContactID), Created: true,
		})
	}
	if errors.As(err, new(*administrate.RejectedError)) && e.shouldRelease(in) && notesOf[registerNotes](in.UndoEntry).EventFull == "" && e.isBlockedByReservation(ctx, in) {
		// The status is done although the API rejected the registration, so that the next inspection
		// returns another request.
		result.CallResult = activities.CallResult{Status: exchange.StatusDone}
		notes := notesOf[registerNotes](in.UndoEntry)
		notes.EventFull = "yes"
		result.UndoEntry = withNotes(in.UndoEntry, notes)
	}
	return result, nil
}

// isBlockedByReservation reports whether the event has too few places only because of the places
// that are reserved for the opportunity. The result is false in case of doubt, because the
// opportunity cannot reserve places again after a release.
func (e registerHandler) isBlockedByReservation(ctx context.Context, in activities.EffectInput) bool {
	out := activities.InspectResult{UndoEntry: in.UndoEntry}
	if release, _, err := e.checkRelease(ctx, in, &out); err != nil || !release {
		return false
	}
	event, err := e.api.Event(ctx, string(in.Request.Target))
	if err != nil || !event.Active || event.RemainingPlaces == nil || event.Reserved == nil {
		return false
	}
	left, needed := *event.RemainingPlaces, len(in.Request.IDs)
	return left < needed && left+min(placesOn(in, in.Request.Target), *event.Reserved) >= needed
}

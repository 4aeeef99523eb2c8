package tms

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureRegister registers the attendees on their events. A registration does not use up
// the places that are held for the opportunity. The held places count twice until they
// are given back, after everybody is registered. Registering first keeps a place from
// going to somebody else in between. An event whose held places leave too few free places
// was observed to accept more: its remaining places become negative. Where an event does
// not accept more, the held places are given back first, so that they do not block the
// people they are held for.
type ensureRegister struct{ *Activities }

// keptShort is a key of Trace.Values: an event was full while places were held.
const keptShort = "short"

func (e ensureRegister) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	switch {
	case in.Undo:
		return e.takeBack(ctx, in, out)
	case len(in.Attendees) == 0: // the places are held for people without names yet
		return out, nil
	}
	out, err := e.contacts(ctx, in, out, opportunity.SeveralAsk)
	if err != nil || out.Error != nil || out.Act != nil {
		return out, err
	}
	act, err := e.registers(ctx, in, &out)
	if err != nil {
		return out, reading(err)
	}
	if e.releases(in) && (act == nil || in.Trace.Values[keptShort] != "") {
		now, err := e.places(ctx, in.Opportunity)
		if err != nil {
			return out, reading(err)
		}
		out.Reservation = now.reservation()
		if now.held && !now.until.IsZero() {
			act = &opportunity.Act{Kind: opportunity.ActRelease}
		}
	}
	out.Act = act
	return out, nil
}

// releases reports whether to give back the places. All places go back at once, so places
// for people without names yet would be lost, too.
func (ensureRegister) releases(in activities.EffectInput) bool {
	return in.Effect.Register != nil && in.Effect.Register.Release && !awaitsOthers(in)
}

// awaitsOthers reports whether an interest in an event has more places than named people.
func awaitsOthers(in activities.EffectInput) bool {
	named := make(map[opportunity.ID]int)
	for _, attendee := range in.Attendees {
		named[attendee.Interest]++
	}
	return slices.ContainsFunc(in.Interests, func(held opportunity.Held) bool {
		kind := cmp.Or(held.Kind, (opportunity.Interest{Item: held.Item}).ResolvedKind())
		return kind == opportunity.Event && held.Quantity > named[held.ID]
	})
}

// registers returns the next registration that is missing, nil when there is none.
func (e ensureRegister) registers(ctx context.Context, in activities.EffectInput, out *activities.InspectResult) (*opportunity.Act, error) {
	for _, event := range eventsFor(in.Attendees) {
		contacts := contactsOn(event, in.Attendees, out.Contacts)
		places, err := e.learnersOn(ctx, event, contacts)
		if err != nil {
			return nil, err
		}
		var missing []opportunity.ID
		for _, contact := range contacts {
			// The trace keeps who is about to be registered. If the answer is lost, a contact who
			// is on the event then was registered by this effect.
			learner := opportunity.Record{Kind: opportunity.RecordLearner, On: event, Contact: contact, Made: true}
			if on := places[contact]; len(on) > 0 {
				learner.ID, learner.Made = on[0], false
			} else {
				missing = append(missing, contact)
			}
			out.Trace = out.Trace.Adding(learner)
		}
		if len(missing) > 0 {
			return &opportunity.Act{Kind: opportunity.ActRegister, On: event, IDs: missing[:min(len(missing), administrate.MaxEntries)]}, nil
		}
	}
	return nil, nil
}

func (e ensureRegister) takeBack(ctx context.Context, in activities.EffectInput, out activities.InspectResult) (activities.InspectResult, error) {
	out.Trace.Records = slices.Clone(in.Trace.Records)
	ours := func(r opportunity.Record) bool { return r.Kind == opportunity.RecordLearner && r.Made && !r.Gone }
	on, err := e.placesOf(ctx, in.Trace.Records, ours)
	if err != nil {
		return out, reading(err)
	}
	for i := range out.Trace.Records {
		made := &out.Trace.Records[i]
		if !ours(*made) {
			continue
		}
		places := on[made.On][made.Contact]
		if made.ID == "" && len(places) > 0 {
			made.ID = places[0]
		}
		if !slices.Contains(places, made.ID) { // somebody may have registered the person again
			made.Gone = true
			continue
		}
		if out.Act == nil {
			out.Act = &opportunity.Act{Kind: opportunity.ActCancelLearner, On: made.ID}
		}
	}
	return out, nil
}

// placesOf reads the places of contacts on events, for the events of the records that
// about selects.
func (a *Activities) placesOf(
	ctx context.Context, records []opportunity.Record, about func(opportunity.Record) bool,
) (map[opportunity.ID]map[opportunity.ID][]opportunity.ID, error) {
	contacts := make(map[opportunity.ID][]opportunity.ID)
	var events []opportunity.ID
	for _, r := range records {
		if !about(r) {
			continue
		}
		if contacts[r.On] == nil {
			events = append(events, r.On)
		}
		if !slices.Contains(contacts[r.On], r.Contact) {
			contacts[r.On] = append(contacts[r.On], r.Contact)
		}
	}
	out := make(map[opportunity.ID]map[opportunity.ID][]opportunity.ID)
	for _, event := range events {
		places, err := a.learnersOn(ctx, event, contacts[event])
		if err != nil {
			return nil, err
		}
		out[event] = places
	}
	return out, nil
}

// learnersOn reads which places the contacts have on the event, without cancelled places.
func (a *Activities) learnersOn(ctx context.Context, event opportunity.ID, contacts []opportunity.ID) (map[opportunity.ID][]opportunity.ID, error) {
	places := make(map[opportunity.ID][]opportunity.ID)
	for some := range slices.Chunk(contacts, administrate.MaxEntries) {
		ids := texts(some)
		for after := ""; ; {
			page, err := a.api.Enrolments(ctx, string(event), ids, after)
			if err != nil {
				return nil, err
			}
			for _, learner := range page.Learners {
				contact := opportunity.ID(learner.ContactID)
				places[contact] = append(places[contact], opportunity.ID(learner.ID))
			}
			if after = page.More; after == "" {
				break
			}
		}
	}
	return places, nil
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
		err := e.api.CancelLearner(e.inTime(ctx), string(in.Act.On))
		return activities.CarryOutResult{Sending: sending(err), Trace: in.Trace}, nil
	}
	registered, err := e.api.RegisterContacts(e.inTime(ctx), administrate.RegisterContacts{EventID: string(in.Act.On), ContactIDs: texts(in.Act.IDs)})
	result := activities.CarryOutResult{Sending: sending(err), Trace: in.Trace}
	for _, learner := range registered.Learners {
		result.Trace = result.Trace.Adding(opportunity.Record{
			Kind: opportunity.RecordLearner, ID: opportunity.ID(learner.ID), On: in.Act.On, Contact: opportunity.ID(learner.ContactID), Made: true,
		})
	}
	if errors.As(err, new(*administrate.RejectedError)) && e.releases(in) && in.Trace.Values[keptShort] == "" && e.short(ctx, in) {
		// The API answered, and the next step is another request.
		result.Sending = activities.Sending{Fate: opportunity.FateDone}
		result.Trace = keep(in.Trace, keptShort, "yes")
	}
	return result, nil
}

// short reports whether the event has too few places only because of the places that are
// held for the opportunity. It returns false where the data does not prove this, because
// places that were given back cannot be held again.
func (e ensureRegister) short(ctx context.Context, in activities.EffectInput) bool {
	now, err := e.places(ctx, in.Opportunity)
	if err != nil || !now.held || now.until.IsZero() {
		return false
	}
	event, err := e.api.Event(ctx, string(in.Act.On))
	if err != nil || !event.Active || event.RemainingPlaces == nil || event.Reserved == nil {
		return false
	}
	ours := 0
	for _, held := range in.Interests {
		if slices.ContainsFunc(in.Attendees, func(a opportunity.Attendee) bool { return a.Interest == held.ID && a.Event == in.Act.On }) {
			ours += held.Quantity
		}
	}
	left, needed := *event.RemainingPlaces, len(in.Act.IDs)
	return left < needed && left+min(ours, *event.Reserved) >= needed
}

func texts(ids []opportunity.ID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}

// eventsFor returns the events of the attendees, each once.
func eventsFor(attendees []opportunity.Attendee) []opportunity.ID {
	var events []opportunity.ID
	for _, attendee := range attendees {
		if !slices.Contains(events, attendee.Event) {
			events = append(events, attendee.Event)
		}
	}
	return events
}

// contactsOn returns the contacts for the event, each once. found are the contacts that
// were found now, by the places of the attendees.
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

package tms

import (
	"context"
	"slices"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureCancelled cancels the learners of the opportunity, no matter who registered them.
type ensureCancelled struct{ *Activities }

func (e ensureCancelled) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	if in.Undo {
		return e.takeBack(ctx, in, out)
	}
	found, err := e.contacts(ctx, withAddresses(in), out, opportunity.SeveralAsk)
	if err != nil || found.Error != nil {
		found.Trace = in.Trace
		return found, err
	}
	out.Contacts = found.Contacts // attendees without a contact are on no event
	for _, event := range eventsFor(in.Attendees) {
		contacts := contactsOn(event, in.Attendees, out.Contacts)
		places, err := e.learnersOn(ctx, event, contacts)
		if err != nil {
			return out, reading(err)
		}
		for _, contact := range contacts {
			for _, learner := range places[contact] {
				out.Trace = out.Trace.Adding(opportunity.Record{
					Kind: opportunity.RecordLearner, ID: learner, On: event, Contact: contact, Gone: true,
				})
				if out.Act == nil {
					out.Act = &opportunity.Act{Kind: opportunity.ActCancelLearner, On: learner}
				}
			}
		}
	}
	return out, nil
}

// withAddresses removes persons without an e-mail address, since no contact can be found
// for them: they are on no event.
func withAddresses(in activities.EffectInput) activities.EffectInput {
	in.Attendees = slices.Clone(in.Attendees)
	for i, attendee := range in.Attendees {
		if isUnknown(attendee) && address(attendee) == "" {
			in.Attendees[i].Person = nil
		}
	}
	return in
}

// takeBack reinstates the learners that the effect cancelled, where their events have
// places.
func (e ensureCancelled) takeBack(ctx context.Context, in activities.EffectInput, out activities.InspectResult) (activities.InspectResult, error) {
	out.Trace.Records = slices.Clone(in.Trace.Records)
	cancelled := func(r opportunity.Record) bool { return r.Kind == opportunity.RecordLearner && r.Gone }
	on, err := e.placesOf(ctx, in.Trace.Records, cancelled)
	if err != nil {
		return out, reading(err)
	}
	room := make(map[opportunity.ID]bool)
	left, full := 0, opportunity.ID("")
	for i := range out.Trace.Records {
		learner := &out.Trace.Records[i]
		if !cancelled(*learner) {
			continue
		}
		places := on[learner.On][learner.Contact]
		if slices.Contains(places, learner.ID) {
			learner.Gone = false
			continue
		}
		// A contact who has got another place since needs no second place.
		if out.Act != nil || slices.ContainsFunc(places, func(id opportunity.ID) bool { return !holdsLearner(in.Trace, id) }) {
			continue
		}
		if _, looked := room[learner.On]; !looked {
			event, err := e.api.Event(ctx, string(learner.On))
			if err != nil {
				return out, reading(err)
			}
			room[learner.On] = event.Active && (event.RemainingPlaces == nil || *event.RemainingPlaces > 0)
		}
		if !room[learner.On] {
			left, full = left+1, learner.On
			continue
		}
		out.Act = &opportunity.Act{Kind: opportunity.ActReinstate, On: learner.ID}
	}
	if out.Act == nil && left > 0 {
		out.Error = opportunity.Failf(opportunity.Conflict, "of the learners %d stay cancelled: event %s has no place left", left, full)
	}
	return out, nil
}

func holdsLearner(trace opportunity.Trace, id opportunity.ID) bool {
	return slices.ContainsFunc(trace.Records, func(r opportunity.Record) bool { return r.Kind == opportunity.RecordLearner && r.ID == id })
}

func (e ensureCancelled) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	act := e.api.CancelLearner
	if in.Act.Kind == opportunity.ActReinstate {
		act = e.api.ReactivateLearner
	}
	return activities.CarryOutResult{Sending: sending(act(e.inTime(ctx), string(in.Act.On))), Trace: in.Trace}, nil
}

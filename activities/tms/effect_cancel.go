package tms

import (
	"context"
	"slices"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureCancelled cancels the learners of the opportunity, whoever registered them.
type ensureCancelled struct{ *Activities }

func (e ensureCancelled) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	if in.Undo {
		return e.takeBack(ctx, in, out)
	}
	found, err := e.contacts(ctx, in, out, opportunity.SeveralAsk)
	if err != nil || found.Error != nil {
		return found, err
	}
	out.Contacts = found.Contacts // those who are no contacts are on no event
	for _, event := range eventsFor(in.Attendees) {
		for _, contact := range contactsOn(event, in.Attendees, out.Contacts) {
			enrolled, err := e.api.Enrolment(ctx, string(contact), string(event))
			if err != nil {
				return out, reading(err)
			}
			if enrolled.Active == 0 || len(enrolled.Learners) == 0 {
				continue
			}
			learner := opportunity.Record{
				Kind: opportunity.RecordLearner, ID: opportunity.ID(enrolled.Learners[0].ID), On: event, Contact: contact, Gone: true,
			}
			out.Trace = out.Trace.Adding(learner)
			out.Act = &opportunity.Act{Kind: opportunity.ActCancelLearner, On: learner.ID}
			return out, nil
		}
	}
	return out, nil
}

// takeBack takes back the learners that the effect cancelled.
func (e ensureCancelled) takeBack(ctx context.Context, in activities.EffectInput, out activities.InspectResult) (activities.InspectResult, error) {
	out.Trace.Records = slices.Clone(in.Trace.Records)
	for i := range out.Trace.Records {
		learner := &out.Trace.Records[i]
		if learner.Kind != opportunity.RecordLearner || !learner.Gone {
			continue
		}
		enrolled, err := e.api.Enrolment(ctx, string(learner.Contact), string(learner.On))
		if err != nil {
			return out, reading(err)
		}
		if slices.ContainsFunc(enrolled.Learners, func(l administrate.EventLearner) bool { return opportunity.ID(l.ID) == learner.ID }) {
			learner.Gone = false
			continue
		}
		out.Act = &opportunity.Act{Kind: opportunity.ActReinstate, On: learner.ID}
		return out, nil
	}
	return out, nil
}

func (e ensureCancelled) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	act := e.api.CancelLearner
	if in.Act.Kind == opportunity.ActReinstate {
		act = e.api.ReactivateLearner
	}
	return activities.CarryOutResult{Sending: sending(act(inTime(ctx), string(in.Act.On))), Trace: in.Trace}, nil
}

package tms

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

type ensureCall struct {
	*Activities
	by Book
}

// The keys of Trace.Values for a call.
const (
	// keptCalled says that the service answered, and whether its last answer was to the call
	// or to the call's undo.
	keptCalled = "called"
	// keptStep and keptStepName are the step of the opportunity when the call was first due,
	// so that every repetition is equal.
	keptStep     = "step"
	keptStepName = "stepName"

	calledDone   = "done"
	calledUndone = "undone"
)

func (e ensureCall) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	if in.Undo {
		switch {
		case in.Effect.Call != nil && in.Effect.Call.UndoPath == "":
			out.Error = noUndo("the playbook names no path that takes the call back")
			return out, nil
		case in.Trace.Values[keptStep] == "", in.Trace.Values[keptCalled] == calledUndone:
			return out, nil
		}
	} else if in.Trace.Values[keptCalled] == calledDone {
		return out, nil
	}
	if _, out.Error = e.message(in); out.Error != nil {
		return out, nil
	}
	if in.Trace.Values[keptStep] == "" {
		record, err := e.api.Opportunity(ctx, string(in.Opportunity))
		if err != nil {
			return out, reading(err)
		}
		out.Trace = keep(keep(in.Trace, keptStep, record.Step.ID), keptStepName, record.Step.Name)
	}
	out.Act = &opportunity.Act{Kind: opportunity.ActCall}
	return out, nil
}

func (e ensureCall) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	message, fault := e.message(in)
	if fault == nil && e.readOnly {
		fault = opportunity.Failf(opportunity.Rejected, "the worker is read-only: the service %s is not called", message.name)
	}
	if fault != nil {
		return rejected(fault), nil
	}
	if err := e.permitted(ctx); err != nil {
		return activities.CarryOutResult{Sending: withheld(err)}, nil
	}
	result := activities.CarryOutResult{Sending: e.services.send(e.inTime(ctx), message), Trace: in.Trace}
	if result.Fate == opportunity.FateDone {
		called := calledDone
		if in.Undo {
			called = calledUndone
		}
		result.Trace = keep(in.Trace, keptCalled, called)
	}
	return result, nil
}

// call is the body of a request to a service.
type call struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	Effect      string                `json:"effect"`
	Undo        bool                  `json:"undo"`
	// Step is the step of the opportunity when the call was first due.
	Step opportunity.Named `json:"step"`
}

// message returns the request. The fault says why the worker cannot make it.
func (e ensureCall) message(in activities.EffectInput) (message, *opportunity.Error) {
	if in.Effect.Call == nil {
		return message{}, opportunity.Invalidf("the effect does not say which service is to be called")
	}
	name := in.Effect.Call.Service
	service, known := e.by.Playbook.Service(name)
	if !known {
		return message{}, opportunity.Invalidf("the playbook in force has no service %q", name)
	}
	key, given := e.by.Keys[service.Secret]
	if !given {
		return message{}, opportunity.Invalidf("the worker has no key %q to sign requests to the service %s with", service.Secret, name)
	}
	// The key of an effect is unique within its opportunity only.
	idempotency := url.PathEscape(string(in.Reference)) + "/" + in.Effect.Key
	path := in.Effect.Call.Path
	if in.Undo {
		path, idempotency = in.Effect.Call.UndoPath, idempotency+"/undo"
	}
	body, err := json.Marshal(call{
		Reference: in.Reference, Opportunity: in.Opportunity, Effect: in.Effect.Key, Undo: in.Undo,
		Step: opportunity.Named{ID: opportunity.ID(in.Trace.Values[keptStep]), Name: in.Trace.Values[keptStepName]},
	})
	if err != nil {
		return message{}, opportunity.Invalidf("the request to the service %s cannot be written", name)
	}
	return message{name: name, url: service.URL + path, key: key, idempotency: idempotency, body: body}, nil
}

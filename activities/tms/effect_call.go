package tms

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/activities/tms/service"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

type callHandler struct {
	*Activities
	playbook VersionedPlaybook
}

func (h effectHandlers) Call() effectHandler { return callHandler{h.activities, h.playbook} }

type callNotes struct {
	// Called says that the service responded, and whether its last response was to the call or to
	// the call's undo.
	Called string `note:"called"`
	// StepID and StepName are the step in which the opportunity was when the call was first due.
	// Every repetition of the call sends the step in StepID and StepName.
	StepID   string `note:"step"`
	StepName string `note:"stepName"`
}

// The values of callNotes.Called.
const (
	calledDone   = "done"
	calledUndone = "undone"
)

func (e callHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx)}
	notes := notesOf[callNotes](in.UndoEntry)
	if in.Undo {
		settings := settingsOf[exchange.CallService](in)
		switch {
		case settings != nil && settings.UndoPath == "":
			out.Error = opportunity.Invalidf("the playbook contains no undo path for the service call")
			return out, nil
		case notes.StepID == "", notes.Called == calledUndone:
			return out, nil
		}
	} else if notes.Called == calledDone {
		return out, nil
	}
	if _, out.Error = e.buildRequest(in); out.Error != nil {
		return out, nil
	}
	if notes.StepID == "" {
		record, err := e.api.Opportunity(ctx, string(in.Opportunity))
		if err != nil {
			return out, readError(err)
		}
		notes.StepID, notes.StepName = record.Step.ID, record.Step.Name
		out.UndoEntry = withNotes(in.UndoEntry, notes)
	}
	out.Request = &exchange.EffectRequest{Kind: exchange.RequestCall}
	return out, nil
}

func (e callHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: runs.ResetResult(run)}, nil
	}
	message, fault := e.buildRequest(in)
	if fault == nil && e.readOnly {
		fault = opportunity.Failf(opportunity.Rejected, "the worker is read-only: the service %s is not called", message.Service)
	}
	if fault != nil {
		return rejectedResult(fault), nil
	}
	if err := e.checkPermission(ctx); err != nil {
		return activities.ExecuteResult{CallResult: notPermitted(err)}, nil
	}
	result := activities.ExecuteResult{CallResult: e.serviceClient.Send(e.withSendDeadline(ctx), message), UndoEntry: in.UndoEntry}
	if result.Status == exchange.StatusDone {
		notes := notesOf[callNotes](in.UndoEntry)
		notes.Called = calledDone
		if in.Undo {
			notes.Called = calledUndone
		}
		result.UndoEntry = withNotes(in.UndoEntry, notes)
	}
	return result, nil
}

type callBody struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	Effect      string                `json:"effect"`
	Undo        bool                  `json:"undo"`
	Step        opportunity.Ref       `json:"step"`
}

func (e callHandler) buildRequest(in activities.EffectInput) (service.Request, *opportunity.Error) {
	settings := settingsOf[exchange.CallService](in)
	if settings == nil {
		return service.Request{}, opportunity.Invalidf("the settings of the effect contain no service")
	}
	name := settings.Service
	endpoint, known := e.playbook.Playbook.Service(name)
	if !known {
		return service.Request{}, opportunity.Invalidf("the playbook in force has no service %q", name)
	}
	key, given := e.playbook.ServiceKeys[endpoint.Secret]
	if !given {
		return service.Request{}, opportunity.Invalidf("the worker has no key %q to sign requests to the service %s", endpoint.Secret, name)
	}
	// The key of an effect is unique within its opportunity only.
	idempotency := url.PathEscape(string(in.Reference)) + "/" + in.Effect.Key
	path := settings.Path
	if in.Undo {
		path, idempotency = settings.UndoPath, idempotency+"/undo"
	}
	notes := notesOf[callNotes](in.UndoEntry)
	body, err := json.Marshal(callBody{
		Reference: in.Reference, Opportunity: in.Opportunity, Effect: in.Effect.Key, Undo: in.Undo,
		Step: opportunity.Ref{ID: opportunity.ID(notes.StepID), Name: notes.StepName},
	})
	if err != nil {
		return service.Request{}, opportunity.Invalidf("the request to the service %s cannot be encoded", name)
	}
	return service.Request{Service: name, URL: endpoint.URL + path, Key: key, IdempotencyKey: idempotency, Body: body}, nil
}

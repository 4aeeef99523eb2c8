package tms

import (
	"context"
	"encoding/json"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// logHandler writes an entry of the external integration log.
type logHandler struct{ *Activities }

// Log returns the handler of the kind.
func (h effectHandlers) Log() effectHandler { return logHandler{h.activities} }

// logOrigin is the name under which entries are written. The name never changes, because
// entries cannot be deleted.
const logOrigin = "oppflow"

// inspect reads nothing: the API does not show the log.
func (e logHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: currentRunID(ctx)}
	settings := settingsOf[exchange.WriteLog](in)
	switch {
	case in.Undo:
		out.Error = opportunity.Invalidf("log entries cannot be deleted")
	case settings == nil:
		out.Error = opportunity.Invalidf("the effect gives no text for the log entry")
	case notesOf[requestNotes](in.UndoEntry).Confirmed == "":
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestLog}
	}
	return out, nil
}

// execute writes the entry for the record. It is assumed that the log accepts an opportunity's
// id. Where the log does not accept the id, the entry is rejected.
func (e logHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := detectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: resetResult(run)}, nil
	}
	payload, err := json.Marshal(map[string]string{"effect": in.Effect.Key})
	if err != nil {
		return activities.ExecuteResult{}, err
	}
	settings := settingsOf[exchange.WriteLog](in)
	if settings == nil {
		return rejectedResult(opportunity.Invalidf("the effect gives no text for the log entry")), nil
	}
	err = e.api.WriteLog(e.withSendDeadline(ctx), administrate.LogEntry{
		Origin: logOrigin, NodeID: string(in.Opportunity), Message: settings.Message,
		Status: administrate.LogStatus(settings.Status), Payload: string(payload),
	})
	return confirmedResult(in, err), nil
}

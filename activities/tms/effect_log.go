package tms

import (
	"context"
	"encoding/json"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

type logHandler struct{ *Activities }

func (h effectHandlers) Log() effectHandler { return logHandler{h.activities} }

// Never change logOrigin, because entries with the old name cannot be deleted.
const logOrigin = "oppflow"

// inspect sends no API request, because the API does not show the log.
func (e logHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx)}
	settings := settingsOf[exchange.WriteLog](in)
	switch {
	case in.Undo:
		out.Error = opportunity.Invalidf("log entries cannot be deleted")
	case settings == nil:
		out.Error = opportunity.Invalidf("the settings of the effect contain no text for the log entry")
	case notesOf[requestNotes](in.UndoEntry).Confirmed == "":
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestLog}
	}
	return out, nil
}

// execute writes the entry for the record. execute assumes that the API accepts the id of an
// opportunity in a log entry.
func (e logHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: runs.ResetResult(run)}, nil
	}
	payload, err := json.Marshal(map[string]string{"effect": in.Effect.Key})
	if err != nil {
		return activities.ExecuteResult{}, err
	}
	settings := settingsOf[exchange.WriteLog](in)
	if settings == nil {
		return rejectedResult(opportunity.Invalidf("the settings of the effect contain no text for the log entry")), nil
	}
	err = e.api.WriteLog(e.withSendDeadline(ctx), administrate.LogEntry{
		Origin: logOrigin, NodeID: string(in.Opportunity), Message: settings.Message,
		Status: administrate.LogStatus(settings.Status), Payload: string(payload),
	})
	return confirmedResult(in, err), nil
}

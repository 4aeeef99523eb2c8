package tms

import (
	"context"
	"encoding/json"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureLog writes an entry of the external integration log.
type ensureLog struct{ *Activities }

// logOrigin is the name under which entries are written, and never changes because
// entries cannot be deleted.
const logOrigin = "oppflow"

// inspect reads nothing: the API does not show the log.
func (e ensureLog) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	switch {
	case in.Undo:
		out.Error = noUndo("entries of the log cannot be deleted")
	case in.Effect.Log == nil:
		out.Error = opportunity.Invalidf("the effect says nothing of what is to be logged")
	case in.Trace.Values[keptAsked] == "":
		out.Act = &opportunity.Act{Kind: opportunity.ActLog}
	}
	return out, nil
}

// carryOut writes the entry at the record. It is assumed that the log accepts an
// opportunity's id. Where the log does not accept the id, the entry is rejected.
func (e ensureLog) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	payload, err := json.Marshal(map[string]string{"effect": in.Effect.Key})
	if err != nil {
		return activities.CarryOutResult{}, err
	}
	err = e.api.WriteLog(e.inTime(ctx), administrate.LogEntry{
		Origin: logOrigin, NodeID: string(in.Opportunity), Message: in.Effect.Log.Message,
		Status: administrate.LogStatus(in.Effect.Log.Status), Payload: string(payload),
	})
	return asked(in, err), nil
}

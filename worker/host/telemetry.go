package host

import (
	"context"
	"encoding/json"

	commonpb "go.temporal.io/api/common/v1"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/telemetry"
)

// StartTelemetry makes traces and metrics go where the settings say, which are those of OpenTelemetry; the settings of
// the options are replaced by them. A mistake in them is a SettingsError. Shutdown ends it.
func StartTelemetry(ctx context.Context, t settings.Telemetry, o telemetry.Options) (*telemetry.Telemetry, error) {
	if err := t.Resolve(); err != nil {
		return nil, &SettingsError{cause: err}
	}
	o.Settings = t
	return telemetry.Start(ctx, o)
}

// requests tell by which message an activity was caused: both name the request's id.
func requests() telemetry.Requests {
	return telemetry.Requests{OfMessage: requestOfMessage, OfActivity: requestsOfActivity}
}

// requestOfMessage reads a message's request id, which for an update without one is the update's. Of what cannot be
// read, an encrypted signal for one, it knows none.
func requestOfMessage(update string, payload *commonpb.Payload) string {
	var sent struct {
		RequestID string `json:"requestId"`
	}
	if err := json.Unmarshal(payload.GetData(), &sent); err != nil || sent.RequestID == "" {
		return update
	}
	return sent.RequestID
}

func requestsOfActivity(activity string, args []any) (ids []string, carries bool) {
	if activity != activities.ApplyCommands || len(args) == 0 {
		return nil, false
	}
	input, ok := args[0].(activities.ApplyInput)
	if !ok {
		return nil, false
	}
	for _, m := range input.Mutations {
		ids = append(ids, m.Request)
	}
	return ids, true
}

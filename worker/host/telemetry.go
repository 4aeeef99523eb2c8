package host

import (
	"context"
	"encoding/json"

	commonpb "go.temporal.io/api/common/v1"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/telemetry"
)

// StartTelemetry starts the export of traces and metrics with the settings of OpenTelemetry.
// StartTelemetry uses the settings t instead of the settings in the options o. If a setting is
// wrong, StartTelemetry returns a SettingsError.
func StartTelemetry(ctx context.Context, t settings.Telemetry, o telemetry.Options) (*telemetry.Telemetry, error) {
	if err := t.Resolve(); err != nil {
		return nil, &SettingsError{cause: err}
	}
	o.Settings = t
	return telemetry.Start(ctx, o)
}

// requests connects a message with the activities that the message caused, because both have the
// same request id.
func requests() telemetry.Requests {
	return telemetry.Requests{OfMessage: requestOfMessage, OfActivity: requestsOfActivity}
}

// requestOfMessage returns a message's request id. For an update without a request id,
// requestOfMessage returns the update's id. If requestOfMessage cannot read a signal, for example
// because the signal is encrypted, requestOfMessage returns "".
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
	for _, m := range input.Changes {
		ids = append(ids, m.Request)
	}
	return ids, true
}

package host

import (
	"context"
	"encoding/json"

	commonpb "go.temporal.io/api/common/v1"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/telemetry"
)

// StartTelemetry exports traces and metrics according to the settings of OpenTelemetry. The
// settings in t replace the settings in o. If a setting is wrong, StartTelemetry returns a
// SettingsError.
func StartTelemetry(ctx context.Context, t settings.Telemetry, o telemetry.Options) (*telemetry.Telemetry, error) {
	if err := t.Resolve(); err != nil {
		return nil, &SettingsError{cause: err}
	}
	o.Settings = t
	return telemetry.Start(ctx, o)
}

// Equal request ids connect a message with the activities that the message caused.
func requests() telemetry.Requests {
	return telemetry.Requests{OfMessage: requestOfMessage, OfActivity: requestsOfActivity}
}

// requestOfMessage returns a message's request id. For an update without a request id,
// requestOfMessage returns the update's id. For a signal that requestOfMessage cannot read, such as
// an encrypted signal, requestOfMessage returns "".
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

package host

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
)

func TestRequestOfMessage(t *testing.T) {
	for _, test := range []struct{ update, payload, want string }{
		{"u", `{"requestId":"r","to":"Won"}`, "r"},
		{"", `{"requestId":"r"}`, "r"},
		{"u", `{"to":"Won"}`, "u"},
		{"u", `{"requestId":""}`, "u"},
		{"", `{"to":"Won"}`, ""},
		{"u", `{"requestId":7}`, "u"},
		{"u", "\x00\x01 encrypted", "u"},
		{"", "", ""},
	} {
		if got := requestOfMessage(test.update, &commonpb.Payload{Data: []byte(test.payload)}); got != test.want {
			t.Errorf("update %q, payload %q: %q, want %q", test.update, test.payload, got, test.want)
		}
	}
	if got := requestOfMessage("u", nil); got != "u" {
		t.Errorf("without a payload: %q", got)
	}
}

func TestRequestsOfActivity(t *testing.T) {
	input := activities.ApplyInput{Changes: []exchange.Change{{Request: "a"}, {Request: "a", Index: 1}, {Request: "b"}}}
	ids, carries := requestsOfActivity(activities.ApplyCommands, []any{input})
	if diff := cmp.Diff([]string{"a", "a", "b"}, ids); diff != "" || !carries {
		t.Errorf("carries %v, %s", carries, diff)
	}
	for activity, args := range map[string][]any{
		activities.ReadOpportunity: {activities.ReadInput{}},
		activities.ResolveNames:    nil,
		activities.ApplyCommands:   {"of another version"},
	} {
		if ids, carries := requestsOfActivity(activity, args); carries || ids != nil {
			t.Errorf("%s: %q, %v", activity, ids, carries)
		}
	}
}

// A mistake in the variables of OpenTelemetry is a SettingsError, which the program reports before
// it connects to any service.
func TestTelemetrySettingsAreChecked(t *testing.T) {
	env := []string{"TEMPORAL_CONFIG_FILE=/dev/null", "TEMPORAL_ADDRESS=127.0.0.1:1", "ADMINISTRATE_URL=http://127.0.0.1:1", "ADMINISTRATE_TOKEN=t", "OTEL_TRACES_EXPORTER=zipkin"}
	var stdout, stderr bytes.Buffer
	if code := Main(t.Context(), nil, env, &stdout, &stderr); code != ExitUsage {
		t.Errorf("exit code %d, want %d", code, ExitUsage)
	}
	if said := stderr.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "OTEL_TRACES_EXPORTER") || !strings.Contains(said, "otlp") || stdout.Len() > 0 {
		t.Errorf("said %q and %q", said, stdout.String())
	}
}

package host_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/payload"
	"github.com/oppflow/oppflow/worker/host"
)

// encryptedFrontend is a fake Temporal service whose namespace is encrypted with the key in the
// member primary.
type encryptedFrontend struct {
	frontend
	primary string
}

func (f *encryptedFrontend) DescribeWorkflowExecution(_ context.Context, r *workflowservice.DescribeWorkflowExecutionRequest) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	info := &workflowpb.WorkflowExecutionInfo{}
	if r.GetExecution().GetWorkflowId() == lifecycle.NamespaceID {
		memo, err := converter.GetDefaultDataConverter().ToPayload(lifecycle.NamespaceEncryption{Primary: f.primary, Keys: []string{f.primary}})
		if err != nil {
			return nil, err
		}
		info.Memo = &commonpb.Memo{Fields: map[string]*commonpb.Payload{lifecycle.MemoEncryption: memo}}
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}, nil
}

// A worker without the key of an encrypted namespace does not start. The error of the worker is one
// line with the missing key and the right setting.
func TestWorkerWithoutTheKeyDoesNotStart(t *testing.T) {
	t.Parallel()
	namespace, other := newKeyFile(t), newKeyFile(t)
	keys, err := namespace.ReadKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	primary := keys.Primary().String()
	f := &encryptedFrontend{frontend: frontend{attributes: lifecycle.SearchAttributes()}, primary: primary}
	env := []string{"ADMINISTRATE_URL=http://127.0.0.1:1/graphql", "ADMINISTRATE_TOKEN=t", "TEMPORAL_CONFIG_FILE=/dev/null", "TEMPORAL_ADDRESS=" + serveAs(t, &f.frontend, f)}
	for name, test := range map[string]struct {
		args, want []string
	}{
		"no keys":     {nil, []string{`namespace "default" is encrypted with the key ` + primary, "--encryption-keys or OPPFLOW_ENCRYPTION_KEYS"}},
		"another key": {[]string{"--encryption-keys", other.Path}, []string{`namespace "default" is encrypted with the key ` + primary, other.Path + " has only the keys", "add the key " + primary}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if code := host.Main(t.Context(), append(test.args, "--log-level", "error"), env, &stdout, &stderr); code != 1 {
				t.Errorf("exit code %d; want 1", code)
			}
			line := stderr.String()
			if strings.Count(line, "\n") != 1 || !strings.HasPrefix(line, "oppflow-worker: ") {
				t.Errorf("not one line of the worker's: %q", line)
			}
			for _, want := range test.want {
				if !strings.Contains(line, want) {
					t.Errorf("%q does not say %q", line, want)
				}
			}
		})
	}
}

func newKeyFile(t *testing.T) payload.FileSource {
	t.Helper()
	keys, err := payload.GenerateKeySet()
	if err != nil {
		t.Fatal(err)
	}
	file := payload.FileSource{Path: filepath.Join(t.TempDir(), "keys.json")}
	if err := file.Create(keys); err != nil {
		t.Fatal(err)
	}
	return file
}

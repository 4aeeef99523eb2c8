package telemetry_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/telemetry"
	"github.com/oppflow/oppflow/telemetry/telemetrytest"
	"github.com/oppflow/oppflow/workflows"
)

// The interceptors in this test have the same order as in a worker. A replay creates no spans. If a
// replay created spans, a worker that rebuilds a workflow would record all past spans of the
// workflow again.
func TestRecordedHistoriesReplayWithTracing(t *testing.T) {
	collector := telemetrytest.Start(t)
	otelVariables(t, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+collector.URL+"/v1/traces")
	on := start(t, telemetry.Options{})
	var options client.Options
	on.ClientOptions(&options)
	if len(options.Interceptors) != 1 {
		t.Fatal("nothing traces")
	}
	// The SDK also uses a client's interceptor in the client's workers, if the interceptor implements
	// interceptor.WorkerInterceptor.
	tracing := options.Interceptors[0].(interceptor.WorkerInterceptor)
	files, err := filepath.Glob(filepath.Join("..", "workflows", "testdata", "histories", "*", "*.json"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d histories, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
				Interceptors: []interceptor.WorkerInterceptor{tracing, workflows.Interceptor()},
			})
			if err != nil {
				t.Fatal(err)
			}
			workflows.Register(replayer, workflows.Options{})
			source, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = source.Close() }()
			history, err := client.HistoryFromJSON(source, client.HistoryJSONOptions{})
			if err != nil {
				t.Fatal(err)
			}
			err = replayer.ReplayWorkflowHistoryWithOptions(nil, history, worker.ReplayWorkflowHistoryOptions{
				OriginalExecution: workflow.Execution{ID: lifecycle.WorkflowID("replayed")},
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	if err := on.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if spans := collector.Spans(); len(spans) != 0 {
		t.Errorf("%d spans of the past, such as %+v", len(spans), spans[0])
	}
}

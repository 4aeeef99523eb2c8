package workflows_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/workflows"
)

// recorded says how many histories of each release there are, so that a missing history fails the
// test.
var recorded = map[string]int{"v0.1": 10, "v0.2": 16, "v0.3": 17}

// Histories recorded from the code of a release replay on every later commit, because an
// opportunity may be open for a year. The histories are recorded by running
//
//	OPPFLOW_RECORD_HISTORIES=DIR go test ./e2e -run 'TestStory|TestTwoThousandSignals|TestContract$|TestScan'
//
// in a checkout of the release. Never record from a branch that changes the workflow: such a
// history would prove nothing. If a history no longer replays, do not record the history again,
// because the change of the workflow needs workflow.GetVersion.
func TestRecordedHistoriesReplay(t *testing.T) {
	for release, want := range recorded {
		files, err := filepath.Glob(filepath.Join("testdata", "histories", release, "*.json"))
		if err != nil || len(files) != want {
			t.Errorf("%s: %d histories (%v); want %d", release, len(files), err, want)
		}
		for _, file := range files {
			t.Run(release+"/"+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				if info, err := os.Stat(file); err != nil || info.Size() < 1000 {
					t.Fatalf("%v: no history", info)
				}
				replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
					Interceptors: []interceptor.WorkerInterceptor{workflows.Interceptor()},
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
	}
}

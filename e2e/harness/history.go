package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/workflows"
)

// Runs reads the histories of all runs of a reference, oldest first.
func (p *Parts) Runs(reference opportunity.Reference) []*historypb.History {
	p.T.Helper()
	return p.RunsOf(lifecycle.WorkflowID(reference))
}

// RunsOf returns the histories of all runs of a workflow, oldest first.
func (p *Parts) RunsOf(workflowID string) []*historypb.History {
	p.T.Helper()
	ctx := p.T.Context()
	var runs []*historypb.History
	for id := ""; ; {
		history := new(historypb.History)
		events := p.Temporal.GetWorkflowHistory(ctx, workflowID, id, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			if err != nil {
				p.T.Fatal(err)
			}
			history.Events = append(history.Events, event)
		}
		runs = append([]*historypb.History{history}, runs...)
		if id = history.Events[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId(); id == "" {
			return runs
		}
	}
}

// Replay replays the histories of all runs of the reference against the code of this commit. Replay
// stores the histories when OPPFLOW_RECORD_HISTORIES is set.
func (p *Parts) Replay(reference opportunity.Reference, name string) {
	p.T.Helper()
	p.ReplayOf(lifecycle.WorkflowID(reference), name)
}

// ReplayOf is Replay for a workflow id instead of a reference.
func (p *Parts) ReplayOf(workflowID, name string) {
	p.T.Helper()
	for n, history := range p.RunsOf(workflowID) {
		// The history is stored before the replay, because a replay writes search attributes into
		// the first event.
		storeHistory(p.T, fmt.Sprintf("%s-%d", name, n+1), history)
		replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
			Interceptors: []interceptor.WorkerInterceptor{workflows.Interceptor()},
		})
		if err != nil {
			p.T.Fatal(err)
		}
		workflows.Register(replayer, workflows.Options{})
		// The workflow reads its reference from its workflow id, which a history does not contain.
		original := workflow.Execution{ID: workflowID}
		err = replayer.ReplayWorkflowHistoryWithOptions(nil, history, worker.ReplayWorkflowHistoryOptions{OriginalExecution: original})
		if err != nil {
			p.T.Errorf("the replay of run %d of %s failed: %v", n+1, workflowID, err)
		}
	}
}

// storeHistory writes a history to the directory named by OPPFLOW_RECORD_HISTORIES. Use
// storeHistory with the code of a release to make fixtures of the replay test. Fixtures from
// changed code cannot show whether the change breaks the replay.
func storeHistory(t *testing.T, name string, history *historypb.History) {
	t.Helper()
	dir := os.Getenv("OPPFLOW_RECORD_HISTORIES")
	if dir == "" {
		return
	}
	data, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(history)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".json"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Metadata returns the metadata of the last run, which the Web UI shows.
func (p *Parts) Metadata(reference opportunity.Reference) *sdkpb.WorkflowMetadata {
	p.T.Helper()
	value, err := p.Temporal.QueryWorkflow(p.T.Context(), lifecycle.WorkflowID(reference), "", "__temporal_workflow_metadata")
	if err != nil {
		p.T.Fatal(err)
	}
	metadata := new(sdkpb.WorkflowMetadata)
	if err := value.Get(metadata); err != nil {
		p.T.Fatal(err)
	}
	return metadata
}

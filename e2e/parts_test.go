package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/starter/story"
	"github.com/oppflow/oppflow/worker/host"
	"github.com/oppflow/oppflow/workflows"
)

// parts are the real things a test talks to.
type parts struct {
	*stack.Stack
	t        *testing.T
	output   *lockedBuffer // what the parts wrote
	temporal client.Client
	client   *lifecycle.Client
	api      *administrate.Client
}

// Times of the parts, so that a test need not wait for a lost answer as long as a
// tenant does. TestLateCommitIsFoundByReadingBack has the times of a tenant.
const (
	sendWindow = 2 * time.Second
	answerTime = 2 * time.Second
	settleTime = 2 * time.Second
)

// bring starts a sandbox and a worker for the test, which work in a namespace of
// the test's own on a Temporal server that tests share. They are gone when the
// test ends. Under the race detector they are built with it, too.
func bring(t *testing.T, o stack.Options) *parts {
	t.Helper()
	o.Race = testrun.Race
	return bringAsTold(t, o)
}

// bringAsTold is bring for parts that need not be slower than they are: without
// the race detector unless it is asked for.
func bringAsTold(t *testing.T, o stack.Options) *parts {
	t.Helper()
	output := new(lockedBuffer)
	o.NoUI, o.Setup, o.Output = true, prepare, output
	// Tests send at any rate; those about the limit are against a sandbox of their own.
	if !slices.Contains(o.SandboxArgs, "--rate") {
		o.SandboxArgs = append([]string{"--no-rate-limit"}, o.SandboxArgs...)
	}
	o.WorkerArgs = slices.Concat([]string{
		"--api-rate", "1000", // a worker that starts while the server knows another one begins with a small part of the rate
		"--send-window", sendWindow.String(), "--answer-time", answerTime.String(), "--settle-time", settleTime.String(), "--quiet-time", "500ms",
	}, o.WorkerArgs) // the last one of a flag counts
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute) // the server is built the first time
	defer cancel()
	var err error
	if o.Beside, o.Namespace, err = shared.namespace(ctx, o); err != nil {
		t.Fatal(err)
	}
	o.DynamicConfig = nil // it is the server's
	s, err := stack.Up(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	p := &parts{Stack: s, t: t, output: output}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what the parts wrote:\n%s", output.tail(20_000))
		}
		if output.contains("WARNING: DATA RACE") {
			t.Errorf("a part has a data race:\n%s", output.tail(50_000))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := s.Down(ctx); err != nil {
			t.Error(err)
		}
	})
	p.connect()
	return p
}

func (p *parts) connect() {
	p.t.Helper()
	connection, _, err := host.Connect(p.t.Context(), host.Plain(p.TemporalAddress(), p.Namespace()), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(connection.Close)
	p.temporal, p.client = connection, lifecycle.NewClient(connection)
	p.api, err = administrate.New(administrate.Options{URL: p.APIURL(), Tokens: administrate.StaticToken(p.APIToken()), RequestsPerSecond: 1000})
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *parts) player() story.Player { return story.Player{Temporal: p.temporal, API: p.api} }

// lockedBuffer takes what several processes write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) contains(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Contains(l.b.Bytes(), []byte(text))
}

func (l *lockedBuffer) tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.b.Bytes()
	return string(all[max(0, len(all)-n):])
}

// eventually asks until the answer is yes, at most for the given time.
func eventually(t *testing.T, within time.Duration, what string, ask func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !ask() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
		<-ticker.C
	}
}

// runs reads the histories of all runs of a reference, oldest first.
func (p *parts) runs(reference opportunity.Reference) []*historypb.History {
	p.t.Helper()
	return p.runsOf(lifecycle.WorkflowID(reference))
}

// runsOf answers the histories of all runs of a workflow, the first one first.
func (p *parts) runsOf(workflowID string) []*historypb.History {
	p.t.Helper()
	ctx := p.t.Context()
	var runs []*historypb.History
	for id := ""; ; {
		history := new(historypb.History)
		events := p.temporal.GetWorkflowHistory(ctx, workflowID, id, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			if err != nil {
				p.t.Fatal(err)
			}
			history.Events = append(history.Events, event)
		}
		runs = append([]*historypb.History{history}, runs...)
		if id = history.Events[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId(); id == "" {
			return runs
		}
	}
}

// replay keeps the histories of all runs of the reference, when asked to, and
// replays them against the code of this commit.
func (p *parts) replay(reference opportunity.Reference, name string) {
	p.t.Helper()
	p.replayOf(lifecycle.WorkflowID(reference), name)
}

// replayOf is replay for any workflow.
func (p *parts) replayOf(workflowID, name string) {
	p.t.Helper()
	for n, history := range p.runsOf(workflowID) {
		// Kept first: replaying writes search attributes into the first event.
		keep(p.t, fmt.Sprintf("%s-%d", name, n+1), history)
		replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
			Interceptors: []interceptor.WorkerInterceptor{workflows.Interceptor()},
		})
		if err != nil {
			p.t.Fatal(err)
		}
		workflows.Register(replayer, workflows.Options{})
		// The workflow reads its reference out of its id, which a history does not hold.
		original := workflow.Execution{ID: workflowID}
		err = replayer.ReplayWorkflowHistoryWithOptions(nil, history, worker.ReplayWorkflowHistoryOptions{OriginalExecution: original})
		if err != nil {
			p.t.Errorf("run %d of %s does not replay: %v", n+1, workflowID, err)
		}
	}
}

// keep writes a history to the directory named by OPPFLOW_RECORD_HISTORIES.
// Fixtures of the replay test are made this way, from the code of a release
// and never from the branch that changes it: such a one would prove nothing.
func keep(t *testing.T, name string, history *historypb.History) {
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

// records asks the sandbox, by a request of its own and not through the client
// under test, what it holds of an opportunity.
func (p *parts) records(id opportunity.ID) string {
	p.t.Helper()
	answer, err := p.recordsOf(id)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer
}

// recordsOf is records for a goroutine beside the test.
func (p *parts) recordsOf(id opportunity.ID) (string, error) {
	return p.ask(`query($id: ID!) { node(id: $id) { ... on Opportunity { id name step { name stage { name state } } account { id name }
		financialUnit { name } value { grandTotal } isReservationValid attributes { definitionKey value }
		interests { pageInfo { totalRecords } edges { node { id totalAmount item { id __typename } learners { edges { node { __typename } } } } } } } } }`,
		map[string]any{"id": id})
}

// ask sends a GraphQL request and answers its data, indented.
func (p *parts) ask(query string, variables map[string]any) (string, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.APIURL(), bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+p.APIToken())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	var answer struct {
		Data   json.RawMessage   `json:"data"`
		Errors []json.RawMessage `json:"errors"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil || len(answer.Errors) > 0 {
		return "", errors.Join(err, fmt.Errorf("answer: %s", raw))
	}
	var out bytes.Buffer
	if err := json.Indent(&out, answer.Data, "", " "); err != nil {
		return "", err
	}
	return out.String(), nil
}

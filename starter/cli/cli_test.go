package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/serviceerror"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/starter/cli"
)

// bareEnv is an environment in which none of the user's own settings apply.
var bareEnv = []string{"TEMPORAL_CONFIG_FILE=/dev/null"}

type result struct {
	code           int
	stdout, stderr string
}

// oppflow runs a command of oppflow in the process of the test.
func oppflow(t *testing.T, env []string, args ...string) result {
	t.Helper()
	return run(t.Context(), env, args...)
}

func run(ctx context.Context, env []string, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := cli.Main(ctx, args, append(append([]string{}, bareEnv...), env...), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// wantUsageError expects exactly one line on standard error, which contains all texts of want, and
// no other output.
func (r result) wantUsageError(t *testing.T, code int, want ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	if strings.Count(r.stderr, "\n") != 1 || !strings.HasSuffix(r.stderr, "\n") || !strings.HasPrefix(r.stderr, "oppflow") {
		t.Errorf("standard error is not exactly one line of oppflow: %q", r.stderr)
	}
	for _, text := range want {
		if !strings.Contains(r.stderr, text) {
			t.Errorf("%q does not say %q", r.stderr, text)
		}
	}
	if r.stdout != "" {
		t.Errorf("written to standard output: %q", r.stdout)
	}
}

// wantDone expects exit code 0, nothing on standard error, and all texts of want on standard
// output.
func (r result) wantDone(t *testing.T, want ...string) {
	t.Helper()
	if r.code != 0 || r.stderr != "" {
		t.Errorf("exit code %d, standard error %q", r.code, r.stderr)
	}
	for _, text := range want {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("%q does not say %q", r.stdout, text)
		}
	}
}

// closedPort is an address at which no program listens. A test cannot use a port that was free
// before, because another test may use this port now.
const closedPort = "127.0.0.1:1"

func listen(t *testing.T) net.Listener {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// frontend is a fake Temporal service with one opportunity.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer

	mu       sync.Mutex
	received []message
	response any   // response to updates and queries
	views    []any // responses to queries, in this order, instead of response; the last response repeats
	err      error // error instead of each response
}

type message struct{ How, Workflow, Name, Payload string }

// serve starts the frontend. serve returns the variables with which the command line connects to
// the frontend.
func (f *frontend) serve(t *testing.T) []string {
	t.Helper()
	return serve(t, f)
}

func serve(t *testing.T, service workflowservice.WorkflowServiceServer) []string {
	t.Helper()
	listener := listen(t)
	server := grpc.NewServer(grpc.UnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		answer, err := handle(ctx, request)
		return answer, serviceerror.ToStatus(err).Err()
	}))
	workflowservice.RegisterWorkflowServiceServer(server, service)
	healthpb.RegisterHealthServer(server, health.NewServer())
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		// If the test ends before the gRPC server has started, Serve returns ErrServerStopped.
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Error(err)
		}
	})
	return []string{"TEMPORAL_ADDRESS=" + listener.Addr().String()}
}

// While the outcome of a message is pending, the client may send the message again.
func (f *frontend) only(t *testing.T) message {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	different := f.received
	outcome, _ := f.response.(opportunity.Outcome)
	opened, _ := f.response.(opportunity.CreateOutcome)
	if outcome.State == opportunity.Pending || opened.State == opportunity.Pending {
		different = slices.Compact(slices.Clone(different))
	}
	if len(different) != 1 {
		t.Fatalf("received %d messages, want one: %v", len(different), different)
	}
	return f.received[0]
}

func (f *frontend) receive(how, workflow, name string, payloads *commonpb.Payloads, more ...string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := strings.Join(more, "")
	for _, p := range payloads.GetPayloads() {
		text += string(p.GetData())
	}
	f.received = append(f.received, message{how, workflow, name, text})
	return f.err
}

func (f *frontend) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{Capabilities: &workflowservice.GetSystemInfoResponse_Capabilities{}}, nil
}

func (f *frontend) SignalWorkflowExecution(_ context.Context, r *workflowservice.SignalWorkflowExecutionRequest) (*workflowservice.SignalWorkflowExecutionResponse, error) {
	return &workflowservice.SignalWorkflowExecutionResponse{}, f.receive("signal", r.GetWorkflowExecution().GetWorkflowId(), r.GetSignalName(), r.GetInput())
}

func (f *frontend) QueryWorkflow(_ context.Context, r *workflowservice.QueryWorkflowRequest) (*workflowservice.QueryWorkflowResponse, error) {
	if err := f.receive("query", r.GetExecution().GetWorkflowId(), r.GetQuery().GetQueryType(), r.GetQuery().GetQueryArgs()); err != nil {
		return nil, err
	}
	f.mu.Lock()
	response := f.response
	if len(f.views) > 0 {
		response = f.views[0]
		f.views = f.views[min(1, len(f.views)-1):]
	}
	f.mu.Unlock()
	answer, err := converter.GetDefaultDataConverter().ToPayloads(response)
	return &workflowservice.QueryWorkflowResponse{QueryResult: answer, QueryRejected: (*querypb.QueryRejected)(nil)}, err
}

func (f *frontend) UpdateWorkflowExecution(_ context.Context, r *workflowservice.UpdateWorkflowExecutionRequest) (*workflowservice.UpdateWorkflowExecutionResponse, error) {
	return f.update("update", r)
}

func (f *frontend) update(how string, r *workflowservice.UpdateWorkflowExecutionRequest) (*workflowservice.UpdateWorkflowExecutionResponse, error) {
	input := r.GetRequest().GetInput()
	if err := f.receive(how, r.GetWorkflowExecution().GetWorkflowId(), input.GetName(), input.GetArgs()); err != nil {
		return nil, err
	}
	outcome := &updatepb.Outcome{}
	if failure, ok := f.response.(*opportunity.Error); ok {
		outcome.Value = &updatepb.Outcome_Failure{Failure: failureOf(failure)}
	} else {
		answer, err := converter.GetDefaultDataConverter().ToPayloads(f.response)
		if err != nil {
			return nil, err
		}
		outcome.Value = &updatepb.Outcome_Success{Success: answer}
	}
	return &workflowservice.UpdateWorkflowExecutionResponse{
		UpdateRef: &updatepb.UpdateRef{
			WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: r.GetWorkflowExecution().GetWorkflowId(), RunId: "r"},
			UpdateId:          r.GetRequest().GetMeta().GetUpdateId(),
		},
		Stage:   enums.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
		Outcome: outcome,
	}, nil
}

func failureOf(own *opportunity.Error) *failurepb.Failure {
	return temporal.GetDefaultFailureConverter().ErrorToFailure(lifecycle.ToTemporalError(own))
}

func (f *frontend) ExecuteMultiOperation(_ context.Context, r *workflowservice.ExecuteMultiOperationRequest) (*workflowservice.ExecuteMultiOperationResponse, error) {
	if len(r.GetOperations()) != 2 {
		return nil, serviceerror.NewInvalidArgument("not an update with start")
	}
	start, update := r.GetOperations()[0].GetStartWorkflow(), r.GetOperations()[1].GetUpdateWorkflow()
	if start.GetWorkflowType().GetName() != lifecycle.WorkflowType || start.GetTaskQueue().GetName() != lifecycle.TaskQueue {
		return nil, serviceerror.NewInvalidArgument(fmt.Sprintf("a start of %s on %s", start.GetWorkflowType().GetName(), start.GetTaskQueue().GetName()))
	}
	answer, err := f.update("update with start", update)
	if err != nil {
		return nil, err
	}
	return &workflowservice.ExecuteMultiOperationResponse{Responses: []*workflowservice.ExecuteMultiOperationResponse_Response{
		{Response: &workflowservice.ExecuteMultiOperationResponse_Response_StartWorkflow{StartWorkflow: &workflowservice.StartWorkflowExecutionResponse{RunId: "r", Started: true}}},
		{Response: &workflowservice.ExecuteMultiOperationResponse_Response_UpdateWorkflow{UpdateWorkflow: answer}},
	}}, nil
}

func (f *frontend) DescribeWorkflowExecution(context.Context, *workflowservice.DescribeWorkflowExecutionRequest) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return nil, serviceerror.NewNotFound("no such workflow")
}

func sameJSON(a, b string) bool {
	var x, y any
	if errors.Join(json.Unmarshal([]byte(a), &x), json.Unmarshal([]byte(b), &y)) != nil {
		return false
	}
	one, _ := json.Marshal(x)
	other, _ := json.Marshal(y)
	return bytes.Equal(one, other)
}

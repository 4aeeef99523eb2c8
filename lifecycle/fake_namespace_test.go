package lifecycle_test

import (
	"context"
	"reflect"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/oppflow/oppflow/opportunity"
)

// fakeNamespace imitates the part of Temporal that the Client uses. fakeNamespace stores the
// messages and returns errors as the SDK does.
type fakeNamespace struct {
	client.Client
	updates      []client.UpdateWorkflowOptions
	starts       []client.UpdateWithStartWorkflowOptions
	startOptions []client.StartWorkflowOptions
	signals      []any
	// updateError returns the error of the nth update, or nil when the update returns its outcome.
	updateError func(n int) error
	outcome     opportunity.Outcome
	exists      bool
	// answers returns the outcome of the nth update, and startAnswers returns the create outcome of
	// the nth start, if these functions are set.
	answers      func(n int) opportunity.Outcome
	startAnswers func(n int) opportunity.CreateOutcome
	// resourceHeaders are the gRPC headers in which each request names its workflow.
	resourceHeaders [][]string
	// queries are the payloads of the queries, and queryError is the error that a query returns.
	queries    []any
	queryError error
	status     enums.WorkflowExecutionStatus
	// firstRunIDs contains the first run id of each chain of runs, by the id of one run of the
	// chain. The value of the map key "" is the first run id of the latest run.
	firstRunIDs map[string]string
}

// closedAt is when all runs ended.
var closedAt = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

type updateHandle struct {
	client.WorkflowUpdateHandle
	answer any
	err    error
}

func (h updateHandle) RunID() string { return "the run that accepted" }

func (h updateHandle) Get(_ context.Context, into any) error {
	if h.err != nil {
		return h.err
	}
	reflect.ValueOf(into).Elem().Set(reflect.ValueOf(h.answer))
	return nil
}

func (n *fakeNamespace) UpdateWorkflow(ctx context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	n.recordHeader(ctx)
	n.updates = append(n.updates, o)
	if n.answers != nil {
		n.outcome = n.answers(len(n.updates))
	}
	if n.updateError == nil {
		return updateHandle{answer: n.outcome}, nil
	}
	return updateHandle{answer: n.outcome, err: n.updateError(len(n.updates))}, nil
}

func (n *fakeNamespace) recordHeader(ctx context.Context) {
	headers, _ := metadata.FromOutgoingContext(ctx)
	n.resourceHeaders = append(n.resourceHeaders, headers.Get("temporal-resource-id"))
}

type startOperation struct {
	client.WithStartWorkflowOperation
}

func (n *fakeNamespace) NewWithStartWorkflowOperation(o client.StartWorkflowOptions, _ any, _ ...any) client.WithStartWorkflowOperation {
	n.startOptions = append(n.startOptions, o)
	return startOperation{}
}

func (n *fakeNamespace) UpdateWithStartWorkflow(ctx context.Context, o client.UpdateWithStartWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	n.recordHeader(ctx)
	n.starts = append(n.starts, o)
	if n.updateError != nil {
		if err := n.updateError(len(n.starts)); err != nil {
			return nil, err
		}
	}
	if n.startAnswers != nil {
		return updateHandle{answer: n.startAnswers(len(n.starts))}, nil
	}
	return updateHandle{answer: opportunity.CreateOutcome{State: opportunity.Done, Reference: "A-1"}}, nil
}

type encodedValue struct{ answer any }

func (encodedValue) HasValue() bool { return true }

func (e encodedValue) Get(into any) error {
	reflect.ValueOf(into).Elem().Set(reflect.ValueOf(e.answer))
	return nil
}

func (n *fakeNamespace) QueryWorkflow(ctx context.Context, workflow, run, name string, payload ...any) (converter.EncodedValue, error) {
	n.recordHeader(ctx)
	n.queries = append(n.queries, workflow, run, name, payload)
	if n.queryError != nil {
		return nil, n.queryError
	}
	return encodedValue{n.outcome}, nil
}

func (n *fakeNamespace) SignalWorkflow(ctx context.Context, workflow, run, name string, payload any) error {
	n.recordHeader(ctx)
	n.signals = append(n.signals, workflow, run, name, payload)
	if n.updateError != nil {
		return n.updateError(1)
	}
	return nil
}

func (n *fakeNamespace) DescribeWorkflowExecution(ctx context.Context, _, run string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	n.recordHeader(ctx)
	if !n.exists {
		return nil, serviceerror.NewNotFound("none")
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: n.status, CloseTime: timestamppb.New(closedAt), FirstRunId: n.firstRunIDs[run]},
	}, nil
}

// throughTemporal encodes and decodes an error as Temporal does between a workflow and a caller.
func throughTemporal(err error) error {
	codec := temporal.GetDefaultFailureConverter()
	return codec.FailureToError(codec.ErrorToFailure(err))
}

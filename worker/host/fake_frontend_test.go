package host_test

import (
	"context"
	"errors"
	"maps"
	"net"
	"sync"
	"testing"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// frontend is a fake Temporal service that accepts a new search attribute in queries only some time
// after its registration.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	operatorservice.UnimplementedOperatorServiceServer

	mu         sync.Mutex
	attributes map[string]enums.IndexedValueType
	added      []map[string]enums.IndexedValueType
	slow       int   // how many more queries the service refuses
	listError  error // the error that ListSearchAttributes returns
	queries    []string
}

func serve(t *testing.T, f *frontend) (address string) {
	t.Helper()
	return serveAs(t, f, f)
}

// serveAs serves the frontend f and the service workflows as one Temporal service at the returned
// address.
func serveAs(t *testing.T, f *frontend, workflows workflowservice.WorkflowServiceServer) (address string) {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		answer, err := handle(ctx, request)
		return answer, serviceerror.ToStatus(err).Err()
	}))
	workflowservice.RegisterWorkflowServiceServer(server, workflows)
	operatorservice.RegisterOperatorServiceServer(server, f)
	healthpb.RegisterHealthServer(server, health.NewServer())
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		// The test may end before the server has started, so ErrServerStopped is not a failure.
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func (f *frontend) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{}, nil
}

func (f *frontend) ListSearchAttributes(_ context.Context, r *operatorservice.ListSearchAttributesRequest) (*operatorservice.ListSearchAttributesResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listError != nil {
		return nil, f.listError
	}
	if r.GetNamespace() != "default" {
		return nil, serviceerror.NewNamespaceNotFound(r.GetNamespace())
	}
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: maps.Clone(f.attributes)}, nil
}

func (f *frontend) AddSearchAttributes(_ context.Context, r *operatorservice.AddSearchAttributesRequest) (*operatorservice.AddSearchAttributesResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.added = append(f.added, r.GetSearchAttributes())
	for name := range r.GetSearchAttributes() {
		if _, there := f.attributes[name]; there {
			return nil, serviceerror.NewAlreadyExists(name + " is there already")
		}
	}
	if f.attributes == nil {
		f.attributes = map[string]enums.IndexedValueType{}
	}
	maps.Copy(f.attributes, r.GetSearchAttributes())
	return &operatorservice.AddSearchAttributesResponse{}, nil
}

func (f *frontend) CountWorkflowExecutions(_ context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queries = append(f.queries, r.GetQuery())
	if f.slow > 0 {
		f.slow--
		return nil, serviceerror.NewInvalidArgument("invalid search attribute: OpportunityId")
	}
	return &workflowservice.CountWorkflowExecutionsResponse{}, nil
}

func (f *frontend) state() (attributes map[string]enums.IndexedValueType, added []map[string]enums.IndexedValueType, queries []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.attributes), f.added, f.queries
}

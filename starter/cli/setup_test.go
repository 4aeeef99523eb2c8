package cli_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/oppflow/oppflow/lifecycle"
)

// namespaces is a fake Temporal service that stores namespaces and their search attributes. The
// fake service shows a change only after some more requests.
type namespaces struct {
	workflowservice.UnimplementedWorkflowServiceServer
	operatorservice.UnimplementedOperatorServiceServer

	mu         sync.Mutex
	retention  map[string]time.Duration
	attributes map[string]enums.IndexedValueType
	delay      int // number of requests until a new namespace is shown; 0 is 3
	slow       int
	raced      bool // another caller creates the namespace at the same time
	changes    int
	refusal    error // the error of every request that changes something
}

func (n *namespaces) serve(t *testing.T) []string {
	t.Helper()
	return n.serveAs(t, n)
}

// serveAs is like serve, but the fake service also has the methods of workflows.
func (n *namespaces) serveAs(t *testing.T, workflows workflowservice.WorkflowServiceServer) []string {
	t.Helper()
	listener := listen(t)
	server := grpc.NewServer(grpc.UnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		answer, err := handle(ctx, request)
		return answer, serviceerror.ToStatus(err).Err()
	}))
	workflowservice.RegisterWorkflowServiceServer(server, workflows)
	operatorservice.RegisterOperatorServiceServer(server, n)
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
	return []string{"TEMPORAL_ADDRESS=" + listener.Addr().String(), "TEMPORAL_NAMESPACE=sales"}
}

func (n *namespaces) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{}, nil
}

func (n *namespaces) RegisterNamespace(_ context.Context, r *workflowservice.RegisterNamespaceRequest) (*workflowservice.RegisterNamespaceResponse, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refusal != nil {
		return nil, n.refusal
	}
	n.changes++
	n.slow = max(n.delay, 3)
	n.retention = map[string]time.Duration{r.GetNamespace(): r.GetWorkflowExecutionRetentionPeriod().AsDuration()}
	if n.raced {
		return nil, serviceerror.NewNamespaceAlreadyExists("namespace already exists")
	}
	return &workflowservice.RegisterNamespaceResponse{}, nil
}

func (n *namespaces) DescribeNamespace(_ context.Context, r *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	kept, there := n.retention[r.GetNamespace()]
	if !there {
		return nil, serviceerror.NewNamespaceNotFound(r.GetNamespace())
	}
	return &workflowservice.DescribeNamespaceResponse{
		Config: &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(kept)},
	}, nil
}

func (n *namespaces) ListSearchAttributes(_ context.Context, r *operatorservice.ListSearchAttributesRequest) (*operatorservice.ListSearchAttributesResponse, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, there := n.retention[r.GetNamespace()]; !there || n.slow > 0 {
		n.slow--
		return nil, serviceerror.NewNamespaceNotFound(r.GetNamespace())
	}
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: maps.Clone(n.attributes)}, nil
}

func (n *namespaces) AddSearchAttributes(_ context.Context, r *operatorservice.AddSearchAttributesRequest) (*operatorservice.AddSearchAttributesResponse, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.changes++
	n.attributes = r.GetSearchAttributes()
	return &operatorservice.AddSearchAttributesResponse{}, nil
}

func (n *namespaces) CountWorkflowExecutions(context.Context, *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	return &workflowservice.CountWorkflowExecutionsResponse{}, nil
}

func (n *namespaces) state() (retention map[string]time.Duration, attributes, changes int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.retention), len(n.attributes), n.changes
}

func TestSetupCreatesTheNamespaceOnce(t *testing.T) {
	t.Parallel() // the test waits
	for name, test := range map[string]struct {
		args []string
		kept time.Duration
		told string
	}{
		"default":   {nil, 720 * time.Hour, "720h"},
		"retention": {[]string{"--retention", "2160h"}, 2160 * time.Hour, "2160h"},
		"odd":       {[]string{"--retention", "90m"}, 90 * time.Minute, "1h30m"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := &namespaces{}
			env := service.serve(t)
			args := append([]string{"setup", "--create-namespace"}, test.args...)
			oppflow(t, env, args...).wantDone(t, "namespace sales: created; the namespace keeps closed runs for "+test.told, "registered OpportunityAccount")
			retention, attributes, changes := service.state()
			if len(retention) != 1 || retention["sales"] != test.kept || attributes != len(lifecycle.SearchAttributes()) || changes != 2 {
				t.Errorf("after the first setup: %v, %d search attributes, %d changes", retention, attributes, changes)
			}
			oppflow(t, env, args...).wantDone(t,
				"namespace sales: exists already; the namespace keeps closed runs for "+test.told, "all search attributes exist already")
			if _, _, now := service.state(); now != changes {
				t.Errorf("the second setup made %d changes", now-changes)
			}
		})
	}
}

func TestSetupLeavesTheRetentionOfANamespaceThatIsThere(t *testing.T) {
	t.Parallel() // the test waits
	service := &namespaces{retention: map[string]time.Duration{"sales": 24 * time.Hour}}
	oppflow(t, service.serve(t), "setup", "--create-namespace", "--retention", "2160h").wantDone(t,
		"exists already and is unchanged", "24h, not for the requested 2160h", "temporal operator namespace update --retention")
	if retention, _, changes := service.state(); retention["sales"] != 24*time.Hour || changes != 1 {
		t.Errorf("%v, %d changes", retention, changes)
	}
	// The namespace keeps its retention, because the command line contains no retention.
	if got := oppflow(t, service.serve(t), "setup", "--create-namespace"); got.code != 0 || !strings.Contains(got.stdout, "closed runs for 24h\n") {
		t.Errorf("%+v", got)
	}
}

func TestSetupBesideAnotherOneCreatesNothing(t *testing.T) {
	t.Parallel() // the test waits
	service := &namespaces{raced: true}
	oppflow(t, service.serve(t), "setup", "--create-namespace").wantDone(t, "exists already", "registered")
}

func TestSetupCreatesNothingUnasked(t *testing.T) {
	service := &namespaces{}
	oppflow(t, service.serve(t), "setup").wantUsageError(t, 1, `no Temporal namespace "sales"`, "--temporal-namespace")
	if _, _, changes := service.state(); changes != 0 {
		t.Errorf("%d changes", changes)
	}
}

func TestSetupSaysWhyThereIsNoNamespace(t *testing.T) {
	t.Parallel() // the test waits
	service := &namespaces{refusal: serviceerror.NewPermissionDenied("only the owner may", "")}
	oppflow(t, service.serve(t), "setup", "--create-namespace").wantUsageError(t, 1, `"sales"`, "cannot be created", "only the owner may")

	stuck := &namespaces{delay: 1 << 30}
	oppflow(t, stuck.serve(t), "setup", "--create-namespace", "--timeout", "500ms").wantUsageError(t, 1, `"sales"`)
}

func TestSetupWantsASensibleRetention(t *testing.T) {
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"--retention", "720h"}, []string{"--create-namespace"}},
		{[]string{"--create-namespace", "--retention", "59m"}, []string{"59m0s", "at least 1h"}},
		{[]string{"--create-namespace", "--retention", "30d"}, []string{"--retention", "30d", "length of time"}},
		{[]string{"--create-namespace", "--retention", "-720h"}, []string{"--retention", "greater than 0"}},
	} {
		oppflow(t, []string{"TEMPORAL_ADDRESS=" + closedPort}, append([]string{"setup"}, test.args...)...).wantUsageError(t, 2, test.want...)
	}
}

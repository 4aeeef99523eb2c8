package host_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/worker/host"
)

// fakeAPI is the API of a tenant, and returns only the lists that identify the tenant.
type fakeAPI struct {
	*httptest.Server
	down     atomic.Bool
	refuses  atomic.Bool // true while the API refuses the credentials
	requests atomic.Int32
}

func tenantAPI(t *testing.T, region string) *fakeAPI {
	t.Helper()
	api := &fakeAPI{}
	list := func(node string) string {
		return `{"edges":[{"node":` + node + `}],"pageInfo":{"totalRecords":1,"hasNextPage":false}}`
	}
	answer := fmt.Sprintf(`{"data":{"steps":%s,"regions":%s,"currencies":%s}}`,
		list(`{"id":"s","name":"Lead","stage":{"id":"g","name":"Lead","state":"Open"}}`), list(`{"id":"r","name":"`+region+`"}`), list(`{"name":"Pound","code":"GBP","symbol":"£"}`))
	api.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		api.requests.Add(1)
		if api.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if api.refuses.Load() {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(api.Close)
	return api
}

type boundState struct {
	mu    sync.Mutex
	state *lifecycle.NamespaceState // nil if the workflow of the namespace does not run
	ties  int
}

func (s *idleService) QueryWorkflow(context.Context, *workflowservice.QueryWorkflowRequest) (*workflowservice.QueryWorkflowResponse, error) {
	s.tied.mu.Lock()
	defer s.tied.mu.Unlock()
	if s.tied.state == nil {
		return nil, serviceerror.NewNotFound("no such workflow")
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(s.tied.state)
	return &workflowservice.QueryWorkflowResponse{QueryResult: payloads}, err
}

func (s *idleService) StartWorkflowExecution(_ context.Context, r *workflowservice.StartWorkflowExecutionRequest) (*workflowservice.StartWorkflowExecutionResponse, error) {
	s.tied.mu.Lock()
	defer s.tied.mu.Unlock()
	if s.tied.state != nil {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("runs already", "", "")
	}
	s.tied.state = &lifecycle.NamespaceState{}
	return &workflowservice.StartWorkflowExecutionResponse{RunId: "r"}, converter.GetDefaultDataConverter().FromPayloads(r.GetInput(), s.tied.state)
}

func (s *idleService) ExecuteMultiOperation(_ context.Context, r *workflowservice.ExecuteMultiOperationRequest) (*workflowservice.ExecuteMultiOperationResponse, error) {
	s.tied.mu.Lock()
	defer s.tied.mu.Unlock()
	s.tied.ties++
	if s.tied.state == nil {
		s.tied.state = &lifecycle.NamespaceState{}
	}
	var tenant lifecycle.Tenant
	update := r.GetOperations()[1].GetUpdateWorkflow()
	if err := converter.GetDefaultDataConverter().FromPayloads(update.GetRequest().GetInput().GetArgs(), &tenant); err != nil {
		return nil, err
	}
	if err := s.tied.state.Bind(tenant, time.Unix(1, 0)); err != nil {
		return nil, err
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(s.tied.state)
	return &workflowservice.ExecuteMultiOperationResponse{Responses: []*workflowservice.ExecuteMultiOperationResponse_Response{
		{Response: &workflowservice.ExecuteMultiOperationResponse_Response_StartWorkflow{StartWorkflow: &workflowservice.StartWorkflowExecutionResponse{RunId: "r"}}},
		{Response: &workflowservice.ExecuteMultiOperationResponse_Response_UpdateWorkflow{UpdateWorkflow: &workflowservice.UpdateWorkflowExecutionResponse{
			UpdateRef: &updatepb.UpdateRef{WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: lifecycle.NamespaceID, RunId: "r"}, UpdateId: update.GetRequest().GetMeta().GetUpdateId()},
			Stage:     enums.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
			Outcome:   &updatepb.Outcome{Value: &updatepb.Outcome_Success{Success: payloads}},
		}}},
	}}, err
}

func (s *idleService) UpdateWorkflowExecution(_ context.Context, r *workflowservice.UpdateWorkflowExecutionRequest) (*workflowservice.UpdateWorkflowExecutionResponse, error) {
	s.tied.mu.Lock()
	defer s.tied.mu.Unlock()
	var join lifecycle.NamespaceJoin
	if err := converter.GetDefaultDataConverter().FromPayloads(r.GetRequest().GetInput().GetArgs(), &join); err != nil {
		return nil, err
	}
	if err := s.tied.state.Join(join, time.Unix(1, 0), time.Second); err != nil {
		return nil, err
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(s.tied.state)
	return &workflowservice.UpdateWorkflowExecutionResponse{
		UpdateRef: &updatepb.UpdateRef{WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: lifecycle.NamespaceID, RunId: "r"}, UpdateId: r.GetRequest().GetMeta().GetUpdateId()},
		Stage:     enums.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
		Outcome:   &updatepb.Outcome{Value: &updatepb.Outcome_Success{Success: payloads}},
	}, err
}

// A worker with the credentials of another tenant polls for no activity, requests only the lists
// that identify its tenant, and reports the difference in one line.
func TestAWorkerOfAnotherTenantDoesNotStart(t *testing.T) {
	t.Parallel() // the test waits
	for name, c := range map[string]struct {
		state lifecycle.NamespaceState
		code  int
		says  []string
	}{
		"other regions": {
			lifecycle.NamespaceState{Tenant: &lifecycle.Tenant{Regions: []opportunity.Ref{{ID: "r", Name: "Nord"}}}},
			1,
			[]string{`"default" belongs to another tenant`, "the regions are UK, but the other tenant has Nord", "oppflow setup --rebind"},
		},
		"the same":      {lifecycle.NamespaceState{Tenant: &lifecycle.Tenant{Regions: []opportunity.Ref{{ID: "r", Name: "UK"}}}}, 0, nil},
		"not tied yet":  {lifecycle.NamespaceState{}, 0, nil},
		"not there yet": {lifecycle.NamespaceState{Tenant: &lifecycle.Tenant{}}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := tenantAPI(t, "UK")
			service := &idleService{frontend: &frontend{attributes: lifecycle.SearchAttributes()}, release: make(chan struct{})}
			close(service.release)
			if c.state.Tenant == nil || !c.state.Tenant.IsZero() {
				service.tied.state = &c.state
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var said syncBuffer
			ended := make(chan int, 1)
			go func() {
				ended <- host.Main(ctx, []string{"--temporal-address", service.serve(t), "--log-level", "error"},
					[]string{"ADMINISTRATE_URL=" + api.URL + "/graphql", "ADMINISTRATE_TOKEN=x", "TEMPORAL_CONFIG_FILE=/dev/null"}, io.Discard, &said)
			}()
			if c.code == 0 {
				eventually(t, "activities are asked for", service.asked.Load)
				stop()
			}
			if code := <-ended; code != c.code {
				t.Errorf("exit code %d: %s", code, said.String())
			}
			if c.code != 0 && service.asked.Load() {
				t.Error("activities were asked for")
			}
			if n := api.requests.Load(); n != 1 {
				t.Errorf("%d requests; want 1", n)
			}
			for _, want := range c.says {
				if !strings.Contains(said.String(), want) {
					t.Errorf("%q does not say %q", said.String(), want)
				}
			}
			if c.code != 0 {
				return
			}
			if tied := service.tied.state; tied == nil || !tied.WorkerJoined || tied.Tenant == nil || len(tied.Tenant.Steps) != 1 || tied.Tenant.Regions[0].Name != "UK" {
				t.Errorf("tied to %+v", tied)
			}
		})
	}
}

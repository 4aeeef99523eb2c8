package cli_test

import (
	"context"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/serviceerror"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// tenantNamespaces is a fake Temporal service with namespaces and with the workflow that stores the
// tenant of a namespace.
type tenantNamespaces struct {
	namespaces
	state  *lifecycle.NamespaceState // nil if the workflow does not run
	worker bool                      // a worker responds
}

func read(payloads *commonpb.Payloads, into any) error {
	return converter.GetDefaultDataConverter().FromPayloads(payloads, into)
}

func (n *tenantNamespaces) StartWorkflowExecution(_ context.Context, r *workflowservice.StartWorkflowExecutionRequest) (*workflowservice.StartWorkflowExecutionResponse, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state != nil {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("runs already", "", "")
	}
	n.state = &lifecycle.NamespaceState{BoundAt: time.Unix(1, 0)}
	return &workflowservice.StartWorkflowExecutionResponse{RunId: "r"}, read(r.GetInput(), n.state)
}

func (n *tenantNamespaces) QueryWorkflow(context.Context, *workflowservice.QueryWorkflowRequest) (*workflowservice.QueryWorkflowResponse, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.state == nil:
		return nil, serviceerror.NewNotFound("no such workflow")
	case !n.worker:
		return nil, serviceerror.NewFailedPrecondition("no poller seen for task queue recently")
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(n.state)
	return &workflowservice.QueryWorkflowResponse{QueryResult: payloads, QueryRejected: (*querypb.QueryRejected)(nil)}, err
}

func (n *tenantNamespaces) SignalWithStartWorkflowExecution(_ context.Context, r *workflowservice.SignalWithStartWorkflowExecutionRequest) (*workflowservice.SignalWithStartWorkflowExecutionResponse, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var tenant lifecycle.Tenant
	if err := read(r.GetSignalInput(), &tenant); err != nil {
		return nil, err
	}
	n.state = &lifecycle.NamespaceState{}
	n.state.Rebind(tenant, time.Unix(2, 0))
	return &workflowservice.SignalWithStartWorkflowExecutionResponse{RunId: "r"}, nil
}

func (n *tenantNamespaces) ExecuteMultiOperation(_ context.Context, r *workflowservice.ExecuteMultiOperationRequest) (*workflowservice.ExecuteMultiOperationResponse, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var tenant lifecycle.Tenant
	update := r.GetOperations()[1].GetUpdateWorkflow()
	if err := read(update.GetRequest().GetInput().GetArgs(), &tenant); err != nil {
		return nil, err
	}
	if err := n.state.Bind(tenant, time.Unix(3, 0)); err != nil {
		return nil, err
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(n.state)
	return &workflowservice.ExecuteMultiOperationResponse{Responses: []*workflowservice.ExecuteMultiOperationResponse_Response{
		{Response: &workflowservice.ExecuteMultiOperationResponse_Response_StartWorkflow{StartWorkflow: &workflowservice.StartWorkflowExecutionResponse{RunId: "r"}}},
		{Response: &workflowservice.ExecuteMultiOperationResponse_Response_UpdateWorkflow{UpdateWorkflow: &workflowservice.UpdateWorkflowExecutionResponse{
			UpdateRef: &updatepb.UpdateRef{WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: lifecycle.NamespaceID, RunId: "r"}, UpdateId: update.GetRequest().GetMeta().GetUpdateId()},
			Stage:     enums.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
			Outcome:   &updatepb.Outcome{Value: &updatepb.Outcome_Success{Success: payloads}},
		}}},
	}}, err
}

// wantUnbound expects that the search attributes are registered, and that one line reports that
// binding the namespace failed.
func wantUnbound(t *testing.T, r result, want ...string) {
	t.Helper()
	if !strings.Contains(r.stdout, "registered") && !strings.Contains(r.stdout, "all search attributes exist") {
		t.Errorf("%q does not report the search attributes", r.stdout)
	}
	r.stdout = ""
	r.wantUsageError(t, 1, want...)
}

// The command setup binds the namespace to the tenant of its settings, with or without a running
// worker. The command setup binds a bound namespace to another tenant only with --rebind.
func TestSetupBindsTheNamespaceToItsTenant(t *testing.T) {
	api := (&recordingSandbox{}).serve(t)
	serve := func(n *tenantNamespaces) []string {
		n.retention = map[string]time.Duration{"sales": time.Hour}
		return n.serveAs(t, n)
	}
	other := func() *lifecycle.NamespaceState {
		return &lifecycle.NamespaceState{Tenant: &lifecycle.Tenant{Regions: []opportunity.Ref{{ID: "1", Name: "Nord"}}}}
	}

	// The namespace has no known tenant.
	untold := &tenantNamespaces{}
	oppflow(t, serve(untold), "setup").wantDone(t, "namespace sales: not bound to a tenant", "the first worker binds the namespace")
	if untold.state != nil {
		t.Errorf("tied: %+v", untold.state)
	}
	oppflow(t, serve(untold), "setup", "--rebind").wantUsageError(t, 2, "--rebind", "--api-url")

	own := &tenantNamespaces{}
	env := append(serve(own), api...)
	oppflow(t, env, "setup").wantDone(t, "namespace sales: bound to the tenant with regions ", "UK")
	if own.state == nil || own.state.Tenant == nil || len(own.state.Tenant.Steps) == 0 || len(own.state.Tenant.Currencies) == 0 {
		t.Fatalf("%+v", own.state)
	}
	oppflow(t, env, "setup").wantDone(t, "namespace sales: already bound; no worker responds", "the next worker that starts compares")
	own.worker = true
	oppflow(t, env, "setup").wantDone(t, "namespace sales: already bound to the tenant with regions ")

	// A tenant with some changed steps is still the same tenant, and setup accepts the tenant.
	kept := own.state.Tenant.Steps
	own.state.Tenant.Steps = kept[1:]
	oppflow(t, env, "setup").wantDone(t, "already bound to the tenant")
	if len(own.state.Tenant.Steps) != len(kept) {
		t.Errorf("%d steps are kept; want %d", len(own.state.Tenant.Steps), len(kept))
	}

	// A tenant with equal lists but without the records that Oppflow created is another tenant.
	own.state.Records = []lifecycle.CreatedRecord{{ID: "T3Bwb3J0dW5pdHk6MQ==", Reference: "order-1"}}
	wantUnbound(t, oppflow(t, env, "setup"), "belongs to another tenant", "none of the records that Oppflow created exists with its reference tag", "with the reference order-1", "--rebind")
	oppflow(t, env, "setup", "--rebind").wantDone(t, "rebound to the tenant with regions ", "has the same regions, steps and currencies")
	if len(own.state.Records) != 0 {
		t.Errorf("the namespace keeps records of the earlier tenant: %+v", own.state.Records)
	}

	// The namespace belongs to another tenant.
	taken := &tenantNamespaces{state: other(), worker: true}
	env = append(serve(taken), api...)
	wantUnbound(t, oppflow(t, env, "setup"), `"sales" belongs to another tenant`, "has Nord", "--rebind")
	if !taken.state.Tenant.Equal(*other().Tenant) {
		t.Errorf("tied to %+v", taken.state.Tenant)
	}
	oppflow(t, env, "setup", "--rebind").wantDone(t, "namespace sales: rebound to the tenant with regions ", "the earlier tenant of the namespace was another tenant: the regions are", "has Nord")
	oppflow(t, env, "setup").wantDone(t, "already bound to the tenant")

	// The namespace is bound to another tenant, and no worker of the other tenant runs any more.
	left := &tenantNamespaces{state: other()}
	oppflow(t, append(serve(left), api...), "setup", "--rebind").wantDone(t, "rebound to the tenant with", "the earlier tenant of the namespace is unknown, because no worker responds")
	if left.state.Tenant.Equal(*other().Tenant) {
		t.Error("nothing was tied")
	}
}

// Some tenants do not allow a client to read their regions or currencies. Setup then identifies the
// tenant by the lists that the client can read.
func TestSetupBindsATenantWithFewReadableLists(t *testing.T) {
	blind := &recordingSandbox{}
	blind.change = func(answer string) string { return answer }
	api := blind.serve(t)
	blind.forbidden = "regions("
	n := &tenantNamespaces{}
	n.retention = map[string]time.Duration{"sales": time.Hour}
	oppflow(t, append(n.serveAs(t, n), api...), "setup").wantDone(t, "bound to the tenant with steps ")
	if n.state == nil || len(n.state.Tenant.Regions) != 0 || len(n.state.Tenant.Steps) == 0 || len(n.state.Tenant.Currencies) == 0 {
		t.Errorf("%+v", n.state)
	}
	blind.forbidden = "query"
	none := &tenantNamespaces{}
	none.retention = n.retention
	wantUnbound(t, oppflow(t, append(none.serveAs(t, none), api...), "setup"), "the API refused the request", "nobody knows that")
	if none.state != nil {
		t.Errorf("tied: %+v", none.state)
	}
}

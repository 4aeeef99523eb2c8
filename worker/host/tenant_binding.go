package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// OtherTenantError says that a namespace belongs to one tenant and the worker's credentials belong
// to another tenant.
type OtherTenantError struct {
	// Namespace is the name of the Temporal namespace.
	Namespace string
	// Difference describes a difference between the two tenants in words.
	Difference string
}

// Error says how the two tenants differ, and what an operator can do.
func (e *OtherTenantError) Error() string {
	return fmt.Sprintf("the Temporal namespace %q belongs to another tenant than the API's credentials: %s; "+
		"set the namespace and the credentials of the same tenant, or run oppflow setup --rebind to bind the namespace to the tenant of the credentials",
		e.Namespace, e.Difference)
}

// ReadTenant reads the data that identify the tenant of the API's client (steps, regions and
// currencies), in one request if the API has all three lists. The parameter clientID is the id of
// the OAuth client, or "" if the credentials have no OAuth client.
func ReadTenant(ctx context.Context, api *administrate.Client, clientID string) (lifecycle.Tenant, error) {
	all := administrate.PageRequest{}
	found, err := api.Lookup(ctx, administrate.LookupRequest{Steps: &all, Regions: &all, Currencies: &all})
	var notSent *administrate.NotSentError
	if err != nil && !errors.As(err, &notSent) && ctx.Err() == nil {
		// If the tenant's schema lacks one of the three lists, the API refuses the request for all
		// three lists.
		found, err = lookupEach(ctx, api, err)
	}
	if err != nil {
		return lifecycle.Tenant{}, err
	}
	tenant := lifecycle.Tenant{ClientID: clientID}
	for _, region := range found.Regions {
		tenant.Regions = append(tenant.Regions, namedRow(region.ID, region.Name))
	}
	for _, step := range found.Steps {
		tenant.Steps = append(tenant.Steps, namedRow(step.ID, step.Name))
	}
	for _, currency := range found.Currencies {
		tenant.Currencies = append(tenant.Currencies, namedRow(currency.Code, currency.Name))
	}
	for _, list := range [][]opportunity.Ref{tenant.Regions, tenant.Steps, tenant.Currencies} {
		slices.SortFunc(list, func(a, b opportunity.Ref) int { return strings.Compare(string(a.ID)+a.Name, string(b.ID)+b.Name) })
	}
	if tenant.IsZero() {
		return tenant, errors.New("the API returns no regions, steps or currencies that identify the tenant")
	}
	return tenant, nil
}

// maxTenantName is the maximum length of a name in the stored data of the tenant, in bytes.
const maxTenantName = 100

func namedRow(id, name string) opportunity.Ref {
	return opportunity.Ref{ID: opportunity.ID(id), Name: strings.ToValidUTF8(name[:min(len(name), maxTenantName)], "")}
}

// wholeNames returns the rows whose names are surely complete and not cut off at maxTenantName.
func wholeNames(rows []opportunity.Ref) []opportunity.Ref {
	return slices.DeleteFunc(slices.Clone(rows), func(row opportunity.Ref) bool { return len(row.Name) >= maxTenantName-utf8.UTFMax })
}

func lookupEach(ctx context.Context, api *administrate.Client, together error) (found administrate.LookupResult, err error) {
	all := administrate.PageRequest{}
	some := false
	for _, wanted := range []administrate.LookupRequest{{Steps: &all}, {Regions: &all}, {Currencies: &all}} {
		one, err := api.Lookup(ctx, wanted)
		var notSent *administrate.NotSentError
		switch {
		case errors.As(err, &notSent):
			return found, err
		case err != nil:
			continue
		}
		some = true
		found.Steps, found.Regions, found.Currencies = append(found.Steps, one.Steps...), append(found.Regions, one.Regions...), append(found.Currencies, one.Currencies...)
	}
	if !some {
		return found, together
	}
	return found, nil
}

// BindResult says whether the namespace already belonged to a tenant when BindTenant was called.
type BindResult struct {
	// New says that the namespace belonged to no tenant before BindTenant.
	New bool
	// Before is the state of the namespace before BindTenant, if the namespace belonged to a
	// tenant. Before is nil when BindTenant cannot read the state because no worker responds.
	Before *lifecycle.NamespaceState
}

// missingRecords checks whether the given records, which Oppflow created in the tenant of the
// namespace, exist in the TMS. If none of the records exists, missingRecords returns a text that
// describes the problem. missingRecords returns "" if at least one record exists, or if the list
// records is empty.
func missingRecords(ctx context.Context, api *administrate.Client, records []lifecycle.CreatedRecord) (string, error) {
	for _, made := range slices.Backward(records) {
		record, err := api.Opportunity(ctx, string(made.ID))
		var missing *administrate.NotFoundError
		var refused *administrate.RefusedError
		switch {
		case err == nil && tms.IsTagged(record, made.Reference):
			return "", nil
		case err == nil, errors.As(err, &missing), errors.As(err, &refused):
		default:
			return "", err
		}
	}
	if len(records) == 0 {
		return "", nil
	}
	latest := records[len(records)-1]
	return fmt.Sprintf("none of the records that Oppflow created exists with its reference tag; the latest of these records is %s with the reference %s", latest.ID, latest.Reference), nil
}

const bindResponseTimeout = 5 * time.Second

// BindTenant binds the namespace to the tenant. BindTenant needs no running worker if the namespace
// belongs to no tenant. If the namespace belongs to a tenant and no worker responds, BindTenant
// changes nothing, and Before is nil. The next worker that starts compares its own tenant with the
// tenant of the namespace. If the namespace belongs to another tenant, BindTenant returns an
// OtherTenantError.
func BindTenant(ctx context.Context, c client.Client, api *administrate.Client, namespace string, tenant lifecycle.Tenant) (BindResult, error) {
	_, begun, err := startNamespaceWorkflow(ctx, c, tenant, lifecycle.NamespaceState{})
	if begun || err != nil {
		return BindResult{New: begun}, explainNamespace(namespace, "the namespace cannot be bound to the tenant", err)
	}
	asking, cancel := context.WithTimeout(ctx, bindResponseTimeout)
	defer cancel()
	before, err := readNamespace(asking, c)
	if isNoWorkerError(err) {
		return BindResult{}, nil
	}
	if err == nil {
		_, err = ensureBinding(ctx, c, api, namespace, before, tenant)
	}
	return BindResult{New: before.Tenant == nil, Before: &before}, explainBinding(namespace, err)
}

// RebindTenant binds the namespace to the tenant, even when the namespace belonged to another
// tenant. RebindTenant sends a signal, and the binding changes when a worker handles this signal.
func RebindTenant(ctx context.Context, c client.Client, _ *administrate.Client, namespace string, tenant lifecycle.Tenant) (BindResult, error) {
	var bound BindResult
	asking, cancel := context.WithTimeout(ctx, bindResponseTimeout)
	defer cancel()
	before, err := readNamespace(asking, c)
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		bound.New = true
	case err == nil:
		bound.New, bound.Before = before.Tenant == nil, &before
	case !isNoWorkerError(err):
		return bound, explainBinding(namespace, err)
	}
	_, err = c.SignalWithStartWorkflow(ctx, lifecycle.NamespaceID, lifecycle.RebindTenant.Name, tenant,
		lifecycle.NamespaceOptions(), lifecycle.NamespaceType, lifecycle.NamespaceState{})
	return bound, explainBinding(namespace, err)
}

// startNamespaceWorkflow starts the workflow of the namespace, unless the workflow is already
// running. startNamespaceWorkflow does not wait for a worker.
func startNamespaceWorkflow(ctx context.Context, c client.Client, tenant lifecycle.Tenant, state lifecycle.NamespaceState) (_ lifecycle.NamespaceState, begun bool, err error) {
	options := lifecycle.NamespaceOptions()
	options.WorkflowIDConflictPolicy = enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	options.WorkflowExecutionErrorWhenAlreadyStarted = true
	state.Rebind(tenant, time.Now().UTC())
	_, err = c.ExecuteWorkflow(ctx, options, lifecycle.NamespaceType, state)
	var running *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &running) {
		return lifecycle.NamespaceState{}, false, nil
	}
	return state, err == nil, err
}

// ensureBinding compares the tenant of the namespace with the tenant of the API's client.
// ensureBinding binds the namespace when the namespace belongs to no tenant or when the tenant has
// changed.
func ensureBinding(ctx context.Context, c client.Client, api *administrate.Client, namespace string, state lifecycle.NamespaceState, tenant lifecycle.Tenant) (lifecycle.NamespaceState, error) {
	if state.Tenant != nil {
		difference := state.Tenant.Difference(tenant)
		if difference == "" {
			var err error
			if difference, err = missingRecords(ctx, api, state.Records); err != nil {
				return state, err
			}
		}
		if difference != "" {
			return state, &OtherTenantError{Namespace: namespace, Difference: difference}
		}
		if state.Tenant.MergedWith(tenant).Equal(*state.Tenant) {
			return state, nil
		}
	}
	handle, err := c.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: c.NewWithStartWorkflowOperation(lifecycle.NamespaceOptions(), lifecycle.NamespaceType, lifecycle.NamespaceState{}),
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateID: uuid.NewString(), WorkflowID: lifecycle.NamespaceID, UpdateName: lifecycle.BindTenant.Name,
			Args: []any{tenant}, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	if err == nil {
		err = handle.Get(ctx, &state)
	}
	if own, is := lifecycle.FromTemporalError(err); is && own.Type == opportunity.Conflict { // the namespace was bound to another tenant after the read of its state
		return state, &OtherTenantError{Namespace: namespace, Difference: strings.TrimPrefix(own.Message, "the namespace belongs to another tenant: ")}
	}
	return state, err
}

// readNamespace queries the state of the namespace's workflow; the state contains the texts of the
// playbook versions whose numbers are in texts.
func readNamespace(ctx context.Context, c client.Client, texts ...int) (state lifecycle.NamespaceState, err error) {
	value, err := c.QueryWorkflow(ctx, lifecycle.NamespaceID, "", lifecycle.NamespaceOf.Name, lifecycle.NamespaceInput{Texts: texts})
	if err == nil {
		err = value.Get(&state)
	}
	return state, err
}

func isNoWorkerError(err error) bool {
	var noPoller *serviceerror.FailedPrecondition
	var notReady *serviceerror.WorkflowNotReady
	return errors.As(err, &noPoller) || errors.As(err, &notReady) || err != nil && Reason(err) == Reason(context.DeadlineExceeded)
}

func explainBinding(namespace string, err error) error {
	var other *OtherTenantError
	if errors.As(err, &other) {
		return other
	}
	return explainNamespace(namespace, "the tenant of the namespace cannot be read", err)
}

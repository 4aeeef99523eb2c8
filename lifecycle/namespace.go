package lifecycle

import (
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// The workflow of a namespace stores to which tenant of the TMS the namespace belongs, and the
// versions of the tenant's playbook. Each namespace has one such workflow, and this workflow never
// ends.
const (
	// NamespaceType is the name under which the worker registers the workflow of a namespace.
	NamespaceType = "Namespace"
	// NamespaceID is the workflow id of the workflow of a namespace.
	NamespaceID = "oppflow/namespace"
)

var (
	// NamespaceOf returns the NamespaceState, with the texts of the requested playbook versions.
	// NamespaceOf exists only as a query.
	NamespaceOf = Message[NamespaceInput, NamespaceState]{
		Name:        "namespace",
		Description: `Returns the tenant of the namespace and the versions of its playbook: {} or {"texts":[<number>]}`,
	}
	// Deploy stores a new version of the playbook. Deploy exists only as an update.
	Deploy = Message[Deployment, DeployResult]{
		Name:        "deployPlaybook",
		Description: "Stores a version of the playbook; the command oppflow playbook deploy sends this update",
	}
	// JoinNamespace is the message that a worker sends when it starts to work in a namespace
	// without a playbook. JoinNamespace exists only as an update.
	JoinNamespace = Message[NamespaceJoin, NamespaceState]{
		Name:        "join",
		Description: "Reports the start of a worker in a namespace without a playbook; workers send this update",
	}
	// BindTenant binds the namespace to a tenant. BindTenant exists only as an update. BindTenant
	// returns the error Conflict when the namespace belongs to another tenant.
	BindTenant = Message[Tenant, NamespaceState]{
		Name:        "bindTenant",
		Description: "Binds the namespace to a tenant, if the namespace belongs to no other tenant; the command oppflow setup and workers send this update",
	}
	// RebindTenant binds the namespace to another tenant. RebindTenant exists only as a signal,
	// because a signal is accepted even when no worker runs.
	RebindTenant = Message[Tenant, struct{}]{
		Name:        "rebindTenant",
		Description: "Binds the namespace to a tenant, even if the namespace belongs to another tenant; the command oppflow setup --rebind sends this signal",
	}
	// Recover informs the workflow that Temporal's database was restored. Recover exists only as a
	// signal, because a signal is accepted even when no worker runs.
	Recover = Message[Recovery, struct{}]{
		Name:        "recover",
		Description: "Reports a restore of Temporal's database, so that Oppflow compares every opportunity with its record; the command oppflow recover sends this signal",
	}
	// Encrypt informs the workflow that a worker encrypts payloads. Encrypt exists only as a signal.
	Encrypt = Message[NamespaceEncryption, struct{}]{
		Name:        "encrypt",
		Description: "Reports that a worker encrypts payloads, and with which key; workers send this signal",
	}
	// RecordCreated adds a record that Oppflow created to NamespaceState.Records. RecordCreated
	// exists only as a signal.
	RecordCreated = Message[CreatedRecord, struct{}]{
		Name:        "recordCreated",
		Description: "Adds a record that Oppflow created to the list of records that identify the tenant; workers send this signal",
	}
)

// IsNamespaceSignal reports whether the name is the name of a signal to the workflow of a
// namespace.
func IsNamespaceSignal(name string) bool {
	return name == RebindTenant.Name || name == RecordCreated.Name || name == Recover.Name || name == Encrypt.Name
}

// NamespaceOptions returns the options that start the workflow of a namespace.
func NamespaceOptions() client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       NamespaceID,
		TaskQueue:                TaskQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
	}
}

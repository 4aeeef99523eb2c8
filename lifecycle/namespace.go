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
	// NamespaceOf is a query that returns the NamespaceState, with the texts of the requested playbook
	// versions.
	NamespaceOf = Message[NamespaceInput, NamespaceState]{
		Name:        "namespace",
		Description: `Returns the tenant of the namespace and the versions of its playbook: {} or {"texts":[<number>]}`,
	}
	// Deploy is an update that stores a new version of the playbook.
	Deploy = Message[Deployment, DeployResult]{
		Name:        "deployPlaybook",
		Description: "Stores a version of the playbook; the command oppflow playbook deploy sends this update",
	}
	// JoinNamespace is an update that a worker sends when it starts to work in a namespace without a
	// playbook.
	JoinNamespace = Message[NamespaceJoin, NamespaceState]{
		Name:        "join",
		Description: "Reports the start of a worker in a namespace without a playbook; workers send this update",
	}
	// BindTenant is an update that binds the namespace to a tenant. BindTenant returns the error
	// Conflict when the namespace belongs to another tenant.
	BindTenant = Message[Tenant, NamespaceState]{
		Name:        "bindTenant",
		Description: "Binds the namespace to a tenant, if the namespace belongs to no other tenant; the command oppflow setup and workers send this update",
	}
	// RebindTenant is a signal that binds the namespace to another tenant. Temporal accepts a signal
	// even when no worker runs.
	RebindTenant = Message[Tenant, struct{}]{
		Name:        "rebindTenant",
		Description: "Binds the namespace to a tenant, even if the namespace belongs to another tenant; the command oppflow setup --rebind sends this signal",
	}
	// Recover is a signal that reports a restore of Temporal's database. Temporal accepts a signal
	// even when no worker runs.
	Recover = Message[Recovery, struct{}]{
		Name:        "recover",
		Description: "Reports a restore of Temporal's database, so that Oppflow compares every opportunity with its record; the command oppflow recover sends this signal",
	}
	// Encrypt is a signal that reports that a worker encrypts payloads.
	Encrypt = Message[NamespaceEncryption, struct{}]{
		Name:        "encrypt",
		Description: "Reports that a worker encrypts payloads, and with which key; workers send this signal",
	}
	// RecordCreated is a signal that adds a record that Oppflow created to NamespaceState.Records.
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

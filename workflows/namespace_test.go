package workflows_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/workflows"
)

type bindCallback struct {
	testsuite.TestUpdateCallback
	state lifecycle.NamespaceState
	err   error
}

func (u *bindCallback) Accept()          {}
func (u *bindCallback) Reject(err error) { u.err = err }
func (u *bindCallback) Complete(state any, err error) {
	u.state, _ = state.(lifecycle.NamespaceState)
	u.err = err
}

func tenantOf(regions ...string) lifecycle.Tenant {
	t := lifecycle.Tenant{ClientID: "client"}
	for _, region := range regions {
		t.Regions = append(t.Regions, opportunity.Ref{ID: opportunity.ID(region), Name: region})
	}
	return t
}

// The workflow of a namespace keeps the tenant that was bound first, even in the next run. The
// workflow changes the tenant only when the namespace is bound again.
func TestTheWorkflowOfANamespaceKeepsItsTenant(t *testing.T) {
	env := newEnvironment(t, workflows.Interceptor())
	workflows.Register(env, workflows.Options{})
	mine, other := tenantOf("UK", "USA"), tenantOf("Nord")
	var first, same, grown, different, empty, again bindCallback
	asked := lifecycle.NamespaceState{}
	at := func(after time.Duration, do func()) { env.RegisterDelayedCallback(do, after) }
	tie := func(u *bindCallback, tenant lifecycle.Tenant) func() {
		return func() { env.UpdateWorkflow(lifecycle.BindTenant.Name, "", u, tenant) }
	}
	at(1*time.Second, tie(&first, mine))
	at(2*time.Second, tie(&same, mine))
	at(3*time.Second, tie(&grown, tenantOf("UK", "USA", "India")))
	at(4*time.Second, tie(&different, other))
	at(5*time.Second, tie(&empty, lifecycle.Tenant{}))
	at(6*time.Second, func() {
		value, err := env.QueryWorkflow(lifecycle.NamespaceOf.Name)
		if err == nil {
			err = value.Get(&asked)
		}
		if err != nil {
			t.Error(err)
		}
		env.SignalWorkflow("nobody knows", 1)
		env.CancelWorkflow()
	})
	at(7*time.Second, func() { env.SignalWorkflow(lifecycle.RebindTenant.Name, other) })
	at(8*time.Second, tie(&again, other))
	at(9*time.Second, func() { env.SignalWorkflow(lifecycle.RebindTenant.Name, mine) })
	at(9500*time.Millisecond, func() {
		value, err := env.QueryWorkflow(lifecycle.NamespaceOf.Name)
		var state lifecycle.NamespaceState
		if err == nil {
			err = value.Get(&state)
		}
		if err != nil {
			t.Error(err)
		}
		env.SignalWorkflow(lifecycle.RecordCreated.Name, lifecycle.CreatedRecord{ID: "1", Reference: "A-1", BoundAt: state.BoundAt})
		env.SignalWorkflow(lifecycle.RecordCreated.Name, lifecycle.CreatedRecord{ID: "2", Reference: "A-2", BoundAt: asked.BoundAt})
	})
	at(10*time.Second, func() { env.SetContinueAsNewSuggested(true) })
	env.ExecuteWorkflow(lifecycle.NamespaceType, lifecycle.NamespaceState{})

	for name, u := range map[string]*bindCallback{"first": &first, "same": &same, "grown": &grown, "again": &again} {
		if u.err != nil || u.state.Tenant == nil {
			t.Errorf("%s: %+v, %v", name, u.state, u.err)
		}
	}
	for want, u := range map[opportunity.ErrorType]*bindCallback{opportunity.Conflict: &different, opportunity.Invalid: &empty} {
		if own, is := lifecycle.FromTemporalError(u.err); !is || own.Type != want {
			t.Errorf("%v; want %s", u.err, want)
		}
	}
	if asked.Tenant == nil || len(asked.Tenant.Regions) != 3 || asked.BoundAt.IsZero() {
		t.Errorf("the query returns %+v", asked)
	}
	var next *workflow.ContinueAsNewError
	var carried lifecycle.NamespaceState
	if err := env.GetWorkflowError(); !errors.As(err, &next) || next.WorkflowType.Name != lifecycle.NamespaceType ||
		converter.GetDefaultDataConverter().FromPayloads(next.Input, &carried) != nil {
		t.Fatalf("ended with %v", err)
	}
	if carried.Tenant == nil || !carried.Tenant.Equal(mine) || len(carried.Records) != 1 || carried.Records[0].Reference != "A-1" {
		t.Errorf("carried over: %+v", carried)
	}
}

// If the workflow of a namespace is started with a tenant, the namespace needs no update to bind
// the tenant.
func TestTheWorkflowOfANamespaceIsStartedWithItsTenant(t *testing.T) {
	env := newEnvironment(t, workflows.Interceptor())
	workflows.Register(env, workflows.Options{})
	mine := tenantOf("UK")
	env.RegisterDelayedCallback(func() {
		value, err := env.QueryWorkflow(lifecycle.NamespaceOf.Name)
		var state lifecycle.NamespaceState
		if err == nil {
			err = value.Get(&state)
		}
		if err != nil || state.Tenant == nil || !state.Tenant.Equal(mine) || state.BoundAt.IsZero() {
			t.Errorf("%+v, %v", state, err)
		}
		env.SetCurrentHistoryLength(2000)
		env.SignalWorkflow(lifecycle.RebindTenant.Name, mine)
	}, time.Second)
	env.ExecuteWorkflow(lifecycle.NamespaceType, lifecycle.NamespaceState{Tenant: &mine})
	var next *workflow.ContinueAsNewError
	if !errors.As(env.GetWorkflowError(), &next) {
		t.Errorf("ended with %v", env.GetWorkflowError())
	}
}

// The epoch of the namespace is the epoch of the last recovery, also in the next run.
func TestTheWorkflowOfANamespaceKeepsItsEpoch(t *testing.T) {
	env := newEnvironment(t, workflows.Interceptor())
	workflows.Register(env, workflows.Options{})
	for n, epoch := range []string{"first", "second", ""} {
		env.RegisterDelayedCallback(func() {
			env.SignalWorkflow(lifecycle.Recover.Name, lifecycle.Recovery{Epoch: epoch, Backup: startTime})
		}, time.Duration(n+1)*time.Second)
	}
	env.RegisterDelayedCallback(func() {
		env.SetContinueAsNewSuggested(true)
		env.SignalWorkflow(lifecycle.RecordCreated.Name, lifecycle.CreatedRecord{})
	}, time.Minute)
	env.ExecuteWorkflow(lifecycle.NamespaceType, lifecycle.NamespaceState{})
	var next *workflow.ContinueAsNewError
	if !errors.As(env.GetWorkflowError(), &next) {
		t.Fatal(env.GetWorkflowError())
	}
	var state lifecycle.NamespaceState
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &state); err != nil || state.Epoch() != "second" {
		t.Errorf("the epoch is %q, %v; want second", state.Epoch(), err)
	}
}

type deployCallback struct {
	testsuite.TestUpdateCallback
	deployed lifecycle.DeployResult
	err      error
}

func (u *deployCallback) Accept()          {}
func (u *deployCallback) Reject(err error) { u.err = err }
func (u *deployCallback) Complete(answer any, err error) {
	u.deployed, _ = answer.(lifecycle.DeployResult)
	u.err = err
}

// The workflow of a namespace keeps the versions of its playbook, also in the next run, and returns
// the texts that a query requests.
func TestTheWorkflowOfANamespaceKeepsItsPlaybook(t *testing.T) {
	env := newEnvironment(t, workflows.Interceptor())
	workflows.Register(env, workflows.Options{})
	var first, same, second, invalid deployCallback
	var join bindCallback
	var lean, full lifecycle.NamespaceState
	at := func(after time.Duration, do func()) { env.RegisterDelayedCallback(do, after) }
	deploy := func(u *deployCallback, d lifecycle.Deployment) func() {
		return func() { env.UpdateWorkflow(lifecycle.Deploy.Name, "", u, d) }
	}
	ask := func(into *lifecycle.NamespaceState, question ...any) {
		value, err := env.QueryWorkflow(lifecycle.NamespaceOf.Name, question...)
		if err == nil {
			err = value.Get(into)
		}
		if err != nil {
			t.Error(err)
		}
	}
	at(1*time.Second, func() { env.UpdateWorkflow(lifecycle.JoinNamespace.Name, "", &join, lifecycle.NamespaceJoin{}) })
	at(2*time.Second, deploy(&first, lifecycle.Deployment{Text: "a", DeployedBy: "ada", Digest: "d"}))
	at(3*time.Second, deploy(&same, lifecycle.Deployment{Text: "a"}))
	at(4*time.Second, deploy(&second, lifecycle.Deployment{Text: "b"}))
	at(5*time.Second, deploy(&invalid, lifecycle.Deployment{DeployedBy: strings.Repeat("x", 300)}))
	at(6*time.Second, func() {
		ask(&lean)
		ask(&full, lifecycle.NamespaceInput{Texts: []int{2}})
	})
	at(10*time.Second, func() { env.SetContinueAsNewSuggested(true) })
	env.ExecuteWorkflow(lifecycle.NamespaceType, lifecycle.NamespaceState{})

	if join.err != nil || !join.state.WorkerJoined {
		t.Errorf("joined: %+v, %v", join.state, join.err)
	}
	if v := first.deployed.Version; first.err != nil || v.Number != 1 || v.DeployedBy != "ada" || v.Digest != "d" || v.InForceAt.Sub(v.StoredAt) != 45*time.Second {
		t.Errorf("first: %+v, %v", first.deployed, first.err)
	}
	if same.err != nil || !same.deployed.Unchanged || second.err != nil || second.deployed.Version.Number != 2 {
		t.Errorf("same: %+v, %v; second: %+v, %v", same.deployed, same.err, second.deployed, second.err)
	}
	if own, is := lifecycle.FromTemporalError(invalid.err); !is || own.Type != opportunity.Invalid {
		t.Errorf("invalid: %v", invalid.err)
	}
	if len(lean.Playbooks) != 2 || lean.Playbooks[0].Text+lean.Playbooks[1].Text != "" || full.Playbooks[0].Text+full.Playbooks[1].Text != "b" {
		t.Errorf("asked: %+v and %+v", lean.Playbooks, full.Playbooks)
	}
	var next *workflow.ContinueAsNewError
	var carried lifecycle.NamespaceState
	if err := env.GetWorkflowError(); !errors.As(err, &next) || converter.GetDefaultDataConverter().FromPayloads(next.Input, &carried) != nil {
		t.Fatalf("ended with %v", err)
	}
	if len(carried.Playbooks) != 2 || carried.Playbooks[0].Text != "a" || carried.Playbooks[1].Text != "b" || !carried.WorkerJoined {
		t.Errorf("carried over: %+v", carried)
	}
}

// The memo of the namespace's workflow shows which key encrypts the namespace. Nobody needs a
// worker or a key in order to read the memo. The next run keeps the keys.
func TestTheWorkflowOfANamespaceKeepsItsEncryption(t *testing.T) {
	env := newEnvironment(t, workflows.Interceptor())
	workflows.Register(env, workflows.Options{})
	var stored []lifecycle.NamespaceEncryption
	env.OnUpsertMemo(mock.Anything).Return(nil).Run(func(args mock.Arguments) {
		stored = append(stored, args.Get(0).(map[string]any)[lifecycle.MemoEncryption].(lifecycle.NamespaceEncryption))
	})
	for n, primary := range []string{"1", "1", "2"} {
		env.RegisterDelayedCallback(func() {
			env.SignalWorkflow(lifecycle.Encrypt.Name, lifecycle.NamespaceEncryption{Primary: primary})
		}, time.Duration(n+1)*time.Second)
	}
	env.RegisterDelayedCallback(func() {
		env.SetContinueAsNewSuggested(true)
		env.SignalWorkflow(lifecycle.RecordCreated.Name, lifecycle.CreatedRecord{})
	}, time.Minute)
	env.ExecuteWorkflow(lifecycle.NamespaceType, lifecycle.NamespaceState{})
	var next *workflow.ContinueAsNewError
	if !errors.As(env.GetWorkflowError(), &next) {
		t.Fatal(env.GetWorkflowError())
	}
	if len(stored) != 2 || stored[0].Primary != "1" || stored[1].Primary != "2" || len(stored[1].Keys) != 2 {
		t.Errorf("the memo was %+v", stored)
	}
	var state lifecycle.NamespaceState
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &state); err != nil || state.Encryption == nil || state.Encryption.Primary != "2" {
		t.Errorf("the next run has %+v, %v", state.Encryption, err)
	}
}

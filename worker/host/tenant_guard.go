package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

const (
	comparisonTimeout = 10 * time.Second
	// readTimeout is the longest time for a later read of the namespace, when an earlier comparison
	// has already succeeded. Because readTimeout is short, a second read is possible before the
	// last successful read is too old.
	readTimeout = 4 * time.Second
	// If a comparison ends without a result, the pause before the next comparison grows from
	// firstComparisonPause to longestComparisonPause.
	firstComparisonPause   = time.Second
	longestComparisonPause = 10 * time.Second
)

// tenantGuard proves two facts: the namespace belongs to the tenant of the worker's credentials,
// and the worker knows which version of the playbook is in force. Before both facts are proven, the
// worker sends nothing to the API or to services of the tenant.
type tenantGuard struct {
	temporal  client.Client
	api       *administrate.Client
	namespace string
	clientID  string // the id of the OAuth client; "" if the credentials have no OAuth client
	logger    *slog.Logger
	verify    func(context.Context) error
	// playbooks contains the versions of the namespace's playbook, which verify reads together with
	// the tenant.
	playbooks *playbookCache
	// onRegions (if not nil) receives the regions of the tenant after each read of the tenant.
	onRegions func([]opportunity.Ref)

	tenant         *lifecycle.Tenant         // the tenant of the credentials; nil before the first read
	boundAt        atomic.Pointer[time.Time] // BoundAt in the last state of the namespace that was proven; nil before the first proof
	recordReported atomic.Bool               // whether this worker has reported a record that it created

	compareNow chan struct{} // a value in the channel starts a comparison at once

	mu sync.Mutex
	// credentialsCount is the number of times that the credentials were replaced. comparedCount is
	// the value of credentialsCount at the last comparison that read the tenant.
	credentialsCount, comparedCount int
	proven                          bool   // whether a comparison with the current credentials has succeeded
	lastFailed                      bool   // whether the last comparison ended without a result
	epoch                           string // the epoch of the namespace at the last read
	reason                          error  // why the worker must not send anything; nil if the worker may send everything
}

func newTenantGuard(namespace, clientID string, books *playbookCache, logger *slog.Logger) *tenantGuard {
	b := &tenantGuard{
		namespace: namespace, clientID: clientID, playbooks: books, logger: logger, compareNow: make(chan struct{}, 1),
		reason: &tenantUnprovenError{cause: errors.New("the worker has not yet compared its tenant with the tenant of the namespace")},
	}
	b.verify = b.verifyBinding
	return b
}

type tenantUnprovenError struct{ cause error }

func (e *tenantUnprovenError) Error() string {
	return "it is unknown whether the namespace belongs to the worker's tenant: " + Reason(e.cause)
}

// If the cause contains a NotSentError of the API's client, Unwrap returns this NotSentError. If
// the cause contains no such NotSentError, Unwrap returns a new NotSentError with the reason
// Unreachable.
func (e *tenantUnprovenError) Unwrap() error {
	var notSent *administrate.NotSentError
	if errors.As(e.cause, &notSent) {
		return notSent
	}
	return &administrate.NotSentError{Operation: "Lookup", Reason: administrate.Unreachable}
}

// tenantProofKey marks the context of the API requests that the comparison of the tenants itself
// sends. permit always permits API requests whose context contains a tenantProofKey.
type tenantProofKey struct{}

// permit returns the reason why the worker must not send the request, or nil if the worker may send
// the request.
func (b *tenantGuard) permit(ctx context.Context) error {
	if ctx.Value(tenantProofKey{}) != nil {
		return nil
	}
	at := time.Now()
	if activity.IsActivity(ctx) {
		at = activity.GetInfo(ctx).StartedTime // the time on the server's clock
	}
	return b.permitAt(at)
}

func (b *tenantGuard) check() error { return b.permitAt(time.Now()) }

func (b *tenantGuard) permitAt(at time.Time) error {
	b.mu.Lock()
	reason := b.reason
	b.mu.Unlock()
	if reason != nil {
		return reason
	}
	_, err := b.playbooks.versionAt(at)
	return err
}

// New credentials may belong to another tenant, so the worker sends nothing before the next
// comparison of the tenants.
func (b *tenantGuard) credentialsReplaced() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.credentialsCount++
	b.proven, b.reason = false, &tenantUnprovenError{cause: errors.New("the credentials were replaced")}
	select {
	case b.compareNow <- struct{}{}:
	default: // the channel already contains the request for a comparison
	}
}

// compareTenant compares the worker's tenant with the tenant of the namespace once, and stores the
// result. When the namespace belongs to another tenant, compareTenant returns an OtherTenantError.
// If an earlier comparison with the same credentials succeeded, compareTenant returns nil even for
// another tenant, and the worker only stops sending.
func (b *tenantGuard) compareTenant(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, comparisonTimeout)
	defer cancel()
	b.mu.Lock()
	credentials := b.credentialsCount
	b.mu.Unlock()
	err := b.verify(bounded)
	if ctx.Err() != nil {
		return nil
	}
	var other *OtherTenantError
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lastFailed = err != nil && !errors.As(err, &other)
	if b.lastFailed {
		b.playbooks.recordFailure(err)
	}
	switch {
	case err == nil && credentials != b.credentialsCount: // the comparison may have read the tenant of the earlier credentials
	case err == nil:
		if b.reason != nil && b.proven {
			b.logger.Info("the namespace belongs to the worker's tenant again", "namespace", b.namespace)
		}
		b.proven, b.reason = true, nil
	case errors.As(err, &other) && !b.proven:
		b.reason = other
		return other
	case errors.As(err, &other):
		if b.reason == nil {
			b.logger.Error("the worker has stopped sending to the API", "problem", other.Error())
		}
		b.reason = other
	case b.proven: // the result of the earlier comparison is still valid
	default:
		unproven := &tenantUnprovenError{cause: err}
		if b.reason.Error() != unproven.Error() {
			b.logger.Warn("the worker does not send to the API yet", "problem", unproven.Error())
		}
		b.reason = unproven
	}
	return nil
}

// verifyBinding returns nil when the namespace belongs to the worker's tenant. If the namespace
// belongs to no tenant, verifyBinding binds the namespace to the worker's tenant. After the binding
// is proven, verifyBinding sends requests to the API only if the credentials or the binding have
// changed.
func (b *tenantGuard) verifyBinding(ctx context.Context) error {
	ctx = context.WithValue(ctx, tenantProofKey{}, true)
	b.mu.Lock()
	credentials := b.credentialsCount
	current := b.tenant != nil && b.comparedCount == credentials
	b.mu.Unlock()
	if !current {
		if err := b.readTenant(ctx, credentials); err != nil {
			return err
		}
	}
	if b.boundAt.Load() == nil || b.lastComparisonFailed() {
		// The Temporal service sends a query first to the worker that responded last, and waits for
		// this worker even if the worker no longer runs. The reset of the sticky task queue
		// prevents this wait. The code ignores an error of the reset, because the next read of the
		// namespace would return the same error.
		_, _ = b.temporal.WorkflowService().ResetStickyTaskQueue(ctx, &workflowservice.ResetStickyTaskQueueRequest{
			Namespace: b.namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: lifecycle.NamespaceID},
		})
	}
	state, err := b.readState(ctx)
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		var begun bool
		sent := time.Now()
		if state, err = b.initialState(); err != nil {
			return err
		}
		if state, begun, err = startNamespaceWorkflow(ctx, b.temporal, *b.tenant, state); begun {
			b.logger.InfoContext(ctx, "the namespace is bound to the worker's tenant", "namespace", b.namespace, "tenant", b.tenant.String())
			b.boundAt.Store(&state.BoundAt)
			return b.playbooks.store(sent, state.Playbooks)
		}
		if err == nil { // another worker has started the workflow first
			state, err = b.readState(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("the tenant of the namespace cannot be read: %s", Reason(err))
	}
	if boundAt := b.boundAt.Load(); boundAt != nil && boundAt.Equal(state.BoundAt) {
		state.Records = nil // the records were already checked
	}
	b.mu.Lock()
	b.epoch = state.Epoch()
	b.mu.Unlock()
	if state, err = ensureBinding(ctx, b.temporal, b.api, b.namespace, state, *b.tenant); err == nil {
		b.boundAt.Store(&state.BoundAt)
	}
	if err == nil && len(state.Playbooks) == 0 && (b.playbooks.configured.given || !state.WorkerJoined) {
		err = b.reportJoin(ctx)
	}
	return err
}

func (b *tenantGuard) readTenant(ctx context.Context, credentials int) error {
	tenant, err := ReadTenant(ctx, b.api, b.clientID)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.tenant, b.comparedCount = &tenant, credentials
	b.mu.Unlock()
	if b.onRegions != nil {
		b.onRegions(wholeNames(tenant.Regions))
	}
	b.boundAt.Store(nil) // as a result, the worker also checks the records of the namespace again
	return nil
}

func (b *tenantGuard) readState(ctx context.Context) (lifecycle.NamespaceState, error) {
	if b.boundAt.Load() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, readTimeout)
		defer cancel()
	}
	sent := time.Now()
	state, err := readNamespace(ctx, b.temporal)
	if err != nil {
		return state, err
	}
	// Somebody may deploy a version of the playbook between two reads of the namespace. The worker
	// then reads again, because the first response does not contain the text of this version.
	var wanted []int
	for {
		lacking := slices.DeleteFunc(b.playbooks.missingTexts(state.Playbooks), func(number int) bool { return slices.Contains(wanted, number) })
		if len(lacking) == 0 {
			break
		}
		wanted, sent = append(wanted, lacking...), time.Now()
		if state, err = readNamespace(ctx, b.temporal, wanted...); err != nil {
			return state, err
		}
	}
	return state, b.playbooks.store(sent, state.Playbooks)
}

func (b *tenantGuard) initialState() (state lifecycle.NamespaceState, err error) {
	err = state.Join(lifecycle.NamespaceJoin{Playbook: b.playbooks.deployment()}, time.Now().UTC(), b.playbooks.inForceAfter)
	return state, err
}

// If the namespace has no playbook, reportJoin reports the start of this worker to the workflow of
// the namespace. The workflow of the namespace then deploys the playbook of this worker, if the
// worker has one.
func (b *tenantGuard) reportJoin(ctx context.Context) error {
	handle, err := b.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		UpdateID: uuid.NewString(), WorkflowID: lifecycle.NamespaceID, UpdateName: lifecycle.JoinNamespace.Name,
		Args: []any{lifecycle.NamespaceJoin{Playbook: b.playbooks.deployment()}}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, nil)
	}
	if err == nil {
		_, err = b.readState(ctx)
	}
	if err != nil {
		return fmt.Errorf("the worker cannot report its start to the workflow of the namespace: %s", Reason(err))
	}
	return nil
}

// reportMadeRecord reports the first record that this worker created to the workflow of the
// namespace. Later comparisons recognise the tenant by the reported record.
func (b *tenantGuard) reportMadeRecord(id opportunity.ID, reference opportunity.Reference) {
	boundAt := b.boundAt.Load()
	if boundAt == nil || !b.recordReported.CompareAndSwap(false, true) {
		return
	}
	record := lifecycle.CreatedRecord{ID: id, Reference: reference, BoundAt: *boundAt}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), comparisonTimeout)
		defer cancel()
		if err := b.temporal.SignalWorkflow(ctx, lifecycle.NamespaceID, "", lifecycle.RecordCreated.Name, record); err != nil {
			b.recordReported.Store(false) // so the worker reports the next record instead
		}
	}()
}

// currentEpoch returns the epoch at the last read of the namespace; the worker reads the epoch
// before it sends its first change.
func (b *tenantGuard) currentEpoch() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.epoch
}

// keepComparing returns nil when ctx ends, and returns any error of compareTenant at once.
func (b *tenantGuard) keepComparing(ctx context.Context) error {
	pause, begun := firstComparisonPause, time.Now()
	for {
		wait := b.playbooks.readInterval() - time.Since(begun) // the wait is shorter after a slow response, so the next comparison is not late
		if b.lastComparisonFailed() {
			wait, pause = pause, min(2*pause, longestComparisonPause)
		} else {
			pause = firstComparisonPause
		}
		select {
		case <-ctx.Done():
			return nil
		case <-b.compareNow:
		case <-time.After(wait):
		}
		begun = time.Now()
		if err := b.compareTenant(ctx); err != nil {
			return err
		}
		if ctx.Err() == nil {
			b.playbooks.logState()
		}
	}
}

func (b *tenantGuard) lastComparisonFailed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lastFailed
}

// If the worker's settings contain a playbook, awaitPlaybook waits until the first playbook of the
// namespace is in force. An operator who starts a worker with a playbook expects that the worker
// does nothing without a playbook.
func (b *tenantGuard) awaitPlaybook(ctx context.Context) {
	if !b.playbooks.configured.given {
		return
	}
	if wait := b.playbooks.untilInForce(); wait > 0 {
		b.logger.InfoContext(ctx, "the worker starts activities as soon as the playbook is in force", "within", wait.String())
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

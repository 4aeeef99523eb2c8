package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

const (
	// proofTimeout bounds one comparison of the namespace with the worker's tenant.
	proofTimeout = 10 * time.Second
	// compareEvery is how often a worker asks whether the namespace still belongs to its
	// tenant.
	compareEvery = 30 * time.Second
	// The pauses between comparisons that found no answer.
	firstProofPause = time.Second
	lastProofPause  = 10 * time.Second
)

// belonging proves that the namespace belongs to the tenant that the worker's
// credentials reach. Until it has, and when it finds that this is not so, nothing is
// sent to the API and to services of the tenant.
type belonging struct {
	temporal  client.Client
	api       *administrate.Client
	namespace string
	clientID  string // of OAuth; "" without
	logger    *slog.Logger
	// ask returns nil where the namespace belongs to the worker's tenant.
	ask func(context.Context) error

	tenant *lifecycle.Tenant         // that the credentials reach; nil until it is read
	tiedAt atomic.Pointer[time.Time] // of the state that was proven last; nil before
	told   atomic.Bool               // of a record that this worker made

	mu     sync.Mutex
	proven bool   // at least once
	epoch  string // of the namespace, as it was read last
	reason error  // why nothing may be sent; nil when all may be
}

func newBelonging(namespace, clientID string, logger *slog.Logger) *belonging {
	b := &belonging{namespace: namespace, clientID: clientID, logger: logger, reason: &unprovenError{cause: errors.New("not asked yet")}}
	b.ask = b.tied
	return b
}

// unprovenError says that it is not known whether the namespace belongs to the worker's
// tenant.
type unprovenError struct{ cause error }

func (e *unprovenError) Error() string {
	return "it is not known yet whether the namespace belongs to the worker's tenant: " + Reason(e.cause)
}

// Unwrap gives the cause, as a request that was not sent: that of the API, or one that
// did not reach it.
func (e *unprovenError) Unwrap() error {
	var notSent *administrate.NotSentError
	if errors.As(e.cause, &notSent) {
		return notSent
	}
	return &administrate.NotSentError{Operation: "Lookup", Reason: administrate.Unreachable}
}

// provingKey marks the requests of the proof itself.
type provingKey struct{}

// permit returns why nothing may be sent.
func (b *belonging) permit(ctx context.Context) error {
	if ctx.Value(provingKey{}) != nil {
		return nil
	}
	return b.check()
}

// check returns why nothing may be sent; nil is the proof.
func (b *belonging) check() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reason
}

// compare asks once and takes the answer in. It returns an OtherTenantError where the
// namespace belongs to another tenant and did so from the beginning.
func (b *belonging) compare(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	err := b.ask(bounded)
	if ctx.Err() != nil {
		return nil
	}
	var other *OtherTenantError
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
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
			b.logger.Error("the worker sends nothing any more", "problem", other.Error())
		}
		b.reason = other
	case b.proven: // what was known still counts
	default:
		unproven := &unprovenError{cause: err}
		if b.reason.Error() != unproven.Error() {
			b.logger.Warn("the worker sends nothing yet", "problem", unproven.Error())
		}
		b.reason = unproven
	}
	return nil
}

// tied returns nil where the namespace belongs to the worker's tenant. A namespace that
// belongs to none is tied to it. Once that is proven, the API is not asked any more.
func (b *belonging) tied(ctx context.Context) error {
	ctx = context.WithValue(ctx, provingKey{}, true)
	if b.tenant == nil {
		tenant, err := ReadTenant(ctx, b.api, b.clientID)
		if err != nil {
			return err
		}
		b.tenant = &tenant
	}
	if b.tiedAt.Load() == nil {
		// The worker that answered last may be gone, and would be waited for. An error says no
		// more than that of the question itself.
		_, _ = b.temporal.WorkflowService().ResetStickyTaskQueue(ctx, &workflowservice.ResetStickyTaskQueueRequest{
			Namespace: b.namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: lifecycle.NamespaceID},
		})
	}
	state, err := readNamespace(ctx, b.temporal)
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		var begun bool
		if state, begun, err = begin(ctx, b.temporal, *b.tenant); begun {
			b.logger.InfoContext(ctx, "the namespace is tied to the worker's tenant", "namespace", b.namespace, "tenant", b.tenant.String())
			b.tiedAt.Store(&state.TiedAt)
			return nil
		}
		if err == nil { // another one was faster
			state, err = readNamespace(ctx, b.temporal)
		}
	}
	if err != nil {
		return fmt.Errorf("whose namespace it is cannot be asked: %s", Reason(err))
	}
	if tiedAt := b.tiedAt.Load(); tiedAt != nil && tiedAt.Equal(state.TiedAt) {
		state.Records = nil // they were looked at
	}
	b.mu.Lock()
	b.epoch = state.Epoch()
	b.mu.Unlock()
	if state, err = settle(ctx, b.temporal, b.api, b.namespace, state, *b.tenant); err == nil {
		b.tiedAt.Store(&state.TiedAt)
	}
	return err
}

// made takes in that the worker made a record. The first one is told to the namespace,
// which recognises its tenant by it.
func (b *belonging) made(id opportunity.ID, reference opportunity.Reference) {
	tiedAt := b.tiedAt.Load()
	if tiedAt == nil || !b.told.CompareAndSwap(false, true) {
		return
	}
	record := lifecycle.MadeRecord{ID: id, Reference: reference, TiedAt: *tiedAt}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), proofTimeout)
		defer cancel()
		if err := b.temporal.SignalWorkflow(ctx, lifecycle.NamespaceID, "", lifecycle.Made.Name, record); err != nil {
			b.told.Store(false) // the next one, then
		}
	}()
}

// inEpoch returns the epoch of the namespace. It is read before anything is sent.
func (b *belonging) inEpoch() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.epoch
}

// watch goes on comparing until ctx ends. It returns what compare returns.
func (b *belonging) watch(ctx context.Context) error {
	pause := firstProofPause
	for {
		wait := compareEvery
		if b.unproven() {
			wait, pause = pause, min(2*pause, lastProofPause)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		if err := b.compare(ctx); err != nil {
			return err
		}
	}
}

func (b *belonging) unproven() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.proven
}

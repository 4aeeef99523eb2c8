package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	// proofTimeout bounds one comparison of the namespace with the worker's tenant.
	proofTimeout = 10 * time.Second
	// readTimeout bounds the read of the namespace in later comparisons. It leaves time for
	// a second read before the last successful one is too old.
	readTimeout = 4 * time.Second
	// The pauses between comparisons without an answer.
	firstProofPause = time.Second
	lastProofPause  = 10 * time.Second
)

// belonging proves that the namespace belongs to the tenant that the worker's credentials
// reach, and that the worker knows which version of the playbook is in force. Without
// this proof, nothing is sent to the API and to services of the tenant.
type belonging struct {
	temporal  client.Client
	api       *administrate.Client
	namespace string
	clientID  string // of the OAuth client; "" without one
	logger    *slog.Logger
	// ask returns nil where the namespace belongs to the worker's tenant.
	ask func(context.Context) error
	// books are the versions of the namespace's playbook, from the same read.
	books *books

	tenant *lifecycle.Tenant         // the tenant of the credentials; nil until it is read
	tiedAt atomic.Pointer[time.Time] // of the last proven state; nil before
	told   atomic.Bool               // whether a record of this worker was reported

	again chan struct{} // starts a comparison at once

	mu sync.Mutex
	// credentials counts the replacements of the credentials. compared is the count at the
	// last comparison that read the tenant.
	credentials, compared int
	proven                bool   // at least once with these credentials
	failed                bool   // the last comparison had no answer
	epoch                 string // of the namespace, from the last read
	reason                error  // why nothing may be sent; nil when everything may be sent
}

func newBelonging(namespace, clientID string, books *books, logger *slog.Logger) *belonging {
	b := &belonging{
		namespace: namespace, clientID: clientID, books: books, logger: logger, again: make(chan struct{}, 1),
		reason: &unprovenError{cause: errors.New("not asked yet")},
	}
	b.ask = b.tied
	return b
}

// unprovenError says that it is unknown whether the namespace belongs to the worker's
// tenant.
type unprovenError struct{ cause error }

func (e *unprovenError) Error() string {
	return "it is not known yet whether the namespace belongs to the worker's tenant: " + Reason(e.cause)
}

// Unwrap returns the cause as a request that was not sent: the API's own NotSentError, or
// one for a request that did not reach the API.
func (e *unprovenError) Unwrap() error {
	var notSent *administrate.NotSentError
	if errors.As(e.cause, &notSent) {
		return notSent
	}
	return &administrate.NotSentError{Operation: "Lookup", Reason: administrate.Unreachable}
}

// provingKey marks the requests of the proof itself.
type provingKey struct{}

// permit returns why nothing may be sent; nil permits the request.
func (b *belonging) permit(ctx context.Context) error {
	if ctx.Value(provingKey{}) != nil {
		return nil
	}
	at := time.Now()
	if activity.IsActivity(ctx) {
		at = activity.GetInfo(ctx).StartedTime // by the server's clock
	}
	return b.permitAt(at)
}

// check returns why nothing may be sent now; nil is the proof that everything may be
// sent.
func (b *belonging) check() error { return b.permitAt(time.Now()) }

// permitAt returns why nothing may be sent at the time; nil permits everything.
func (b *belonging) permitAt(at time.Time) error {
	b.mu.Lock()
	reason := b.reason
	b.mu.Unlock()
	if reason != nil {
		return reason
	}
	_, err := b.books.at(at)
	return err
}

// replaced records that the credentials were replaced. The new ones may belong to another
// tenant, so nothing is sent until the tenant is compared again.
func (b *belonging) replaced() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.credentials++
	b.proven, b.reason = false, &unprovenError{cause: errors.New("the credentials were replaced")}
	select {
	case b.again <- struct{}{}:
	default: // a comparison is due already
	}
}

// compare compares once and stores the result. It returns an OtherTenantError where the
// namespace belongs to another tenant and no earlier comparison proved otherwise.
func (b *belonging) compare(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	b.mu.Lock()
	credentials := b.credentials
	b.mu.Unlock()
	err := b.ask(bounded)
	if ctx.Err() != nil {
		return nil
	}
	var other *OtherTenantError
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = err != nil && !errors.As(err, &other)
	if b.failed {
		b.books.failed(err)
	}
	switch {
	case err == nil && credentials != b.credentials: // the comparison may be about the tenant of the earlier credentials
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
	case b.proven: // the earlier result still counts
	default:
		unproven := &unprovenError{cause: err}
		if b.reason.Error() != unproven.Error() {
			b.logger.Warn("the worker sends nothing yet", "problem", unproven.Error())
		}
		b.reason = unproven
	}
	return nil
}

// tied returns nil where the namespace belongs to the worker's tenant. It ties a
// namespace that belongs to no tenant. Once that is proven, tied does not ask the API any
// more.
func (b *belonging) tied(ctx context.Context) error {
	ctx = context.WithValue(ctx, provingKey{}, true)
	b.mu.Lock()
	credentials := b.credentials
	current := b.tenant != nil && b.compared == credentials
	b.mu.Unlock()
	if !current {
		tenant, err := ReadTenant(ctx, b.api, b.clientID)
		if err != nil {
			return err
		}
		b.mu.Lock()
		b.tenant, b.compared = &tenant, credentials
		b.mu.Unlock()
		b.tiedAt.Store(nil) // the records of the namespace are checked again, too
	}
	if b.tiedAt.Load() == nil || b.unanswered() {
		// The worker that answered last may be gone, and the service would wait for it. An
		// error here says no more than an error of the read itself.
		_, _ = b.temporal.WorkflowService().ResetStickyTaskQueue(ctx, &workflowservice.ResetStickyTaskQueueRequest{
			Namespace: b.namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: lifecycle.NamespaceID},
		})
	}
	state, err := b.read(ctx)
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		var begun bool
		sent := time.Now()
		if state, err = b.joining(); err != nil {
			return err
		}
		if state, begun, err = begin(ctx, b.temporal, *b.tenant, state); begun {
			b.logger.InfoContext(ctx, "the namespace is tied to the worker's tenant", "namespace", b.namespace, "tenant", b.tenant.String())
			b.tiedAt.Store(&state.TiedAt)
			return b.books.take(sent, state.Playbooks)
		}
		if err == nil { // another worker was faster
			state, err = b.read(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("whose namespace it is cannot be asked: %s", Reason(err))
	}
	if tiedAt := b.tiedAt.Load(); tiedAt != nil && tiedAt.Equal(state.TiedAt) {
		state.Records = nil // they were checked already
	}
	b.mu.Lock()
	b.epoch = state.Epoch()
	b.mu.Unlock()
	if state, err = settle(ctx, b.temporal, b.api, b.namespace, state, *b.tenant); err == nil {
		b.tiedAt.Store(&state.TiedAt)
	}
	if err == nil && len(state.Playbooks) == 0 && (b.books.own.given || !state.Working) {
		err = b.join(ctx)
	}
	return err
}

// read reads the state of the namespace, with the texts of those versions of the playbook
// that are new, and stores the versions.
func (b *belonging) read(ctx context.Context) (lifecycle.NamespaceState, error) {
	if b.tiedAt.Load() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, readTimeout)
		defer cancel()
	}
	sent := time.Now()
	state, err := readNamespace(ctx, b.temporal)
	if err != nil {
		return state, err
	}
	if lacking := b.books.lacks(state.Playbooks); len(lacking) > 0 {
		sent = time.Now()
		if state, err = readNamespace(ctx, b.temporal, lacking...); err != nil {
			return state, err
		}
	}
	return state, b.books.take(sent, state.Playbooks)
}

// joining returns the state of a namespace in which this worker is the first.
func (b *belonging) joining() (state lifecycle.NamespaceState, err error) {
	err = state.Join(lifecycle.Join{Own: b.books.deployment()}, time.Now().UTC(), b.books.after)
	return state, err
}

// join says that the worker begins to work in a namespace without a playbook. The
// namespace then deploys the worker's own playbook.
func (b *belonging) join(ctx context.Context) error {
	handle, err := b.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		UpdateID: uuid.NewString(), WorkflowID: lifecycle.NamespaceID, UpdateName: lifecycle.Joined.Name,
		Args: []any{lifecycle.Join{Own: b.books.deployment()}}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, nil)
	}
	if err == nil {
		_, err = b.read(ctx)
	}
	if err != nil {
		return fmt.Errorf("the namespace cannot be told that a worker begins: %s", Reason(err))
	}
	return nil
}

// made records that the worker made a record. The first record is reported to the
// namespace, which recognises its tenant by the record.
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
			b.told.Store(false) // the next record is reported instead
		}
	}()
}

// inEpoch returns the epoch of the namespace, which the worker reads before it sends
// anything.
func (b *belonging) inEpoch() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.epoch
}

// watch compares again and again until ctx ends, and returns the error of compare.
func (b *belonging) watch(ctx context.Context) error {
	pause, begun := firstProofPause, time.Now()
	for {
		wait := b.books.every() - time.Since(begun) // a slow answer does not delay the next comparison
		if b.unanswered() {
			wait, pause = pause, min(2*pause, lastProofPause)
		} else {
			pause = firstProofPause
		}
		select {
		case <-ctx.Done():
			return nil
		case <-b.again:
		case <-time.After(wait):
		}
		begun = time.Now()
		if err := b.compare(ctx); err != nil {
			return err
		}
		if ctx.Err() == nil {
			b.books.tell()
		}
	}
}

// unanswered reports whether the last comparison had no answer.
func (b *belonging) unanswered() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

// awaitBook waits until the first playbook of the namespace is in force, where the worker
// has its own playbook: the operator who starts the worker expects that this playbook
// counts.
func (b *belonging) awaitBook(ctx context.Context) {
	if !b.books.own.given {
		return
	}
	if wait := b.books.untilInForce(); wait > 0 {
		b.logger.InfoContext(ctx, "the worker takes activities once the playbook is in force", "within", wait.String())
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

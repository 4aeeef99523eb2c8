package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/payload"
)

const (
	encryptionInterval = 30 * time.Second
	encryptionTimeout  = 10 * time.Second
)

// EncryptionError says that a worker cannot work in an encrypted namespace, because the worker has
// no keys or lacks the primary key of the namespace.
type EncryptionError struct{ text string }

// Error names the missing key and says which setting to correct.
func (e *EncryptionError) Error() string { return e.text }

// encryptionGuard prevents a worker without the namespace's primary key from working in an
// encrypted namespace, and reports the primary key of a worker with keys to the workflow of the
// namespace.
type encryptionGuard struct {
	temporal  client.Client
	namespace string
	keys      *payload.KeyRing // nil for a worker without encryption
	logger    *slog.Logger
}

// check returns an EncryptionError if the namespace is encrypted and the worker lacks the primary
// key of the namespace. The memo of the workflow of the namespace contains the primary key, so
// check needs no worker and no key.
func (g *encryptionGuard) check(ctx context.Context) (*lifecycle.NamespaceEncryption, error) {
	ctx, cancel := context.WithTimeout(ctx, encryptionTimeout)
	defer cancel()
	described, err := g.temporal.DescribeWorkflowExecution(ctx, lifecycle.NamespaceID, "") //nolint:staticcheck // the other one panics over search attributes that it cannot read
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return nil, nil //nolint:nilnil // a new namespace has no encryption
	case isNotPermitted(err):
		g.logger.WarnContext(ctx, "the worker is not permitted to read whether the namespace is encrypted", "namespace", g.namespace)
		return nil, nil //nolint:nilnil // the encryption of payloads fails the tasks that the worker cannot decrypt
	case err != nil:
		return nil, explainNamespace(g.namespace, "the worker cannot read whether the namespace is encrypted", err)
	}
	stored := lifecycle.EncryptionInMemo(described.GetWorkflowExecutionInfo().GetMemo())
	if stored == nil {
		return nil, nil //nolint:nilnil // the namespace is not encrypted
	}
	return stored, g.compare(ctx, *stored)
}

func (g *encryptionGuard) compare(ctx context.Context, stored lifecycle.NamespaceEncryption) error {
	if g.keys == nil {
		return &EncryptionError{fmt.Sprintf("the Temporal namespace %q is encrypted with the key %s, but the worker has no keys; set --encryption-keys or OPPFLOW_ENCRYPTION_KEYS to the key file of the namespace",
			g.namespace, stored.Primary)}
	}
	id, err := payload.ParseKeyID(stored.Primary)
	if err != nil {
		return nil //nolint:nilerr // a later release may have other key ids
	}
	if !g.keys.Has(ctx, id) {
		return &EncryptionError{fmt.Sprintf("the Temporal namespace %q is encrypted with the key %s, but %s has only the keys %v; add the key %s to the file",
			g.namespace, stored.Primary, g.keys.Source(), g.keys.Keys().IDs(), stored.Primary)}
	}
	return nil
}

// run reports the worker's primary key, and repeats the check of the namespace until ctx ends. If
// the namespace becomes encrypted, a worker without keys stops with an error.
func (g *encryptionGuard) run(ctx context.Context) error {
	ticker := time.NewTicker(encryptionInterval)
	defer ticker.Stop()
	var reported payload.KeyID // another worker with another primary key reports its key, too
	for {
		stored, err := g.check(ctx)
		var lacking *EncryptionError
		switch {
		case errors.As(err, &lacking) && g.keys == nil:
			return lacking
		case err != nil:
			g.logger.WarnContext(ctx, "the worker could not check the encryption of the namespace", "problem", err)
		case g.keys == nil:
		case stored == nil, stored.Primary != g.keys.Keys().Primary().String() && reported != g.keys.Keys().Primary():
			reported = g.report(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (g *encryptionGuard) report(ctx context.Context) payload.KeyID {
	ctx, cancel := context.WithTimeout(ctx, encryptionTimeout)
	defer cancel()
	primary := g.keys.Keys().Primary()
	err := g.temporal.SignalWorkflow(ctx, lifecycle.NamespaceID, "", lifecycle.Encrypt.Name, lifecycle.NamespaceEncryption{Primary: primary.String()})
	if err != nil {
		g.logger.WarnContext(ctx, "the worker could not report its primary key to the workflow of the namespace", "problem", Reason(err))
		return 0
	}
	g.logger.InfoContext(ctx, "the worker has reported its primary key to the workflow of the namespace", "namespace", g.namespace, "primary", primary)
	return primary
}

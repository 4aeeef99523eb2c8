package host

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/settings"
)

// usablePoll is how often a namespace is asked whether its new search attributes can be used.
const usablePoll = 100 * time.Millisecond

// MissingSearchAttributes answers, in order, the names of Oppflow's search attributes the namespace does not have. One
// that is there with another type is an error.
func MissingSearchAttributes(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	answer, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, explainNamespace(namespace, "its search attributes cannot be read", err)
	}
	wanted := lifecycle.SearchAttributes()
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		switch got, there := answer.GetCustomAttributes()[name]; {
		case !there:
			missing = append(missing, name)
		case got != wanted[name]:
			return nil, fmt.Errorf("the Temporal namespace %q: search attribute %s is of type %s, but Oppflow needs %s; remove it or use another namespace",
				namespace, name, got, wanted[name])
		}
	}
	return missing, nil
}

// Setup registers Oppflow's search attributes in the namespace and returns once queries can use them. What is there
// already stays; calling it again, or from two places at once, does no harm.
func Setup(ctx context.Context, c client.Client, namespace string) error {
	missing, err := MissingSearchAttributes(ctx, c, namespace)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		wanted := lifecycle.SearchAttributes()
		add := make(map[string]enums.IndexedValueType, len(missing))
		for _, name := range missing {
			add[name] = wanted[name]
		}
		_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: add})
		var exists *serviceerror.AlreadyExists
		if err != nil && !errors.As(err, &exists) {
			return explainNamespace(namespace, "its search attributes cannot be registered", err)
		}
	}
	return awaitUsable(ctx, c, namespace)
}

// Plain are the settings of a Temporal service at address, host:port, that takes connections without TLS and
// credentials, such as one on this machine. The environment and the configuration file of the user do not count.
func Plain(address, namespace string) settings.Temporal {
	return settings.Temporal{Address: address, Namespace: namespace, ConfigFile: os.DevNull, Environment: settings.Environment{}}
}

// SetupAt is Setup for a Plain service.
func SetupAt(ctx context.Context, address, namespace string) error {
	c, _, err := Connect(ctx, Plain(address, namespace), nil)
	if err != nil {
		return err
	}
	defer c.Close()
	return Setup(ctx, c, namespace)
}

// awaitUsable waits until a query may name every attribute: the service learns of new ones some time after it has
// written them down.
func awaitUsable(ctx context.Context, c client.Client, namespace string) error {
	var conditions []string
	for _, name := range slices.Sorted(maps.Keys(lifecycle.SearchAttributes())) {
		conditions = append(conditions, name+" IS NOT NULL")
	}
	poll := time.NewTicker(usablePoll)
	defer poll.Stop()
	for {
		_, err := c.WorkflowService().CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: namespace, Query: strings.Join(conditions, " AND "),
		})
		var unknown *serviceerror.InvalidArgument
		if err == nil {
			return nil
		}
		if !errors.As(err, &unknown) {
			return explainNamespace(namespace, "its search attributes cannot be used", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the Temporal namespace %q: its search attributes are registered but cannot be used yet: %w", namespace, ctx.Err())
		case <-poll.C:
		}
	}
}

// explainNamespace says in one line what was asked of the namespace and why it failed.
func explainNamespace(namespace, what string, err error) error {
	var missing *serviceerror.NamespaceNotFound
	var notFound *serviceerror.NotFound
	if errors.As(err, &missing) || errors.As(err, &notFound) {
		return fmt.Errorf("there is no Temporal namespace %q; create it or set --temporal-namespace or TEMPORAL_NAMESPACE", namespace)
	}
	return &namespaceError{text: fmt.Sprintf("the Temporal namespace %q: %s: %s", namespace, what, Reason(err)), cause: err}
}

// namespaceError is one line over an error of the service.
type namespaceError struct {
	text  string
	cause error
}

func (e *namespaceError) Error() string { return e.text }
func (e *namespaceError) Unwrap() error { return e.cause }

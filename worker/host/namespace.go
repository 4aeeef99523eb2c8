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

	"github.com/cenkalti/backoff/v5"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/settings"
)

const usablePoll = 100 * time.Millisecond

// MissingSearchAttributes returns the names of those search attributes of Oppflow that the
// namespace does not have, in order. If the namespace has a search attribute of the same name but
// of another type, MissingSearchAttributes returns an error.
func MissingSearchAttributes(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	answer, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, explainNamespace(namespace, "the search attributes of the namespace cannot be read", err)
	}
	wanted := lifecycle.SearchAttributes()
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		switch got, there := answer.GetCustomAttributes()[name]; {
		case !there:
			missing = append(missing, name)
		case got != wanted[name]:
			return nil, fmt.Errorf("the Temporal namespace %q: search attribute %s is of type %s, but Oppflow needs %s; remove the search attribute or use another namespace",
				namespace, name, got, wanted[name])
		}
	}
	return missing, nil
}

// Setup registers Oppflow's search attributes in the namespace, and returns as soon as queries can
// use these search attributes. Setup does not change search attributes that already exist. Setup
// may be called repeatedly and concurrently.
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
			return explainNamespace(namespace, "the search attributes of the namespace cannot be registered", err)
		}
	}
	return awaitUsable(ctx, c, namespace)
}

// DefaultRetention is how long a namespace that CreateNamespace created keeps a closed run by
// default.
const DefaultRetention = 30 * 24 * time.Hour

// CreateNamespace creates the namespace if the namespace does not exist, and returns as soon as the
// namespace can be used. During the retention, a new run cannot use the reference of a closed run.
// The shortest possible retention is an hour on a self-hosted service and a day on other services.
// If the namespace exists, CreateNamespace does not change the namespace and returns its retention.
func CreateNamespace(ctx context.Context, c client.Client, namespace string, retention time.Duration) (created bool, kept time.Duration, err error) {
	kept, err = namespaceRetention(ctx, c, namespace)
	if err == nil || !isNamespaceNotFound(err) {
		return false, kept, explainNamespace(namespace, "the namespace cannot be read", err)
	}
	_, err = c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace:                        namespace,
		Description:                      "Sales opportunities of Oppflow",
		WorkflowExecutionRetentionPeriod: durationpb.New(retention),
	})
	var exists *serviceerror.NamespaceAlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return false, 0, explainNamespace(namespace, "the namespace cannot be created", err)
	}
	created = err == nil
	// The service accepts requests for a new namespace only some seconds after the service has
	// stored the namespace.
	err = pollWhile(ctx, isNamespaceNotFound, func() error {
		if kept, err = namespaceRetention(ctx, c, namespace); err == nil {
			_, err = MissingSearchAttributes(ctx, c, namespace)
		}
		return err
	})
	if isNamespaceNotFound(err) {
		return created, kept, fmt.Errorf("the Temporal namespace %q is created but cannot be used yet: %w", namespace, ctx.Err())
	}
	return created, kept, explainNamespace(namespace, "the namespace cannot be used", err)
}

// pollWhile repeats the request as long as `passes` returns true for its error and the context has
// not ended.
func pollWhile(ctx context.Context, passes func(error) bool, request func() error) error {
	var last error
	_, _ = backoff.Retry(ctx, func() (struct{}, error) {
		if last = request(); passes(last) {
			return struct{}{}, last
		}
		return struct{}{}, backoff.Permanent(last)
	}, backoff.WithBackOff(backoff.NewConstantBackOff(usablePoll)), backoff.WithMaxElapsedTime(0))
	return last
}

func namespaceRetention(ctx context.Context, c client.Client, namespace string) (time.Duration, error) {
	answer, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	return answer.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(), err
}

// InsecureTemporal returns settings for a Temporal service without TLS and credentials, such as a
// service on this machine; address is host:port. InsecureTemporal reads neither the environment nor
// the user's configuration file.
func InsecureTemporal(address, namespace string) settings.Temporal {
	return settings.Temporal{Address: address, Namespace: namespace, ConfigFile: os.DevNull, Environment: settings.Environment{}}
}

// SetupAt connects with the settings of InsecureTemporal and calls Setup.
func SetupAt(ctx context.Context, address, namespace string) error {
	c, _, err := Connect(ctx, InsecureTemporal(address, namespace), nil)
	if err != nil {
		return err
	}
	defer c.Close()
	return Setup(ctx, c, namespace)
}

// A query can use a new search attribute only some time after the service has stored the search
// attribute.
func awaitUsable(ctx context.Context, c client.Client, namespace string) error {
	var conditions []string
	for _, name := range slices.Sorted(maps.Keys(lifecycle.SearchAttributes())) {
		conditions = append(conditions, name+" IS NOT NULL")
	}
	isUnknown := func(err error) bool {
		var unknown *serviceerror.InvalidArgument
		return errors.As(err, &unknown)
	}
	err := pollWhile(ctx, isUnknown, func() error {
		_, err := c.WorkflowService().CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: namespace, Query: strings.Join(conditions, " AND "),
		})
		return err
	})
	if isUnknown(err) {
		return fmt.Errorf("the Temporal namespace %q: the search attributes are registered but cannot be used yet: %w", namespace, ctx.Err())
	}
	return explainNamespace(namespace, "the search attributes of the namespace cannot be used", err)
}

// explainNamespace returns an error of one line that says which request about the namespace failed
// and why. If err is already a namespaceError, explainNamespace returns err unchanged.
func explainNamespace(namespace, what string, err error) error {
	var explained *namespaceError
	switch {
	case err == nil, errors.As(err, &explained):
		return err
	case isNamespaceNotFound(err):
		return &namespaceError{
			text:  fmt.Sprintf("there is no Temporal namespace %q; create it or set --temporal-namespace or TEMPORAL_NAMESPACE", namespace),
			cause: err,
		}
	}
	return &namespaceError{text: fmt.Sprintf("the Temporal namespace %q: %s: %s", namespace, what, Reason(err)), cause: err}
}

func isNamespaceNotFound(err error) bool {
	var missing *serviceerror.NamespaceNotFound
	var notFound *serviceerror.NotFound
	return errors.As(err, &missing) || errors.As(err, &notFound)
}

type namespaceError struct {
	text  string
	cause error
}

func (e *namespaceError) Error() string { return e.text }
func (e *namespaceError) Unwrap() error { return e.cause }

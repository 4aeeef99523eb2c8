package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cenkalti/backoff/v5"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// registerSearchAttributes adds missing search attributes to the namespace.
// registerSearchAttributes returns when all of the attributes can be used in queries. If the
// namespace has a wanted attribute with another type, registerSearchAttributes returns an error,
// because the server would keep the old type without an error.
func registerSearchAttributes(ctx context.Context, c client.Client, namespace string, wanted map[string]enumspb.IndexedValueType) error {
	if len(wanted) == 0 {
		return nil
	}
	err := poll(ctx, func(ctx context.Context) error {
		missing, err := missingSearchAttributes(ctx, c, namespace, wanted)
		if err != nil || len(missing) == 0 {
			return err
		}
		_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
			Namespace: namespace, SearchAttributes: missing,
		})
		var invalid *serviceerror.InvalidArgument
		if errors.As(err, &invalid) {
			return backoff.Permanent(err)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("--search-attribute: %w", err)
	}
	for name := range wanted {
		err := poll(ctx, func(ctx context.Context) error {
			_, err := c.WorkflowService().CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{
				Namespace: namespace, Query: "`" + name + "` IS NOT NULL",
			})
			return err
		})
		if err != nil {
			return fmt.Errorf("--search-attribute %s: the search attribute is registered but queries cannot use it: %w", name, err)
		}
	}
	return nil
}

func missingSearchAttributes(ctx context.Context, c client.Client, namespace string, wanted map[string]enumspb.IndexedValueType) (map[string]enumspb.IndexedValueType, error) {
	list, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, err
	}
	missing := map[string]enumspb.IndexedValueType{}
	var clashes []string
	for name, kind := range wanted {
		has, ok := list.GetCustomAttributes()[name]
		switch {
		case !ok:
			missing[name] = kind
		case has != kind:
			clashes = append(clashes, fmt.Sprintf("the search attribute %s already has the type %s, which cannot be changed to %s", name, has, kind))
		}
	}
	if len(clashes) > 0 {
		slices.Sort(clashes)
		return nil, backoff.Permanent(errors.New(clashes[0]))
	}
	return missing, nil
}

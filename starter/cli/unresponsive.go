package cli

import (
	"context"
	"errors"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// unresponsiveError returns the Temporal server's reason why an opportunity does not respond, or
// err if the server knows no reason.
func unresponsiveError(ctx context.Context, temporal client.Client, reference opportunity.Reference, err error) error {
	var own *opportunity.Error
	var unavailable *serviceerror.Unavailable
	if err == nil || errors.As(err, &own) || errors.As(err, &unavailable) {
		return err
	}
	if why := lifecycle.NewClient(temporal).UnresponsiveReason(ctx, reference); why != "" {
		return explainedf("%s", why)
	}
	return err
}

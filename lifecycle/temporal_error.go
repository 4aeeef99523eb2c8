package lifecycle

import (
	"errors"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/opportunity"
)

// ToTemporalError turns an *opportunity.Error into the error that Temporal passes to the caller.
// The type of the returned error is the type of the *opportunity.Error, and its details are the
// *opportunity.Error itself. Any other error passes unchanged.
func ToTemporalError(err error) error {
	var own *opportunity.Error
	if !errors.As(err, &own) {
		return err
	}
	return temporal.NewApplicationErrorWithOptions(own.Error(), string(own.Type), temporal.ApplicationErrorOptions{
		NonRetryable: own.Type != opportunity.Continuing && own.Type != opportunity.Busy,
		Category:     temporal.ApplicationErrorCategoryBenign,
		Details:      []any{*own},
	})
}

// FromTemporalError finds the *opportunity.Error in an error from Temporal.
func FromTemporalError(err error) (*opportunity.Error, bool) {
	var own *opportunity.Error
	if errors.As(err, &own) {
		return own, true
	}
	var query *serviceerror.QueryFailed
	if errors.As(err, &query) && query.Failure != nil {
		err = temporal.GetDefaultFailureConverter().FailureToError(query.Failure)
	}
	var application *temporal.ApplicationError
	if !errors.As(err, &application) {
		return nil, false
	}
	var carried opportunity.Error
	if application.HasDetails() && application.Details(&carried) == nil && carried.Type != "" {
		return &carried, true
	}
	return nil, false
}

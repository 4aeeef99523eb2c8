package tms

import (
	"context"

	"github.com/oppflow/oppflow/activities"
)

// ProbeAPI asks the API only for an answer, in one request, and returns an error when
// there is none.
func (a *Activities) ProbeAPI(ctx context.Context) (activities.ProbeResult, error) {
	err := a.api.Hello(ctx)
	return activities.ProbeResult{Answered: err == nil}, reading(err)
}

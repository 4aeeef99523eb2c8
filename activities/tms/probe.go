package tms

import (
	"context"

	"github.com/oppflow/oppflow/activities"
)

// ProbeAPI asks the API only for an answer, in one request. Its error says that there was
// no answer.
func (a *Activities) ProbeAPI(ctx context.Context) (activities.ProbeResult, error) {
	err := a.api.Hello(ctx)
	return activities.ProbeResult{Answered: err == nil}, reading(err)
}

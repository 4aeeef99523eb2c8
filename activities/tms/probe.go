package tms

import "context"

// ProbeAPI asks the API for nothing but an answer, in one request. Its error says
// that there was none.
func (a *Activities) ProbeAPI(ctx context.Context) error { return reading(a.api.Hello(ctx)) }

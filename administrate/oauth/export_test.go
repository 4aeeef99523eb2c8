package oauth

import "context"

// Renew calls renew directly, as Token does for a caller that starts after the renewal of other
// callers has ended.
func (o *Endpoint) Renew(ctx context.Context) (string, error) { return o.renew(ctx) }

// WaitForRenewals waits until all running renewals have ended.
func (o *Endpoint) WaitForRenewals() {
	_, _, _ = o.renewals.Do("", func() (any, error) { return "", nil })
}

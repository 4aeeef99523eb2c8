package oauth

import "context"

// Renew calls renew directly, like a caller that comes after the renewal of other callers has
// ended.
func (o *Endpoint) Renew(ctx context.Context) (string, error) { return o.renew(ctx) }

// WaitForRenewals returns when every renewal that runs has ended.
func (o *Endpoint) WaitForRenewals() {
	_, _, _ = o.renewals.Do("", func() (any, error) { return "", nil })
}

package oauth

import "context"

// Renew makes one renewal for a caller that comes too late to wait with the others.
func (o *Endpoint) Renew(ctx context.Context) (string, error) { return o.renew(ctx) }

// WaitForRenewals returns when every renewal that runs has ended.
func (o *Endpoint) WaitForRenewals() {
	_, _, _ = o.renewals.Do("", func() (any, error) { return "", nil })
}

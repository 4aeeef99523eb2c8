// Package transport sends GraphQL documents to the API. The package sends each document at most
// once, before the send deadline and within the documented rate limit. If a request fails, the
// package finds out where possible whether the document was provably not sent.
package transport

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"time"

	graphql "github.com/hasura/go-graphql-client"
	"golang.org/x/time/rate"

	"github.com/oppflow/oppflow/administrate/http1"
	"github.com/oppflow/oppflow/administrate/oauth"
)

// Options configure a Client. Only URL and Tokens are needed.
type Options struct {
	// URL is the URL of the GraphQL endpoint, such as https://api.getadministrate.com/graphql
	// (observed).
	URL string
	// Tokens is the source of the Bearer token for each request.
	Tokens oauth.TokenSource
	// Transport sends the HTTP requests; nil selects the transport of http1.NewTransport. A
	// caller's own Transport must never send a request twice.
	Transport http.RoundTripper
	// WrapTransport (if not nil) returns a wrapper around the HTTP transport, for example for
	// tracing. The wrapper must send each request once through the wrapped transport, and may
	// change only the headers of the request.
	WrapTransport func(http.RoundTripper) http.RoundTripper
	// RequestsPerSecond is the refill rate of the rate limit bucket, which limits all requests of
	// this Client. If RequestsPerSecond is 0, the Client uses 19.8, or a lower rate if Burst is
	// larger than 60. The documented rate limit is 6,000 requests in any 5 minutes per IP address.
	// With the default values, the Client sends at most 60 + 300 s x 19.8/s = 6,000 requests in 5
	// minutes. All processes behind one IP address share the documented rate limit.
	RequestsPerSecond float64
	// Burst is the number of requests that the Client may send at once after a period without
	// requests. If Burst is 0, the Client uses 60, or a lower number if RequestsPerSecond is larger
	// than 19.8.
	Burst int
	// Pace (if not nil) delays every request, in addition to the rate limit bucket. If several
	// processes share the documented rate limit, give each process a Pace with a fraction of this
	// limit.
	Pace *Pace
	// MaxResponseBytes is the maximum size of an uncompressed response; 0 selects 8 MiB.
	MaxResponseBytes int64
	// Timeout is the maximum time from the permission of the rate limit until the whole response is
	// read; 0 selects 30 s.
	Timeout time.Duration
	// The Client calls OnResult (if not nil) after each request, with the error of the request. The
	// error is nil if the Client received an HTTP response that it can use. OnResult must not
	// block.
	OnResult func(error)
	// The Client calls Permitted (if not nil) before each request. If Permitted returns an error,
	// the Client does not send the request and returns a NotSentError. The NotSentError has the
	// Reason of Permitted's error if this error is a NotSentError. For any other error of
	// Permitted, the NotSentError has the Reason NotPermitted.
	Permitted func(context.Context) error
}

const (
	windowRequests = 6000
	windowSeconds  = 300
	defaultBurst   = 60
	defaultRate    = float64(windowRequests-defaultBurst) / windowSeconds // 19.8 requests per second
)

// Client sends documents to the API of one tenant. Client is safe for concurrent use.
type Client struct{ graphql *graphql.Client }

// New returns a Client and sends nothing. A process should use only one Client, because each Client
// has its own rate limit bucket. New fails with InvalidError.
func New(o Options) (*Client, error) {
	endpoint, err := url.Parse(o.URL)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" {
		return nil, &InvalidError{
			Where:   "Options.URL",
			Problem: "the value is not an HTTP address; give an address such as https://api.getadministrate.com/graphql",
		}
	}
	if endpoint.User != nil {
		return nil, &InvalidError{Where: "Options.URL", Problem: "the address contains a user or a password; give credentials in Options.Tokens"}
	}
	if o.Tokens == nil {
		return nil, &InvalidError{Where: "Options.Tokens", Problem: "the token source is missing; give a source of access tokens"}
	}
	for _, n := range []struct {
		member   string
		negative bool
	}{
		{"RequestsPerSecond", !(o.RequestsPerSecond >= 0)}, // NaN is wrong, too
		{"Burst", o.Burst < 0},
		{"MaxResponseBytes", o.MaxResponseBytes < 0},
		{"Timeout", o.Timeout < 0},
	} {
		if n.negative {
			return nil, &InvalidError{
				Where: "Options." + n.member, Problem: "the value is not a positive number; use 0 for the default",
			}
		}
	}
	c := &sendOnceDoer{
		transport:        o.Transport,
		tokens:           o.Tokens,
		bucket:           newBucket(o.RequestsPerSecond, o.Burst),
		pace:             o.Pace,
		maxResponseBytes: o.MaxResponseBytes,
		timeout:          o.Timeout,
		onResult:         o.OnResult,
		permitted:        o.Permitted,
	}
	if c.transport == nil {
		c.transport = http1.NewTransport(CountWrites)
	}
	if o.WrapTransport != nil {
		c.transport = o.WrapTransport(c.transport)
	}
	if c.maxResponseBytes == 0 {
		c.maxResponseBytes = 8 << 20
	}
	if c.timeout == 0 {
		c.timeout = 30 * time.Second
	}
	return &Client{graphql: graphql.NewClient(endpoint.String(), c)}, nil
}

// The returned bucket permits up to burst + 300 x perSecond requests in any 5 minutes. For a burst
// of 0, newBucket uses the requests of the documented rate limit that perSecond leaves over, at
// least 1 and at most 60.
func newBucket(perSecond float64, burst int) *rate.Limiter {
	if perSecond == 0 {
		perSecond = defaultRate
		if burst > defaultBurst {
			perSecond = max(1, float64(windowRequests-burst)/windowSeconds)
		}
	}
	if burst == 0 {
		left := windowRequests - perSecond*windowSeconds
		burst = int(math.Round(max(1, min(defaultBurst, left))))
	}
	return rate.NewLimiter(rate.Limit(perSecond), burst)
}

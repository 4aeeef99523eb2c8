// Package transport sends GraphQL documents to the API. The package sends each document once,
// before the send deadline and within the documented rate limit. If a request fails, the package
// proves where possible that nothing was sent.
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
	// URL of the GraphQL endpoint, such as
	// https://api.getadministrate.com/graphql (observed).
	URL string
	// Tokens returns the Bearer token of each request.
	Tokens oauth.TokenSource
	// Transport sends the requests; nil selects HTTP/1.1 with its own time-outs, which keeps idle
	// connections for 30 s. A transport given here must not repeat requests.
	Transport http.RoundTripper
	// WrapTransport, when given, wraps the transport, for example for tracing. The wrapper must
	// pass on each request once and may change only the headers.
	WrapTransport func(http.RoundTripper) http.RoundTripper
	// RequestsPerSecond is the refill rate of the token bucket that limits all requests of this
	// Client. 0 selects 19.8, or less if Burst leaves less of the documented limit. The documented
	// limit is 6,000 in any 5 minutes per IP address. With the defaults at most 60 + 300 s x 19.8/s
	// = 6,000 requests are sent in 5 minutes. All processes behind one IP address share the
	// documented limit.
	RequestsPerSecond float64
	// Burst is how many requests may be sent at once after a time without requests. 0 selects 60,
	// or less if RequestsPerSecond leaves less of the documented limit.
	Burst int
	// Pace, when given, delays every request in addition to the bucket. To share the limit between
	// processes, give each process a Pace with a part of the rate.
	Pace *Pace
	// MaxResponseBytes is the size of the largest accepted response, uncompressed; 0 is 8 MiB.
	MaxResponseBytes int64
	// Timeout is the longest time of one request, from its turn until the response is read; 0 is
	// 30 s. The context's own deadline also applies.
	Timeout time.Duration
	// OnResult, when given, is called with the error that each request returns to the caller. A nil
	// error means that a response came. OnResult must not block.
	OnResult func(error)
	// Permitted, when given, is called before each request. When Permitted returns an error, the
	// client does not send the request and fails with a NotSentError. If Permitted returns a
	// NotSentError, the client keeps its Reason. For any other error the Reason is NotPermitted.
	Permitted func(context.Context) error
}

// The documented limit, and defaults within that limit.
const (
	windowRequests = 6000
	windowSeconds  = 300
	defaultBurst   = 60
	defaultRate    = float64(windowRequests-defaultBurst) / windowSeconds // 19.8
)

// Client sends documents to the API of one tenant. Client is safe for concurrent use.
type Client struct{ graphql *graphql.Client }

// New makes a Client; it sends nothing. Share one Client in a process, because the bucket
// belongs to the Client. New fails with InvalidError.
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
		{"RequestsPerSecond", !(o.RequestsPerSecond >= 0)}, // NaN included
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

// newBucket returns a bucket. A zero value selects the default. In any 5 minutes burst + 300 x rate
// requests can pass. The default burst is the part of the documented limit that the rate does not
// use, at least 1 and at most 60.
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

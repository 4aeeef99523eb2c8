// Package administrate is a typed client of the Administrate Core GraphQL API. The package covers
// what sales opportunities need, and the side effects of their transitions on accounts, contacts,
// learners, invoices and mail. The package imports no other package of Oppflow and does not know
// Oppflow's commands.
//
// A method sends exactly one request and never repeats a request. The API has no idempotency key.
// The type of the error (NotSentError, RefusedError, UnknownError, RejectedError) shows the caller
// whether to repeat a request. A POST is handed to the transport once and cannot be sent twice.
//
// A document contains only documented, observed and assumed names. "Documented" means that the API
// documentation shows the name. "Observed" means that the name was seen only in public code that
// uses the API. Every other name is assumed and is a member of Assumptions. Numbers such as 5.3 are
// the sections of the project's own notes on the API, with the source of each fact.
package administrate

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/oppflow/oppflow/administrate/transport"
)

// Options configure a Client. Only URL and Tokens are needed.
type Options struct {
	transport.Options
	// ReadOnly makes every mutation fail with a RejectedError whose label is "read-only". The
	// mutation is not sent. Reads work.
	ReadOnly bool
	// Assumed are the names of the schema that are neither documented nor observed. The zero value
	// assumes every name.
	Assumed Assumptions
}

// Pace spaces requests evenly.
type Pace = transport.Pace

// NewPace makes a Pace with this many requests a second.
func NewPace(perSecond float64) *Pace { return transport.NewPace(perSecond) }

// Sender sends a document once and returns the response, if any part of the document was executed.
// Send fails with NotSentError, RefusedError, UnknownError or InvalidError.
type Sender interface {
	Send(ctx context.Context, doc transport.Document) (transport.Response, error)
}

// Client sends requests to the API of one tenant. Client is safe for concurrent use.
type Client struct {
	sender         Sender
	assumed        Assumptions
	readOnly       bool
	refusedQueries sync.Map // by name: the queries that the API refused (see ReadTogether)
}

// New makes a Client; it sends nothing. Share one Client in a process, because the bucket of
// requests belongs to the Client. New fails with InvalidError.
func New(o Options) (*Client, error) {
	sender, err := transport.New(o.Options)
	if err != nil {
		return nil, err
	}
	c, err := NewWithSender(sender, o.Assumed)
	if err != nil {
		return nil, err
	}
	c.readOnly = o.ReadOnly
	return c, nil
}

// NewWithSender makes a Client whose documents go to the sender. NewWithSender fails with
// InvalidError if an assumption is not a GraphQL name.
func NewWithSender(sender Sender, assumed Assumptions) (*Client, error) {
	assumed, err := assumed.resolved()
	if err != nil {
		return nil, err
	}
	return &Client{sender: sender, assumed: assumed}, nil
}

// Assumptions returns the names that the Client sends.
func (c *Client) Assumptions() Assumptions { return c.assumed }

// Read sends a query and decodes the response. If the response contains errors, Read fails and
// decodes nothing.
func (c *Client) Read(ctx context.Context, doc transport.Document, into any) error {
	got, err := c.sendQuery(ctx, doc)
	if err != nil {
		return err
	}
	if len(got.Errors) > 0 {
		return transport.OutcomeUnknown(doc, doc.Name, "the API reported errors", got.Errors)
	}
	if err := json.Unmarshal(got.Data, into); err != nil {
		return transport.MalformedResponse(doc.Name)
	}
	return nil
}

// WithSendDeadline sets the time by which a request with this context must be sent, as
// transport.WithSendDeadline describes.
func WithSendDeadline(ctx context.Context, t time.Time) context.Context {
	return transport.WithSendDeadline(ctx, t)
}

// SendDeadline returns the time set by WithSendDeadline.
func SendDeadline(ctx context.Context) (time.Time, bool) { return transport.SendDeadline(ctx) }

// Hello sends the smallest query (observed: the root field hello). A response shows that the API
// can be reached and accepts the token.
func (c *Client) Hello(ctx context.Context) error {
	b := newBuilder(&c.assumed)
	b.root("hello")
	doc, err := b.document("query", "Hello")
	if err != nil {
		return err
	}
	var got struct{}
	return c.Read(ctx, doc, &got)
}

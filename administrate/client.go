// Package administrate is a typed client of the Administrate Core GraphQL API. The package covers
// the operations that sales opportunities need, and the side effects of transitions on accounts,
// contacts, learners, invoices and mail.
//
// Each method that calls the API sends exactly one request and never repeats a request. The API has
// no idempotency key. The type of the error (NotSentError, RefusedError, UnknownError or
// RejectedError) shows whether a caller may repeat the request. The client passes a POST request to
// the HTTP transport only once, and prevents the transport from sending the request twice.
//
// A document contains only documented, observed and assumed names. "Documented" means that the API
// documentation shows the name. "Observed" means that the name occurs only in public code that uses
// the API. Every other name is assumed and is a member of Assumptions.
//
// The API notes are the project's own notes on the API, which name the source of each fact. A
// comment such as "(observed, API notes 5.3)" refers to section 5.3 of the API notes.
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
	// If ReadOnly is true, every mutation fails with a RejectedError whose label is "read-only",
	// and the client does not send the mutation.
	ReadOnly bool
	// Assumed contains the schema names that the client uses although they are neither documented
	// nor observed.
	Assumed Assumptions
}

// Pace spaces requests evenly.
type Pace = transport.Pace

// NewPace returns a Pace of perSecond requests a second.
func NewPace(perSecond float64) *Pace { return transport.NewPace(perSecond) }

// Sender sends a document once and returns the response, if the API executed any part of the
// document. Send fails with NotSentError, RefusedError, UnknownError or InvalidError.
type Sender interface {
	Send(ctx context.Context, doc transport.Document) (transport.Response, error)
}

// Client sends requests to the API of one tenant. Client is safe for concurrent use.
type Client struct {
	sender         Sender
	assumed        Assumptions
	readOnly       bool
	refusedQueries sync.Map // the names of the queries that the API refused (see ReadTogether)
}

// New returns a Client and sends no request. All parts of a process must share one Client, because
// each Client has its own rate limit. New fails with InvalidError.
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

// NewWithSender returns a Client that passes its documents to sender. NewWithSender fails with
// InvalidError if a name in assumed is not a GraphQL name.
func NewWithSender(sender Sender, assumed Assumptions) (*Client, error) {
	assumed, err := assumed.resolved()
	if err != nil {
		return nil, err
	}
	return &Client{sender: sender, assumed: assumed}, nil
}

// Assumptions returns the assumed or corrected names that the Client sends.
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

// WithSendDeadline sets the time after which the client does not send a request with the returned
// context, as transport.WithSendDeadline describes.
func WithSendDeadline(ctx context.Context, t time.Time) context.Context {
	return transport.WithSendDeadline(ctx, t)
}

// SendDeadline returns the send deadline that WithSendDeadline set in ctx, and whether ctx has a
// send deadline.
func SendDeadline(ctx context.Context) (time.Time, bool) { return transport.SendDeadline(ctx) }

// Hello sends the smallest possible query, the root field hello (observed).
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

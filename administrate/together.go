package administrate

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/oppflow/oppflow/administrate/transport"
)

// ReadTogether calls the function main and the functions in also concurrently, and joins their
// queries to the API. The first returned error is the error of main; the errors of the functions in
// also follow in order. When every function that is still running waits for the response to a
// query, ReadTogether sends all waiting queries in one document. If two functions send equal
// queries, ReadTogether sends the query once, even if the first function already has the response.
// A function must send its queries one after the other, through a Client, with the context that
// ReadTogether passes to the function. ReadTogether never joins mutations with other operations.
//
// If the API refuses the joined document and reports names in the document, ReadTogether sends the
// document again without the queries that contain these names. If the query of main then still has
// no response, ReadTogether sends the query of main alone. Every other query without a response
// fails. If the API refuses a query that was sent alone, the Client never again joins this query
// with other queries.
func ReadTogether(ctx context.Context, main func(context.Context) error, also ...func(context.Context) error) []error {
	if len(also) == 0 {
		return []error{main(ctx)}
	}
	g := &queryGroup{}
	g.Send = func(due []*transport.WaitingDocument) { g.sendJoined(ctx, due) }
	return g.Run(append([]func(context.Context) error{main}, also...), func(i int) context.Context {
		return context.WithValue(ctx, queryGroupKey{}, queryGroupMember{g, i})
	})
}

// ChangeTogether calls the functions concurrently and returns the error of each function. Each
// function may send one mutation through a Client, with the context that ChangeTogether passes to the
// function. When every function that has not returned waits for its mutation, ChangeTogether joins
// the mutations in one document, in the order of the functions, and sends the document once with the
// context of the caller. The API executes the mutations in this order, and executes a mutation also
// if it rejected an earlier mutation (documented, GraphQL). If the request fails, every mutation gets
// the error of the request. If the API refuses the joined document, or if the document would be too
// large, this error is a NotSentError with the Reason NotJoined. ChangeTogether does not join queries.
func ChangeTogether(ctx context.Context, changes ...func(context.Context) error) []error {
	g := &mutationGroup{}
	g.Send = func(due []*transport.WaitingDocument) { g.sendJoined(ctx, due) }
	return g.Run(changes, func(i int) context.Context {
		return context.WithValue(ctx, mutationGroupKey{}, &mutationGroupMember{group: g, index: i})
	})
}

type mutationGroupKey struct{}

type mutationGroup struct {
	transport.Gathering
	client atomic.Pointer[Client]
}

type mutationGroupMember struct {
	group *mutationGroup
	index int
	sent  bool
}

func (c *Client) sendMutation(ctx context.Context, doc transport.Document) (transport.Response, error) {
	member, is := ctx.Value(mutationGroupKey{}).(*mutationGroupMember)
	switch {
	case !is:
		return c.sender.Send(ctx, doc)
	case member.sent:
		return transport.Response{}, &InvalidError{Where: doc.Name, Problem: "the function has sent a mutation before; send one mutation in each function"}
	}
	member.sent = true
	member.group.client.Store(c)
	return member.group.Await(&transport.WaitingDocument{Function: member.index, Document: doc})
}

func (g *mutationGroup) sendJoined(ctx context.Context, due []*transport.WaitingDocument) {
	docs := make([]transport.Document, len(due))
	for i, d := range due {
		docs[i] = d.Document
	}
	results := g.client.Load().sendDocuments(ctx, docs)
	for i, d := range due {
		d.Response, d.Err = results[i].response, results[i].err
		if results[i].wasJoined && (errors.As(d.Err, new(*RefusedError)) || errors.As(d.Err, new(*InvalidError))) {
			d.Err = &NotSentError{Operation: d.Document.Name, Reason: NotJoined}
		}
	}
}

type queryGroupKey struct{}

type queryGroup struct {
	transport.Gathering
	client     atomic.Pointer[Client]
	answeredMu sync.Mutex
	// answered contains the queries that got a response without errors.
	answered []*transport.WaitingDocument
}

type queryGroupMember struct {
	group *queryGroup
	index int
}

func (c *Client) sendQuery(ctx context.Context, doc transport.Document) (transport.Response, error) {
	member, is := ctx.Value(queryGroupKey{}).(queryGroupMember)
	if !is || c.travelsAlone(doc) {
		return c.sendAlone(ctx, doc)
	}
	if response, known := member.group.responseTo(doc); known {
		return response, nil
	}
	member.group.client.Store(c)
	return member.group.Await(&transport.WaitingDocument{Function: member.index, Document: doc})
}

func (g *queryGroup) responseTo(doc transport.Document) (transport.Response, bool) {
	g.answeredMu.Lock()
	defer g.answeredMu.Unlock()
	at := slices.IndexFunc(g.answered, func(a *transport.WaitingDocument) bool { return isSameQuery(a.Document, doc) })
	if at < 0 {
		return transport.Response{}, false
	}
	return g.answered[at].Response, true
}

func (c *Client) sendAlone(ctx context.Context, doc transport.Document) (transport.Response, error) {
	got, err := c.sender.Send(ctx, doc)
	if errors.As(err, new(*RefusedError)) {
		c.refusedQueries.Store(doc.Name, true)
	}
	return got, err
}

// travelsAlone reports whether the API has refused the query before; the client does not join such
// a query with other queries. The names of queries are constants, so the map of refused queries
// stays small.
func (c *Client) travelsAlone(doc transport.Document) bool {
	_, refused := c.refusedQueries.Load(doc.Name)
	return refused
}

func isSameQuery(a, b transport.Document) bool {
	return a.Text == b.Text && reflect.DeepEqual(a.Variables, b.Variables)
}

func (g *queryGroup) sendJoined(ctx context.Context, queries []*transport.WaitingDocument) {
	c := g.client.Load()
	var distinct []transport.Document
	indexes := make([]int, len(queries)) // for each query, the index of its document in distinct
	for n, q := range queries {
		at := -1
		for i, doc := range distinct {
			if isSameQuery(doc, q.Document) {
				at = i
			}
		}
		if at < 0 {
			at = len(distinct)
			distinct = append(distinct, q.Document)
		}
		indexes[n] = at
	}
	results := c.sendDocuments(ctx, distinct)
	if rest := transport.Unaffected(distinct, results[0].err); len(rest) > 0 {
		docs := make([]transport.Document, len(rest))
		for n, i := range rest {
			docs[n] = distinct[i]
		}
		for n, result := range c.sendDocuments(ctx, docs) {
			results[rest[n]] = result
		}
	}
	for n, q := range queries {
		result := results[indexes[n]]
		if q.Response, q.Err = result.response, result.err; q.Err != nil && q.Function == 0 && result.wasJoined && mayFailForAnother(q.Err) {
			q.Response, q.Err = c.sendAlone(ctx, q.Document)
		}
	}
	g.answeredMu.Lock()
	defer g.answeredMu.Unlock()
	for _, q := range queries {
		if q.Err == nil && len(q.Response.Errors) == 0 {
			g.answered = append(g.answered, q)
		}
	}
}

type documentResult struct {
	response transport.Response
	err      error
	// wasJoined says that err is the error of a document with several queries.
	wasJoined bool
}

// sendDocuments sends the documents in one request.
func (c *Client) sendDocuments(ctx context.Context, docs []transport.Document) []documentResult {
	results := make([]documentResult, len(docs))
	if len(docs) == 1 {
		results[0].response, results[0].err = c.sendAlone(ctx, docs[0])
		return results
	}
	joined, err := transport.JoinDocuments(docs)
	var got transport.Response
	if err == nil {
		got, err = c.sender.Send(ctx, joined)
	} else if !errors.As(err, new(*InvalidError)) {
		err = &InvalidError{Where: joined.Name, Problem: err.Error()}
	}
	for i, doc := range docs {
		if err != nil {
			results[i] = documentResult{err: err, wasJoined: true}
		} else if results[i].response, results[i].err = transport.SplitResponse(got, i); results[i].err != nil {
			results[i].err = transport.MalformedResponse(doc.Name)
		}
	}
	return results
}

// mayFailForAnother reports whether another query of the joined document may have caused the error,
// so that this query may succeed alone.
func mayFailForAnother(err error) bool {
	var unknown *UnknownError
	var unsent *NotSentError
	switch {
	case errors.As(err, &unsent):
		return false
	case errors.As(err, &unknown):
		return unknown.HasGraphQLErrors || unknown.Status != 0
	}
	return true
}

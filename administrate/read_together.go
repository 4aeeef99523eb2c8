package administrate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

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
	all := append([]func(context.Context) error{main}, also...)
	errs := make([]error, len(all))
	if len(also) == 0 {
		errs[0] = main(ctx)
		return errs
	}
	g := &queryGroup{ctx: ctx, running: len(all)}
	var calls sync.WaitGroup
	for i, call := range all {
		calls.Go(func() {
			defer g.leave()
			defer func() { // without recover, a panic in this goroutine would end the process
				if fault := recover(); fault != nil {
					errs[i] = fmt.Errorf("administrate: a read panicked: %v", fault)
				}
			}()
			errs[i] = call(context.WithValue(ctx, groupMemberKey{}, groupMember{g, i == 0}))
		})
	}
	calls.Wait()
	return errs
}

type groupMemberKey struct{}

type groupMember struct {
	group  *queryGroup
	isMain bool
}

type queryGroup struct {
	ctx     context.Context //nolint:containedctx // the context of the call that owns the group
	mu      sync.Mutex
	running int // the number of functions that have not returned
	waiting []*waitingQuery
	// answered contains the queries that got a response without errors.
	answered []*waitingQuery
}

type waitingQuery struct {
	client   *Client
	isMain   bool
	doc      transport.Document
	response transport.Response
	err      error
	done     chan struct{}
}

func (c *Client) sendQuery(ctx context.Context, doc transport.Document) (transport.Response, error) {
	member, is := ctx.Value(groupMemberKey{}).(groupMember)
	if !is || c.travelsAlone(doc) {
		return c.sendAlone(ctx, doc)
	}
	q := &waitingQuery{client: c, isMain: member.isMain, doc: doc, done: make(chan struct{})}
	member.group.add(q)
	<-q.done
	return q.response, q.err
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

func (g *queryGroup) add(q *waitingQuery) {
	g.mu.Lock()
	if at := slices.IndexFunc(g.answered, func(a *waitingQuery) bool { return isSameQuery(a.doc, q.doc) }); at >= 0 {
		q.response = g.answered[at].response
		close(q.done)
		g.mu.Unlock()
		return
	}
	g.waiting = append(g.waiting, q)
	g.sendIfComplete()
}

func (g *queryGroup) leave() {
	g.mu.Lock()
	g.running--
	g.sendIfComplete()
}

// sendIfComplete sends the waiting queries if every running function waits for a query. The caller
// locks the mutex of the group, and sendIfComplete unlocks the mutex.
func (g *queryGroup) sendIfComplete() {
	due := g.waiting
	if len(due) < g.running || len(due) == 0 {
		g.mu.Unlock()
		return
	}
	g.waiting = nil
	g.mu.Unlock()
	sendJoined(g.ctx, due)
	g.mu.Lock()
	for _, q := range due {
		if q.err == nil && len(q.response.Errors) == 0 {
			g.answered = append(g.answered, q)
		}
	}
	g.mu.Unlock()
	for _, q := range due {
		close(q.done)
	}
}

func isSameQuery(a, b transport.Document) bool {
	return a.Text == b.Text && reflect.DeepEqual(a.Variables, b.Variables)
}

func sendJoined(ctx context.Context, queries []*waitingQuery) {
	c := queries[0].client
	var distinct []transport.Document
	indexes := make([]int, len(queries)) // for each query, the index of its document in distinct
	for n, q := range queries {
		at := -1
		for i, doc := range distinct {
			if isSameQuery(doc, q.doc) {
				at = i
			}
		}
		if at < 0 {
			at = len(distinct)
			distinct = append(distinct, q.doc)
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
		if q.response, q.err = result.response, result.err; q.err != nil && q.isMain && result.wasJoined && mayFailForAnother(q.err) {
			q.response, q.err = c.sendAlone(ctx, q.doc)
		}
	}
}

type documentResult struct {
	response transport.Response
	err      error
	// wasJoined says that err is the error of a document with several queries.
	wasJoined bool
}

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

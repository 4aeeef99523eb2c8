package transport

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
)

// Gathering collects the documents that several functions send at the same time.
type Gathering struct {
	mu      sync.Mutex
	running int // the functions that have not returned
	waiting []*WaitingDocument
	// Send sends the documents, in the order of the functions, in one request, and stores the responses and errors.
	Send func(due []*WaitingDocument)
}

// WaitingDocument is a document of one of the functions.
type WaitingDocument struct {
	Function int // the index of the function
	Document Document
	Response Response
	Err      error
	done     chan struct{}
}

// Run calls the functions concurrently, each with the context for its index, and returns their errors.
func (g *Gathering) Run(all []func(context.Context) error, contextFor func(i int) context.Context) []error {
	errs := make([]error, len(all))
	g.running = len(all)
	var calls sync.WaitGroup
	for i, call := range all {
		calls.Go(func() {
			defer g.leave()
			defer func() { // a panic in another goroutine would end the process
				if fault := recover(); fault != nil {
					errs[i] = fmt.Errorf("administrate: a request panicked: %v", fault)
				}
			}()
			errs[i] = call(contextFor(i))
		})
	}
	calls.Wait()
	return errs
}

// Await waits until every running function waits for a document, and returns the response to the
// document.
func (g *Gathering) Await(d *WaitingDocument) (Response, error) {
	d.done = make(chan struct{})
	g.mu.Lock()
	g.waiting = append(g.waiting, d)
	g.sendIfComplete()
	<-d.done
	return d.Response, d.Err
}

func (g *Gathering) leave() {
	g.mu.Lock()
	g.running--
	g.sendIfComplete()
}

// sendIfComplete sends the waiting documents if every running function waits for a document.
// sendIfComplete unlocks the mutex.
func (g *Gathering) sendIfComplete() {
	due := g.waiting
	if len(due) < g.running || len(due) == 0 {
		g.mu.Unlock()
		return
	}
	g.waiting = nil
	g.mu.Unlock()
	slices.SortFunc(due, func(a, b *WaitingDocument) int { return cmp.Compare(a.Function, b.Function) })
	g.Send(due)
	for _, d := range due {
		close(d.done)
	}
}

package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/graph"
	"github.com/oppflow/oppflow/sandbox/ledger"
	"github.com/oppflow/oppflow/sandbox/quota"
	"github.com/oppflow/oppflow/sandbox/store"
)

// The bodies of requests are bounded by one of these limits. The limit of the API is unknown.
const (
	maxRequest      = 1 << 20
	maxSmallRequest = 128 << 10
)

// operationToken is the name of the token endpoint in faults and in the ledger.
const operationToken = "token"

// door is in front of the API and of the token endpoint. It writes requests into the ledger, counts them against the
// limit, and applies the faults.
type door struct {
	sandbox    *Sandbox
	limit      *quota.Quota // nil is no limit
	retryAfter bool
	// marks enables marks of commits, so the ledger can be completed after the death of the process.
	marks bool
	now   func() time.Time
	next  http.Handler
	// max bounds the body of a request.
	max int64
	// reads returns the subject of a request.
	reads func(body []byte) asked
}

// asked is the subject of a request.
type asked struct {
	// operations are the names by which faults choose requests.
	operations []string
	// mutations are the fields of mutations that should run.
	mutations []ledger.Field
	// text is the request as it was sent.
	text string
}

// errOrdered is the error of a failure that a fault causes.
var errOrdered = errors.New("failed on demand")

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, d.max))
	var tooLarge *http.MaxBytesError
	if err != nil && !errors.As(err, &tooLarge) {
		refuse(w, http.StatusBadRequest, "the request could not be read to its end")
		return
	}
	v := &visit{door: d, entry: ledger.Entry{Received: d.now().UTC(), Address: addressOf(r)}}
	if tooLarge == nil {
		v.asked = d.reads(body)
		v.asked.text = string(body)
	}
	v.entry.Operations = v.asked.operations
	v.entry.Number = d.sandbox.ledger.Begin(v.entry)
	// The copy does not depend on the client, so a fault can make it run after the client has gone.
	request := r.Clone(graph.WithObserver(r.Context(), v))
	request.Body = io.NopCloser(bytes.NewReader(body))
	switch wait := d.wait(v); {
	case tooLarge != nil:
		v.answer = plainAnswer(http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is larger than %d KiB", d.max>>10))
	case wait > 0:
		v.answer = plainAnswer(http.StatusTooManyRequests, "over the limit of requests")
		if d.retryAfter {
			v.answer.Header().Set("Retry-After", seconds(wait))
		}
	default:
		v.meet(w)
		v.run(request)
	}
	v.end(r.Context())
	if whole := v.deliver(w, r); !whole {
		v.entry.Undelivered = true
		d.sandbox.ledger.End(v.entry)
	}
}

// meet finds the request's fault. A request with a fault may take longer than the time-outs of the server, which are
// for slow clients. With these time-outs the client would seem to have gone.
func (v *visit) meet(w http.ResponseWriter) {
	operations := v.asked.operations
	if len(v.asked.mutations) > 0 {
		operations = append(slices.Clone(operations), fault.AnyMutation)
	}
	if v.hit = v.door.sandbox.faults.Take(operations, v.asked.text); v.hit == nil {
		return
	}
	v.entry.Fault = string(v.hit.Rule.Kind)
	control := http.NewResponseController(w)
	_ = errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})) // without a connection there are no deadlines
}

// wait counts the request against the limit. It returns how long the client must wait, 0 within the limit.
func (d *door) wait(v *visit) time.Duration {
	if d.limit == nil {
		return 0
	}
	return d.limit.Take(v.entry.Address, v.entry.Received)
}

// visit is one request that is being handled.
type visit struct {
	door   *door
	hit    *fault.Hit
	answer *answer
	// thrown says that the held request or answer is thrown away.
	thrown bool
	asked  asked
	mu     sync.Mutex // of entry.Fields
	entry  ledger.Entry
}

func (v *visit) meets(kinds ...fault.Kind) bool {
	return v.hit != nil && slices.Contains(kinds, v.hit.Rule.Kind)
}

// run makes the API answer the request, or not, as the fault demands.
func (v *visit) run(r *http.Request) {
	detached := r.WithContext(context.WithoutCancel(r.Context()))
	switch {
	case v.meets(fault.ErrorBefore):
		v.answer = plainAnswer(http.StatusInternalServerError, "an unexpected error")
		return
	case v.meets(fault.DropBefore):
		v.answer = plainAnswer(0, "")
		return
	case v.meets(fault.TooMany):
		v.answer = plainAnswer(http.StatusTooManyRequests, "over the limit of requests")
		if after := time.Duration(v.hit.Rule.RetryAfter); after > 0 {
			v.answer.Header().Set("Retry-After", seconds(after))
		}
		return
	case v.meets(fault.FailQuery):
		v.answer = &answer{header: http.Header{}}
		writeJSON(v.answer, http.StatusOK, map[string]any{"data": nil, "errors": []map[string]string{{"message": errOrdered.Error()}}})
		return
	case v.meets(fault.ExpireTokens):
		if err := v.door.sandbox.ExpireTokens(r.Context()); err != nil {
			v.answer = plainAnswer(http.StatusInternalServerError, errInternal.Error())
			return
		}
	case v.meets(fault.Late):
		if v.thrown = !v.hit.Keep(r.Context()); !v.thrown {
			pause(context.Background(), time.Duration(v.hit.Rule.After))
		}
		r = detached
	case v.meets(fault.HoldBefore):
		v.thrown = !v.hit.Keep(detached.Context())
		r = detached
	}
	if v.thrown {
		v.answer = plainAnswer(0, "")
		return
	}
	if v.meets(fault.FailTrigger) {
		r = r.WithContext(store.WithFailingTrigger(r.Context(), v.hit.Rule.Trigger))
	}
	v.answer = &answer{status: http.StatusOK, header: http.Header{}}
	v.door.next.ServeHTTP(v.answer, r)
	if v.meets(fault.HoldAfter) {
		v.settle() // the request is done, only the answer is held
		v.thrown = !v.hit.Keep(detached.Context())
	}
	if v.meets(fault.ErrorAfter) {
		v.answer = plainAnswer(http.StatusInternalServerError, "an unexpected error")
	}
}

// Begin implements graph.Observer. It marks the commit of the mutation. So a request
// without a written outcome can be distinguished from a request that did nothing.
func (v *visit) Begin(ctx context.Context, d graph.Done) (context.Context, error) {
	if v.meets(fault.FailField) && v.hit.Rule.Operation == d.Name {
		return ctx, errOrdered
	}
	if !v.door.marks {
		return ctx, nil
	}
	return store.WithMark(ctx, store.Mark{Request: v.entry.Number, Alias: d.Alias, Name: d.Name, Opportunity: d.Opportunity}), nil
}

// End implements graph.Observer.
func (v *visit) End(d graph.Done) {
	field := ledger.Field{Alias: d.Alias, Name: d.Name, Opportunity: d.Opportunity, Outcome: ledger.Committed}
	switch {
	case d.Err != nil:
		field.Outcome = ledger.Failed
	case d.Refused != nil:
		field.Outcome, field.Label = ledger.Refused, d.Refused.Label
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.entry.Fields = append(v.entry.Fields, field)
}

// settle writes the outcome of the request into the ledger, before the request is answered.
func (v *visit) settle() {
	for _, f := range v.asked.mutations {
		if !slices.ContainsFunc(v.entry.Fields, func(ran ledger.Field) bool { return ran.Alias == f.Alias }) {
			v.entry.Fields = append(v.entry.Fields, f)
		}
	}
	v.door.sandbox.ledger.End(v.entry)
}

// end is settle for a request that is answered next.
func (v *visit) end(client context.Context) {
	v.entry.Answered, v.entry.Gone = v.door.now().UTC(), client.Err() != nil
	v.entry.Status = v.answer.status
	v.settle()
}

// deliver sends the answer, or the part of it that a fault leaves. It reports whether the whole answer left.
func (v *visit) deliver(w http.ResponseWriter, r *http.Request) (whole bool) {
	if v.thrown || v.meets(fault.DropBefore, fault.DropAfter, fault.Late) {
		drop(w)
		return false
	}
	sent := v.answer.body.Bytes()
	if v.meets(fault.Malformed) {
		sent = append([]byte(`{"data": {"`), sent[:len(sent)/2]...)
	}
	for name, values := range v.answer.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(sent)))
	if v.meets(fault.Partial) {
		sent = sent[:len(sent)/2]
	}
	// This is checked before the answer, because a client that has its answer may go.
	gone := r.Context().Err() != nil
	w.WriteHeader(v.answer.status)
	if v.meets(fault.Slow) {
		return trickle(r.Context(), w, sent, time.Duration(v.hit.Rule.After))
	}
	_, err := w.Write(sent)
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	if v.meets(fault.Partial) {
		drop(w)
		return false
	}
	return err == nil && !gone
}

// trickle sends byte by byte. It reports whether it sent everything.
func trickle(ctx context.Context, w http.ResponseWriter, sent []byte, over time.Duration) bool {
	for i := range sent {
		if !pause(ctx, over/time.Duration(len(sent))) {
			return false
		}
		if _, err := w.Write(sent[i : i+1]); err != nil {
			return false
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return false
		}
	}
	return true
}

// pause waits. It reports whether the whole time has passed.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// drop closes the connection like a network failure.
func drop(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_ = connection.Close()
}

// answer is an answer that is kept until it is known whether to send it.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func plainAnswer(status int, message string) *answer {
	a := &answer{header: http.Header{}}
	refuse(a, status, message)
	return a
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// addressOf returns the client's address without its port, because the limit counts all connections of an address
// together.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// readToken returns the subject of every request of the token endpoint.
func readToken([]byte) asked { return asked{operations: []string{operationToken}} }

// readDocument returns the subject of a document: the name of its operation, and its fields. A field of a namespace has
// its namespace before it. For a document that cannot be read, the subject is empty.
func readDocument(body []byte) asked {
	var request struct {
		Query         string `json:"query"`
		OperationName string `json:"operationName"`
	}
	if json.Unmarshal(body, &request) != nil {
		return asked{}
	}
	document, err := parser.ParseQuery(&ast.Source{Input: request.Query})
	if err != nil {
		return asked{}
	}
	operation := document.Operations.ForName(request.OperationName)
	if operation == nil {
		return asked{}
	}
	var a asked
	if operation.Name != "" {
		a.operations = append(a.operations, operation.Name)
	}
	for _, field := range fields(document, operation.SelectionSet) {
		if operation.Operation != ast.Mutation {
			a.operations = append(a.operations, field.Name)
			continue
		}
		for _, inner := range fields(document, field.SelectionSet) {
			name := field.Name + "." + inner.Name
			a.operations = append(a.operations, name)
			a.mutations = append(a.mutations, ledger.Field{Alias: field.Alias + "." + inner.Alias, Name: name, Outcome: ledger.NotRun})
		}
	}
	return a
}

// fields returns the fields of a selection, including those of its fragments.
func fields(document *ast.QueryDocument, set ast.SelectionSet) []*ast.Field {
	return fieldsBelow(document, set, 0)
}

// maxFragments bounds the nesting of fragments. A document may have fragments in a circle.
const maxFragments = 10

func fieldsBelow(document *ast.QueryDocument, set ast.SelectionSet, depth int) []*ast.Field {
	var found []*ast.Field
	for _, selection := range set {
		var inner ast.SelectionSet
		switch s := selection.(type) {
		case *ast.Field:
			if s.Name != "__typename" {
				found = append(found, s)
			}
			continue
		case *ast.InlineFragment:
			inner = s.SelectionSet
		case *ast.FragmentSpread:
			if fragment := document.Fragments.ForName(s.Name); fragment != nil {
				inner = fragment.SelectionSet
			}
		}
		if depth < maxFragments {
			found = append(found, fieldsBelow(document, inner, depth+1)...)
		}
	}
	return found
}

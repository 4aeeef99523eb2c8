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
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/graph"
	"github.com/oppflow/oppflow/sandbox/ratelimit"
	"github.com/oppflow/oppflow/sandbox/requestlog"
	"github.com/oppflow/oppflow/sandbox/store"
)

// These maximum sizes of a request body, in bytes, are assumed.
const (
	maxRequestBody      = 1 << 20
	maxSmallRequestBody = 128 << 10
)

const operationToken = "token"

// gateway wraps the handlers of the API and of the token endpoint. A gateway writes requests into
// the request log, counts requests against the rate limit, and applies the faults.
type gateway struct {
	sandbox    *Sandbox
	limit      *ratelimit.Limiter // nil means no limit
	retryAfter bool
	// commitMarkers enables commit markers, from which the next start completes the request log
	// after a crash.
	commitMarkers bool
	now           func() time.Time
	next          http.Handler
	// maxBody is the maximum size of a request body, in bytes.
	maxBody  int64
	describe func(body []byte) requestInfo
}

type requestInfo struct {
	// operations are the names that fault rules compare with Rule.Operation.
	operations []string
	mutations  []requestlog.Field
	text       string
}

var errInjected = errors.New("a fault of the sandbox caused this failure")

func (d *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, d.maxBody))
	var tooLarge *http.MaxBytesError
	if err != nil && !errors.As(err, &tooLarge) {
		writeError(w, http.StatusBadRequest, "the request body could not be read completely")
		return
	}
	v := &pendingRequest{gateway: d, entry: requestlog.Entry{Received: d.now().UTC(), Address: addressOf(r)}}
	if tooLarge == nil {
		v.info = d.describe(body)
		v.info.text = string(body)
	}
	v.entry.Operations = v.info.operations
	v.entry.Number = d.sandbox.requestLog.Begin(v.entry)
	// The copied request has the whole body in memory, so a fault can run the request after the
	// client has disconnected.
	request := r.Clone(graph.WithObserver(r.Context(), v))
	request.Body = io.NopCloser(bytes.NewReader(body))
	switch wait := d.rateLimitWait(v); {
	case tooLarge != nil:
		v.response = newResponse(http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is larger than %d KiB", d.maxBody>>10))
	case wait > 0:
		v.response = newResponse(http.StatusTooManyRequests, "the rate limit is exceeded")
		if d.retryAfter {
			v.response.Header().Set("Retry-After", inSeconds(wait))
		}
	default:
		v.matchFault(w)
		v.execute(request)
	}
	v.finish(r.Context())
	if whole := v.respond(w, r); !whole {
		v.entry.Undelivered = true
		d.sandbox.requestLog.End(v.entry)
	}
}

// For a request with a fault, matchFault removes the server's read and write time-outs, because a
// long fault would otherwise look like a disconnected client.
func (v *pendingRequest) matchFault(w http.ResponseWriter) {
	operations := v.info.operations
	if len(v.info.mutations) > 0 {
		operations = append(slices.Clone(operations), fault.AnyMutation)
	}
	if v.match = v.gateway.sandbox.faults.Match(operations, v.info.text); v.match == nil {
		return
	}
	v.entry.Fault = string(v.match.Rule.Kind)
	control := http.NewResponseController(w)
	_ = errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})) // an error means that there is no connection, so there is no deadline to remove
}

// rateLimitWait counts the request against the rate limit, and returns how long the client must
// wait; 0 means that the request is within the limit.
func (d *gateway) rateLimitWait(v *pendingRequest) time.Duration {
	if d.limit == nil {
		return 0
	}
	return d.limit.Take(v.entry.Address, v.entry.Received)
}

type pendingRequest struct {
	gateway   *gateway
	match     *fault.Match
	response  *bufferedResponse
	discarded bool
	info      requestInfo
	mu        sync.Mutex // guards entry.Fields
	entry     requestlog.Entry
}

func (v *pendingRequest) hasFault(kinds ...fault.Kind) bool {
	return v.match != nil && slices.Contains(kinds, v.match.Rule.Kind)
}

func (v *pendingRequest) execute(r *http.Request) {
	detached := r.WithContext(context.WithoutCancel(r.Context()))
	switch {
	case v.hasFault(fault.ErrorBefore):
		v.response = newResponse(http.StatusInternalServerError, "an unexpected error")
		return
	case v.hasFault(fault.DropBefore):
		v.response = newResponse(0, "")
		return
	case v.hasFault(fault.TooManyRequests):
		v.response = newResponse(http.StatusTooManyRequests, "the rate limit is exceeded")
		if after := time.Duration(v.match.Rule.RetryAfter); after > 0 {
			v.response.Header().Set("Retry-After", inSeconds(after))
		}
		return
	case v.hasFault(fault.FailQuery):
		v.response = &bufferedResponse{header: http.Header{}}
		writeJSON(v.response, http.StatusOK, map[string]any{"data": nil, "errors": []map[string]string{{"message": errInjected.Error()}}})
		return
	case v.hasFault(fault.ExpireTokens):
		if err := v.gateway.sandbox.ExpireTokens(r.Context()); err != nil {
			v.response = newResponse(http.StatusInternalServerError, errInternal.Error())
			return
		}
	case v.hasFault(fault.Late):
		if v.discarded = !v.match.Wait(r.Context()); !v.discarded {
			sleep(context.Background(), time.Duration(v.match.Rule.Delay))
		}
		r = detached
	case v.hasFault(fault.HoldBefore):
		v.discarded = !v.match.Wait(detached.Context())
		r = detached
	}
	if v.discarded {
		v.response = newResponse(0, "")
		return
	}
	if v.hasFault(fault.FailTrigger) {
		r = r.WithContext(store.WithFailingTrigger(r.Context(), v.match.Rule.Trigger))
	}
	v.response = &bufferedResponse{status: http.StatusOK, header: http.Header{}}
	v.gateway.next.ServeHTTP(v.response, r)
	if v.hasFault(fault.HoldAfter) {
		v.recordOutcome() // the fault holds only the response, because the request has already run
		v.discarded = !v.match.Wait(detached.Context())
	}
	if v.hasFault(fault.ErrorAfter) {
		v.response = newResponse(http.StatusInternalServerError, "an unexpected error")
	}
}

func (v *pendingRequest) Begin(ctx context.Context, d graph.MutationResult) (context.Context, error) {
	if v.hasFault(fault.FailField) && v.match.Rule.Operation == d.Name {
		return ctx, errInjected
	}
	if !v.gateway.commitMarkers {
		return ctx, nil
	}
	return store.WithCommitMarker(ctx, store.CommitMarker{Request: v.entry.Number, Alias: d.Alias, Name: d.Name, Opportunity: d.Opportunity}), nil
}

func (v *pendingRequest) End(d graph.MutationResult) {
	field := requestlog.Field{Alias: d.Alias, Name: d.Name, Opportunity: d.Opportunity, Outcome: requestlog.Committed}
	switch {
	case d.Err != nil:
		field.Outcome = requestlog.Failed
	case d.Refusal != nil:
		field.Outcome, field.Label = requestlog.Refused, d.Refusal.Label
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.entry.Fields = append(v.entry.Fields, field)
}

// recordOutcome writes the outcome of the request into the request log, before the response is sent.
func (v *pendingRequest) recordOutcome() {
	for _, f := range v.info.mutations {
		if !slices.ContainsFunc(v.entry.Fields, func(ran requestlog.Field) bool { return ran.Alias == f.Alias }) {
			v.entry.Fields = append(v.entry.Fields, f)
		}
	}
	v.gateway.sandbox.requestLog.End(v.entry)
}

func (v *pendingRequest) finish(client context.Context) {
	v.entry.Answered, v.entry.ClientGone = v.gateway.now().UTC(), client.Err() != nil
	v.entry.Status = v.response.status
	v.recordOutcome()
}

// respond sends the response; a fault can shorten or replace the response. respond reports whether
// the whole response was sent.
func (v *pendingRequest) respond(w http.ResponseWriter, r *http.Request) (whole bool) {
	if v.discarded || v.hasFault(fault.DropBefore, fault.DropAfter, fault.Late) {
		closeConnection(w)
		return false
	}
	sent := v.response.body.Bytes()
	if v.hasFault(fault.Malformed) {
		sent = append([]byte(`{"data": {"`), sent[:len(sent)/2]...)
	}
	for name, values := range v.response.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(sent)))
	if v.hasFault(fault.Truncated) {
		sent = sent[:len(sent)/2]
	}
	// respond checks the connection before it sends the response, because a client may close the
	// connection after the response.
	gone := r.Context().Err() != nil
	w.WriteHeader(v.response.status)
	if v.hasFault(fault.Slow) {
		return writeSlowly(r.Context(), w, sent, time.Duration(v.match.Rule.Delay))
	}
	_, err := w.Write(sent)
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	if v.hasFault(fault.Truncated) {
		closeConnection(w)
		return false
	}
	return err == nil && !gone
}

func writeSlowly(ctx context.Context, w http.ResponseWriter, sent []byte, over time.Duration) bool {
	for i := range sent {
		if !sleep(ctx, over/time.Duration(len(sent))) {
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

// sleep waits for the time d or until ctx ends, and reports whether the whole time has passed.
func sleep(ctx context.Context, d time.Duration) bool {
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

func closeConnection(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_ = connection.Close()
}

// bufferedResponse keeps a response in memory until the gateway sends or drops it.
type bufferedResponse struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func newResponse(status int, message string) *bufferedResponse {
	a := &bufferedResponse{header: http.Header{}}
	writeError(a, status, message)
	return a
}

func (a *bufferedResponse) Header() http.Header { return a.header }

func (a *bufferedResponse) WriteHeader(status int) { a.status = status }

func (a *bufferedResponse) Write(p []byte) (int, error) { return a.body.Write(p) }

func inSeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// addressOf returns the client's address without its port, because the rate limit counts all
// connections of an address together.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func tokenRequestInfo([]byte) requestInfo { return requestInfo{operations: []string{operationToken}} }

// documentInfo returns the operation name of a document, the parts of the operation name between
// underscores, and the names of the fields.
func documentInfo(body []byte) requestInfo {
	var request struct {
		Query         string `json:"query"`
		OperationName string `json:"operationName"`
	}
	if json.Unmarshal(body, &request) != nil {
		return requestInfo{}
	}
	document, err := parser.ParseQuery(&ast.Source{Input: request.Query})
	if err != nil {
		return requestInfo{}
	}
	operation := document.Operations.ForName(request.OperationName)
	if operation == nil {
		return requestInfo{}
	}
	var a requestInfo
	if operation.Name != "" {
		a.operations = append(a.operations, operation.Name)
	}
	if parts := strings.Split(operation.Name, "_"); len(parts) > 1 { // a client may join several queries, and their names with underscores
		a.operations = append(a.operations, parts...)
	}
	for _, field := range selectedFields(document, operation.SelectionSet) {
		if operation.Operation != ast.Mutation {
			a.operations = append(a.operations, field.Name)
			continue
		}
		for _, inner := range selectedFields(document, field.SelectionSet) {
			name := field.Name + "." + inner.Name
			a.operations = append(a.operations, name)
			a.mutations = append(a.mutations, requestlog.Field{Alias: field.Alias + "." + inner.Alias, Name: name, Outcome: requestlog.NotRun})
		}
	}
	return a
}

// selectedFields returns the fields of a selection, including those of its fragments.
func selectedFields(document *ast.QueryDocument, set ast.SelectionSet) []*ast.Field {
	return selectedFieldsBelow(document, set, 0)
}

// Without maxFragments, fragments that form a cycle would cause an endless recursion.
const maxFragments = 10

func selectedFieldsBelow(document *ast.QueryDocument, set ast.SelectionSet, depth int) []*ast.Field {
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
			found = append(found, selectedFieldsBelow(document, inner, depth+1)...)
		}
	}
	return found
}

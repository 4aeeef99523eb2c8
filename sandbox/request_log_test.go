package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

func TestRequestLogHasEachOutcome(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now, Rate: sandbox.Rate{Requests: 8, Per: time.Minute}})
	id := a.create(t, "Melissa Green wants two")
	a.post(t, fmt.Sprintf(`mutation Apply {
		a: opportunities { addInterest(input: {opportunityId: %[1]q, interestDetails: {id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 1, unitAmount: "1.00"}}) { errors { label } } }
		b: opportunities { x: progress(input: {opportunityId: %[1]q, stepId: "T3Bwb3J0dW5pdHlTdGVwOjU="}) { errors { label } } ...more }
	} fragment more on OpportunityMutations { progress(input: {opportunityId: %[1]q, stepId: "T3Bwb3J0dW5pdHlTdGVwOjQ="}) { errors { label } } }`, id), nil)
	a.post(t, `query Look { hello echo(value: "Melissa Green") }`, nil)
	a.post(t, `mutation ($x: Int!) { opportunities { progress(input: {opportunityId: "x", stepId: "y"}) { errors { label } } } }`, nil)
	a.post(t, `{ no such document`, nil)
	a.send(t, http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ hello }"}`), http.Header{"Content-Type": {"application/json"}})
	if _, err := a.Faults().Set(fault.Rule{Kind: fault.ErrorAfter, Times: 1}); err != nil {
		t.Fatal(err)
	}
	a.post(t, fmt.Sprintf(`mutation { opportunities { extendReservations(input: {opportunityId: %q, reservationsValidUntil: "2026-03-03T00:00:00Z"}) { errors { label } } } }`, id), nil)
	a.send(t, http.MethodPost, "/oauth/token", strings.NewReader("x"), nil)
	a.post(t, `{ hello }`, nil)

	got := a.RequestLog().After(0, 0)
	for i := range got {
		if got[i].Number != int64(i+1) || !got[i].Received.Equal(now.Now()) || got[i].Answered.IsZero() || got[i].Address != "192.0.2.1" {
			t.Errorf("%+v", got[i])
		}
		// Inside a GraphQL namespace, mutations run in random order, so the test sorts the fields
		// by alias.
		slices.SortFunc(got[i].Fields, func(a, b requestlog.Field) int { return strings.Compare(a.Alias, b.Alias) })
	}
	of := func(alias, name string, outcome requestlog.Outcome, label string) requestlog.Field {
		return requestlog.Field{Alias: alias, Name: name, Opportunity: id, Outcome: outcome, Label: label}
	}
	want := []requestlog.Entry{
		{Operations: []string{"opportunities.create"}, Status: 200, Fields: []requestlog.Field{of("opportunities.create", "opportunities.create", requestlog.Committed, "")}},
		{Operations: []string{"Apply", "opportunities.addInterest", "opportunities.progress", "opportunities.progress"}, Status: 200, Fields: []requestlog.Field{
			of("a.addInterest", "opportunities.addInterest", requestlog.Committed, ""),
			of("b.progress", "opportunities.progress", requestlog.Committed, ""), of("b.x", "opportunities.progress", requestlog.Refused, "Transition Not Found"),
		}},
		{Operations: []string{"Look", "hello", "echo"}, Status: 200},
		{ // rejected as a whole
			Operations: []string{"opportunities.progress"}, Status: 200,
			Fields: []requestlog.Field{{Alias: "opportunities.progress", Name: "opportunities.progress", Outcome: requestlog.NotRun}},
		},
		{Status: 200},
		{Operations: []string{"hello"}, Status: 401},
		{
			Operations: []string{"opportunities.extendReservations"}, Status: 500, Fault: "error-after",
			Fields: []requestlog.Field{of("opportunities.extendReservations", "opportunities.extendReservations", requestlog.Committed, "")},
		},
		{Operations: []string{"token"}, Status: 400},
		{Operations: []string{"hello"}, Status: 429},
	}
	// The mutation x takes the opportunity from step 3 to step 5. The API refuses the mutation with
	// the alias x if it runs before the mutation with the alias progress.
	if got[1].Fields[2].Outcome == requestlog.Committed {
		want[1].Fields[2] = of("b.x", "opportunities.progress", requestlog.Committed, "")
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(requestlog.Entry{}, "Number", "Received", "Answered", "Address")); diff != "" {
		t.Errorf("the request log differs (-want +got):\n%s", diff)
	}
	answer := a.send(t, http.MethodGet, "/_sandbox/request-log?after=8", nil, http.Header{"Authorization": {"Bearer " + a.Token()}})
	if answer.status != 200 || strings.Count(answer.raw, `"number"`) != 1 || !strings.Contains(answer.raw, `"status":429`) {
		t.Errorf("%d %s", answer.status, answer.raw)
	}
	if all := a.send(t, http.MethodGet, "/_sandbox/request-log", nil, http.Header{"Authorization": {"Bearer " + a.Token()}}); strings.Contains(all.raw, "Melissa") {
		t.Error(all.raw)
	}
	for path, status := range map[string]int{"/_sandbox/request-log?after=x": 400, "/_sandbox/other": 404} {
		if answer := a.send(t, http.MethodGet, path, nil, http.Header{"Authorization": {"Bearer " + a.Token()}}); answer.status != status {
			t.Errorf("%s: %d", path, answer.status)
		}
	}
}

// The field Undelivered of an entry does not depend on the outcome of the request.
func TestRequestLogHasUndeliveredResponses(t *testing.T) {
	t.Parallel()
	for kind, whole := range map[fault.Kind]bool{
		fault.ErrorAfter: true, fault.Malformed: true, fault.TooManyRequests: true, fault.DropBefore: false, fault.DropAfter: false, fault.Truncated: false,
	} {
		s := serve(t, sandbox.Options{})
		s.setFault(t, fault.Rule{Kind: kind, Times: 1, Operation: "opportunities.addInterest"})
		_, _, _ = s.addInterest(t.Context())
		// The sandbox sets Undelivered only after the attempt to send the response.
		last := func() requestlog.Entry {
			all := s.RequestLog().After(0, 0)
			return all[len(all)-1]
		}
		eventually(t, string(kind)+" is written down", func() bool { return !last().Answered.IsZero() && last().Undelivered != whole })
	}
	// If a client closes the connection during a slow response, the response counts as undelivered.
	s := serve(t, sandbox.Options{})
	s.setFault(t, fault.Rule{Kind: fault.Slow, Times: 1, Delay: fault.Duration(time.Minute)})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, _, err := s.addInterest(ctx); err == nil {
		t.Error("the response was not slow")
	}
	eventually(t, "the answer is given up", func() bool {
		all := s.RequestLog().After(0, 0)
		return all[len(all)-1].Undelivered
	})
}

// With a data file, the request log continues after a restart, even if the process died while it
// wrote a line. A request that was in progress when the process ended has an entry without an
// outcome.
func TestRequestLogSurvivesARestart(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data.db")
	o := sandbox.Options{Data: data, Token: token}
	a, err := tryOpen(t, o)
	if err != nil {
		t.Fatal(err)
	}
	a.create(t, "one")
	under := a.RequestLog().Begin(requestlog.Entry{Received: time.Now(), Operations: []string{"opportunities.create"}})
	before := a.RequestLog().After(0, 0)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(data+".requests", os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"number":3,"rec`); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		b := open(t, o)
		after := b.RequestLog().After(0, 2)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the request log differs (-before +after):\n%s", diff)
		}
		if !after[under-1].Answered.IsZero() {
			t.Errorf("%+v", after[under-1])
		}
		b.create(t, "another")
		if last := b.RequestLog().After(under, 0); last[len(last)-1].Fields[0].Outcome != requestlog.Committed {
			t.Errorf("%+v", last)
		}
	}
	b := open(t, o)
	if all := b.RequestLog().After(0, 0); len(all) != 4 || all[3].Number != 4 {
		t.Errorf("%d entries, the last is %+v", len(all), all[len(all)-1])
	}
}

// After a restart, the request log contains every change that was committed before the process
// died, even if no response was sent. Each mutation writes a commit marker in its own transaction.
func TestRequestLogRecoversCommittedMutations(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data.db")
	s := serve(t, sandbox.Options{Data: data})
	s.setFault(t, fault.Rule{Kind: fault.HoldAfter, Times: 2, From: 2, Operation: "opportunities.create"})
	hold := s.setFault(t, fault.Rule{Kind: fault.HoldBefore, Operation: "opportunities.addInterest"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var sent sync.WaitGroup
	send := func(document string) {
		sent.Go(func() { _, _, _ = s.postOverNetwork(ctx, document) })
	}
	held := func(n int) func() bool {
		return func() bool {
			all := 0
			for _, rule := range s.Faults().List() {
				all += rule.Held
			}
			return all == n
		}
	}
	const create = `mutation { a: opportunities { create(input: {name: "unanswered", regionId: "UmVnaW9uOlVL"}) { errors { label } } } b: opportunities { progress(input: {opportunityId: "T3Bwb3J0dW5pdHk6MQ==", stepId: "x"}) { errors { label } } } }`
	send(`mutation { opportunities { create(input: {name: "one", regionId: "UmVnaW9uOlVL"}) { errors { label } } } }`)
	eventually(t, "the first is answered", func() bool { return s.Faults().List()[0].Matched == 1 })
	send(create)
	eventually(t, "what is committed is held", held(1))
	// The entry contains the outcome of the request; Answered is zero, because no response was
	// sent.
	if e := s.RequestLog().After(2, 0)[0]; !e.Answered.IsZero() || len(e.Fields) != 2 || e.Fields[0].Outcome != requestlog.Committed {
		t.Errorf("%+v", e)
	}
	send(fmt.Sprintf(addOne, s.opportunity))
	eventually(t, "what is not committed is held", held(2))

	// The copied files equal the files of a process that dies before the process writes the
	// outcomes of the requests.
	copied := filepath.Join(t.TempDir(), "data.db")
	for _, end := range []string{"", "-wal", ".requests"} {
		content, err := os.ReadFile(data + end)
		if err != nil {
			t.Fatal(err)
		}
		if end == ".requests" {
			content = removeOutcomes(t, content)
		}
		if err := os.WriteFile(copied+end, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if _, err := s.Faults().Release(hold); err != nil {
		t.Fatal(err)
	}
	s.Faults().Clear()
	sent.Wait()

	for range 2 { // the second start does not change the completed entry
		b, err := tryOpen(t, sandbox.Options{Data: copied, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]int{}
		for _, e := range b.RequestLog().After(0, 0) {
			if !e.Answered.IsZero() {
				t.Errorf("the entry has no outcome: %+v", e)
			}
			found[strings.Join(e.Operations, " ")+fmt.Sprint(" ", len(e.Fields))]++
			for _, f := range e.Fields {
				if f.Outcome != requestlog.Committed || f.Name != "opportunities.create" || f.Opportunity == "" {
					t.Errorf("%+v", f)
				}
			}
		}
		want := map[string]int{"opportunities.create 1": 2, "opportunities.create opportunities.progress 1": 1, "opportunities.addInterest 0": 1}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("the request log differs (-want +got):\n%s", diff)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func removeOutcomes(t testing.TB, content []byte) []byte {
	t.Helper()
	var kept []byte
	for line := range bytes.Lines(content) {
		var e requestlog.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if e.Answered.IsZero() && len(e.Fields) == 0 {
			kept = append(kept, line...)
		}
	}
	return kept
}

func TestRequestLogDropsTheOldest(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{RequestLogEntries: 8})
	for range 30 {
		a.post(t, `{ hello }`, nil)
	}
	entries := a.RequestLog().After(0, 0)
	if n := len(entries); n < 8 || n > 10 || entries[n-1].Number != 30 || entries[0].Number != int64(31-n) {
		t.Errorf("%d entries from %d to %d", n, entries[0].Number, entries[n-1].Number)
	}
	if got := a.RequestLog().After(29, 0); len(got) != 1 || len(a.RequestLog().After(30, 0)) != 0 || len(a.RequestLog().After(0, 3)) != 3 {
		t.Errorf("%+v", got)
	}
	off := open(t, sandbox.Options{NoRequestLog: true})
	off.post(t, `{ hello }`, nil)
	if off.RequestLog().After(0, 0) != nil {
		t.Error("the request log has an entry")
	}
}

// Observed (API notes 3.1): one document may contain a GraphQL namespace of mutations several times
// under different aliases; the API runs the aliased fields in order. Inside one GraphQL namespace,
// the order of mutations is undefined. With the value "document" of the assumption namespace.order,
// the mutations run in the order of the document.
func TestAliasesAtTheRootRunInOrder(t *testing.T) {
	t.Parallel()
	const n = 12
	for assumed, root := range map[string]bool{"": true, "document": false} {
		o := sandbox.Options{}
		if assumed != "" {
			o.Assumptions = map[string]string{"namespace.order": assumed}
		}
		a := open(t, o)
		id := a.create(t, "ordered")
		for range 10 {
			var b strings.Builder
			for i := range n {
				one := fmt.Sprintf(`m%02d: addInterest(input: {opportunityId: %q, interestDetails: {id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: %d, unitAmount: "1.00"}}) { errors { label } }`, i, id, i+1)
				if root {
					one = fmt.Sprintf("r%02d: opportunities { %s }", i, one)
				}
				b.WriteString(one)
			}
			document := "mutation { " + b.String() + " }"
			if !root {
				document = "mutation { opportunities { " + b.String() + " __typename } }"
			}
			before := a.RequestLog().After(0, 0)
			a.query(t, document, nil)
			fields := a.RequestLog().After(before[len(before)-1].Number, 0)[0].Fields
			if !slices.IsSortedFunc(fields, func(a, b requestlog.Field) int { return strings.Compare(a.Alias, b.Alias) }) || len(fields) != n {
				t.Fatalf("the mutations ran in the order %+v", fields)
			}
		}
	}
}

// In some of many requests, the mutations run in another order than in the document.
func TestAliasesInsideANamespaceRunInNoOrder(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	id := a.create(t, "unordered")
	var b strings.Builder
	for i := range 8 {
		fmt.Fprintf(&b, `m%d: addInterest(input: {opportunityId: %q, interestDetails: {id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 1, unitAmount: "1.00"}}) { errors { label } }`, i, id)
	}
	for range 1000 {
		before := a.RequestLog().After(0, 0)
		a.query(t, "mutation { opportunities { "+b.String()+" } }", nil)
		fields := a.RequestLog().After(before[len(before)-1].Number, 0)[0].Fields
		if !slices.IsSortedFunc(fields, func(a, b requestlog.Field) int { return strings.Compare(a.Alias, b.Alias) }) {
			return
		}
	}
	t.Error("the mutations always ran in the order of the document")
}

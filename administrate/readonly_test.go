package administrate

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestReadOnly: with Options.ReadOnly, no method sends a mutation, and the text of the error says
// what to do.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	var times atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		times.Add(1)
		_, _ = io.WriteString(w, `{"data":{"hello":"world"}}`)
	}))
	defer server.Close()
	c := client(t, server.URL, func(o *Options) { o.ReadOnly = true })
	create := NewOpportunity{Name: "n", RegionID: "r"}
	update := UpdateOpportunity{ID: "o", Name: "n"}
	progress := Progress{OpportunityID: "o", StepID: "s"}
	interest := AddInterest{OpportunityID: "o", ItemID: "i", Kind: Course, Quantity: 1}
	extend := ExtendReservations{OpportunityID: "o", Until: time.Now()}

	rejected := func(err error, operation string) {
		t.Helper()
		var rejected *RejectedError
		switch {
		case !errors.As(err, &rejected):
			t.Errorf("%s: %v", operation, err)
		case rejected.Operation != operation || len(rejected.Errors) != 1 || rejected.Errors[0].Label != "read-only" ||
			!strings.Contains(rejected.Errors[0].Message, "--read-only") || !strings.Contains(rejected.Errors[0].Message, "OPPFLOW_READ_ONLY"):
			t.Errorf("%s: %+v", operation, rejected)
		}
	}
	// The test finds every method of the client that has a mutation as a parameter, so the test
	// also covers methods that are added later.
	given := map[string]struct {
		mutation  Mutation
		operation string
	}{
		"CreateOpportunity":  {create, "create"},
		"UpdateOpportunity":  {update, "update"},
		"Progress":           {progress, "progress"},
		"AddInterest":        {interest, "addInterest"},
		"ExtendReservations": {extend, "extendReservations"},
	}
	mutation := reflect.TypeFor[Mutation]()
	found := 0
	for i := range reflect.TypeOf(c).NumMethod() {
		method := reflect.TypeOf(c).Method(i)
		if method.Type.NumIn() != 3 || !method.Type.In(2).Implements(mutation) {
			continue
		}
		found++
		test, ok := given[method.Name]
		if !ok {
			t.Errorf("%s is not tried", method.Name)
			continue
		}
		out := method.Func.Call([]reflect.Value{reflect.ValueOf(c), reflect.ValueOf(t.Context()), reflect.ValueOf(test.mutation)})
		err, _ := out[len(out)-1].Interface().(error)
		rejected(err, test.operation)
	}
	if found != len(given) {
		t.Errorf("%d methods take a mutation, want %d", found, len(given))
	}

	assumed, _ := Assumptions{}.resolved()
	mutations := 0
	for _, u := range allOperations() {
		r := &recorder{}
		if err := r.run(t.Context(), u, assumed); !errors.Is(err, errRecorded) {
			t.Fatalf("%s: %v", u.Name, err)
		}
		change := strings.HasPrefix(r.documents[0].Text, "mutation ")
		r = &recorder{}
		kept := r.client(assumed)
		kept.readOnly = true
		err := u.Do(t.Context(), kept)
		var turned *RejectedError
		if change {
			mutations++
			if len(r.documents) != 0 || !errors.As(err, &turned) || turned.Errors[0].Label != "read-only" {
				t.Errorf("%s: sent %d, %v", u.Name, len(r.documents), err)
			}
		} else if len(r.documents) != 1 {
			t.Errorf("%s, which reads, is kept back: %v", u.Name, err)
		}
	}
	if mutations < 40 {
		t.Errorf("only %d mutations were tried", mutations)
	}

	answers, err := c.Apply(t.Context(), []Mutation{interest, create, extend, update, progress})
	if err != nil || len(answers) != 5 {
		t.Fatalf("%d answers, %v", len(answers), err)
	}
	for i, operation := range []string{"addInterest", "create", "extendReservations", "update", "progress"} {
		rejected(answers[i].Err, operation)
		if answers[i].Opportunity != nil || answers[i].Interests != nil {
			t.Errorf("%s answers something: %+v", operation, answers[i])
		}
	}
	if got := outcomeOf(t, func() error { _, err := c.Apply(t.Context(), []Mutation{NewOpportunity{}}); return err }()); got != "invalid" {
		t.Errorf("an invalid one: %s", got)
	}
	if times.Load() != 0 {
		t.Errorf("%d requests were sent", times.Load())
	}
	if err := c.Hello(t.Context()); err != nil || times.Load() != 1 {
		t.Errorf("a read: %v, sent %d times", err, times.Load())
	}
}

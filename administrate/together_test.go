package administrate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/sandbox/fault"
)

type togetherTenant struct {
	*tenant
	record   string
	requests atomic.Int32
}

func newTogetherTenant(t *testing.T, assumed administrate.Assumptions) *togetherTenant {
	t.Helper()
	s := &togetherTenant{}
	s.tenant = newTenant(t, func(o *administrate.Options) {
		o.Assumed = assumed
		o.OnResult = func(error) { s.requests.Add(1) }
	})
	made := must[administrate.Opportunity](t)(s.CreateOpportunity(t.Context(), administrate.NewOpportunity{
		Name: "First Aid course", RegionID: regionDR, AccountID: accountOne,
	}))
	s.record = made.ID
	s.requests.Store(0)
	return s
}

// A query that needs the response to an earlier query is sent in the next document.
func TestReadTogether(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{})
	ctx := t.Context()
	links := must[administrate.OpportunityLinks](t)(s.OpportunityLinks(ctx, s.record))
	billing := must[administrate.Billing](t)(s.Billing(ctx, s.record))
	account := must[administrate.Account](t)(s.Account(ctx, accountOne))
	events := must[[]administrate.ScheduledEvent](t)(s.Events(ctx, []string{event}))
	s.requests.Store(0)

	var got struct {
		links, again administrate.OpportunityLinks
		account      administrate.Account
		billing      administrate.Billing
		events       []administrate.ScheduledEvent
	}
	errs := administrate.ReadTogether(ctx,
		func(ctx context.Context) (err error) {
			if got.links, err = s.OpportunityLinks(ctx, s.record); err == nil {
				got.account, err = s.Account(ctx, got.links.Account.ID)
			}
			return err
		},
		func(ctx context.Context) (err error) { got.again, err = s.OpportunityLinks(ctx, s.record); return err },
		func(ctx context.Context) (err error) { got.billing, err = s.Billing(ctx, s.record); return err },
		func(ctx context.Context) (err error) { got.events, err = s.Events(ctx, []string{event}); return err },
		func(context.Context) error { return nil },
	)
	if err := errors.Join(errs...); err != nil || len(errs) != 5 {
		t.Fatalf("%d errors: %v", len(errs), err)
	}
	for what, diff := range map[string]string{
		"links": cmp.Diff(links, got.links), "links again": cmp.Diff(links, got.again), "account": cmp.Diff(account, got.account),
		"billing": cmp.Diff(billing, got.billing), "events": cmp.Diff(events, got.events),
	} {
		if diff != "" {
			t.Errorf("%s (-alone +together):\n%s", what, diff)
		}
	}
	if made := s.requests.Load(); made != 2 {
		t.Errorf("%d requests, want 2: one with three queries and one with the account", made)
	}
}

// TestReadTogetherWithARefusedQuery: if a tenant's schema lacks a name that only one query uses,
// the query of main still succeeds.
func TestReadTogetherWithARefusedQuery(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{InvoiceComments: "remarks"})
	refused := new(*administrate.RefusedError)
	read := func() []error {
		return administrate.ReadTogether(t.Context(),
			func(ctx context.Context) error { _, err := s.OpportunityLinks(ctx, s.record); return err },
			func(ctx context.Context) error { _, err := s.Billing(ctx, s.record); return err },
		)
	}
	if errs := read(); errs[0] != nil || !errors.As(errs[1], refused) {
		t.Fatalf("together: %v", errs)
	}
	if made := s.requests.Swap(0); made != 2 {
		t.Errorf("%d requests, want 2: the joined document and the main query", made)
	}
	if _, err := s.Billing(t.Context(), s.record); !errors.As(err, refused) {
		t.Fatalf("alone: %v", err)
	}
	s.requests.Store(0)
	if errs := read(); errs[0] != nil || !errors.As(errs[1], refused) {
		t.Fatalf("after the refusal: %v", errs)
	}
	if made := s.requests.Load(); made != 2 {
		t.Errorf("%d requests, want 2: each query by itself", made)
	}
}

// The API refuses a document because of one query. The client sends the document again without this
// query, so that all other queries get their responses.
func TestReadTogetherSendsTheOtherQueriesAgain(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{InvoiceComments: "remarks"})
	errs := administrate.ReadTogether(t.Context(),
		func(ctx context.Context) error { _, err := s.OpportunityLinks(ctx, s.record); return err },
		func(ctx context.Context) error { _, err := s.Account(ctx, accountOne); return err },
		func(ctx context.Context) error { _, err := s.Billing(ctx, s.record); return err },
		func(ctx context.Context) error { _, err := s.Events(ctx, []string{event}); return err },
	)
	if errs[0] != nil || errs[1] != nil || !errors.As(errs[2], new(*administrate.RefusedError)) || errs[3] != nil {
		t.Errorf("got %v, want an error of the refused query only", errs)
	}
	if made := s.requests.Load(); made != 2 {
		t.Errorf("%d requests, want 2: with and without the refused query", made)
	}
}

// If another function has already sent an equal query, the client returns the same response without
// a request.
func TestReadTogetherSendsEqualQueriesOnce(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{})
	var first, second administrate.Account
	errs := administrate.ReadTogether(t.Context(),
		func(ctx context.Context) error {
			links, err := s.OpportunityLinks(ctx, s.record)
			if err == nil {
				first, err = s.Account(ctx, links.Account.ID)
			}
			return err
		},
		func(ctx context.Context) (err error) { second, err = s.Account(ctx, accountOne); return err },
	)
	if err := errors.Join(errs...); err != nil || first.ID != accountOne || !cmp.Equal(first, second) {
		t.Errorf("%v: %+v and %+v", err, first, second)
	}
	if made := s.requests.Load(); made != 1 {
		t.Errorf("%d requests, want 1", made)
	}
}

// TestReadTogetherWithAFailingQuery: if the API returns an error for one query of a document, only
// this query fails.
func TestReadTogetherWithAFailingQuery(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{})
	if _, err := s.box.Faults().Set(fault.Rule{Kind: fault.FailQuery, Operation: "Billing"}); err != nil {
		t.Fatal(err)
	}
	errs := administrate.ReadTogether(t.Context(),
		func(ctx context.Context) error { _, err := s.OpportunityLinks(ctx, s.record); return err },
		func(ctx context.Context) error { _, err := s.Billing(ctx, s.record); return err },
	)
	if errs[0] != nil || errs[1] == nil {
		t.Errorf("got %v, want an error of the second query only", errs)
	}
}

// TestReadTogetherWithoutAnAPI: if the client cannot reach the API, the client sends only one
// request, and every function returns the error of this request.
func TestReadTogetherWithoutAnAPI(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{})
	unreachable := s.client(t, func(o *administrate.Options) {
		o.URL = "http://127.0.0.1:1/graphql"
		o.OnResult = func(error) { s.requests.Add(1) }
	})
	errs := administrate.ReadTogether(t.Context(),
		func(ctx context.Context) error { _, err := unreachable.OpportunityLinks(ctx, s.record); return err },
		func(ctx context.Context) error { _, err := unreachable.Billing(ctx, s.record); return err },
	)
	for n, err := range errs {
		var unsent *administrate.NotSentError
		if !errors.As(err, &unsent) || unsent.Reason != administrate.Unreachable {
			t.Errorf("query %d: %v", n, err)
		}
	}
	if made := s.requests.Load(); made != 1 {
		t.Errorf("%d requests, want 1", made)
	}
}

// TestAPanicInAReadIsAnError: if a function of ReadTogether panics, the process does not end.
func TestAPanicInAReadIsAnError(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{})
	errs := administrate.ReadTogether(t.Context(),
		func(ctx context.Context) error { _, err := s.OpportunityLinks(ctx, s.record); return err },
		func(context.Context) error { panic(http.ErrAbortHandler) },
	)
	if errs[0] != nil || errs[1] == nil {
		t.Errorf("got %v, want an error of the second read only", errs)
	}
}

const newContactEmail = "ada@byrne.example"

func (s *togetherTenant) rename(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := s.UpdateOpportunity(ctx, administrate.UpdateOpportunity{ID: s.record, Name: name})
		return err
	}
}

// createContact returns a function that creates a contact of the account.
func (s *togetherTenant) createContact(account string) func(context.Context) error {
	return func(ctx context.Context) error {
		made, err := s.CreateContacts(ctx, []administrate.NewContact{{FirstName: "Ada", LastName: "Byrne", Email: newContactEmail, AccountID: account}})
		if err == nil {
			err = made[0].Err
		}
		return err
	}
}

// wantState compares the name of the record and the number of the new contacts.
func (s *togetherTenant) wantState(t *testing.T, name string, contacts int) {
	t.Helper()
	made := s.requests.Load()
	record := must[administrate.Opportunity](t)(s.Opportunity(t.Context(), s.record))
	found := must[administrate.ContactPage](t)(s.ContactsByEmail(t.Context(), newContactEmail))
	s.requests.Store(made)
	if record.Name != name || len(found.Contacts) != contacts {
		t.Errorf("the record is %q and there are %d contacts, want %q and %d", record.Name, len(found.Contacts), name, contacts)
	}
}

func (s *togetherTenant) wantRequests(t *testing.T, want int32) {
	t.Helper()
	if made := s.requests.Load(); made != want {
		t.Errorf("%d requests, want %d", made, want)
	}
}

const firstName = "First Aid course"

// Each function gets the response to its own mutation, although one request contains both mutations.
func TestChangeTogether(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{})
	var record administrate.Opportunity
	var contacts []administrate.ContactResult
	errs := administrate.ChangeTogether(t.Context(),
		func(ctx context.Context) (err error) {
			record, err = s.UpdateOpportunity(ctx, administrate.UpdateOpportunity{ID: s.record, Name: "Renamed"})
			return err
		},
		func(context.Context) error { return nil }, // sends nothing, and the others do not wait for it
		func(ctx context.Context) (err error) {
			contacts, err = s.CreateContacts(ctx, []administrate.NewContact{
				{FirstName: "Ada", LastName: "Byrne", Email: newContactEmail}, {FirstName: "Ben", LastName: "Byrne", Email: "ben@byrne.example"},
			})
			return err
		},
	)
	if err := errors.Join(errs...); err != nil || len(errs) != 3 {
		t.Fatalf("%d errors: %v", len(errs), err)
	}
	s.wantRequests(t, 1)
	if record.ID != s.record || len(contacts) != 2 || contacts[0].Err != nil || contacts[0].Contact.Email != newContactEmail || contacts[1].Contact.Email != "ben@byrne.example" {
		t.Errorf("record %+v, contacts %+v", record, contacts)
	}
	s.wantState(t, "Renamed", 1)
}

// documentRecorder stores the documents and returns an empty response to each document.
type documentRecorder struct{ sent *[]string }

func (d *documentRecorder) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	*d.sent = append(*d.sent, string(body))
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{"data":{}}`)), Request: r}, err
}

// The API executes the mutations in the order of the functions, even if a later function asks first.
func TestChangeTogetherKeepsTheOrderOfTheFunctions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		c, err := administrate.New(administrate.Options{Options: transport.Options{
			URL: "http://127.0.0.1:1/graphql", Tokens: oauth.StaticToken("t"), Burst: 1000, RequestsPerSecond: 1000,
			Transport: &documentRecorder{&sent},
		}})
		if err != nil {
			t.Fatal(err)
		}
		rename := func(name string, last bool) func(context.Context) error {
			return func(ctx context.Context) error {
				if last {
					synctest.Wait() // all other functions wait for the response
				}
				_, err := c.UpdateOpportunity(ctx, administrate.UpdateOpportunity{ID: "record", Name: name})
				return err
			}
		}
		_ = administrate.ChangeTogether(t.Context(), rename("first", true), rename("second", false), rename("third", false))
		if len(sent) != 1 {
			t.Fatalf("%d requests, want 1", len(sent))
		}
		for i, name := range []string{"first", "second", "third"} {
			if want := fmt.Sprintf(`"q%d_m0_name":%q`, i, name); !strings.Contains(sent[0], want) {
				t.Errorf("%s does not contain %s", sent[0], want)
			}
		}
	})
}

// If the API rejects one mutation, it still executes the mutations before and after it.
func TestChangeTogetherWithARejectedMutation(t *testing.T) {
	t.Parallel()
	for rejected := range 2 { // the index of the rejected mutation
		s := newTogetherTenant(t, administrate.Assumptions{})
		changes := []func(context.Context) error{s.rename("Renamed"), s.rename("Renamed")}
		changes[rejected] = s.createContact("T3JnYW5pc2F0aW9uOjk5OTk=") // an account that does not exist
		errs := administrate.ChangeTogether(t.Context(), changes...)
		if !errors.As(errs[rejected], new(*administrate.RejectedError)) || errs[1-rejected] != nil {
			t.Errorf("got %v, want an error of the contact only", errs)
		}
		s.wantRequests(t, 1)
		s.wantState(t, "Renamed", 0)
	}
}

// The API refuses the document because of one mutation. Nothing is executed, so each mutation can be
// sent alone.
func TestChangeTogetherWithARefusedMutation(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{UpdateName: "label"})
	errs := administrate.ChangeTogether(t.Context(), s.rename("Renamed"), s.createContact(""))
	for n, err := range errs {
		var unsent *administrate.NotSentError
		if !errors.As(err, &unsent) || unsent.Reason != administrate.NotJoined {
			t.Errorf("function %d: %v", n, err)
		}
	}
	s.wantRequests(t, 1)
	s.wantState(t, firstName, 0)

	// A mutation that is alone in its document gets the refusal itself.
	errs = administrate.ChangeTogether(t.Context(), s.rename("Renamed"), func(context.Context) error { return nil })
	if !errors.As(errs[0], new(*administrate.RefusedError)) || errs[1] != nil {
		t.Errorf("alone: %v", errs)
	}
	if err := s.createContact("")(t.Context()); err != nil {
		t.Errorf("alone: %v", err)
	}
	s.wantState(t, firstName, 1)
}

// Each mutation alone has an acceptable size, but the joined document has not.
func TestChangeTogetherWithALargeDocument(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{})
	for n, err := range administrate.ChangeTogether(t.Context(), s.rename(strings.Repeat("x", transport.MaxRequestBytes/2)), s.createContact("")) {
		var unsent *administrate.NotSentError
		if !errors.As(err, &unsent) || unsent.Reason != administrate.NotJoined {
			t.Errorf("function %d: %v", n, err)
		}
	}
	s.wantRequests(t, 0)
	s.wantState(t, firstName, 0)
}

// The API executes the request, but the response is lost.
func TestChangeTogetherWithALostResponse(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{})
	if _, err := s.box.Faults().Set(fault.Rule{Kind: fault.DropAfter, Operation: fault.AnyMutation, Times: 1}); err != nil {
		t.Fatal(err)
	}
	for n, err := range administrate.ChangeTogether(t.Context(), s.rename("Renamed"), s.createContact("")) {
		if !errors.As(err, new(*administrate.UnknownError)) {
			t.Errorf("function %d: %v", n, err)
		}
	}
	s.wantRequests(t, 1)
	s.wantState(t, "Renamed", 1)
}

// If the API cannot be reached, no function gets the reason NotJoined, because sending each mutation
// alone would not help.
func TestChangeTogetherWithoutAnAPI(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{})
	s.Client = s.client(t, func(o *administrate.Options) {
		o.URL = "http://127.0.0.1:1/graphql"
		o.OnResult = func(error) { s.requests.Add(1) }
	})
	for n, err := range administrate.ChangeTogether(t.Context(), s.rename("Renamed"), s.createContact("")) {
		var unsent *administrate.NotSentError
		if !errors.As(err, &unsent) || unsent.Reason != administrate.Unreachable {
			t.Errorf("function %d: %v", n, err)
		}
	}
	s.wantRequests(t, 1)
}

// A function that would send a second mutation gets an error, and the second mutation is not sent.
func TestChangeTogetherSendsOneMutationOfEachFunction(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{})
	errs := administrate.ChangeTogether(t.Context(),
		func(ctx context.Context) error {
			if err := s.rename("Renamed")(ctx); err != nil {
				t.Errorf("the first mutation: %v", err)
			}
			return s.rename("Renamed again")(ctx)
		},
		s.createContact(""),
	)
	if !errors.As(errs[0], new(*administrate.InvalidError)) || errs[1] != nil {
		t.Errorf("got %v, want that the second mutation is invalid", errs)
	}
	s.wantRequests(t, 1)
	s.wantState(t, "Renamed", 1)
}

func TestChangeTogetherReadOnly(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{})
	writing := s.Client
	s.Client = s.client(t, func(o *administrate.Options) {
		o.ReadOnly = true
		o.OnResult = func(error) { s.requests.Add(1) }
	})
	for n, err := range administrate.ChangeTogether(t.Context(), s.rename("Renamed"), s.createContact("")) {
		var rejected *administrate.RejectedError
		if !errors.As(err, &rejected) || rejected.Errors[0].Label != "read-only" {
			t.Errorf("function %d: %v", n, err)
		}
	}
	s.Client = writing
	s.wantRequests(t, 0)
	s.wantState(t, firstName, 0)
}

// TestAPanicInAChangeIsAnError: a panic in a function of ChangeTogether must not end the process, nor
// hold back the mutation of another function.
func TestAPanicInAChangeIsAnError(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{})
	errs := administrate.ChangeTogether(t.Context(), s.rename("Renamed"), func(context.Context) error { panic(http.ErrAbortHandler) })
	if errs[0] != nil || errs[1] == nil {
		t.Errorf("got %v, want an error of the second change only", errs)
	}
	s.wantState(t, "Renamed", 0)
}

// A function of ChangeTogether may read; its query is sent alone, before the mutations.
func TestChangeTogetherDoesNotJoinQueries(t *testing.T) {
	t.Parallel()
	s := newTogetherTenant(t, administrate.Assumptions{})
	errs := administrate.ChangeTogether(t.Context(),
		func(ctx context.Context) error {
			if _, err := s.OpportunityLinks(ctx, s.record); err != nil {
				return err
			}
			return s.rename("Renamed")(ctx)
		},
		s.createContact(""),
	)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	s.wantRequests(t, 2)
	s.wantState(t, "Renamed", 1)
}

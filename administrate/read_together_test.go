package administrate_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/administrate"
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

package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings"
)

// A worker sends nothing before it has proven that the namespace belongs to its tenant, and nothing
// while the namespace belongs to another tenant. After this proof, the worker sends everything,
// even if a later comparison ends without a result.
func TestNothingIsSentWithoutTheProof(t *testing.T) {
	other := &OtherTenantError{Namespace: "sales", Difference: "the regions are Nord, but the other tenant has UK"}
	refused := &administrate.NotSentError{Operation: "Lookup", Reason: administrate.Authentication}
	lost := errors.New("HTTP 500")
	type step struct {
		answer error
		reason administrate.Reason // why the worker does not send; "" if the worker sends
		says   string              // a text in the error of check
		ends   bool
		lines  int // the number of lines in the log from the start
	}
	for name, steps := range map[string][]step{
		"proven at once": {{nil, "", "", false, 0}, {lost, "", "", false, 0}},
		"not known for long": {
			{refused, administrate.Authentication, "unknown whether", false, 1},
			{refused, administrate.Authentication, "is unknown whether", false, 1},
			{lost, administrate.Unreachable, "HTTP 500", false, 2},
			{nil, "", "", false, 2},
		},
		"another one from the beginning": {{other, administrate.NotPermitted, "Nord", true, 0}},
		"another one, as is seen late":   {{lost, administrate.Unreachable, "HTTP 500", false, 1}, {other, administrate.NotPermitted, "Nord", true, 1}},
		"tied to another one, and back": {
			{nil, "", "", false, 0},
			{other, administrate.NotPermitted, "belongs to another tenant", false, 1},
			{other, administrate.NotPermitted, "Nord", false, 1},
			{lost, administrate.NotPermitted, "Nord", false, 1},
			{nil, "", "", false, 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, nil))
			b := newTenantGuard("sales", "", newPlaybookCache(&settings.Playbook{}, resolvedPlaybook{}, logger), logger)
			api, err := administrate.New(administrate.Options{Options: transport.Options{URL: "http://127.0.0.1:1/graphql", Tokens: oauth.StaticToken("t"), Permitted: b.permit}})
			if err != nil {
				t.Fatal(err)
			}
			sent := func() error { return b.permit(t.Context()) }
			if sent() == nil {
				t.Error("sent before anything was asked")
			}
			for n, s := range steps {
				b.verify = func(context.Context) error {
					if s.answer != nil {
						return s.answer
					}
					return b.playbooks.store(time.Now(), nil)
				}
				if err := b.compareTenant(t.Context()); (err != nil) != s.ends {
					t.Errorf("%d: ends with %v", n, err)
				}
				var notSent *administrate.NotSentError
				if s.reason != "" && (!errors.As(api.Hello(t.Context()), &notSent) || notSent.Reason != s.reason) {
					t.Errorf("%d: not sent: %+v; want %s", n, notSent, s.reason)
				}
				if err := sent(); (err == nil) != (s.reason == "") || err != nil && !strings.Contains(err.Error(), s.says) {
					t.Errorf("%d: %v; want %q", n, err, s.says)
				}
				if got := strings.Count(log.String(), "\n"); got != s.lines {
					t.Errorf("%d: the log has %d lines, want %d:\n%s", n, got, s.lines, log.String())
				}
			}
		})
	}
}

// After a replacement of the credentials, the worker sends nothing before a comparison has read the
// tenant of the new credentials. If a comparison began before the replacement, its result does not
// count.
func TestCredentialsThatAreReplacedAreCompared(t *testing.T) {
	b := newTenantGuard("sales", "", newPlaybookCache(&settings.Playbook{}, resolvedPlaybook{}, slog.New(slog.DiscardHandler)), slog.New(slog.DiscardHandler))
	answer := func(err error) func(context.Context) error {
		return func(context.Context) error {
			if err != nil {
				return err
			}
			return b.playbooks.store(time.Now(), nil)
		}
	}
	compared := func(want bool) {
		t.Helper()
		if err := b.compareTenant(t.Context()); err != nil {
			t.Error(err)
		}
		if err := b.permit(t.Context()); (err == nil) != want {
			t.Errorf("%v; want it sent: %v", err, want)
		}
	}
	b.verify = answer(nil)
	compared(true)
	b.credentialsReplaced()
	if err := b.permit(t.Context()); err == nil || !strings.Contains(err.Error(), "credentials were replaced") {
		t.Errorf("sent with other credentials: %v", err)
	}
	b.verify = func(ctx context.Context) error {
		b.credentialsReplaced() // the credentials are replaced a second time during the comparison
		return answer(nil)(ctx)
	}
	compared(false)
	b.verify = answer(nil)
	compared(true)
	b.credentialsReplaced()
	b.verify = answer(&OtherTenantError{Namespace: "sales", Difference: "the regions are Nord, but the other tenant has UK"})
	if err := b.compareTenant(t.Context()); err == nil {
		t.Error("the worker goes on with the credentials of another tenant")
	}
}

// The activities use the names of the regions that the worker has already read, so the activities
// need not read the regions again. If the name of a region was cut off, the activities do not use
// the name.
func TestTheRegionsOfTheTenantAreKnown(t *testing.T) {
	long := strings.Repeat("ß", maxTenantName)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		const empty = `{"edges":[],"pageInfo":{"totalRecords":0,"hasNextPage":false}}`
		_, _ = fmt.Fprintf(w, `{"data":{"steps":%s,"currencies":%[1]s,"regions":{"edges":[{"node":{"id":"a","name":"UK"}},{"node":{"id":"b","name":%[2]q}}],"pageInfo":{"totalRecords":2,"hasNextPage":false}}}}`, empty, long)
	}))
	defer server.Close()
	api, err := administrate.New(administrate.Options{Options: transport.Options{URL: server.URL, Tokens: oauth.StaticToken("t")}})
	if err != nil {
		t.Fatal(err)
	}
	b := newTenantGuard("sales", "", nil, slog.New(slog.DiscardHandler))
	b.api = api
	var known []opportunity.Ref
	b.onRegions = func(regions []opportunity.Ref) { known = regions }
	if err := b.readTenant(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if want := []opportunity.Ref{{ID: "a", Name: "UK"}}; !slices.Equal(known, want) {
		t.Errorf("known are %+v, want %+v", known, want)
	}
}

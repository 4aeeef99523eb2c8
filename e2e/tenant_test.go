package e2e_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/starter/cli"
	"github.com/oppflow/oppflow/worker/host"
)

// Two tenants have the same API address and differ only in their tokens. A worker with the token of
// one tenant does not work in the namespace of the other tenant, until an operator rebinds the
// namespace.
func TestAWorkerServesOnlyTheTenantOfItsNamespace(t *testing.T) {
	t.Parallel()
	t.Run("another catalogue", func(t *testing.T) {
		t.Parallel()
		tryTwoTenants(t, "../sandbox/catalogue/tenant.yaml", "the steps are ")
	})
	// The two tenants differ only in the records that Oppflow created.
	t.Run("the same catalogue", func(t *testing.T) {
		t.Parallel()
		tryTwoTenants(t, "", "none of the records that Oppflow created exists with its reference tag")
	})
}

func tryTwoTenants(t *testing.T, catalogue, differs string) {
	t.Helper()
	const otherToken = "token-of-another-tenant"
	other, err := sandbox.Open(t.Context(), sandbox.Options{
		Token: otherToken, Catalogue: catalogue, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	var own atomic.Pointer[url.URL] // set when the tenant's sandbox runs
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(own.Load()) }}
	address := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("Authorization"), otherToken) {
			other.Handler().ServeHTTP(w, r)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(address.Close)

	p := startParts(t, stack.Options{NoWorker: true, WorkerArgs: []string{"--api-url", address.URL + "/graphql"}})
	api, err := url.Parse(p.APIURL())
	if err != nil {
		t.Fatal(err)
	}
	own.Store(&url.URL{Scheme: api.Scheme, Host: api.Host})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	env := func(token string) []string {
		return []string{
			"TEMPORAL_ADDRESS=" + p.TemporalAddress(), "TEMPORAL_NAMESPACE=" + p.Namespace(), "TEMPORAL_CONFIG_FILE=/dev/null",
			"ADMINISTRATE_URL=" + address.URL + "/graphql", "ADMINISTRATE_TOKEN=" + token,
		}
	}
	setup := func(token string, code int, says ...string) {
		t.Helper()
		args := []string{"setup"}
		if code < 0 {
			args, code = append(args, "--rebind"), 0
		}
		var out bytes.Buffer
		if got := cli.Main(ctx, args, env(token), &out, &out); got != code {
			t.Errorf("setup ended with exit code %d: %s", got, out.String())
		}
		for _, want := range says {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the output of setup is %q; want %q", out.String(), want)
			}
		}
	}
	refused := func(token string, says ...string) {
		t.Helper()
		var out bytes.Buffer
		if code := host.Main(ctx, []string{"--log-level", "error"}, env(token), &out, &out); code != host.ExitFailure || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("the worker ended with exit code %d: %s", code, out.String())
		}
		for _, want := range says {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the output of the worker is %q; want %q", out.String(), want)
			}
		}
	}

	// The namespace is not bound yet, and the first worker binds the namespace to its tenant.
	if err := p.Worker().Start(ctx); err != nil {
		t.Fatal(err)
	}
	const reference = opportunity.Reference("customer-of-a")
	opened, err := p.client.Start(ctx, reference, opportunity.Start{Name: "Confidential", Region: "UK"})
	if err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the namespace knows the record", func() bool {
		var state lifecycle.NamespaceState
		value, err := p.temporal.QueryWorkflow(ctx, lifecycle.NamespaceID, "", lifecycle.NamespaceOf.Name)
		return err == nil && value.Get(&state) == nil && len(state.Records) == 1 && state.Records[0].ID == opened.Opportunity
	})
	setup(p.APIToken(), 0, "already bound to the tenant with regions ")
	setup(otherToken, 1, "belongs to another tenant", differs)
	if err := p.Worker().Stop(ctx); err != nil {
		t.Fatal(err)
	}

	if err := p.client.Signal(ctx, reference, harness.Interests(1)); err != nil {
		t.Fatal(err)
	}
	refused(otherToken, "belongs to another tenant", differs, "oppflow setup --rebind")
	setup(otherToken, -1, "rebound to the tenant with regions ")
	if catalogue != "" {
		refused(p.APIToken(), "belongs to another tenant")
	}
	for _, entry := range other.RequestLog().After(0, 1000) {
		if len(entry.Fields) > 0 {
			t.Errorf("the other tenant got the request %+v", entry)
		}
	}
	if found := p.Records(opened.Opportunity); !strings.Contains(found, `"totalRecords": 0`) {
		t.Errorf("the tenant's record was changed: %s", found)
	}

	setup(p.APIToken(), -1, "rebound to the tenant with regions ")
	if err := p.Worker().Start(ctx); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the command is done", func() bool {
		view, err := p.client.View(ctx, reference)
		return err == nil && len(view.Queue) == 0 && len(view.Interests) == 1
	})
}
